"""Windows for training, gathered from sessions as the serving stage lays them out. Batches are drawn, not stored.

Every session lies in one long table with blank seconds around it, so that a window is an index and the beginning
of a session is missing history, as it is live.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from stream.cut import CutSession
from stream.earlier import BLOCKS, COLUMNS, blocks_of
from stream.features import HISTORY
from stream.infer import held
from stream.normalise import CHANNELS, LENGTH, OWN_TERMS, PRIOR, own_terms

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Float32 = NDArray[np.float32]

AHEAD: Final = 60
HEART_RATE: Final = CHANNELS.index("heart_rate")
SPEED: Final = CHANNELS.index("speed")
ACCELERATION: Final = CHANNELS.index("acceleration")
YAW_RATE: Final = CHANNELS.index("yaw_rate")
#: What goes missing together: channels by group.
GROUPS: Final = {
    "heart": ("heart_rate",),
    "position": ("speed", "acceleration", "yaw_rate", "climb", "metabolic_power"),
    "imu": ("player_load",),
    "motion": ("cadence", "power"),
    "environment": ("wbgt",),
}
CENTRE: Final = np.array([PRIOR[name][0] for name in HISTORY])
SPREAD: Final = np.array([PRIOR[name][1] for name in HISTORY])
_BACK: Final = np.arange(1 - LENGTH, 1)
_AHEAD: Final = np.arange(1, AHEAD + 1)
_BEFORE: Final = np.arange(-BLOCKS, 0)


@dataclass(frozen=True, slots=True)
class Pool:
    """Seconds of all sessions in one table: ``raw (T, C)`` natural units, NaN missing; ``z (T, 2C)`` own terms.

    ``own (sessions, 2, C)``: mean and spread of each session; the prior's where a channel is missing, and of heat.
    ``last (T, 2)``: newest heart rate and speed of the session up to a second, the prior's centre before any.
    ``blocks (K, 3)`` half-minute means, natural units, NaN missing; ``block (T,)`` which one a second is in.
    ``session (T,)`` number of the session, -1 between sessions; ``within (T,)`` seconds since its start.
    """

    raw: Float32
    z: Float32
    own: Float32
    last: Float32
    blocks: Float32
    block: Ints
    session: Ints
    within: Ints

    def x(self, at: Ints) -> Float32:
        """Histories up to seconds ``at (B,)``: ``(B, 120, 2C)``."""
        return np.asarray(self.z[at[:, None] + _BACK])

    def history(self, at: Ints) -> Float32:
        """The same in natural units, ``(B, 120, C)``."""
        return np.asarray(self.raw[at[:, None] + _BACK])

    def earlier(self, at: Ints) -> Float32:
        """The half-minutes before the one of seconds ``at (B,)``, in the prior's terms: ``(B, 24, 6)``."""
        columns = list(COLUMNS)
        rows = self.blocks[self.block[at][:, None] + _BEFORE]
        return own_terms(rows, CENTRE[None, columns], SPREAD[None, columns])

    def blocks_since(self, at: Ints, ago: Ints) -> Ints:
        """How many half-minutes before that of ``at (B,)`` hold any of the last ``ago (B,)`` seconds, ``(B,)``."""
        return np.asarray(np.clip(self.block[at] - self.block[at - ago + 1], 0, BLOCKS))

    def anchor(self, at: Ints, lost: Ints | None = None) -> Float32:
        """``(B, 3)``: last heart rate, last speed, 0; ``lost (B, 2)``: so many seconds ago the one and the other."""
        when = at[:, None] - (0 if lost is None else lost)  # (B, 2) or (B, 1)
        newest = self.last[when, [0, 1]]
        return np.concatenate([newest, np.zeros((len(at), 1), np.float32)], axis=1)

    def last_seen(self, at: Ints) -> Float32:
        """Heart rate, speed, yaw rate and acceleration now ``(B, 4)``; where missing the anchor's, else 0."""
        now = self.raw[at][:, [HEART_RATE, SPEED, YAW_RATE, ACCELERATION]]
        fallback = np.concatenate([self.anchor(at), np.zeros((len(at), 1), np.float32)], axis=1)
        return np.asarray(np.where(np.isfinite(now), now, fallback))

    def ahead(self, at: Ints) -> Float32:
        """Heart rate, speed, yaw rate and acceleration of the next minute, ``(B, 4, 60)``, NaN missing."""
        rows = self.raw[at[:, None] + _AHEAD]
        return np.asarray(rows[:, :, [HEART_RATE, SPEED, YAW_RATE, ACCELERATION]].swapaxes(1, 2))


