"""Tests of stream/web/track.py."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from stream.sinks.store import AlertInput
from stream.web.track import SETTLE_US, Today, Track
from tests.stream.web.fakes import SECOND_US, START_US
from tests.stream.web.scores import make_alert, make_score

HIGH = [{"rule": "heart_rate_high", "state": "firing"}]


def track_of(*scores: dict[str, object]) -> Track:
    track = Track(0, "a1")
    for score in scores:
        track.take_score(score)
    return track


def test_the_newest_second_is_shown_and_an_older_one_only_remembered() -> None:
    track = track_of(
        make_score(end_us=START_US, live={"speed": 5.0}),
        make_score(end_us=START_US - SECOND_US, live={"speed": 1.0}),
    )
    assert track.row[8] == 5.0
    assert len(track.ring.recent(600).times_us) == 2


def test_it_was_heard_when_the_last_second_with_a_sample_was_published() -> None:
    track = track_of(
        make_score(end_us=START_US, lineage={"scored_us": START_US + 300_000}),
        make_score(
            end_us=START_US + 4 * SECOND_US,
            lineage={"scored_us": START_US + 4 * SECOND_US + 300_000},
            quality={"stale": True},
        ),
    )
    assert track.heard_us == START_US + 300_000


def test_a_score_without_a_publishing_stamp_is_as_old_as_its_window() -> None:
    assert track_of(make_score(lineage={"scored_us": None})).heard_us == START_US


def test_why_a_head_abstains_is_told() -> None:
    notes = track_of(make_score(performance={"score": None, "abstains": "no heart rate"})).about().notes
    assert notes.performance_abstains == "no heart rate"
    assert notes.injury_abstains is None
    assert notes.load_source == "reported"
    assert notes.injury_because == (AlertInput("load", 900.0, "AU", 0.012),)
    assert notes.today == Today(140.0, 600.0, "heart_rate", None, None, None), (
        "no risk where it does not help"
    )


def test_the_last_window_of_a_session_makes_it_final() -> None:
    assert track_of(make_score(final=True)).about().final


def test_an_alert_is_on_with_its_words_until_it_is_resolved() -> None:
    track = track_of(make_score())
    track.take_alert(make_alert())
    (alert,) = track.about().alerts
    assert (alert.state, alert.message) == ("firing", "heart rate 94 % of maximum for 120 s")
    track.take_alert(make_alert(state="resolved", event_us=START_US + 1))
    assert track.about().alerts == ()


def test_a_transition_older_than_the_last_one_is_past() -> None:
    track = track_of(make_score())
    track.take_alert(make_alert(state="resolved", event_us=START_US + 1))
    track.take_alert(make_alert(event_us=START_US))
    assert track.about().alerts == ()


def test_an_alert_that_only_the_score_lists_is_on_without_words() -> None:
    (alert,) = track_of(make_score(alerts=HIGH)).about().alerts
    assert (alert.rule, alert.state, alert.message) == ("heart_rate_high", "firing", "")


def test_a_score_of_the_same_moment_does_not_overrule_a_transition() -> None:
    track = track_of(make_score())
    track.take_alert(make_alert(event_us=START_US))
    track.take_score(make_score(end_us=START_US + SECOND_US, alerts=[]))
    assert len(track.alerts) == 1


def test_a_later_score_that_does_not_list_an_alert_ends_it() -> None:
    track = track_of(make_score())
    track.take_alert(make_alert(event_us=START_US))
    track.take_score(make_score(end_us=START_US + SETTLE_US, alerts=[]))
    assert track.alerts == {}


def test_a_score_from_before_does_not_bring_a_resolved_alert_back() -> None:
    track = track_of(make_score())
    track.take_alert(make_alert(state="resolved", event_us=START_US))
    track.take_score(make_score(end_us=START_US + SECOND_US, alerts=HIGH))
    assert track.alerts == {}


def test_a_silent_sensor_is_known_while_its_alert_is_on() -> None:
    track = track_of(make_score())
    assert not track.silent
    track.take_alert(make_alert(rule="sensor_silent"))
    assert track.silent
    track.take_alert(make_alert(state="resolved", rule="sensor_silent", event_us=START_US + 1))
    assert not track.silent


def test_a_new_session_starts_afresh_even_at_an_earlier_time() -> None:
    track = track_of(make_score(lineage={"scored_us": START_US}))
    track.take_alert(make_alert())
    earlier = START_US - 86_400 * SECOND_US
    track.take_score(make_score(end_us=earlier, session="replayed", lineage={"scored_us": START_US + 1}))
    assert (track.session, track.end_us, track.alerts) == ("replayed", earlier, {})
    assert track.ring.recent(600).times_us == [earlier]


def test_what_is_left_of_a_session_before_changes_nothing() -> None:
    track = track_of(make_score(session="new"))
    track.take_score(make_score(session="old", lineage={"scored_us": START_US - 1}))
    track.take_alert(make_alert(session="old", event_us=START_US - 1))
    assert (track.session, track.alerts) == ("new", {})


def test_an_alert_read_before_the_first_score_is_kept() -> None:
    track = Track(0, "a1")
    track.take_alert(make_alert())
    track.take_score(make_score(alerts=HIGH))
    assert track.about().alerts[0].message == "heart rate 94 % of maximum for 120 s"


@given(st.permutations(list(range(12))))
def test_the_order_of_reading_does_not_change_what_is_shown(order: list[int]) -> None:
    scores = [make_score(end_us=START_US + k * SECOND_US, live={"speed": float(k)}) for k in range(12)]
    track = track_of(*(scores[k] for k in order))
    assert track.row[8] == 11
    assert [row[8] for row in track.ring.recent(600).rows] == list(range(12))
