"""What the service needs of a network, and of the place networks come from. Real ones are in ``library``."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from models.tensors import Explained, Tensor

Float32 = NDArray[np.float32]
Arrays = Mapping[str, Float32]


class Network(Protocol):
    """One version of a model, warm. Any number of rows; called from one thread."""

    @property
    def name(self) -> str:
        """Of the model."""

    @property
    def version(self) -> str:
        """A whole number as text."""

    @property
    def inputs(self) -> Sequence[Tensor]:
        """In the network's order."""

    @property
    def outputs(self) -> Sequence[Tensor]:
        """In the network's order."""

    @property
    def misfit(self) -> str | None:
        """Why the stages cannot ask it; None where they can."""

    def __call__(self, inputs: Mapping[str, NDArray[Any]]) -> Arrays:
        """Every input ``(B, *shape)`` to every output ``(B, *shape)``."""

    def explain(self, inputs: Arrays, baselines: Arrays, output: str, weights: NDArray[Any]) -> Explained:
        """What pushed the sum of an output's entries times ``weights``, away from that of ``baselines``.

        Called from one thread, which may be another.
        """


@dataclass(frozen=True, slots=True)
class Listing:
    """A model as the registry has it now: versions, oldest first, and label to version."""

    versions: Sequence[str]
    labels: Mapping[str, str] = field(default_factory=dict)


class Library(Protocol):
    """Where versions come from. All of it blocks."""

    def listing(self) -> Mapping[str, Listing]:
        """Every model by name. One whose labels cannot be read is left out."""

    def fingerprint(self, name: str, version: str) -> Hashable:
        """Differs once a file of the version has changed, so that a refused one is tried again."""

    def load(self, name: str, version: str) -> Network:
        """Load and warm up. Raises :class:`~stream.errors.ModelRefused` naming the file."""
