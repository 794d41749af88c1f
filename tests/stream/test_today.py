"""Today's estimate: the load so far, where it comes from, what it makes of the risk; the same however cut."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from stream.days import CHANNELS, LOAD_PRIOR
from stream.diary import CR10, Marks, day_of
from stream.roster import Roster, check_session
from stream.route import Route
from stream.slots import Field, Slots
from stream.today import FIELDS, begin_session, by_row, estimates, load_so_far
from tests.fakes import FakeEngine, Float32
from tests.stream.feeding import CLOCK, Log, heart, told

T0_S = 1_760_000_000
DAY = day_of(T0_S * 1_000_000)
DAYS: list[dict[str, Any]] = [
    {"date": f"2025-10-0{k}", "load": load, "load_source": "reported", "fatigue": 3}
    for k, load in ((1, 400.0), (2, 0.0), (3, 600.0))
]


class Knowing(FakeEngine):
    """Says how much of the last day's load it is told of, and how far the load is from the athlete's own."""

    def injury(self, days: Float32) -> Float32:
        load = days[:, -1, CHANNELS.index("load")]
        return np.stack([load / 100, load / 100 + np.float32(0.01)], axis=1)


def slots_with(person: dict[str, Any], session: dict[str, Any]) -> Slots:
    slots = Slots((*FIELDS, Field("opened_us", "i8")))
    slot = slots.slot("a", 0)
    slots.state["opened_us"][slot] = T0_S * 1_000_000
    slots.of(slot).context = {"injury": {"abstains": None}}
    begin_session(slots, slot, person, session, DAY)
    return slots


def mark(minutes: int, band_s: list[float], row: int = 0) -> Marks:
    at = np.array([T0_S + 60 * minutes])
    return Marks(np.array([row]), np.array([0]), at, np.array([band_s]))


def test_the_load_so_far_comes_from_heart_rate_with_its_range() -> None:
    slots = slots_with({"days": DAYS}, {})
    load = load_so_far(mark(30, [0, 0, 0, 1800, 0]), slots)
    np.testing.assert_allclose(load.range, 30 * CR10[3:4])
    assert load.planned.tolist() == [500], "the mean of days with load"
    assert load.fraction.tolist() == [pytest.approx(30 * 5.5 / 500)]
    assert not load.reported.any()


def test_an_rpe_comes_first_and_a_plan_says_how_much_of_the_day_it_is() -> None:
    slots = slots_with({"days": DAYS}, {"planned_minutes": 90.0, "rpe": 6.0})
    load = load_so_far(mark(30, [0, 0, 0, 0, 0]), slots)
    np.testing.assert_allclose(load.range, [[180, 180, 180]])
    assert load.reported.all()
    assert load.planned.tolist() == [540]
    assert load.fraction.tolist() == [pytest.approx(1 / 3)]
    assert load_so_far(mark(120, [0, 0, 0, 0, 0]), slots).fraction.tolist() == [1]


def test_earlier_sessions_of_the_day_count_and_own_reports_scale() -> None:
    both = [
        {"date": f"2025-09-{k:02}", "load": 300.0, "load_estimated": 200.0, "load_source": "reported"}
        for k in range(11, 20)
    ]
    today = {"date": DAY.isoformat(), "load": 250.0, "load_source": "heart_rate"}
    load = load_so_far(mark(10, [0, 0, 600, 0, 0]), slots_with({"days": [*both, today]}, {}))
    np.testing.assert_allclose(load.range, 250 + 1.5 * 10 * CR10[2:3])


def test_somebody_new_has_the_squads_day_and_without_a_heart_there_is_no_estimate() -> None:
    slots = slots_with({}, {})
    load = load_so_far(mark(10, [0, 0, 0, 0, 100]), slots)
    assert np.isnan(load.range).all(), "fewer than half of the seconds have a heart rate"
    assert load.planned.tolist() == [LOAD_PRIOR]
    assert estimates(mark(10, [0, 0, 0, 0, 100]), slots, FakeEngine()) == [None]


def test_the_range_of_the_load_goes_into_the_interval() -> None:
    slots = slots_with({"days": DAYS}, {})
    (found,) = estimates(mark(60, [0, 0, 0, 0, 3600]), slots, Knowing())
    assert found is not None
    own = (400 + 600 + 7 * 300) / (3 + 7)
    ends = [(60 * rpe - own) / own / 100 for rpe in CR10[4]]
    assert found["risk"] == pytest.approx(ends[1] + 0.005, abs=1e-6)
    answers = np.array([[end, end + 0.01] for end in ends])
    assert [found["low"], found["high"]] == pytest.approx(np.percentile(answers, [10, 90]).tolist(), abs=1e-6)
    assert found["load"] == [420.0, 510.0, 600.0]
    assert (found["load_source"], found["helps"]) == ("heart_rate", False)


def test_an_estimate_stands_from_its_second_until_the_next() -> None:
    slots = slots_with({}, {})
    marks = Marks(np.array([1]), np.array([0]), np.array([T0_S + 60]), np.zeros((1, 5)))
    assert by_row(marks, [{"risk": 1}], slots, np.array([0, 0, 0])) == [None, {"risk": 1}, {"risk": 1}]
    none = Marks(*(np.zeros(0, np.int64),) * 3, np.zeros((0, 5)))
    assert by_row(none, [], slots, np.array([0])) == [{"risk": 1}]
    slots.of(0).context["injury"]["abstains"] = "no daily rows"
    assert by_row(marks, [{"risk": 1}], slots, np.array([0, 0])) == [{"risk": 1}, None]


def of_session(seconds: int) -> list[Any]:
    log = Log()
    for k in range(seconds):
        log.send(k, heart(150.0))
    return log.records


def people() -> Roster:
    days = [{"date": f"2025-10-0{k}", "load": 400.0, "fatigue": 3} for k in range(1, 9)]
    return Roster(
        athletes={"a": {"days": days, "profile": {"heart_rate_rest": 50.0, "heart_rate_max": 190.0}}}
    )


@pytest.mark.parametrize("chunk", [1, 7, 50, 1000])
def test_estimates_are_the_same_however_the_records_are_cut(chunk: int) -> None:
    records = of_session(200)
    whole = told([Route(CLOCK, (), Knowing(), people()).push(records)]).of()
    route = Route(CLOCK, (), Knowing(), people())
    parts = told([route.push(records[i : i + chunk]) for i in range(0, len(records), chunk)]).of()
    assert [score["injury"]["today"] for score in parts] == [score["injury"]["today"] for score in whole]
    minutes = [score["injury"]["today"] for score in whole]
    changes = [k for k in range(1, len(minutes)) if minutes[k] != minutes[k - 1]]
    assert [minutes[0], changes] == [None, [59, 119, 179]]


def test_a_plan_that_makes_no_sense_is_refused() -> None:
    assert check_session({"v": 1, "session": "s", "rpe": 7.0, "planned_minutes": 90.0})
    with pytest.raises(ValueError, match="rpe"):
        check_session({"v": 1, "session": "s", "rpe": 11.0})
    with pytest.raises(ValueError, match="planned_minutes"):
        check_session({"v": 1, "session": "s", "planned_minutes": 0.0})
