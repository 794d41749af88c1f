"""When a moment of simulated time is due on the wall clock. The only clock in ``sim``."""

from __future__ import annotations

import asyncio
import time
from typing import Final

#: Sleeps are at least this long (s), so that thousands of records a second share a wake-up. Nothing goes early.
LEAST_SLEEP_S: Final = 0.005


class Pacer:
    """Waits until simulated moments are due.

    ``speed`` simulated seconds per wall second, None for no waiting; ``start_us`` the simulated moment that is due at
    wall time ``starts_at`` (s since 1970), None for the first one waited for. ``max_behind_s`` is the largest delay
    (wall seconds) behind the due time so far.
    """

    def __init__(self, speed: float | None, start_us: int, starts_at: float | None = None) -> None:
        self._speed = speed
        self._start_us = start_us
        self._origin = None if starts_at is None else time.monotonic() + starts_at - time.time()
        self.max_behind_s = 0.0

    @property
    def unpaced(self) -> bool:
        """Whether nothing waits for the wall clock."""
        return self._speed is None

    async def until(self, at_us: int) -> None:
        """Return once ``at_us`` (µs since 1970, simulated) is due."""
        if self._speed is None:
            return
        since_s = (at_us - self._start_us) / 1e6 / self._speed
        if self._origin is None:
            self._origin = time.monotonic() - since_s
        due = self._origin + since_s
        if (ahead := due - time.monotonic()) > 0:
            await asyncio.sleep(max(ahead, LEAST_SLEEP_S))
        self.max_behind_s = max(self.max_behind_s, time.monotonic() - due)
