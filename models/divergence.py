"""How far the answers of two networks lie apart: on the golden example, and on rows between its rows.

Rows between two golden rows are inputs the network could meet: a channel that is the same in both stays what it is,
and none leaves its range.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import keras
import numpy as np
from numpy.typing import NDArray

from models.restore import answer

#: Rows drawn between the golden ones, and the seed they are drawn with.
ROWS: Final = 256
SEED: Final = 0


@dataclass(frozen=True, slots=True)
class Apart:
    """Absolute differences of one output, in its unit: the largest and the mean."""

    max: float
    mean: float


def divergence(one: keras.Model, other: keras.Model, golden: Sequence[NDArray[Any]]) -> dict[str, Any]:
    """By output ``golden`` and ``between``, each with ``max`` and ``mean`` absolute difference.

    ``golden``: the inputs of the golden example, each ``(rows, …)``. Both networks have the same outputs.
    """
    found: dict[str, Any] = {name: {} for name in one.output_names}
    drawn = between(golden, np.random.default_rng(SEED), ROWS)
    for where, inputs in (("golden", list(golden)), ("between", drawn)):
        for name, a, b in zip(found, answer(one, inputs), answer(other, inputs), strict=True):
            found[name][where] = asdict(_apart(a, b))
    return found


def between(
    golden: Sequence[NDArray[Any]], generator: np.random.Generator, rows: int
) -> list[NDArray[np.float32]]:
    """Inputs ``(rows, …)``, each row at a random place on the way from one golden row to another."""
    first, second = generator.integers(len(golden[0]), size=(2, rows))
    way = generator.random(rows)
    return [
        (a[first] + way.reshape(-1, *[1] * (a.ndim - 1)) * (a[second] - a[first])).astype(np.float32)
        for a in golden
    ]


def with_units(found: Mapping[str, Any], outputs: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """The same with the ``unit`` a manifest states of an output, none where it states none."""
    return {name: {**apart, "unit": outputs.get(name, {}).get("unit")} for name, apart in found.items()}


def _apart(one: NDArray[np.float32], other: NDArray[np.float32]) -> Apart:
    difference = np.abs(one.astype(np.float64) - other)
    return Apart(float(difference.max(initial=0)), float(difference.mean()) if difference.size else 0.0)
