"""An engine with a stopwatch: the same answers, and what they took."""

from __future__ import annotations

import time

import numpy as np

from stream.timed import Stopwatch, TimedEngine
from tests.fakes import FakeEngine, Float32


class Slow(FakeEngine):
    """Takes its time over an injury."""

    def injury(self, days: Float32) -> Float32:
        time.sleep(0.02)
        return super().injury(days)


def test_answers_are_the_engines_own() -> None:
    timed, engine = TimedEngine(FakeEngine(), Stopwatch()), FakeEngine()
    assert timed.versions == engine.versions
    assert timed.quantile_levels == engine.quantile_levels
    x, anchor = np.zeros((2, 120, 20), np.float32), np.ones((2, 3), np.float32)
    earlier = np.zeros((2, 24, 6), np.float32)
    assert np.array_equal(timed.forecast(x, anchor, earlier).bands, engine.forecast(x, anchor, earlier).bands)
    effort, static = np.full((2, 120, 4), 0.7, np.float32), np.zeros((2, 7), np.float32)
    assert np.array_equal(timed.performance(effort, static), engine.performance(effort, static))


def test_what_was_spent_is_taken_once() -> None:
    watch = Stopwatch()
    TimedEngine(Slow(), watch).injury(np.zeros((1, 14, 17), np.float32))
    assert watch.take() >= 0.02
    assert watch.take() == 0
