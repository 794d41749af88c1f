"""Tests of stream/web/ring.py."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from stream.web.columns import COLUMNS, Row
from stream.web.ring import KEPT_S, SECOND_US, Ring


def row(value: float) -> Row:
    return [value, None] + [0] * (len(COLUMNS) - 2)


def test_an_empty_ring_has_nothing() -> None:
    assert Ring().recent(600).times_us == []


def test_seconds_come_back_in_order_with_their_values() -> None:
    ring = Ring()
    for second in (1001, 1000, 1003):
        ring.put(second * SECOND_US, row(second / 100))
    kept = ring.recent(600)
    assert kept.times_us == [1000 * SECOND_US, 1001 * SECOND_US, 1003 * SECOND_US]
    assert [values[0] for values in kept.rows] == [10.0, 10.0, 10.0]
    assert kept.rows[0][1] is None


def test_a_second_older_than_what_took_its_place_is_left_out() -> None:
    ring = Ring()
    ring.put((1000 + KEPT_S) * SECOND_US, row(2))
    ring.put(1000 * SECOND_US, row(1))
    assert ring.recent(600).times_us == [(1000 + KEPT_S) * SECOND_US]


def test_a_repeat_overwrites() -> None:
    ring = Ring()
    ring.put(1000 * SECOND_US, row(1))
    ring.put(1000 * SECOND_US, row(2))
    assert [values[0] for values in ring.recent(600).rows] == [2]


@given(st.lists(st.integers(0, 3 * KEPT_S), min_size=1), st.integers(1, 2 * KEPT_S))
def test_only_the_asked_seconds_before_the_newest_are_given(seconds: list[int], asked: int) -> None:
    ring = Ring()
    for second in sorted(seconds):
        ring.put(second * SECOND_US, row(1))
    newest = max(seconds)
    expected = sorted({s for s in seconds if s > newest - min(asked, KEPT_S)})
    assert ring.recent(asked).times_us == [s * SECOND_US for s in expected]
