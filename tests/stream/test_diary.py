"""What a session leaves in the athlete's record: the day's load and the own baselines."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.diary import (
    BOTH_DAYS,
    MEMORY_S,
    SESSIONS,
    baselines,
    days_after,
    estimated_load,
    own_scale,
    pooled,
)
from stream.normalise import PRIOR
from stream.roster import Roster, check_athlete
from stream.route import Outputs
from tests.stream.feeding import Log, chunks, heart, make_route, speed, us

BEATS = [118, 121, 125, 131, 140, 152, 149, 0, 160, 158]
DAY = date(2025, 10, 9)  # of T0


def session(log: Log, name: str, t: float, beats: list[int]) -> None:
    for k, rate in enumerate(beats):
        log.send(t + k, heart(rate) if rate else speed(3.0), session=name)
    log.send(t + len(beats), {}, session=name, end=True)


def left(log: Log, people: Roster, seed: int | None = None) -> list[dict[str, Any]]:
    """The records a route leaves, whole or in random chunks."""
    route = make_route(people=people)
    parts = [log.records] if seed is None else chunks(log.records, seed)
    outputs: list[Outputs] = [route.push(part) for part in parts]
    return [record for out in outputs for record in out.athletes]


def person(**more: Any) -> dict[str, Any]:
    limits = {"heart_rate_rest": 50.0, "heart_rate_max": 200.0}
    return {"v": 1, "athlete": "a", "name": "Ada", "profile": limits, "days": [], **more}


def test_a_session_leaves_a_row_of_its_day_and_keeps_the_rest_of_the_record() -> None:
    log = Log()
    session(log, "s", 0, [140] * 61)
    people = Roster({"a": person()})
    (record,) = left(log, people)
    assert check_athlete(record) == record == people.athletes["a"]
    assert record["name"] == "Ada"
    (row,) = record["days"]
    assert (row["date"], row["load_source"]) == (DAY.isoformat(), "heart_rate")
    assert row["load"] == row["load_estimated"] == pytest.approx(5.5, abs=0.2)
    (entry,) = record["sessions"]  # a minute at 60 % of the reserve is "vigorous": CR-10 from 4 to 7
    assert entry["load"] == [pytest.approx(4, abs=0.2), row["load"], pytest.approx(7, abs=0.2)]


def test_the_own_baseline_is_the_mean_and_spread_of_all_own_seconds() -> None:
    log = Log()
    session(log, "s", 0, BEATS)
    (record,) = left(log, Roster({"a": person()}))
    beats = np.array([rate for rate in BEATS if rate])
    centre, spread, seconds = baselines(record, us(1000))["heart_rate"]
    assert seconds == len(beats)
    assert centre == pytest.approx(beats.mean(), rel=1e-5)
    assert spread == pytest.approx(beats.std(), rel=1e-4)
    assert "power" not in baselines(record, us(1000))
    assert baselines(record, us(0)) == {}, "a session does not see itself"


def test_two_sessions_in_one_chunk_or_in_many_leave_the_same() -> None:
    log = Log()
    session(log, "one", 0, BEATS)
    session(log, "two", 40, [rate + 10 if rate else 0 for rate in BEATS])
    whole = left(log, Roster({"a": person()}))
    assert [left(log, Roster({"a": person()}), seed) for seed in (1, 2, 3)] == [whole] * 3
    beats = np.array([rate + plus for plus in (0, 10) for rate in BEATS if rate])
    own = baselines(whole[-1], us(1000))["heart_rate"]
    assert own[0] == pytest.approx(beats.mean(), rel=1e-4)
    assert own[2] == len(beats)
    assert [entry["session"] for entry in whole[-1]["sessions"]] == ["one", "two"]


@pytest.mark.parametrize("seed", [None, 1, 2])
def test_a_session_that_goes_on_after_its_end_counts_once(seed: int | None) -> None:
    log = Log()
    session(log, "s", 0, BEATS)
    session(log, "s", 10.5, BEATS)
    record = left(log, Roster({"a": person()}), seed)[-1]
    (entry,) = record["sessions"]
    assert entry["own"]["heart_rate"][2] == 18


def test_told_again_after_a_crash_with_later_sessions_in_the_record_it_leaves_the_same() -> None:
    log = Log()
    session(log, "one", 0, BEATS)
    session(log, "two", 40, BEATS[::-1])
    session(log, "three", 80, BEATS[:5])
    people = Roster({"a": person()})
    first = left(log, people)
    assert left(log, people)[-1] == first[-1], "the roster knew the future, and nothing came of it"


def test_somebody_nobody_wrote_down_gets_a_record() -> None:
    log = Log()
    session(log, "s", 0, BEATS)
    (record,) = left(log, Roster())
    assert record["athlete"] == "a"
    assert check_athlete(record)["sessions"][0]["own"]["heart_rate"][2] == 9


def attended(name: str, hours: float, *load: float) -> dict[str, Any]:
    return {"session": name, "opened_us": us(3600 * hours), "load": list(load) or None, "own": {}}


def test_a_reported_load_stands_and_the_estimate_beside_it() -> None:
    rows = [{"date": DAY.isoformat(), "load": 400.0, "load_source": "reported", "mood": 4}]
    (row,) = days_after(rows, [attended("s", 0, 200.0, 300.0, 500.0)], DAY)
    assert (row["load"], row["load_source"], row["mood"]) == (400.0, "reported", 4)
    assert row["load_estimated"] == 300.0


def test_sessions_of_a_day_add_up_and_those_of_other_days_do_not() -> None:
    sessions = [
        attended("s", 0, 80.0, 100.0, 120.0), attended("t", 2, 40.0, 50.0, 60.0), attended("u", 30, 1.0, 2.0, 3.0),
    ]  # fmt: skip
    rows = days_after([], sessions, DAY)
    assert rows[0]["load"] == 150.0
    assert days_after(rows, sessions, DAY) == rows


def test_a_session_without_heart_rate_has_no_load_and_says_so() -> None:
    (row,) = days_after([], [attended("s", 0)], DAY)
    assert (row["load"], row["load_source"], row["load_estimated"]) == (None, "none", None)


def test_estimates_are_scaled_by_reports_once_eight_days_have_both() -> None:
    def day(number: int) -> dict[str, Any]:
        iso = date(2025, 9, number).isoformat()
        return {"date": iso, "load": 450.0, "load_source": "reported", "load_estimated": 300.0}

    assert own_scale([day(n) for n in range(1, BOTH_DAYS)]) == 1.0
    rows = [day(n) for n in range(1, BOTH_DAYS + 1)]
    assert own_scale(rows) == 1.5
    assert days_after(rows, [attended("t", 0, 80.0, 100.0, 120.0)], DAY)[-1]["load"] == 150.0


def test_only_the_newest_four_weeks_are_kept_oldest_first() -> None:
    rows = [
        {"date": date(2025, 8, n).isoformat(), "load": 1.0, "load_source": "reported"} for n in range(1, 31)
    ]
    after = days_after(rows, [], DAY)
    assert len(after) == 28
    assert [row["date"] for row in after] == sorted(row["date"] for row in after)
    assert after[-1]["date"] == DAY.isoformat()


def test_load_needs_a_heart_rate_in_half_of_the_session() -> None:
    band_s = np.array([0.0, 0.0, 0.0, 600.0, 0.0])
    assert estimated_load(band_s, 1300) is None
    assert estimated_load(band_s, 1200) == [80.0, 110.0, 140.0]
    assert estimated_load(band_s, 0) is None


def own(name: str, values: Sequence[float]) -> dict[str, Any]:
    terms = [float(np.mean(values)), float(np.std(values)), float(len(values))]
    return {"session": name, "own": {"heart_rate": terms}}


@given(st.lists(st.floats(60, 200), min_size=2, max_size=50), st.integers(1, 49))
def test_pooled_in_two_parts_is_pooled_at_once(values: list[float], at: int) -> None:
    at = min(at, len(values) - 1)
    centre, spread, seconds = pooled({}, [own("one", values[:at]), own("two", values[at:])])["heart_rate"]
    assert seconds == len(values)
    assert centre == pytest.approx(np.mean(values), abs=1e-4)
    assert spread == pytest.approx(np.std(values), abs=1e-3)


def test_a_session_without_seconds_of_a_channel_adds_nothing() -> None:
    assert pooled({}, [{"own": {"heart_rate": [170.0, 20.0, 0.0]}}]) == {}


def test_seconds_of_long_ago_fade() -> None:
    terms = {"own": {"heart_rate": [130.0, 10.0, MEMORY_S]}}
    centre, _, seconds = pooled({"heart_rate": [100.0, 10.0, 10 * MEMORY_S]}, [terms])["heart_rate"]
    assert (centre, seconds) == (115.0, 2 * MEMORY_S)


def test_a_record_lists_forty_sessions_and_keeps_what_the_others_told() -> None:
    log = Log()
    for number in range(SESSIONS + 2):
        session(log, f"s{number:02}", 40.0 * number, [120 + number] * 3)
    record = left(log, Roster({"a": person()}))[-1]
    assert len(record["sessions"]) == SESSIONS
    assert record["baselines"]["heart_rate"] == pytest.approx([120.5, 0.5, 6.0], abs=1e-4)
    assert baselines(record, us(1e6))["heart_rate"][2] == 3 * (SESSIONS + 2)


def test_spikes_of_a_sensor_move_a_baseline_little() -> None:
    log = Log()
    for k in range(20):
        log.send(k, speed(3.0 if k != 10 else 11.9, rate=1.0))
    log.send(20, {}, end=True)
    record = left(log, Roster({"a": person()}))[-1]
    centre, spread = PRIOR["speed"]
    assert 3.0 < record["sessions"][0]["own"]["speed"][0] < (19 * 3.0 + centre + 8 * spread) / 20 + 1e-3
