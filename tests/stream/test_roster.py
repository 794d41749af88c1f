"""Who an athlete is: what the models are told, and records nobody could work with."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pytest

from sim.days import days_before
from sim.recording import athlete_record
from stream.roster import (
    ACTIVITIES,
    STATIC,
    YEAR_US,
    Roster,
    age,
    check_athlete,
    check_session,
    static_features,
)
from tests.stream.feeding import Log, agree, heart, make_route, speed, us

AT_US = round((2025 - 1970) * YEAR_US)


def test_nobody_known_reads_as_empty() -> None:
    assert Roster().athlete("a") == {}
    assert Roster().session("s") == {}


def test_age_is_at_event_time() -> None:
    assert age({"birth_year": 2000}, AT_US) == pytest.approx(25.0)
    assert age({"birth_year": None}, AT_US) is None
    assert age({}, AT_US) is None


@pytest.mark.parametrize("activity", [*ACTIVITIES, None, "swim"])
def test_the_activity_is_one_of_those_told_apart(activity: str | None) -> None:
    found = dict(zip(STATIC, static_features({}, activity, AT_US), strict=True))
    known = activity if activity in ACTIVITIES else "other"
    assert {name for name in ACTIVITIES if found[name]} == {known}


@pytest.mark.parametrize(("sex", "value"), [("male", 1), ("female", -1), (None, 0), ("other", 0)])
def test_what_is_told_of_a_person(sex: str | None, value: float) -> None:
    found = dict(zip(STATIC, static_features({"sex": sex, "birth_year": 2000}, "run", AT_US), strict=True))
    assert found["sex"] == value
    assert found["age"] == pytest.approx(0.25)
    assert found["age_known"] == 1
    assert static_features({}, "run", AT_US)[:3].tolist() == [0, 0, 0]


def full() -> dict[str, Any]:
    """A whole athlete record."""
    return athlete_record("a", "Å", "B", {"birth_year": 1999, "sex": "female", "heart_rate_max": 195}) | {
        "baselines": {"heart_rate": [150, 20.5, 3600]},
        "population": "elite women footballers",
        "days": [
            {
                "date": "2025-10-01",
                "load": 300,
                "load_source": "reported",
                "fatigue": 3,
                "injury_report": False,
            }
        ],
    }


def test_what_the_simulator_and_the_readers_write_passes() -> None:
    days = days_before(date(2025, 10, 1), 1, np.random.default_rng(0))[0]
    for record in (athlete_record("a"), full(), full() | {"days": days}, {}, {"profile": None, "days": None}):
        assert check_athlete(record) is record


def changed(path: str, value: Any) -> dict[str, Any]:
    """A whole record with one entry replaced."""
    whole = full()
    *inner, last = [int(part) if part.isdigit() else part for part in path.split(".")]
    place: Any = whole
    for part in inner:
        place = place[part]
    place[last] = value
    return whole


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("profile", "tall"), ("profile.birth_year", "1999"), ("profile.birth_year", 99),
        ("profile.birth_year", float("nan")), ("profile.heart_rate_max", 0), ("profile.heart_rate_rest", 200),
        ("profile.sex", 1), ("profile.critical_power_w", -5), ("profile.w_prime_j", float("inf")),
        ("baselines", [1]), ("baselines.heart_rate", [150, 20]), ("baselines.heart_rate", [150, -1, 5]),
        ("baselines.heart_rate", [150, 1e200, 5]),
        ("baselines.heart_rate", [None, 1, 5]), ("baselines.heart_rate", "high"),
        ("days", {}), ("days.0", 3), ("days.0.date", "yesterday"), ("days.0.date", 20251001),
        ("days.0.load", "much"), ("days.0.fatigue", float("nan")), ("population", 3),
        ("squad", 3),
    ],
)  # fmt: skip
def test_a_record_nobody_could_work_with_is_refused_in_one_line(path: str, value: Any) -> None:
    with pytest.raises(ValueError, match=path.split(".", maxsplit=1)[0]) as refused:
        check_athlete(changed(path, value))
    assert "\n" not in str(refused.value)


def test_a_row_without_a_date_is_refused() -> None:
    record = full()
    del record["days"][0]["date"]
    with pytest.raises(ValueError, match="date"):
        check_athlete(record)


@pytest.mark.parametrize("packed", [None, 3, [1], "a"])
def test_what_is_no_map_is_refused(packed: Any) -> None:
    for check in (check_athlete, check_session):
        with pytest.raises(ValueError, match="not a map"):
            check(packed)


def test_sessions_are_checked_too() -> None:
    record = {"v": 1, "session": "s", "activity": "run", "venue": None}
    assert check_session(record) is record
    with pytest.raises(ValueError, match="activity"):
        check_session({"activity": ["run"]})


@pytest.mark.parametrize("wrong", [[5], [None, 7], [7, 7], [1, 2, 3], ["a", 2]])
def test_a_break_has_a_beginning_and_may_have_an_end(wrong: list[Any]) -> None:
    assert check_session({"breaks": [[5, 7], [9, None]]})
    with pytest.raises(ValueError, match="breaks"):
        check_session({"breaks": [wrong]})


def test_a_second_lies_in_a_break_from_its_beginning_until_its_end() -> None:
    people = Roster(
        sessions={"s": {"breaks": [[2_000_000, 4_000_000], [6_000_000, None]]}, "t": {"breaks": None}}
    )
    second = np.arange(8)
    assert people.in_break(["s"] * 8, second).tolist() == [False, False, True, True, False, False, True, True]
    assert not people.in_break(["t", "nobody's"], second[:2]).any()


def test_the_performance_score_abstains_in_a_break_and_forecasts_go_on() -> None:
    log = Log()
    for k in range(90):
        log.send(k, heart(150) | speed(*[4.0] * 10), end=k == 89)
    record = {"breaks": [[us(80), us(85)]]}
    scores = agree(log.records, lambda: make_route(people=Roster(sessions={"s": record}))).of()
    told = [score["performance"]["abstains"] for score in scores]
    assert told[80:85] == ["break"] * 5
    assert "break" not in told[:80] + told[85:]
    assert scores[82]["forecast"]["heart_rate"] is not None


def test_a_session_keeps_the_profile_it_began_with() -> None:
    log = Log()
    for k in range(4):
        log.send(k, heart(150), session="s" if k < 2 else "t", end=k in (1, 3))
    people = Roster(athletes={"a": {"profile": {"heart_rate_max": 200, "heart_rate_rest": 50}}})
    route = make_route(people=people)
    shares = []
    for record in log.records:
        shares += [s["live"]["heart_rate_reserve"] for _, s in route.push([record]).scores]
        people.athletes["a"] = {"profile": {"heart_rate_max": 250, "heart_rate_rest": 50}}
    assert shares == pytest.approx([2 / 3, 2 / 3, 0.5, 0.5], abs=1e-5)


def test_unknown_people_are_scored_as_anybody() -> None:
    log = Log()
    log.send(0, heart(150), end=True)
    (score,) = agree(log.records).of()
    assert score["injury"]["abstains"] == "no daily rows"
    assert score["injury"]["outside_population"] is True
