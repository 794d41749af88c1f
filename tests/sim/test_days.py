"""Daily rows before a session."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest

from sim.days import DAYS, WELLNESS, days_before

DAY = date(2026, 3, 29)


@pytest.fixture(scope="module")
def rows() -> list[list[dict[str, object]]]:
    return days_before(DAY, 200, np.random.default_rng(3))


def test_there_are_28_days_up_to_the_day_before(rows: list[list[dict[str, object]]]) -> None:
    dates = [row["date"] for row in rows[0]]
    assert dates == [(DAY - timedelta(days=back)).isoformat() for back in range(DAYS, 0, -1)]


def test_a_row_has_the_keys_of_the_contract(rows: list[list[dict[str, object]]]) -> None:
    assert set(rows[0][0]) == {
        "date", "load", "load_source", *WELLNESS, "readiness", "sleep_duration", "injury_report",
    }  # fmt: skip


def test_values_keep_to_their_scales(rows: list[list[dict[str, object]]]) -> None:
    for row in (row for athlete in rows for row in athlete):
        assert row["load"] is None or 0 <= float(str(row["load"])) <= 1300
        assert (row["load"] is None) == (row["load_source"] == "none")
        assert all(row[item] is None or row[item] in range(1, 6) for item in WELLNESS)
        assert row["readiness"] is None or row["readiness"] in range(1, 11)
        assert row["sleep_duration"] is None or 4 <= float(str(row["sleep_duration"])) <= 11
        assert isinstance(row["injury_report"], bool)


def test_the_week_turns_around_the_match(rows: list[list[dict[str, object]]]) -> None:
    load = np.array([[np.nan if row["load"] is None else row["load"] for row in athlete] for athlete in rows])
    by_day = np.nanmean(load, axis=0)
    heaviest = int(np.argmax(by_day[:7]))
    assert np.argmax(by_day[7:14]) == heaviest
    assert by_day[(heaviest + 2) % 7] == 0
    assert 450 < by_day[heaviest] < 800


def test_some_reports_are_missing_and_injuries_are_rare_spells_without_load(
    rows: list[list[dict[str, object]]],
) -> None:
    flat = [row for athlete in rows for row in athlete]
    assert 0.1 < np.mean([row["mood"] is None for row in flat]) < 0.2
    injured = [row for row in flat if row["injury_report"]]
    assert 0.005 < len(injured) / len(flat) < 0.06
    assert {row["load"] for row in injured} <= {0.0, None}


def test_the_same_seed_gives_the_same_rows() -> None:
    first = days_before(DAY, 5, np.random.default_rng(1))
    assert first == days_before(DAY, 5, np.random.default_rng(1))
    assert first != days_before(DAY, 5, np.random.default_rng(2))
