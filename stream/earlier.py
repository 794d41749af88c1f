"""Earlier: the minutes before the last two, in half-minute means. Where an effort comes from tells where it goes.

Means stand on whole half-minutes of event time, so that what is recalled does not depend on when it is asked or how
records were cut into chunks. Not normalised here.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from stream.features import HISTORY
from stream.slots import Field, Slots

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Float32 = NDArray[np.float32]

#: What is remembered of the channels of the history, s in a block, blocks recalled, fewest seconds that make a mean.
EARLIER: Final = ("heart_rate", "speed", "climb")
BLOCK_S: Final = 30
BLOCKS: Final = 24
LEAST_S: Final = 15
COLUMNS: Final = tuple(tuple(HISTORY).index(name) for name in EARLIER)
_RING: Final = BLOCKS + 1  # one more: the block that is being filled

FIELDS: Final = (
    Field("earlier_block", "i8", (_RING,), blank=-1),
    Field("earlier_sum", "f8", (_RING, len(EARLIER))),
    Field("earlier_count", "i2", (_RING, len(EARLIER))),
)


def begin_session(slots: Slots, slot: int) -> None:
    """Forget what was before the session."""
    slots.state["earlier_block"][slot] = -1


def remember(state: Any, slot: Ints, second: Ints, history: Floats) -> None:
    """Add a second each of some athletes; ``history (N, channels)``, NaN missing."""
    block, values = second // BLOCK_S, history[:, COLUMNS]
    place, there = block % _RING, np.isfinite(values)
    fresh = (state["earlier_block"][slot, place] != block)[:, None]
    state["earlier_block"][slot, place] = block
    total, count = state["earlier_sum"][slot, place], state["earlier_count"][slot, place]
    state["earlier_sum"][slot, place] = np.where(fresh, 0.0, total) + np.where(there, values, 0.0)
    state["earlier_count"][slot, place] = np.where(fresh, 0, count) + there


def recall(state: Any, slot: Ints, second: Ints) -> Float32:
    """Means of the last whole blocks before ``second (N,)``, oldest first: ``(N, 24, 3)``, NaN missing."""
    wanted = (second // BLOCK_S)[:, None] + np.arange(-BLOCKS, 0)
    place, rows = wanted % _RING, slot[:, None]
    known = state["earlier_block"][rows, place] == wanted
    count = np.where(known[:, :, None], state["earlier_count"][rows, place], 0)
    return means(state["earlier_sum"][rows, place], count)


def means(total: Floats, count: NDArray[Any]) -> Float32:
    """Means where enough was seen, else NaN."""
    return np.where(count >= LEAST_S, total / np.maximum(count, 1), np.nan).astype(np.float32)


def blocks_of(first_second: int, history: Floats) -> tuple[Float32, Ints]:
    """Blocks of a whole session: ``(K, 3)`` means, and which one each row of ``history (T, channels)`` is in."""
    block = (first_second + np.arange(len(history))) // BLOCK_S
    block -= block[0]
    values = history[:, COLUMNS]
    there = np.isfinite(values)
    starts = np.flatnonzero(np.diff(block, prepend=-1))
    total = np.add.reduceat(np.where(there, values, 0.0), starts)
    return means(total, np.add.reduceat(there, starts, dtype=np.int64)), block
