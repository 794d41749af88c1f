"""Daily rows become network input, causally, with what is missing marked."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.days import (
    CHANNELS,
    COLUMNS,
    HISTORY,
    LOAD_PRIOR,
    PRIOR_DAYS,
    WINDOW,
    Days,
    calendar,
    day_features,
    day_input,
    histories,
    morning_input,
)

LAST = date(2026, 5, 28)
WELL = {
    "fatigue": 3, "mood": 4, "sleep_quality": 3, "soreness": 2, "stress": 3, "readiness": 7, "sleep_duration": 8.0,
}  # fmt: skip
NONE = dict.fromkeys(WELL)


def row(
    days_ago: int, load: float | None = 300.0, well: Mapping[str, Any] = WELL, *, report: bool = False
) -> dict[str, Any]:
    day = (LAST - timedelta(days=days_ago)).isoformat()
    return {"date": day, "load": load, "load_source": "reported", **well, "injury_report": report}


def month(**changed: Any) -> list[dict[str, Any]]:
    return [row(k, **changed) for k in range(HISTORY - 1, -1, -1)]


def channel(window: np.ndarray[Any, Any], name: str) -> np.ndarray[Any, Any]:
    return np.asarray(window[:, CHANNELS.index(name)])


def test_a_month_of_rows_becomes_two_weeks_by_channel() -> None:
    found = day_input(month())
    assert found.abstains is None
    assert found.window.shape == (WINDOW, len(CHANNELS)) == (14, 17)
    assert found.window.dtype == np.float32
    np.testing.assert_allclose(channel(found.window, "load"), 0.0, atol=1e-6)
    np.testing.assert_allclose(channel(found.window, "mood"), (4 - 3.4) / 0.8, rtol=1e-6)
    assert (channel(found.window, "mood_present") == 1).all()


def test_load_is_in_the_athletes_own_terms_shrunk_to_the_prior() -> None:
    found = day_input(month(load=600.0))
    own = (27 * 600 + PRIOR_DAYS * LOAD_PRIOR) / (27 + PRIOR_DAYS)
    np.testing.assert_allclose(channel(found.window, "load"), (600 - own) / own, rtol=1e-5)


def test_a_day_without_a_row_has_no_load_but_the_wellness_of_before() -> None:
    rows = [r for r in month() if r["date"] != (LAST - timedelta(days=3)).isoformat()]
    window = day_input(rows).window
    assert channel(window, "load_present")[-4] == 0
    assert channel(window, "load")[-4] == 0
    assert channel(window, "fatigue_present")[-4] == pytest.approx(1 - 1 / 8)
    assert channel(window, "fatigue")[-4] == channel(window, "fatigue")[-5]


def test_wellness_is_carried_seven_days_and_no_further() -> None:
    rows = [row(k, well=WELL if k == 10 else NONE) for k in range(27, -1, -1)]
    fresh = channel(day_input(rows).window, "fatigue_present")
    np.testing.assert_allclose(
        fresh[3:], [1, 7 / 8, 6 / 8, 5 / 8, 4 / 8, 3 / 8, 2 / 8, 1 / 8, 0, 0, 0], atol=1e-6
    )
    assert (channel(day_input(rows).window, "fatigue")[-3:] == 0).all()


def test_in_the_morning_todays_load_is_not_known() -> None:
    window = day_input(month(), fraction_known=0.0).window
    assert channel(window, "fraction_known").tolist() == [1.0] * 13 + [0.0]
    assert channel(window, "load_present")[-1] == 0
    assert channel(window, "load_present")[-2] == 1
    assert channel(day_input(month(), fraction_known=0.4).window, "fraction_known")[-1] == pytest.approx(0.4)


def test_the_last_day_can_be_given_and_later_rows_are_not_seen() -> None:
    rows = month()
    rows[-1]["load"] = 5000.0
    earlier = day_input(rows, last=LAST - timedelta(days=1))
    np.testing.assert_array_equal(earlier.window, day_input(rows[:-1]).window)
    later = day_input(rows[:-1], last=LAST + timedelta(days=1))
    assert channel(later.window, "load_present")[-2:].tolist() == [0.0, 0.0]


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ([], "no daily rows"),
        ([*month()[:-3], row(2, report=True), row(1), row(0)], "injury reported in the last 7 days"),
        (month(well=NONE), "no wellness report in the last 14 days"),
        (month(load=0.0), "no load in the last 14 days"),
        (month(load=None), "no load in the last 14 days"),
    ],
)
def test_too_little_or_an_injury_abstains_with_the_reason(rows: list[dict[str, Any]], reason: str) -> None:
    found = day_input(rows)
    assert found.abstains == reason
    assert np.isfinite(found.window).all()


def test_a_report_more_than_a_week_ago_does_not_abstain() -> None:
    rows = month()
    rows[-8]["injury_report"] = True
    assert day_input(rows).abstains is None
    rows[-7]["injury_report"] = True
    assert day_input(rows).abstains is not None


def test_the_live_rows_and_the_training_table_give_the_same() -> None:
    rng = np.random.default_rng(0)
    rows = [
        row(k, load=float(rng.integers(0, 900)), well=WELL if rng.random() < 0.6 else NONE)
        for k in range(59, -1, -1)
    ]
    table = calendar(rows, LAST, days=60)
    trained = day_features(histories(table), np.ones(60))
    for k in range(HISTORY, 60):
        live = day_input(rows[k - HISTORY + 1 : k + 1])
        np.testing.assert_array_equal(live.window, trained[k])


@given(seed=st.integers(0, 1000), change=st.floats(0, 5000), day=st.integers(28, 58))
def test_nothing_later_than_a_day_changes_it(seed: int, change: float, day: int) -> None:
    values = np.random.default_rng(seed).uniform(1, 5, (60, len(COLUMNS)))
    later = values.copy()
    later[day + 1 :] = change
    reports = np.zeros(60, np.bool_)
    before, after = (day_features(histories(Days(v, reports)), np.ones(60)) for v in (values, later))
    np.testing.assert_array_equal(before[: day + 1], after[: day + 1])


def test_in_the_morning_nothing_of_the_days_own_load_is_known() -> None:
    rows = month()
    rested = [*rows[:-1], {**rows[-1], "load": None}]
    morning = morning_input(rows, LAST)
    np.testing.assert_array_equal(morning.window, morning_input(rested, LAST).window)
    assert channel(morning.window, "load_present")[-1] == 0
    assert channel(morning.window, "fraction_known")[-1] == 0
    assert channel(morning.window, "mood_present")[-1] == 1


def test_before_a_day_has_a_row_its_morning_is_the_last_day_known() -> None:
    rows = month()
    np.testing.assert_array_equal(
        morning_input(rows, LAST + timedelta(days=1)).window, day_input(rows).window
    )


def test_a_morning_sees_no_later_day() -> None:
    rows = month()
    np.testing.assert_array_equal(
        morning_input(rows, LAST - timedelta(days=3)).window,
        morning_input(rows[:-3], LAST - timedelta(days=3)).window,
    )
