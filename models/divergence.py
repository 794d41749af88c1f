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


def divergence(
    one: keras.Model, other: keras.Model, golden: Sequence[NDArray[Any]], units: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """By output and unit: ``output``, ``unit``, ``golden`` and ``between`` with ``max`` and ``mean`` difference.

    ``golden``: the inputs of the golden example, each ``(rows, …)``. ``units``: by output one unit, or one for each
    entry of its first axis, which then are told apart; ``None`` where none is stated.
    """
    drawn = between(golden, np.random.default_rng(SEED), ROWS)
    pairs = [zip(answer(one, i), answer(other, i), strict=True) for i in (list(golden), drawn)]
    found = []
    for name, ((a, b), (c, d)) in zip(one.output_names, zip(*pairs, strict=True), strict=True):
        for unit, part in _parts(units.get(name)):
            apart = {"golden": asdict(_apart(a, b, part)), "between": asdict(_apart(c, d, part))}
            found.append({"output": name, "unit": unit, **apart})
    return found


def _parts(unit: Any) -> list[tuple[Any, Any]]:
    return [(one, i) for i, one in enumerate(unit)] if isinstance(unit, list) else [(unit, ...)]


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


def _apart(one: NDArray[np.float32], other: NDArray[np.float32], part: Any) -> Apart:
    difference = np.abs(one.astype(np.float64) - other)[:, part]
    return Apart(float(difference.max()), float(difference.mean()))
