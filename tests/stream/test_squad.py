"""What somebody whom nobody knows starts from: a squad's medians, of settled sessions, whatever comes first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.clock import DAY_US, SETTLED_DAYS, settled_us
from stream.diary import baselines, day_of, pooled
from stream.efficiency import weight
from stream.infer import OUTPUTS
from stream.normalise import CHANNELS, PRIOR, PRIOR_S, Prior
from stream.roster import Roster
from stream.route import Route
from stream.snapshot import Point, pack_athletes, unpack_athlete
from stream.squad import ANYBODY, MATES, NAMES, Squads, left, prior_of, weighted_median
from tests.stream.feeding import Log, agree, chunks, heart, make_route, motion, speed, told, us

HEART: Final = CHANNELS.index("heart_rate")
POWER: Final = OUTPUTS.index("power")
HOURS: Final = 10 * PRIOR_S
NEW: Final[dict[str, Any]] = {"v": 1, "athlete": "a", "squad": "Reds"}
Own = Mapping[str, Sequence[float]]


def entry(days_ago: float, own: Own) -> dict[str, Any]:
    """A session that was opened so many days before T0."""
    return {"session": f"{days_ago}", "opened_us": us(-86_400 * days_ago), "load": None, "own": own}


def beats(centre: float, spread: float = 20.0, seconds: float = HOURS) -> dict[str, list[float]]:
    return {"heart_rate": [centre, spread, seconds]}


def mate(own: Own, days_ago: float = 7, squad: str = "Reds") -> dict[str, Any]:
    return {"v": 1, "squad": squad, "sessions": [entry(days_ago, own)]}


def roster(*mates: dict[str, Any], new: dict[str, Any] | None = None) -> Roster:
    """Athlete "a", of whom nothing is known unless said, and mates."""
    people = {"a": NEW if new is None else new}
    return Roster(people | {f"m{number}": one for number, one in enumerate(mates)})


def start(people: Roster) -> Prior:
    """What the squad gives athlete "a" for a session opened at T0."""
    (prior,) = Squads().priors(people.athletes, [(people.athlete("a"), us(0))])
    return prior


def begun(people: Roster) -> Any:
    """The state of athlete "a" after one frame of a session opened at T0."""
    log, route = Log(), make_route(people=people)
    log.send(0)
    route.push(log.records)
    return route.slots.state[route.slots.slot("a", 0)]


def shares(*seconds: float) -> float:
    """How far a squad's centre is believed that stands on mates with so many seconds each."""
    known = sum(s / (s + PRIOR_S) for s in seconds)
    return known / (known + MATES)


# What it is


@pytest.mark.parametrize("new", [{}, {"squad": None}, {"squad": ""}, {"squad": "Blues"}])
def test_without_a_squad_that_is_known_an_athlete_starts_as_anybody(new: dict[str, Any]) -> None:
    state = begun(roster(mate(beats(100)), new=new))
    assert state["centre"].tolist() == [PRIOR[channel][0] for channel in CHANNELS]
    assert state["spread"].tolist() == [PRIOR[channel][1] for channel in CHANNELS]
    assert state["efficiency"].tolist() == [1.0] * len(OUTPUTS)


def test_a_new_athlete_starts_between_the_squad_and_anybody() -> None:
    prior = start(roster(mate(beats(110)), mate(beats(112, 18)), mate(beats(114, 16))))
    share = shares(HOURS, HOURS, HOURS)
    assert prior.centre["heart_rate"] == pytest.approx(140 + share * (112 - 140))
    assert prior.spread["heart_rate"] == pytest.approx(25 + share * (18 - 25))
    assert prior.centre["speed"] == PRIOR["speed"][0], "nobody had a speed"


@given(st.integers(0, 30), st.floats(0, 1e6))
def test_a_squad_is_believed_by_how_many_are_known_and_how_well(count: int, seconds: float) -> None:
    prior = start(roster(*[mate(beats(100, seconds=seconds))] * count))
    known = count * seconds / (seconds + PRIOR_S)
    assert prior.centre["heart_rate"] == pytest.approx(140 - 40 * known / (known + MATES))


def test_one_mate_far_out_does_not_move_the_squad() -> None:
    usual = [mate(beats(rate)) for rate in (118, 120, 122)]
    far = start(roster(*usual, mate(beats(122))))
    further = start(roster(*usual, mate(beats(240, 200))))
    assert further.centre == far.centre


def test_mates_that_are_hardly_known_weigh_little() -> None:
    hardly = [mate(beats(180, seconds=60))] * 3
    assert start(roster(mate(beats(110)), *hardly)).centre["heart_rate"] < 140


