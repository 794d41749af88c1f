"""Timed: a stopwatch, so that metrics tell the networks' time from the stages' own."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(slots=True)
class Stopwatch:
    """``spent_s``: what was measured since :meth:`take`."""

    spent_s: float = 0.0

    def take(self) -> float:
        """The time so far, and begin anew."""
        spent_s, self.spent_s = self.spent_s, 0.0
        return spent_s

    @contextmanager
    def running(self) -> Iterator[None]:
        """Measure what is done within."""
        began = time.perf_counter()
        try:
            yield
        finally:
            self.spent_s += time.perf_counter() - began
