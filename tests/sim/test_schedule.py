"""Phases of a session."""

from __future__ import annotations

import pytest

from sim.schedule import ACTIVITIES, KINDS, Kind, Phase, schedule_of


def test_a_match_has_two_halves_and_a_break() -> None:
    schedule = schedule_of("match", 6300)
    assert [schedule.at(minute * 60)[0].name for minute in (0, 44, 45, 59, 60, 104, 105, 300)] == [
        "first half", "first half", "break", "break", "second half", "second half", "after", "after",
    ]  # fmt: skip


def test_a_training_session_fits_its_length() -> None:
    schedule = schedule_of("training", 1000)
    assert [phase.name for phase in schedule.phases] == [
        "warm-up",
        "intervals",
        "drinks",
        "small game",
        "cool-down",
    ]
    assert schedule.ends[-1] == pytest.approx(1000)


def test_seconds_into_a_phase_count_from_its_start() -> None:
    phase, since_s = schedule_of("match", 6300).at(45 * 60 + 7)
    assert (phase.name, since_s) == ("break", 7)


def test_work_and_rest_take_turns() -> None:
    phase = Phase("intervals", 100, pace=1.0, work_s=3, rest_s=2)
    assert [phase.works(second) for second in range(7)] == [True, True, True, False, False, True, True]


@pytest.mark.parametrize("kind", KINDS)
def test_shares_of_free_play_add_up_to_one(kind: Kind) -> None:
    for phase in schedule_of(kind, 3000).phases:
        if phase.shares is not None:
            assert len(phase.shares) == len(ACTIVITIES)
            assert sum(phase.shares) == pytest.approx(1)