def test_an_athlete_with_hours_of_their_own_moves_to_their_own() -> None:
    mates = [mate(beats(110))] * 5
    seconds = np.array([0, 600, 3600, 36_000, 360_000])
    centres = [begun(roster(*mates, new=mate(beats(170, seconds=s), 1)))["centre"][HEART] for s in seconds]
    squad = start(roster(*mates)).centre["heart_rate"]
    known = seconds / (seconds + PRIOR_S)
    assert centres == pytest.approx(squad + known * (170 - squad))


def test_another_squad_does_not_matter() -> None:
    reds = [mate(beats(110)), mate(beats(120))]
    blues = [mate(beats(180), squad="Blues")] * 9
    assert start(roster(*reds, *blues)) == start(roster(*reds))


def test_the_weather_of_the_squads_days_is_not_the_new_athletes() -> None:
    prior = start(roster(*[mate({"wbgt": [31.0, 0.5, HOURS]})] * 5))
    assert prior == ANYBODY


def test_what_a_record_pooled_before_its_sessions_counts() -> None:
    old = {"v": 1, "squad": "Reds", "baselines": beats(110)}
    assert start(roster(old)) == start(roster(mate(beats(110))))


def test_a_new_athletes_output_is_judged_by_the_squads_efficiency_and_is_not_the_own() -> None:
    own = {"efficiency.power": [0.2, 0.1, 900.0]}
    state = begun(roster(*[mate(own)] * 4))
    known = 4 * float(weight(np.array(900.0)))
    assert state["efficiency"][POWER] == pytest.approx(np.exp(0.2 * known / (known + MATES)))
    assert state["efficiency"][OUTPUTS.index("speed")] == 1.0
    assert state["efficiency_known"].tolist() == [0, 0, 0]


def test_the_own_efficiency_takes_over_from_the_squads() -> None:
    mates = [mate({"efficiency.power": [0.2, 0.1, 900.0]})] * 4
    squad = start(roster(*mates)).centre["efficiency.power"]
    state = begun(roster(*mates, new=mate({"efficiency.power": [-0.1, 0.1, 300.0]}, 1)))
    known = float(weight(np.array(300.0)))
    assert state["efficiency"][POWER] == pytest.approx(np.exp(known * -0.1 + (1 - known) * squad))
    assert state["efficiency_known"][POWER] == pytest.approx(known)


# When


@given(st.integers(0, 10**12), st.integers(0, DAY_US - 1))
def test_all_sessions_of_a_day_see_the_same_days(day_us: int, later_us: int) -> None:
    midnight_us = day_us // DAY_US * DAY_US
    settled = settled_us(midnight_us + later_us)
    assert (day_of(midnight_us) - day_of(settled)).days == SETTLED_DAYS
    assert settled == settled_us(midnight_us)
    assert day_of(settled - 1) < day_of(settled)


@pytest.mark.parametrize(
    ("before_us", "counts"), [(1, True), (0, False), (-DAY_US, False), (-2 * DAY_US, False)]
)
def test_sessions_count_from_the_third_day_after_theirs(before_us: int, counts: bool) -> None:
    opened_us = settled_us(us(0)) - before_us
    one = {"squad": "Reds", "sessions": [entry(0, beats(100)) | {"opened_us": opened_us}]}
    assert (start(roster(one)) != ANYBODY) is counts


sessions = st.lists(
    st.tuples(
        st.sampled_from([0.0, 0.3, 1.0, 2.0, 2.5, 3.0, 9.0]), st.floats(60, 180), st.floats(0, 40), st.floats(0, 1e5),
    ),
    max_size=4,
)  # fmt: skip


def listed(happened: list[tuple[float, float, float, float]]) -> dict[str, Any]:
    """A record with sessions, oldest first."""
    entries = [entry(days_ago, beats(*own)) for days_ago, *own in sorted(happened, reverse=True)]
    return {"squad": "Reds", "sessions": entries}


@given(st.lists(sessions, max_size=6), st.randoms(use_true_random=False))
def test_the_order_in_which_records_come_does_not_matter(happened: list[Any], rng: Any) -> None:
    people = roster(*map(listed, happened))
    names = list(people.athletes)
    rng.shuffle(names)
    assert start(Roster({name: people.athletes[name] for name in names})) == start(people)


@given(
    st.lists(st.tuples(st.integers(0, 3), sessions, st.sampled_from(["Reds", "Blues", None])), max_size=12)
)
def test_what_is_kept_is_what_would_be_found_anew(changes: list[tuple[int, Any, str | None]]) -> None:
    people, kept = roster(), Squads()
    for number, happened, squad in changes:
        people.athletes[f"m{number}"] = listed(happened) | {"squad": squad}
        if number == 3:
            people.athletes.pop("m0", None)
        for asked in (us(0), us(86_400)):
            begins = [(people.athlete(name), asked) for name in people.athletes]
            assert kept.priors(people.athletes, begins) == Squads().priors(people.athletes, begins)