def pool(sessions: Sequence[CutSession]) -> Pool:
    """Lay sessions into one table."""
    blank_before = np.full((LENGTH - 1, len(CHANNELS)), np.nan)
    blank_after = np.full((AHEAD, len(CHANNELS)), np.nan)
    raw, last, number, within, block = [], [], [], [], []
    blocks: list[Float32] = []
    none = np.full((BLOCKS, len(COLUMNS)), np.nan, np.float32)
    for index, session in enumerate(sessions):
        history = carried(session)
        raw += [blank_before, history, blank_after]
        newest = np.tile(CENTRE[:2], (len(history) + LENGTH - 1 + AHEAD, 1))
        newest[LENGTH - 1 : LENGTH - 1 + len(history)] = newest_of(history[:, [HEART_RATE, SPEED]])
        last.append(newest)
        rows = np.full(len(newest), -1)
        rows[LENGTH - 1 : LENGTH - 1 + len(history)] = index
        number.append(rows)
        means, place = blocks_of(int(session.second[0]), history)
        first = sum(len(b) for b in blocks) + BLOCKS
        blocks += [none, means]
        block.append(np.full(len(rows), BLOCKS))
        block[-1][LENGTH - 1 : LENGTH - 1 + len(history)] = first + place
        within.append(np.arange(len(newest)) - (LENGTH - 1))
    table = np.concatenate(raw).astype(np.float32)  # as the serving stage keeps it
    return Pool(
        raw=table,
        z=own_terms(table[None], CENTRE[None], SPREAD[None])[0],
        own=np.stack([_own(session) for session in sessions]).astype(np.float32),
        last=np.concatenate(last).astype(np.float32),
        blocks=np.concatenate(blocks),
        block=np.concatenate(block),
        session=np.concatenate(number),
        within=np.concatenate(within),
    )


def _own(session: CutSession) -> Floats:
    """Mean and spread of a session's channels ``(2, C)``; the prior's where there is next to nothing."""
    there = np.isfinite(session.history)
    count = there.sum(axis=0)
    values = np.where(there, session.history, 0.0)
    mean = values.sum(axis=0) / np.maximum(count, 1)
    spread = np.sqrt((np.where(there, values - mean, 0.0) ** 2).sum(axis=0) / np.maximum(count, 1))
    enough = (count >= LENGTH) & (spread > SPREAD / 20) & [name in OWN_TERMS for name in CHANNELS]
    return np.stack([np.where(enough, mean, CENTRE), np.where(enough, spread, SPREAD)])


def carried(session: CutSession) -> Floats:
    """The session's seconds without holes: a second the stages did not close is missing, ``(T, C)``."""
    index = session.second - session.second[0]
    table = np.full((int(index[-1]) + 1, session.history.shape[1]), np.nan)
    table[index] = session.history
    return table


def newest_of(values: Floats) -> Floats:
    """Each second's newest value so far ``(T, 2)``, the prior's centre before the first."""
    newest = held(values.T, len(values)).T
    return np.where(np.isnan(newest), CENTRE[:2], newest)


def origins(table: Pool, channel: int, seen: int = 30) -> Ints:
    """Seconds to forecast from.

    The ``channel`` is there now and in at least ``seen`` of the last two minutes, and at least once in the next.
    """
    there = np.isfinite(table.raw[:, channel])
    total = np.concatenate([[0], np.cumsum(there)])
    at = np.flatnonzero((table.session >= 0) & there)
    enough = total[at + 1] - total[at + 1 - LENGTH] >= seen
    followed = total[at + 1 + AHEAD] > total[at + 1]
    return np.asarray(at[enough & followed])
