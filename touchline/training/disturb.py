"""What a window may look like live and a clean recording does not show: groups gone, gaps, another's own terms.

The network is trained on disturbed windows, so that it works with any subset of sensors.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from stream.normalise import CHANNELS, LENGTH, LIMIT
from touchline.training.windows import CENTRE, GROUPS, SPREAD, YAW_RATE, Float32, Pool

Ints = NDArray[np.int64]

#: Share of windows left as they are.
CLEAN: Final = 0.5
#: How likely in the others a group is gone for the whole window, the window is cut short or has a gap; and in any
#: that it stands in own terms.
GONE: Final = {"heart": 0.1, "position": 0.1, "imu": 0.2, "motion": 0.2, "environment": 0.2}
SHORT: Final = 0.15
GAP: Final = 0.15
OWN: Final = 0.5
#: Longest gap, s.
LONGEST_GAP: Final = 40
_COLUMNS: Final = {name: [CHANNELS.index(c) for c in channels] for name, channels in GROUPS.items()}


def disturbed(table: Pool, at: Ints, rng: np.random.Generator) -> Float32:
    """Histories ``(B, 120, 2C)`` of the seconds ``at``, half of them disturbed at random."""
    x = own_or_prior(table, at, rng)
    touched = rng.random(len(at)) >= CLEAN
    for name, chance in GONE.items():
        blank(x, name, touched & (rng.random(len(at)) < chance))
    x[_hidden(touched, rng)] = 0.0
    return x


def _hidden(touched: NDArray[np.bool_], rng: np.random.Generator) -> NDArray[np.bool_]:
    """Which seconds ``(B, 120)`` nothing is known of: before a late start, or in a gap that has ended."""
    rows, second = len(touched), np.arange(LENGTH)[None, :]
    begin = np.where(touched & (rng.random(rows) < SHORT), rng.integers(0, LENGTH - 30, rows), 0)
    length = np.where(touched & (rng.random(rows) < GAP), rng.integers(1, LONGEST_GAP, rows), 0)
    where = rng.integers(0, LENGTH, rows)
    gap = (second >= where[:, None]) & (second < (where + length)[:, None]) & (second < LENGTH - 1)
    return np.asarray((second < begin[:, None]) | gap)


def mirrored(x: Float32, ahead: Float32, rng: np.random.Generator) -> None:
    """Turn half of the rows' left into right, in place: history ``(B, 120, 2C)``, future ``(B, 4, 60)``."""
    sign = rng.choice(np.array([-1, 1], np.float32), len(x))
    x[:, :, YAW_RATE] *= sign[:, None]
    ahead[:, 2] *= sign[:, None]


def blank(x: Float32, group: str, rows: NDArray[np.bool_]) -> None:
    """Take a group out of the histories of some ``rows (B,)``, in place."""
    channels = len(CHANNELS)
    for column in _COLUMNS[group]:
        x[rows, :, column] = 0.0
        x[rows, :, channels + column] = 0.0


def own_or_prior(table: Pool, at: Ints, rng: np.random.Generator) -> Float32:
    """Histories in the prior's terms or, in some rows, on the way to the session's own."""
    x, channels = table.x(at), len(CHANNELS)
    weight = np.where(rng.random(len(at)) < OWN, rng.random(len(at)), 0.0)[:, None]
    centre, spread = np.moveaxis(table.own[table.session[at]], 1, 0)
    centre = CENTRE + weight * (centre - CENTRE)
    spread = SPREAD + weight * (spread - SPREAD)
    moved = (x[:, :, :channels] * SPREAD + (CENTRE - centre)[:, None]) / spread[:, None]
    x[:, :, :channels] = np.clip(moved, -LIMIT, LIMIT) * x[:, :, channels:]
    return x
