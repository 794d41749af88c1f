"""Rules over seconds: every transition of the table, and what silence, gaps and the session's end do.

Drawings: one character a second; a digit is the heart rate in tens of per cent of the maximum, ``.`` no heart rate.
The example rule is raised at 90 % (9), cleared below 70 % (6 and lower), held for 2 s, dwells 3 s.
"""

from __future__ import annotations

from itertools import product
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stream.alert import (
    EVENTS,
    INACTIVE,
    METRICS,
    PENDING,
    STALE_AFTER_S,
    STATES,
    TABLE,
    Rule,
    load_rules,
)
from stream.errors import MissingError, UsageError
from stream.roster import Roster
from tests.stream.feeding import SILENT, Log, Told, agree, heart, imu, make_route, speed, told

HIGH = Rule("high", "heart_rate_share", "%", raise_at=90, clear_below=70, for_s=2, dwell_s=3)
AT_ONCE = Rule("high", "heart_rate_share", "%", raise_at=90, clear_below=70)
PEOPLE = Roster(athletes={"a": {"profile": {"heart_rate_max": 200, "heart_rate_rest": 50}}})

Change = tuple[str, str, float]


def ticking(drawing: str, *rules: Rule) -> Told:
    """Each second's heart rate, beside a speed that keeps the frames coming."""
    log = Log()
    for k, mark in enumerate(drawing + ".."):
        beat = {} if mark == "." else heart(int(mark) * 20)
        log.send(k, speed(3.0, rate=1.0) | beat)
    return told([make_route(rules=rules or (HIGH,), people=PEOPLE).push(log.records)])


def changes(drawing: str, *rules: Rule) -> list[Change]:
    """State, reason, and after how many seconds."""
    return [(state, reason, at) for _, state, reason, at in ticking(drawing, *rules).changes()]


def test_raised_is_pending_until_it_has_held() -> None:
    # 5 5 9 9 9 9
    #     |p  |f      pending with the first, firing when it has held for two seconds more
    assert changes("55999999") == [("pending", "raised", 3), ("firing", "held", 5)]


def test_a_rule_without_for_fires_at_once() -> None:
    assert changes("559", AT_ONCE) == [("firing", "raised", 3)]


def test_while_pending_it_may_fall_as_far_as_clear() -> None:
    # 5 9 8 8 8     in between the levels: held
    assert changes("59888") == [("pending", "raised", 2), ("firing", "held", 4)]


def test_what_falls_before_it_fired_was_nothing() -> None:
    assert changes("5956995") == [
        ("pending", "raised", 2),
        ("inactive", "fell before it fired", 3),
        ("pending", "raised", 5),
        ("inactive", "fell before it fired", 7),
    ]


def test_between_the_levels_nothing_begins_and_nothing_ends() -> None:
    assert changes("58787878") == []
    assert changes("9997777787778") == [("pending", "raised", 1), ("firing", "held", 3)]


def test_it_clears_only_below_the_lower_level() -> None:
    assert changes("9998777766")[-1] == ("resolved", "cleared", 9)


def test_it_dwells_before_it_clears() -> None:
    # 9 9 9 5 5 5 5
    #     |f    |r   fired at 3, three seconds later at the earliest
    assert changes("9995555") == [("pending", "raised", 1), ("firing", "held", 3), ("resolved", "cleared", 6)]


def test_the_value_is_missing_for_a_while_before_it_is_stale() -> None:
    short = "999" + "." * STALE_AFTER_S + "9"
    assert changes(short)[2:] == []
    long = "999" + "." * (STALE_AFTER_S + 1)
    assert changes(long)[2:] == [("stale", "value missing", 3 + STALE_AFTER_S + 1)]


def test_missing_data_never_resolves() -> None:
    drawing = "999" + "." * 60
    assert [change[0] for change in changes(drawing)] == ["pending", "firing", "stale"]


GONE = "." * (STALE_AFTER_S + 1)


@pytest.mark.parametrize(
    ("back", "state", "reason"),
    [("9", "firing", "value back"), ("8", "firing", "value back"), ("5", "resolved", "cleared")],
)
def test_stale_ends_with_the_next_value(back: str, state: str, reason: str) -> None:
    drawing = "999" + GONE + back
    assert changes(drawing)[-1] == (state, reason, len(drawing))


def test_what_is_pending_does_not_fire_by_going_missing() -> None:
    """Two of a hundred seconds seen, then nothing, then a value between the levels: no alert."""
    slow = Rule("high", "heart_rate_share", "%", raise_at=90, clear_below=70, for_s=100)
    assert changes("99" + GONE + "8", slow) == [("pending", "raised", 1), ("inactive", "value missing", 13)]


