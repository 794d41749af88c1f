"""A stopwatch adds up what ran within it, and begins anew when it is read."""

from __future__ import annotations

import pytest

from stream.timed import Stopwatch


def test_what_runs_within_is_added_up_until_it_is_taken() -> None:
    watch = Stopwatch()
    for _ in range(2):
        with watch.running():
            sum(range(20_000))
    first = watch.take()
    assert first > 0
    assert watch.take() == 0


def test_what_fails_within_is_measured_too() -> None:
    watch = Stopwatch()
    with pytest.raises(ZeroDivisionError), watch.running():
        _ = 1 // 0
    assert watch.take() > 0
