"""Recordings as another wrist may give them: turned strap, another pace, stronger or weaker, noisier."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.movement import SAMPLES

Floats = NDArray[np.float64]

#: Spread of the angle the strap is turned by, rad; of the logarithms of pace and of strength; of the noise.
TURN: Final = 0.2
PACE: Final = 0.15
STRENGTH: Final = 0.1
NOISE: Final = 0.03
#: Share of windows that are cut short, down to two seconds, and mirrored as short recordings are.
SHORT: Final = 0.15
SHORTEST: Final = 20


def crops(signals: Sequence[Floats], rng: np.random.Generator) -> Floats:
    """One disturbed window ``(100, 6)`` of each signal ``(n, 6)``; ``(N, 100, 6)``."""
    count = len(signals)
    pace = np.exp(rng.normal(0, PACE, count))
    x = np.stack([_crop(s, p, rng) for s, p in zip(signals, pace, strict=True)])
    x[..., 3:] *= pace[:, None, None]  # what is done faster turns faster
    x *= np.exp(rng.normal(0, STRENGTH, (count, 1, 1)))
    return turned(x, rotations(rng.normal(0, TURN, (count, 3)))) + rng.normal(0, NOISE, x.shape)


def _crop(signal: Floats, pace: float, rng: np.random.Generator) -> Floats:
    """A window from anywhere, ``pace`` times as fast; past the ends the signal is mirrored."""
    length = rng.integers(SHORTEST, SAMPLES) if rng.random() < SHORT else SAMPLES
    span = min(pace * (length - 1), len(signal) - 1.0)
    start = rng.uniform(0, len(signal) - 1 - span)
    at = pace * np.arange(SAMPLES)
    at = start + span - np.abs(span - at % (2 * span))  # a triangle wave between start and start + span
    low = np.minimum(at.astype(np.int64), len(signal) - 2)
    share = (at - low)[:, None]
    return np.asarray(signal[low] * (1 - share) + signal[low + 1] * share)


def turned(x: Floats, rotation: Floats) -> Floats:
    """``x (N, T, 6)`` with both sensors turned by ``rotation (N, 3, 3)``."""
    both = x.reshape(*x.shape[:2], 2, 3)
    return np.asarray(np.einsum("ntsi,nij->ntsj", both, rotation).reshape(x.shape))


def rotations(vector: Floats) -> Floats:
    """Rotation matrices ``(N, 3, 3)`` of rotation vectors ``(N, 3)`` (Rodrigues' formula)."""
    angle = np.linalg.norm(vector, axis=1)[:, None, None]
    axis = vector / np.maximum(angle[:, :, 0], 1e-12)
    cross = np.zeros((len(vector), 3, 3))
    cross[:, [2, 0, 1], [1, 2, 0]] = axis
    cross[:, [1, 2, 0], [2, 0, 1]] = -axis
    return np.asarray(np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross)