def test_each_score_carries_what_is_on_after_its_second() -> None:
    result = ticking("5999995555")
    states = [[alert["state"] for alert in alerts] for alerts in result.column("alerts")]
    assert states[:9] == [[], ["pending"], ["pending"], ["firing"], ["firing"], ["firing"], [], [], []]


def test_a_transition_says_what_was_compared_and_when() -> None:
    result = ticking("5999", AT_ONCE)
    (alert,) = result.alerts["a"]
    assert alert["value"] == pytest.approx(90)
    assert alert["from"] == "inactive"
    assert alert["session"] == "s"


# The table


def test_the_table_knows_its_states_and_events() -> None:
    for (state, event), (after, reason) in TABLE.items():
        assert 0 <= state < len(STATES)
        assert 0 <= after < len(STATES)
        assert 0 <= event < len(EVENTS)
        assert state != after
        assert reason


def test_missing_data_leads_from_firing_nowhere_but_to_stale() -> None:
    ways = {
        (STATES[state], EVENTS[event]): STATES[TABLE[state, event][0]]
        for state, event in product(range(len(STATES)), range(len(EVENTS)))
        if EVENTS[event] in ("missing", "lost") and (state, event) in TABLE
    }
    assert ways == {("pending", "lost"): "inactive", ("firing", "lost"): "stale"}


def test_pending_is_never_skipped_over_to_stale() -> None:
    into_stale = {state for (state, _), (after, _) in TABLE.items() if STATES[after] == "stale"}
    assert not into_stale & {INACTIVE, PENDING}


def by_definition(drawing: str) -> list[str]:
    """States of the example rule after each second, from the words of the documentation."""
    state, since, gone, out = "inactive", 0, 0, []
    for second, mark in enumerate(drawing):
        before, value = state, None if mark == "." else 10 * int(mark)
        gone = 0 if value is not None else gone + 1
        lasted = second - since
        if value is None:
            if gone > STALE_AFTER_S:
                state = {"firing": "stale", "pending": "inactive"}.get(state, state)
        elif value < 70:
            if state in ("pending", "stale") or (state == "firing" and lasted >= 3):
                state = "inactive"
        elif state == "stale" or (state == "pending" and lasted >= 2):
            state = "firing"
        elif state == "inactive" and value >= 90:
            state = "pending"
        if state != before:
            since, gone = second, 0
        out.append(state)
    return out


drawings = st.lists(st.sampled_from(["5", "8", "9", "99999", ".", GONE]), min_size=1, max_size=12).map(
    "".join
)


@settings(max_examples=25, deadline=None)
@given(drawings)
def test_any_course_of_values_goes_through_the_states_as_documented(drawing: str) -> None:
    result = ticking(drawing)
    found = [alerts[0]["state"] if alerts else "inactive" for alerts in result.column("alerts")]
    assert found[: len(drawing)] == by_definition(drawing)


# Silence and the session's end


def test_silence_makes_what_fires_stale_and_ends_what_is_pending() -> None:
    slow = Rule("slow", "heart_rate_share", "%", raise_at=90, clear_below=70, for_s=100)
    log = Log()
    for k in range(3):
        log.send(k, heart(180))
    log.send(20, heart(180), at=20)
    log.send(22, heart(180), at=22)
    rules = (AT_ONCE, slow, SILENT)
    result = agree(log.records, lambda: make_route(rules=rules, people=PEOPLE))
    assert result.changes() == [
        ("high", "firing", "raised", 1),
        ("slow", "pending", "raised", 1),
        ("sensor_silent", "firing", "no frames", 12),
        ("high", "stale", "sensor silent", 12),
        ("slow", "inactive", "sensor silent", 12),
        ("sensor_silent", "resolved", "frames again", 20),
        ("high", "firing", "value back", 21),
        ("slow", "pending", "raised", 21),
    ]


def test_the_end_of_the_session_ends_what_is_on() -> None:
    log = Log()
    log.send(0, heart(180))
    log.send(1, heart(180), end=True)
    log.send(5, heart(180), session="t")
    log.send(7, heart(180), session="t")
    result = agree(log.records, lambda: make_route(rules=(AT_ONCE, SILENT), people=PEOPLE))
    assert [(alert["session"], alert["state"], alert["reason"]) for alert in result.alerts["a"]] == [
        ("s", "firing", "raised"),
        ("s", "resolved", "session ended"),
        ("t", "firing", "raised"),
    ]


def test_a_session_that_ends_while_silent_resolves_the_silence() -> None:
    log = Log()
    log.send(0, heart(100))
    log.tick(20)
    log.send(21, {}, end=True, at=21)
    result = agree(log.records)
    assert [change[1:3] for change in result.changes()] == [
        ("firing", "no frames"),
        ("resolved", "frames again"),
    ]


