"""Tests of stream/web/columns.py."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from stream.sinks.flatten import FIELDS
from stream.web.columns import COLUMNS, NAMES, row_of
from tests.stream.web.scores import make_score


def test_the_columns_have_the_names_of_the_store() -> None:
    assert set(NAMES) <= set(FIELDS)
    assert len(set(NAMES)) == len(NAMES)


def test_a_row_has_the_rounded_numbers_in_order() -> None:
    row = dict(zip(NAMES, row_of(make_score()), strict=True))
    assert row["performance_score"] == 61.3
    assert row["injury_risk"] == 0.0213
    assert row["live_heart_rate"] == 162
    assert isinstance(row["live_heart_rate"], int)
    assert row["totals_player_load_au"] == 312.4


def test_what_is_not_there_is_none() -> None:
    row = dict(zip(NAMES, row_of(make_score(performance={"score": None}, live=None)), strict=True))
    assert row["performance_score"] is None
    assert row["live_speed"] is None


@given(st.one_of(st.none(), st.text(), st.floats(), st.integers(), st.lists(st.integers())))
def test_a_row_is_finite_numbers_or_none_whatever_stands_there(value: object) -> None:
    row = row_of({"performance": {"score": value}, "live": value})
    assert len(row) == len(COLUMNS)
    assert all(number is None or math.isfinite(number) for number in row)
