"""Meter: counts what an engine hands on, and ends the process with the figures when it has seen enough."""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from typing import Final

#: Exit status of a contender whose engine is not installed.
NOTHING: Final = 3


class Meter:
    """From the first records on, until ``count`` records were seen or ``seconds`` have passed."""

    def __init__(self, count: int, seconds: float) -> None:
        self._count, self._seconds = count, seconds
        self._seen = self._after_first = 0
        self._began = self._last = self._cpu = 0.0

    def add(self, records: int) -> None:
        """Some more were worked on. What the first call brought starts the clock and does not count."""
        now = time.perf_counter()
        if not self._began:
            self._began = self._last = now
            self._cpu, self._seen = time.process_time(), records
            timer = threading.Timer(self._seconds, self.end)  # also where nothing more comes
            timer.daemon = True
            timer.start()
            return
        self._last = now
        self._seen += records
        self._after_first += records
        if self._seen >= self._count or now - self._began >= self._seconds:
            self.end()

    def end(self) -> None:
        """Tell, and end the process: engines take seconds to stop, and nothing of theirs is needed any more."""
        took_s = self._last - self._began
        found = {
            "records": self._after_first,
            "seconds": took_s,
            "cpu_s": time.process_time() - self._cpu,
            "records_per_s": self._after_first / took_s if self._after_first else None,
        }
        assert sys.__stdout__ is not None
        sys.__stdout__.write(json.dumps(found) + "\n")  # Faust turns the other one into log lines
        sys.__stdout__.flush()
        os._exit(0)