# What rules watch


def test_every_metric_can_be_watched() -> None:
    rules = tuple(Rule(name, name, "", raise_at=0.0, clear_below=0.0) for name in METRICS)
    log = Log()
    for k in range(90):
        log.send(k, heart(180) | speed(4.0, rate=1.0) | imu([[0, 0, 1.0]] * 2, rate=2.0))
    result = told([make_route(rules=rules, people=PEOPLE).push(log.records)])
    assert {change[0] for change in result.changes()} == {"heart_rate_share", "performance", "impact_peak"}


@pytest.mark.parametrize(("population", "fires"), [("elite women footballers", True), (None, False)])
def test_the_risk_raises_alerts_only_for_whom_the_model_was_made(population: str | None, fires: bool) -> None:
    days = [{"date": f"2025-09-{day:02}", "load": 300, "fatigue": 3} for day in range(10, 29)]
    days[-1] |= {"load": 900, "fatigue": 5}
    people = Roster(athletes={"a": {"days": days, "population": population}})
    rule = Rule("risk", "injury_risk", "", raise_at=0.01, clear_below=0.005)
    log = Log()
    log.send(0, heart(100))
    log.send(2, heart(100))
    out = make_route(rules=(rule,), people=people).push(log.records)
    assert [transition.state for transition in out.alerts] == (["firing"] if fires else [])
    assert all(
        {"load", "fatigue"} <= {entry.name for entry in transition.inputs} for transition in out.alerts
    )


def test_athletes_have_their_own_alerts() -> None:
    log = Log()
    for k in range(3):
        log.send(k, heart(180), athlete="a")
        log.send(k, heart(100), athlete="b")
    result = agree(log.records, lambda: make_route(rules=(Rule("high", "heart_rate_share", "%", 90, 70),)))
    assert set(result.alerts) == {"a"}


# Files


def test_the_shipped_rules_load() -> None:
    names = [rule.name for rule in load_rules(None)]
    assert names == ["injury_risk", "heart_rate_high", "sensor_silent"]


GOOD = '[[rule]]\nname = "n"\nmetric = "wbgt"\nraise = 30\nclear = 28\n'
WRONG = {
    "an unknown key": GOOD + "colour = 3\n",
    "clear above raise": GOOD.replace("28", "31"),
    "two of one name": GOOD + GOOD,
    "no name": GOOD.replace('name = "n"\n', ""),
    "an empty name": GOOD.replace('"n"', '""'),
    "a name that is no text": GOOD.replace('"n"', "7"),
    "no metric": GOOD.replace('metric = "wbgt"\n', ""),
    "an unknown metric": GOOD.replace("wbgt", "mood"),
    "no levels": GOOD.replace("raise = 30\n", ""),
    "a level that is no number": GOOD.replace("30", '"high"'),
    "a level that is not a number": GOOD.replace("30", "nan"),
    "a negative time": GOOD + "for_s = -1\n",
    "a time in parts of a second": GOOD + "dwell_s = 1.5\n",
    "a flag for a time": GOOD + "dwell_s = true\n",
    "no TOML": "[[rule]\n",
    "another table": GOOD.replace("[[rule]]", "[[rules]]"),
    "one table instead of many": GOOD.replace("[[rule]]", "[rule]"),
    "a list of numbers": "rule = [1, 2]\n",
}


@pytest.mark.parametrize("content", WRONG.values(), ids=WRONG)
def test_a_wrong_file_is_refused_in_one_line_that_names_it(content: str, tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(content)
    with pytest.raises(UsageError) as refused:
        load_rules(path)
    assert str(path) in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_file_that_is_not_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_bytes(b"\xff\xfe[[rule]]")
    with pytest.raises(UsageError, match=r"mine\.toml"):
        load_rules(path)


@pytest.mark.parametrize("name", ["missing.toml", ""])
def test_a_file_that_is_not_there_is_missed(name: str, tmp_path: Path) -> None:
    with pytest.raises(MissingError, match="TOUCHLINE_RULES") as missed:
        load_rules(tmp_path / name)
    assert "\n" not in str(missed.value)


def test_no_rules_are_rules_too(tmp_path: Path) -> None:
    path = tmp_path / "none.toml"
    path.write_text("")
    assert load_rules(path) == ()
    log = Log()
    log.send(0, heart(200))
    log.send(30, heart(200), end=True)
    assert agree(log.records, lambda: make_route(rules=())).alerts == {}


def test_a_whole_rule(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(GOOD + 'for_s = 60\ndwell_s = 30\nunit = "degC"\n')
    assert load_rules(path) == (Rule("n", "wbgt", "degC", 30.0, 28.0, 60, 30),)
