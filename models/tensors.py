"""What a network takes and gives, in words, and what pushed an answer. No TensorFlow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Tensor:
    """A named input or output of 32-bit floats. ``shape`` is that of one row; ``about`` its unit or channels."""

    name: str
    shape: tuple[int, ...]
    about: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Explained:
    """Of B rows: by input the push of each entry, ``(B, …)``; the answers and those of the baseline, ``(B,)``.

    ``gap (B,)``: what the pushes leave of the difference of the two; ``complete``: whether that is next to nothing.
    """

    pushes: Mapping[str, NDArray[np.float32]]
    answer: NDArray[np.float32]
    baseline: NDArray[np.float32]
    gap: NDArray[np.float32]
    complete: bool