def test_what_mates_leave_today_changes_nothing_for_those_who_begin_later() -> None:
    people, squads = roster(mate(beats(110)), mate(beats(120))), Squads()
    (before,) = squads.priors(people.athletes, [(NEW, us(0))])
    people.athletes["m0"] = {
        **people.athletes["m0"],
        "sessions": [*people.athletes["m0"]["sessions"], entry(0, beats(200))],
    }
    assert squads.priors(people.athletes, [(NEW, us(3600))]) == [before]


@given(st.lists(sessions, min_size=1, max_size=4), sessions)
def test_what_an_athlete_left_is_that_athletes_own_baseline(happened: list[Any], before: list[Any]) -> None:
    past = {"baselines": pooled({}, listed(before)["sessions"])}
    people = [listed(one) | past for one in happened]
    found = left(people, us(-2 * 86_400))
    for one, terms in zip(people, found, strict=True):
        own = baselines(one, us(-2 * 86_400)).get("heart_rate", [0.0, 0.0, 0.0])
        assert terms[HEART].tolist() == pytest.approx(own, abs=2e-6)
        assert not np.delete(terms, HEART, axis=0).any()


def test_long_known_athletes_fade_alike_and_unknown_names_are_left_out() -> None:
    days = [entry(9 - k, {"speed": [2.0 + k, 0.5, 50_000.0], "hue": [1.0, 1.0, 1.0]}) for k in range(5)]
    (found,) = left([{"sessions": days}], us(0))
    assert found[CHANNELS.index("speed")].tolist() == baselines({"sessions": days}, us(0))["speed"]


@given(st.lists(st.tuples(st.floats(-1e3, 1e3), st.integers(0, 5)), min_size=1, max_size=20))
def test_the_weighted_median_is_the_median_of_repeated_values(pairs: list[tuple[float, int]]) -> None:
    values, times = np.array([pair[0] for pair in pairs]), np.array([pair[1] for pair in pairs])
    found = weighted_median(values[:, None], times[:, None].astype(float))
    if times.sum():
        assert found[0] == np.median(np.repeat(values, times))


def test_a_squad_of_nobody_is_anybody() -> None:
    assert prior_of(np.zeros((0, len(NAMES), 3))) == ANYBODY
    assert prior_of(np.zeros((5, len(NAMES), 3))) == ANYBODY


# Through the route


def days_apart(days: float) -> Log:
    """Mate "m" runs, and so many days later new athlete "a" does, in one log."""
    log = Log()
    for begin, athlete in ((0.0, "m"), (86_400 * days, "a")):
        for k in range(40):
            beat = heart(90.0 + k % 5) | speed(*[2.0] * 10)
            log.send(begin + k, beat, athlete=athlete, session=f"s{athlete}", end=k == 39)
    return log


def pair() -> Route:
    return make_route(people=Roster({name: {"v": 1, "athlete": name, "squad": "Reds"} for name in "am"}))


def test_a_session_starts_from_what_a_mate_left_however_the_log_is_cut() -> None:
    log = days_apart(3)
    agree(log.records, pair)
    route = pair()
    route.push(log.records)
    own = route.people.athletes["m"]["sessions"][0]["own"]["heart_rate"]
    expected = 140 + shares(own[2]) * (own[0] - 140)
    assert route.slots.state["centre"][route.slots.slot("a", 0), HEART] == pytest.approx(expected)
    assert expected < 140


@pytest.mark.parametrize("days", [0.01, 1, 2])
def test_until_then_it_starts_as_anybody(days: float) -> None:
    route = pair()
    for part in chunks(days_apart(days).records, 1):
        route.push(part)
    assert route.slots.state["centre"][route.slots.slot("a", 0), HEART] == 140


def test_scores_are_the_same_in_chunks_and_in_whichever_order_the_roster_is() -> None:
    log = Log()
    for k in range(100):
        log.send(k, heart(150) | motion(cadence=[90.0], power=[150.0]), end=k == 99)
    mates = [mate(beats(rate) | {"efficiency.power": [0.1, 0.05, 600.0]}) for rate in (110, 130, 150)]
    whole = agree(log.records, lambda: make_route(people=roster(*mates)))
    turned = make_route(people=roster(*reversed(mates)))
    assert told([turned.push(part) for part in chunks(log.records, 3)]) == whole
    alone = make_route(people=roster())
    assert told([alone.push(log.records)]) != whole


def test_a_recovered_worker_goes_on_with_what_the_session_began_with() -> None:
    log = days_apart(3)
    route, other = pair(), make_route()
    route.push(log.records[:-2])
    slot = route.slots.slot("a", 0)
    (packed,) = pack_athletes(route, [slot], Point(len(log.records) - 2, 0)).values()
    assert unpack_athlete(other, 0, b"a", packed)
    for name in ("centre", "spread", "efficiency"):
        assert (other.slots.state[name][other.slots.slot("a", 0)] == route.slots.state[name][slot]).all()
    last = log.records[-2:]
    assert told([other.push(last)]) == told([route.push(last)])
