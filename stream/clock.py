"""Clock: the unit of event time, and how time is judged."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

SECOND_US: Final = 1_000_000
DAY_US: Final = 86_400 * SECOND_US
#: Longest gap inside a session that is carried second by second; a longer one restarts the history, s.
CARRY_S: Final = 900
#: Whole days (UTC) after which a session has told what it leaves: one for the longest session, and one because a
#: session that nobody ended tells it within a day of its last frame or never (:data:`stream.route.RETIRE_US`).
SETTLED_DAYS: Final = 2


@dataclass(frozen=True, slots=True)
class Clock:
    """How time is judged, all in µs: allowed ``lateness``, tolerated ``future``, ``silence``."""

    lateness_us: int
    future_us: int
    silent_us: int


def settled_us(opened_us: int) -> int:
    """What sessions opened before this event time left is told before the day (UTC) of ``opened_us`` begins.

    It is the same for all sessions of a day, whichever of them is heard of first.
    """
    return (opened_us // DAY_US - SETTLED_DAYS) * DAY_US
