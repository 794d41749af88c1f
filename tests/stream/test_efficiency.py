"""How efficient an athlete is: learned in the fresh part of sessions, carried on, divided out of the score."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.efficiency import FRESH_S, NAMES, PRIOR_S, begin_session, weight
from stream.infer import OUTPUTS
from stream.normalise import PRIOR
from stream.roster import Roster, check_athlete
from stream.route import Route
from stream.slots import Slots
from stream.squad import ANYBODY
from tests.stream.feeding import Log, chunks, heart, make_route, motion

POWER = OUTPUTS.index("power")
REST, MOST = 50.0, 200.0
RATE = 155  # 70 % of the reserve: the stand-in expects 0.7 of the prior's centre
EXPECTED = 0.7 * PRIOR["power"][0]


def person() -> dict[str, Any]:
    return {"v": 1, "athlete": "a", "profile": {"heart_rate_rest": REST, "heart_rate_max": MOST}}


def run(log: Log, name: str, t: int, seconds: int, watts: float) -> None:
    """A session at one heart rate and one power."""
    for k in range(seconds):
        log.send(t + k, heart(RATE) | motion(cadence=[90.0], power=[watts]), session=name)
    log.send(t + seconds, {}, session=name, end=True)


def entry(people: Roster) -> dict[str, list[float]]:
    """What the newest session says of its athlete."""
    own: dict[str, list[float]] = people.athletes["a"]["sessions"][-1]["own"]
    return {name: own[name] for name in NAMES if name in own}


def test_output_over_what_is_expected_of_anybody_goes_into_the_record() -> None:
    log, people = Log(), Roster({"a": person()})
    run(log, "s", 0, 200, 1.3 * EXPECTED)
    make_route(people=people).push(log.records)
    mean, spread, seconds = entry(people)["efficiency.power"]
    assert mean == pytest.approx(np.log(1.3), abs=2e-3)
    assert spread == pytest.approx(0, abs=2e-3)
    assert 145 < seconds < 165, (
        "half a minute of output that the heart has answered is needed before the first"
    )
    assert check_athlete(people.athletes["a"])


def test_what_is_known_is_divided_out_and_counts_no_second_time() -> None:
    log, people = Log(), Roster({"a": person()})
    run(log, "s", 0, 200, 1.3 * EXPECTED)
    run(log, "later", 1000, 200, 1.3 * EXPECTED)
    route = make_route(people=people)
    route.push(log.records)
    known = entry(Roster({"a": {"sessions": people.athletes["a"]["sessions"][:1]}}))["efficiency.power"][2]
    slot = route.slots.occupied(0)[0]
    share = known / (known + PRIOR_S)
    assert route.slots.state["efficiency_known"][slot, POWER] == pytest.approx(share)
    assert route.slots.state["efficiency"][slot, POWER] == pytest.approx(1.3**share, rel=2e-3)
    assert entry(people)["efficiency.power"][0] == pytest.approx(np.log(1.3), abs=2e-3)


def test_only_the_fresh_part_of_a_session_counts() -> None:
    log, people = Log(), Roster({"a": person()})
    run(log, "s", 0, FRESH_S, 1.3 * EXPECTED)
    make_route(people=people).push(log.records)
    before = entry(people)["efficiency.power"]
    log, people = Log(), Roster({"a": person()})
    for k in range(FRESH_S + 200):
        watts = EXPECTED * (1.3 if k < FRESH_S else 0.4)
        log.send(k, heart(RATE) | motion(cadence=[90.0], power=[watts]), session="s")
    log.send(FRESH_S + 200, {}, session="s", end=True)
    make_route(people=people).push(log.records)
    assert entry(people)["efficiency.power"] == before


@pytest.mark.parametrize("seed", [1, 2])
def test_chunks_make_no_difference(seed: int) -> None:
    def records(whole: bool) -> Any:
        log, people = Log(), Roster({"a": person()})
        run(log, "s", 0, 120, 1.3 * EXPECTED)
        run(log, "later", 400, 120, 1.1 * EXPECTED)
        route: Route = make_route(people=people)
        for part in [log.records] if whole else chunks(log.records, seed):
            route.push(part)
        return people.athletes["a"]

    assert records(whole=True) == records(whole=False)


@given(st.floats(-2, 2), st.floats(0, 1e6))
def test_an_efficiency_is_believed_by_the_seconds_behind_it(mean: float, seconds: float) -> None:
    route = make_route()
    slots: Slots = route.slots
    slot = slots.slot("a", 0)
    begin_session(slots, slot, {"efficiency.power": [mean, 0.1, seconds]}, ANYBODY)
    share = float(weight(np.array(seconds)))
    assert 0 <= share < 1
    assert slots.state["efficiency"][slot].tolist() == pytest.approx([np.exp(share * mean), 1, 1])
    assert slots.state["efficiency_known"][slot].tolist() == pytest.approx([share, 0, 0])
