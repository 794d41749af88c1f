"""Timed: an engine with a stopwatch, so that metrics tell the networks' time from the stages' own."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stream.infer import Engine, Forecast

Float32 = NDArray[np.float32]


@dataclass(slots=True)
class Stopwatch:
    """``spent_s``: what was measured since :meth:`take`."""

    spent_s: float = 0.0

    def take(self) -> float:
        """The time so far, and begin anew."""
        spent_s, self.spent_s = self.spent_s, 0.0
        return spent_s


class TimedEngine:
    """Hands every call on to ``engine`` and adds what it took to ``watch``."""

    def __init__(self, engine: Engine, watch: Stopwatch) -> None:
        self._engine = engine
        self._stopwatch = watch

    @property
    def versions(self) -> Mapping[str, str]:
        """Model name to version."""
        return self._engine.versions

    @property
    def quantile_levels(self) -> tuple[float, ...]:
        """Levels of :meth:`performance`."""
        return self._engine.quantile_levels

    def forecast(self, x: Float32, anchor: Float32, earlier: Float32) -> Forecast:
        """As the engine."""
        with self._watch():
            return self._engine.forecast(x, anchor, earlier)

    def performance(self, effort: Float32, static: Float32) -> Float32:
        """As the engine."""
        with self._watch():
            return self._engine.performance(effort, static)

    def injury(self, days: Float32) -> Float32:
        """As the engine."""
        with self._watch():
            return self._engine.injury(days)

    @contextmanager
    def _watch(self) -> Iterator[None]:
        began = time.perf_counter()
        try:
            yield
        finally:
            self._stopwatch.spent_s += time.perf_counter() - began
