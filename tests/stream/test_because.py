"""What pushed a score: by name, with the newest value, its unit and its push; the furthest first."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pytest

from stream import because
from stream.because import Pushed, most, of_days, of_performance, ordinary_effort
from stream.days import CHANNELS, COLUMNS, morning_input, ordinary
from stream.infer import Asked
from tests.fakes import FakeEngine

ROWS: list[dict[str, Any]] = [
    {"date": "2025-09-10", "load": 300.0, "fatigue": 3, "soreness": 2},
    {"date": "2025-09-11", "load": 700.0, "fatigue": 5},
    {"date": "2025-09-12", "fatigue": 4, "mood": 3},
]


def test_the_newest_value_is_the_one_the_network_saw_last() -> None:
    pushes = np.zeros((14, len(CHANNELS)), np.float32)
    pushes[-2:, COLUMNS.index("load")] = 0.01
    pushes[-3, COLUMNS.index("soreness")] = -0.005
    pushes[-1, COLUMNS.index("fatigue")] = 0.007
    assert of_days(ROWS, pushes) == (
        Pushed("load", 700.0, "AU", 0.02),
        Pushed("fatigue", 4.0, "of 5", 0.007),
        Pushed("soreness", 2.0, "of 5", -0.005),
    )


def test_of_no_days_and_of_no_pushes_there_is_nothing_to_say() -> None:
    assert of_days([], np.zeros((14, len(CHANNELS)), np.float32)) == ()
    assert of_days(ROWS, np.full((14, len(CHANNELS)), np.nan, np.float32)) == ()


def test_only_the_three_furthest_are_named_and_none_that_pushes_nothing() -> None:
    entries = [("a", 1.0, "x", 0.1), ("b", 1.0, "x", -0.3), ("c", 1.0, "x", 0.2), ("d", 1.0, "x", 0.05)]
    assert [entry.name for entry in most(entries)] == ["b", "c", "a"]
    assert [entry.name for entry in most([("a", 1.0, "x", 0.0), ("b", 1.0, "x", 1e-9)])] == []


def test_ordinary_days_are_known_where_the_days_are() -> None:
    window = morning_input(ROWS, date(2025, 9, 12)).window
    usual = ordinary(window)
    assert not usual[:, : len(COLUMNS)].any()
    np.testing.assert_array_equal(usual[:, len(COLUMNS) :], window[:, len(COLUMNS) :])
    assert window[:, : len(COLUMNS)].any(), "and the days themselves are as they were"


def test_a_performance_score_is_explained_by_effort_heat_and_output() -> None:
    effort = np.zeros((2, 120, 4), np.float32)
    effort[:, :, 0], effort[:, :, 2] = 0.82, 1
    effort[1, :, 1], effort[1, :, 3] = 28 / 40, 1
    asked = Asked(
        effort,
        np.zeros((2, 12), np.float32),
        output=np.array([3.1, 240.0]),
        over_own=np.array([1.2, 0.9]),
        kind=np.array([1, 0]),
    )
    first, second = of_performance(asked, FakeEngine())
    told = {entry.name: entry for entry in first}
    assert set(told) == {"heart_rate_reserve", "metabolic_power"}, "heat is not known, so it pushes nothing"
    assert told["heart_rate_reserve"].value == pytest.approx(82)
    assert told["heart_rate_reserve"].push == pytest.approx(100 * 120 * 0.12 * 0.001, rel=1e-3)
    assert (told["metabolic_power"].value, told["metabolic_power"].unit) == (3.1, "W/kg")
    assert told["metabolic_power"].push == pytest.approx(100 * 0.5 * 0.001)
    told = {entry.name: entry for entry in second}
    assert told["wbgt"].value == pytest.approx(28)
    assert told["wbgt"].unit == "°C"
    assert (told["power"].value, told["power"].unit) == (240.0, "W")


def test_an_ordinary_effort_is_missing_where_the_effort_is() -> None:
    effort = np.zeros((1, 120, 4), np.float32)
    effort[0, 60:, 0], effort[0, 60:, 2] = 0.9, 1
    usual = ordinary_effort(effort)
    np.testing.assert_array_equal(usual[:, :, 2:], effort[:, :, 2:])
    np.testing.assert_allclose(usual[0, 60:, 0], because.RESERVE)
    assert not usual[0, :60].any()


def test_in_words_there_are_units() -> None:
    assert str(Pushed("sleep_quality", 4.0, "of 5", -0.00234)) == "sleep quality 4 of 5 (-0.0023)"
    assert str(Pushed("heart_rate", 187.0, "bpm")) == "heart rate 187 bpm"
