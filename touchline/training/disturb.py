"""What a window may look like live and a clean recording does not show: groups gone, gaps, another's own terms.

The network is trained on disturbed windows, so that it works with any subset of sensors.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from stream.normalise import CHANNELS, LENGTH, LIMIT
from touchline.training.windows import CENTRE, GROUPS, SPREAD, Float32, Pool

Ints = NDArray[np.int64]

#: How likely a group is gone for the whole window, a window is cut short, has a gap, stands in own terms.
GONE: Final = {"heart": 0.1, "position": 0.1, "imu": 0.2, "motion": 0.2, "environment": 0.2}
SHORT: Final = 0.15
GAP: Final = 0.15
OWN: Final = 0.5
#: Longest gap, s.
LONGEST_GAP: Final = 40
_COLUMNS: Final = {name: [CHANNELS.index(c) for c in channels] for name, channels in GROUPS.items()}


def disturbed(table: Pool, at: Ints, rng: np.random.Generator) -> Float32:
    """Histories ``(B, 120, 2C)`` of the seconds ``at``, disturbed at random."""
    x = own_or_prior(table, at, rng)
    for name, chance in GONE.items():
        blank(x, name, rng.random(len(at)) < chance)
    second = np.arange(LENGTH)[None, :]
    begin = np.where(rng.random(len(at)) < SHORT, rng.integers(0, LENGTH - 30, len(at)), 0)
    length = np.where(rng.random(len(at)) < GAP, rng.integers(1, LONGEST_GAP, len(at)), 0)
    where = rng.integers(0, LENGTH, len(at))
    hidden = (second < begin[:, None]) | (
        (second >= where[:, None]) & (second < (where + length)[:, None]) & (second < LENGTH - 1)
    )
    x[hidden] = 0.0
    return x


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
