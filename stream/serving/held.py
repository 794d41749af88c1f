"""A version as the service holds it: the network, and whether the stages can ask it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from models.tensors import Explained, Tensor
from stream.serving.network import Arrays

if TYPE_CHECKING:
    from models.servable import Servable


class Held:
    """See :class:`~stream.serving.network.Network`."""

    def __init__(self, servable: Servable, misfit: str | None) -> None:
        self._servable = servable
        self.name, self.version = servable.name, servable.version
        self.inputs: Sequence[Tensor] = servable.inputs
        self.outputs: Sequence[Tensor] = servable.outputs
        self.misfit = misfit

    def __call__(self, inputs: Mapping[str, NDArray[Any]]) -> Arrays:
        """Ask the network."""
        return self._servable(inputs)

    def explain(self, inputs: Arrays, baselines: Arrays, output: str, weights: NDArray[Any]) -> Explained:
        """Ask why."""
        return self._servable.explain(inputs, baselines, output, weights)
