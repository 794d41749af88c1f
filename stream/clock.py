"""Clock: the unit of event time, and how time is judged."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

SECOND_US: Final = 1_000_000
#: Longest gap inside a session that is carried second by second; a longer one restarts the history, s.
CARRY_S: Final = 900


@dataclass(frozen=True, slots=True)
class Clock:
    """How time is judged, all in µs: allowed ``lateness``, tolerated ``future``, ``silence``."""

    lateness_us: int
    future_us: int
    silent_us: int
