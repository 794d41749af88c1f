"""What a network takes and gives, in words: no numbers, and no TensorFlow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Tensor:
    """A named input or output of 32-bit floats. ``shape`` is that of one row; ``about`` its unit or channels."""

    name: str
    shape: tuple[int, ...]
    about: Mapping[str, Any] = field(default_factory=dict)
