"""What a window may look like live and a clean recording does not show: groups gone, gaps, another's own terms.

The network is trained on disturbed windows, so that it works with any subset of sensors.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from stream.earlier import COLUMNS as EARLIER
from stream.normalise import CHANNELS, LENGTH, LIMIT
from touchline.training.windows import CENTRE, GROUPS, HEART_RATE, SPREAD, YAW_RATE, Float32, Pool

Ints = NDArray[np.int64]

#: Share of windows left as they are.
CLEAN: Final = 0.8
#: How likely in the others a group is gone for the whole window, the window is cut short or has a gap; and in any
#: that it stands in own terms.
GONE: Final = {"heart": 0.1, "position": 0.1, "imu": 0.2, "motion": 0.2, "environment": 0.2}
SHORT: Final = 0.15
GAP: Final = 0.15
OWN: Final = 0.1
#: How far a heart rate may lie above or below the recorded one throughout a window, as of another body (SD, bpm).
SHIFT_BPM: Final = 7.5
#: Longest gap, s.
LONGEST_GAP: Final = 40
_COLUMNS: Final = {name: [CHANNELS.index(c) for c in channels] for name, channels in GROUPS.items()}


def disturbed(table: Pool, at: Ints, rng: np.random.Generator) -> tuple[Float32, Float32]:
    """Histories ``(B, 120, 2C)`` of the seconds ``at``, what was earlier ``(B, 24, 6)``; some disturbed at random."""
    x, earlier = own_or_prior(table, at, rng)
    shift(x, earlier, rng)
    touched = rng.random(len(at)) >= CLEAN
    for name, chance in GONE.items():
        blank(x, earlier, name, touched & (rng.random(len(at)) < chance))
    hidden, late = _hidden(touched, rng)
    x[hidden] = 0.0
    earlier[late] = 0.0
    return x, earlier


def _hidden(
    touched: NDArray[np.bool_], rng: np.random.Generator
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which seconds ``(B, 120)`` nothing is known of, before a late start or in a gap that has ended; who is late."""
    rows, second = len(touched), np.arange(LENGTH)[None, :]
    begin = np.where(touched & (rng.random(rows) < SHORT), rng.integers(0, LENGTH - 30, rows), 0)
    length = np.where(touched & (rng.random(rows) < GAP), rng.integers(1, LONGEST_GAP, rows), 0)
    where = rng.integers(0, LENGTH, rows)
    gap = (second >= where[:, None]) & (second < (where + length)[:, None]) & (second < LENGTH - 1)
    return np.asarray((second < begin[:, None]) | gap), begin > 0


def shift(x: Float32, earlier: Float32, rng: np.random.Generator) -> None:
    """Raise or lower the whole heart rate of every row, in place; changes are what is forecast, and stay."""
    by = rng.normal(0, SHIFT_BPM / SPREAD[HEART_RATE], (len(x), 1)).astype(np.float32)
    for values, channels in ((x, len(CHANNELS)), (earlier, len(EARLIER))):
        values[:, :, HEART_RATE] += by * values[:, :, channels + HEART_RATE]


def mirrored(x: Float32, ahead: Float32, rng: np.random.Generator) -> None:
    """Turn half of the rows' left into right, in place: history ``(B, 120, 2C)``, future ``(B, 4, 60)``."""
    sign = rng.choice(np.array([-1, 1], np.float32), len(x))
    x[:, :, YAW_RATE] *= sign[:, None]
    ahead[:, 2] *= sign[:, None]


def blank(x: Float32, earlier: Float32, group: str, rows: NDArray[np.bool_]) -> None:
    """Take a group out of the histories of some ``rows (B,)`` and of what was earlier, in place."""
    for values, columns in ((x, range(len(CHANNELS))), (earlier, EARLIER)):
        for place in (place for place, column in enumerate(columns) if column in _COLUMNS[group]):
            values[rows, :, place] = 0.0
            values[rows, :, len(columns) + place] = 0.0


def own_or_prior(table: Pool, at: Ints, rng: np.random.Generator) -> tuple[Float32, Float32]:
    """Histories, and what was earlier, in the prior's terms or, in some rows, on the way to the session's own."""
    x, earlier, every = table.x(at), table.earlier(at), list(range(len(CHANNELS)))
    weight = np.where(rng.random(len(at)) < OWN, rng.random(len(at)), 0.0)
    own = np.flatnonzero(weight)
    weight = weight[own, None]
    centre, spread = np.moveaxis(table.own[table.session[at[own]]], 1, 0)
    centre = CENTRE + weight * (centre - CENTRE)
    spread = SPREAD + weight * (spread - SPREAD)
    for values, columns in ((x, every), (earlier, list(EARLIER))):
        some = values[own]
        known = some[:, :, : len(columns)] * SPREAD[columns] + (CENTRE - centre)[:, None, columns]
        moved = np.clip(known / spread[:, None, columns], -LIMIT, LIMIT)
        values[own, :, : len(columns)] = moved * some[:, :, len(columns) :]
    return x, earlier
