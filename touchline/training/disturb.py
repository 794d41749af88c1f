"""What a window may look like live and a clean recording does not show: sensors gone or lost, gaps, other terms.

The network is trained on disturbed windows, so that it works with any subset of sensors.
"""

from __future__ import annotations

from dataclasses import dataclass
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
#: that it stands in terms that are on the way to a session's own, or to another session's, as those of days before.
GONE: Final = {"heart": 0.1, "position": 0.1, "imu": 0.2, "motion": 0.2, "environment": 0.2}
SHORT: Final = 0.15
GAP: Final = 0.15
OWN: Final = 0.3
#: How likely in the others a sensor is lost some time before the window's end, and how long before at most, s.
LOST: Final = {"heart": 0.2, "position": 0.1}
LONGEST_LOST: Final = 90
#: How far a heart rate may lie above or below the recorded one throughout a window, as of another body (SD, bpm).
SHIFT_BPM: Final = 7.5
#: Longest gap, s.
LONGEST_GAP: Final = 40
_COLUMNS: Final = {name: [CHANNELS.index(c) for c in channels] for name, channels in GROUPS.items()}


@dataclass(frozen=True, slots=True)
class Missing:
    """A group of channels that is not there: since ``ago`` s, or ever where that is None."""

    group: str
    ago: int | None = None

    def __str__(self) -> str:
        """In words."""
        return f"without {self.group}" if self.ago is None else f"{self.group} lost {self.ago} s ago"


def disturbed(table: Pool, at: Ints, rng: np.random.Generator) -> list[Float32]:
    """Inputs of the seconds ``at (B,)``, some disturbed at random.

    Histories ``(B, 120, 2C)``, anchors ``(B, 3)``, what was earlier ``(B, 24, 6)``.
    """
    x, earlier = own_or_prior(table, at, rng)
    shift(x, earlier, rng)
    touched = rng.random(len(at)) >= CLEAN
    for name, chance in GONE.items():
        blank(x, earlier, name, touched & (rng.random(len(at)) < chance))
    hidden, late = _hidden(touched, rng)
    x[hidden] = 0.0
    earlier[late] = 0.0
    lost = np.zeros((len(at), len(LOST)), np.int64)
    for place, (name, chance) in enumerate(LOST.items()):
        gone = touched & (rng.random(len(at)) < chance)
        lost[gone, place] = rng.integers(1, LONGEST_LOST + 1, gone.sum())
        lose((x, earlier), name, lost[:, place], table.blocks_since(at, lost[:, place]))
    return [x, table.anchor(at, lost), earlier]


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


def lose(values: tuple[Float32, Float32], group: str, ago: Ints, blocks: Ints) -> None:
    """Take a group out of the last ``ago (B,)`` seconds of histories and the last ``blocks (B,)`` of those before.

    In place.
    """
    for array, columns, gone in zip(values, (range(len(CHANNELS)), EARLIER), (ago, blocks), strict=True):
        places = [place for place, column in enumerate(columns) if column in _COLUMNS[group]]
        rows = np.flatnonzero(gone)
        late = np.arange(array.shape[1])[None, :] >= array.shape[1] - gone[rows, None]  # (some, T)
        for place in (*places, *(len(columns) + place for place in places)):
            array[rows, :, place] = np.where(late, 0.0, array[rows, :, place])


def take_out(table: Pool, at: Ints, values: tuple[Float32, Float32], missing: Missing) -> Ints:
    """Take what is ``missing`` out of all rows, in place; how long those of :data:`LOST` are, ``(B, 2)`` s."""
    lost = np.zeros((len(at), len(LOST)), np.int64)
    if missing.ago is None:
        blank(*values, missing.group, np.ones(len(at), np.bool_))
    else:
        ago = lost[:, list(LOST).index(missing.group)]
        ago[:] = missing.ago
        lose(values, missing.group, ago, table.blocks_since(at, ago))
    return lost


def own_or_prior(table: Pool, at: Ints, rng: np.random.Generator) -> tuple[Float32, Float32]:
    """Histories, and what was earlier, in the prior's terms or, in some rows, on the way to a session's own."""
    x, earlier = table.x(at), table.earlier(at)
    own = np.flatnonzero(rng.random(len(at)) < OWN)
    whose = np.where(
        rng.random(len(own)) < 0.5, table.session[at[own]], rng.integers(0, len(table.own), len(own))
    )
    terms = np.stack([CENTRE, SPREAD]) + rng.random(len(own))[:, None, None] * (
        table.own[whose] - np.stack([CENTRE, SPREAD])
    )
    x[own], earlier[own] = in_terms(x[own], earlier[own], terms)
    return x, earlier


def in_terms(x: Float32, earlier: Float32, terms: NDArray[np.floating]) -> tuple[Float32, Float32]:
    """What stands in the prior's terms in others: ``terms (B, 2, C)``, centres and spreads."""
    return _moved(x, terms, list(range(len(CHANNELS)))), _moved(earlier, terms, list(EARLIER))


def _moved(values: Float32, terms: NDArray[np.floating], columns: list[int]) -> Float32:
    own, there = np.split(values, 2, axis=2)
    centre, spread = np.moveaxis(terms[:, :, None, columns], 1, 0)  # (B, 1, columns) each
    moved = np.clip((own * SPREAD[columns] + CENTRE[columns] - centre) / spread, -LIMIT, LIMIT)
    return np.concatenate([moved * there, there], axis=2).astype(np.float32)
