"""Fingerprints: what a version was trained on is known again by its content, whatever file it stands in.

A unit of a split (a run, a recording) is a series of whole numbers. Each stretch of it, at every step, is hashed, and
of every so many hashes in a row the smallest is kept (winnowing: Schleimer, Wilkerson and Aiken 2003, doi
10.1145/872757.872770). So two series that share a stretch of ``length + width - 1`` steps share a fingerprint,
wherever either begins. Stretches in which next to nothing moves are everybody's and are left out. Names, the order of
units, the file's format and the type of its numbers are in no fingerprint. Reads no files; says nothing about splits.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import blake2b
from typing import Any, Final

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Hashes = NDArray[np.uint64]

#: Hexadecimal digits of a fingerprint; one tells a stretch from any other.
DIGITS: Final = 10
#: Steps beyond this many are taken for this many.
MOST: Final = 2.0**31


def whole(values: NDArray[Any], step: float = 1.0) -> Ints:
    """Values in whole steps; what is missing is 0."""
    steps = np.nan_to_num(np.asarray(values, np.float64) / step, nan=0.0)
    return np.rint(np.clip(steps, -MOST, MOST)).astype(np.int64)


def hashed(pieces: Ints, digits: int = DIGITS) -> Hashes:
    """A hash of each piece ``(N, …)``, the same on every machine: ``(N,)``."""
    rows = np.ascontiguousarray(pieces, dtype="<i8")
    found = [int.from_bytes(blake2b(row.tobytes(), digest_size=digits // 2).digest()) for row in rows]
    return np.array(found, np.uint64)


def stretches(series: Ints, length: int, moves: int) -> Hashes:
    """Hashes of every stretch of ``length`` steps of ``series (n, c)`` in which it moves ``moves`` times or more."""
    if len(series) < length:
        return np.zeros(0, np.uint64)
    moved = np.concatenate([[0], np.cumsum((np.diff(series, axis=0) != 0).any(axis=1))])
    lively = moved[length - 1 :] - moved[: len(series) - length + 1] >= moves
    return hashed(sliding_window_view(series, length, axis=0)[lively])


def winnowed(hashes: Hashes, width: int) -> Hashes:
    """Of every ``width`` hashes in a row the smallest, each once."""
    if len(hashes) == 0:
        return hashes
    return np.unique(sliding_window_view(hashes, min(width, len(hashes))).min(axis=1))


def written(hashes: Hashes, digits: int = DIGITS) -> str:
    """Hashes as a text for a manifest, sorted, so that nothing is told by their order."""
    return " ".join(f"{found:0{digits}x}" for found in sorted(hashes.tolist()))


def read(texts: Iterable[str]) -> Hashes:
    """The hashes of such texts, all together."""
    return np.array([int(found, 16) for text in texts for found in text.split()], np.uint64)


def recognised(units: Sequence[Hashes], texts: Iterable[str]) -> NDArray[np.bool_]:
    """Which units ``(N,)``, each with the hashes of all its stretches, share one with ``texts``."""
    known = read(texts)
    return np.array([bool(np.isin(unit, known).any()) for unit in units], np.bool_)
