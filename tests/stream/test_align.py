"""Who sent it, was it seen before, which seconds does it close: examples, each fed in every batching.

Drawings: one column is half a second of event time; ``[`` ``]`` are windows, ``=`` samples, ``|`` the watermark.
"""

from __future__ import annotations

import pytest

from stream import roster
from stream.clock import CARRY_S
from stream.records import Group
from stream.roster import Roster
from stream.slots import BOOTS, SEQ_WINDOW
from tests.stream.feeding import Log, Told, agree, heart, make_route, speed, us

NOTHING: dict[str, Group] = {}


def frames(told: Told) -> list[int]:
    return told.column("quality", "frames")


def test_a_window_closes_when_the_watermark_passes_its_end() -> None:
    """Lateness half a second, so a sample at 1.5 lets the first second go, one at 1.4 does not.

    [====][==
             |  at 1.5 - 0.5 = 1.0
    """
    log = Log()
    log.send(0.0)
    log.send(1.4)
    assert agree(log.records).seconds() == []
    log.send(1.5)
    assert agree(log.records).seconds() == [0]


def test_a_late_frame_is_counted_and_goes_to_rejected() -> None:
    # [0   ][1   ][2
    #              = 2.5, closes second 1
    #      = 0.9 comes now: late
    #       = 1.9 comes now: late
    #              = 2.0: in time
    log = Log()
    for t in (0.0, 1.0, 2.5):
        log.send(t)
    log.send(0.9, at=2.6)
    log.send(1.9, at=2.7)
    log.send(2.0, at=2.8)
    log.send(3.0, end=True)
    told = agree(log.records)
    assert told.reasons == ["late", "late"]
    assert frames(told) == [1, 1, 2, 1]


def test_a_frame_that_is_late_in_part_keeps_its_open_part_and_is_counted() -> None:
    log = Log()
    log.send(0.0, speed(*[5.0] * 10))
    log.send(2.5, speed(5.0))
    log.send(1.5, speed(*[3.0] * 10), at=2.6)  # 1.5 … 2.4: half of it behind the frontier
    log.send(3.0, speed(5.0), end=True)
    told = agree(log.records)
    assert told.reasons == []
    assert told.column("quality", "late") == [0, 0, 1, 0]
    assert frames(told) == [1, 0, 2, 1]
    assert told.column("quality", "missing", "position")[1:3] == [1.0, 0.4]


def test_a_duplicate_is_the_same_device_boot_and_seq_whatever_it_says() -> None:
    log = Log()
    first = log.send(0.0)
    log.again(first)
    log.send(0.5, heart(99), seq=0)
    log.send(0.6, seq=1, device="strap", end=True)  # another device counts for itself
    log.send(0.9, end=True)
    told = agree(log.records)
    assert told.reasons == ["duplicate", "duplicate"]
    assert frames(told) == [3]


def test_a_reboot_counts_from_zero_again() -> None:
    log = Log()
    for seq in range(3):
        log.send(seq, boot=11, seq=seq)
    for seq in range(3):
        log.send(3 + seq, boot=12, seq=seq, end=seq == 2)
    told = agree(log.records)
    assert told.rejected == []
    assert told.seconds() == [0, 1, 2, 3, 4, 5]


def test_sequence_numbers_may_come_in_any_order_within_the_window() -> None:
    log = Log()
    for seq in (5, 3, 4, 0, 5, 3, 6, 0):
        log.send(0.0, seq=seq)
    assert agree(log.records).reasons == ["duplicate", "duplicate", "duplicate"]


def test_a_sequence_number_too_far_back_to_remember_counts_as_seen() -> None:
    log = Log()
    log.send(0.0, seq=2 * SEQ_WINDOW)
    log.send(0.1, seq=SEQ_WINDOW + 1)
    log.send(0.2, seq=SEQ_WINDOW)
    assert agree(log.records).reasons == ["duplicate"]


def test_old_boots_are_forgotten_one_by_one() -> None:
    log = Log()
    for boot in range(BOOTS + 1):
        log.send(0.1 * boot, boot=boot)
    log.send(0.9, boot=BOOTS, seq=0)
    log.send(0.9, boot=1, seq=0)
    assert agree(log.records).reasons == ["duplicate", "duplicate"]


def test_a_frame_from_the_future_is_clamped_and_counted() -> None:
    """An hour ahead: its samples are taken as of now. At 2 s ahead a frame is still believed."""
    log = Log()
    log.send(0.0)
    log.send(3600.0, at=1.0)
    log.send(4.0, at=2.0)
    log.send(5.0, end=True)
    told = agree(log.records)
    assert told.seconds() == [0, 1, 2, 3, 4, 5]
    assert frames(told) == [1, 1, 0, 0, 1, 1]
    assert told.column("quality", "clamped") == [0, 1, 0, 0, 0, 0]


def test_a_skewed_athlete_makes_nobody_else_late() -> None:
    log = Log()
    for t in range(5):
        log.send(t + 1800, athlete="ahead", at=t)
        log.send(t, athlete="right", at=t)
        log.send(t - 1800, athlete="behind", at=t)
    for athlete, t in (("ahead", 1805), ("right", 5), ("behind", -1795)):
        log.send(t, athlete=athlete, at=5, end=True)
    told = agree(log.records)
    assert told.rejected == []
    assert told.seconds("right") == told.seconds("ahead") == [0, 1, 2, 3, 4, 5]
    assert told.seconds("behind") == [t - 1800 for t in range(6)]
    assert sum(told.column("quality", "clamped", athlete="ahead")) == 6


def test_a_device_behind_the_others_gives_missingness_not_delay() -> None:
    # watch (heart)     [=   ][=   ][=   ]|
    # pod (position)    [==..  two seconds behind: late, the windows do not wait
    log = Log()
    for t in range(6):
        log.send(t, heart(100 + t))
        log.send(t - 2, speed(*[5.0] * 10), device="pod", at=t)
    told = agree(log.records)
    assert told.seconds() == [0, 1, 2, 3]  # not one fewer than the watch alone would give
    assert told.column("quality", "missing", "heart") == [0.0] * 4
    assert told.column("quality", "missing", "position") == [1.0] * 4
    assert told.reasons == ["late"] * 6


@pytest.mark.parametrize("gap", [2, 60, pytest.param(CARRY_S, marks=pytest.mark.slow)])
def test_a_gap_is_carried_second_by_second(gap: int) -> None:
    log = Log()
    log.send(0)
    log.send(gap)
    log.send(gap + 1, end=True)
    told = agree(log.records)
    assert told.seconds() == list(range(gap + 2))
    assert told.column("quality", "stale") == [False] + [True] * (gap - 1) + [False, False]
    assert sum(frames(told)) == 3


def test_a_gap_too_long_to_carry_starts_the_history_afresh() -> None:
    """The seconds up to the gap close, the gap itself is no window, the totals go on."""
    log = Log()
    log.send(0.0, heart(100))
    log.send(CARRY_S + 1.0, heart(140))
    log.send(CARRY_S + 2.0, heart(140), end=True)
    told = agree(log.records)
    assert told.seconds() == [0, CARRY_S + 1, CARRY_S + 2]
    assert told.column("totals", "heart_sum_bpm") == [100, 240, 380]
    assert told.column("totals", "duration_s")[-1] == CARRY_S + 2


def test_an_end_closes_the_windows_at_once() -> None:
    log = Log()
    log.send(0.0)
    log.send(0.7, end=True)
    told = agree(log.records)
    assert told.seconds() == [0]
    assert told.column("final") == [True]


def test_an_end_waits_for_the_other_devices_of_the_session() -> None:
    log = Log()
    log.send(0.0)
    log.send(0.1, device="pod")
    log.send(0.5, end=True)
    assert agree(log.records).seconds() == []
    log.send(0.6, NOTHING, device="pod", end=True)
    told = agree(log.records)
    assert told.seconds() == [0]
    assert frames(told) == [4]


def test_an_end_without_samples_has_its_home_in_the_newest_second_at_its_time() -> None:
    """The pod's lone end comes at 1.0; that the watch goes on moves it nowhere."""
    log = Log()
    log.send(0.0)
    log.send(1.0, device="pod")
    log.send(1.0, NOTHING, device="pod", end=True)
    for t in (1.2, 2.0, 3.0):
        log.send(t, end=t == 3.0)
    told = agree(log.records)
    assert frames(told) == [1, 3, 1, 1]


def test_an_end_of_a_session_nobody_saw_is_refused() -> None:
    log = Log()
    log.send(0.0, NOTHING, end=True)
    told = agree(log.records)
    assert told.reasons == ["no_groups"]
    assert told.seconds() == []


def test_a_second_end_is_late() -> None:
    log = Log()
    log.send(0.0, end=True)
    log.send(0.5, NOTHING, end=True)
    told = agree(log.records)
    assert told.seconds() == [0]
    assert told.reasons == ["late"]


def test_a_session_goes_on_after_its_end_when_samples_come() -> None:
    log = Log()
    log.send(0.0, end=True)
    log.send(1.0)
    log.send(2.0, end=True)
    told = agree(log.records)
    assert told.seconds() == [0, 1, 2]
    assert told.column("final") == [True, False, True]
    assert told.column("totals", "frames")[-1] == 3


def test_a_new_session_closes_the_one_before_it() -> None:
    """In the middle of a chunk, without any end."""
    log = Log()
    log.send(0.0, heart(100))
    log.send(1.0, heart(100))
    log.send(4.0, heart(150), session="t")
    log.send(5.0, heart(150), session="t", end=True)
    told = agree(log.records)
    assert told.seconds() == [0, 1, 4, 5]
    assert told.column("session") == ["s", "s", "t", "t"]
    assert told.column("final") == [False, True, False, True]
    assert told.column("totals", "heart_sum_bpm") == [100, 200, 150, 300]


def test_the_second_in_which_the_session_changes_belongs_to_the_older_one() -> None:
    """A second is scored once: (athlete, window end) is one score's id.

    s  [====][==
    t         ==][====]   its samples before 2.0 are late
    """
    log = Log()
    log.send(0.0, speed(*[5.0] * 10))
    log.send(1.0, speed(*[5.0] * 3))
    log.send(1.5, speed(*[5.0] * 5), session="t")
    log.send(2.0, speed(*[5.0] * 10), session="t")
    log.send(3.0, speed(5.0), session="t", end=True)
    told = agree(log.records)
    assert told.seconds() == [0, 1, 2, 3]
    assert told.column("session") == ["s", "s", "t", "t"]
    assert told.reasons == ["late"]
    assert told.column("totals", "duration_s")[-1] == 1.0


def test_stragglers_of_an_older_session_are_late() -> None:
    log = Log()
    log.send(0.0)
    log.send(3.0, session="t")
    log.send(1.0, at=3.1)
    log.send(4.0, session="t", end=True)
    told = agree(log.records)
    assert told.reasons == ["late"]
    assert told.column("session") == ["s", "t", "t"]


def test_a_repeat_of_an_older_sessions_frame_does_not_open_it_again() -> None:
    """Nor does one that was not seen, whose second was scored."""
    log = Log()
    first = log.send(1.9)
    log.send(1.9, session="t", device="pod")
    log.again(first)
    log.send(1.95, device="strap")
    told = agree(log.records)
    assert told.reasons == ["late", "duplicate", "late"]
    assert told.column("session") == ["s"]


def test_an_athletes_age_is_taken_at_the_first_sample_though_a_lone_end_came_before_it() -> None:
    log = Log()
    log.send(0.0, NOTHING, end=True, device="pod")
    log.send(0.1)
    people = Roster(athletes={"a": {"profile": {"birth_year": 1995}}})
    route = make_route(people=people)
    for record in log.records:
        route.push([record])
    age = roster.age({"birth_year": 1995}, us(0.1))
    assert age is not None
    assert route.slots.state["heart_max"][route.slots.slot("a", 0)] == pytest.approx(208 - 0.7 * age)


def test_the_first_stamp_of_a_session_is_the_earliest_though_another_device_was_heard_before() -> None:
    log = Log()
    log.send(0.4)
    log.send(0.1, speed(5.0), device="pod", at=0.45)
    log.send(2.1, end=True)
    log.send(2.0, NOTHING, device="pod", end=True)
    assert agree(log.records).column("totals", "duration_s") == [0.3, 0.3, 2.0]


def test_a_key_hashed_otherwise_by_another_sender_is_refused_not_mixed_in() -> None:
    """Offsets and order mean something within a partition only."""
    log = Log()
    log.send(0)
    other = log.send(0.2, device="pod")._replace(partition=1)
    last = log.send(0.5, end=True)
    told = agree([log.records[0], other, last])
    assert told.reasons == ["wrong_key"]
    assert frames(told) == [2]


# Silence


def silences(told: Told) -> list[tuple[str, str, float]]:
    return [(state, reason, at) for _, state, reason, at in told.changes()]


def test_silence_is_noticed_by_a_tick_and_ends_with_a_frame() -> None:
    log = Log()
    log.send(0.0)
    log.tick(11.9)  # ticks look two seconds back
    assert silences(agree(log.records)) == []
    log.tick(12.0)
    assert silences(agree(log.records)) == [("firing", "no frames", 10.0)]
    log.tick(20.0)
    log.send(30.0)
    told = agree(log.records)
    assert silences(told) == [("firing", "no frames", 10.0), ("resolved", "frames again", 30.0)]


def test_silence_noticed_by_the_frame_after_it_is_the_same_as_noticed_by_a_tick() -> None:
    with_ticks, without = Log(), Log()
    for log in (with_ticks, without):
        log.send(0.0)
        for at in range(1, 25):
            if log is with_ticks:
                log.tick(at)
        log.send(25.0, at=25.0)
        log.send(26.0, end=True)
    a, b = agree(with_ticks.records), agree(without.records)
    assert a.alerts == b.alerts
    assert a.scores == b.scores


def test_a_silence_that_ends_in_a_new_session_is_told_before_the_session_ends() -> None:
    with_ticks, without = Log(), Log()
    for log in (with_ticks, without):
        log.send(0.0)
        if log is with_ticks:
            log.tick(20.0)
        log.send(25.0, session="t", at=25.0)
    a, b = agree(with_ticks.records), agree(without.records)
    assert a.alerts == b.alerts
    assert silences(a) == [("firing", "no frames", 10.0), ("resolved", "frames again", 25.0)]


def test_nobody_is_silent_after_the_end() -> None:
    log = Log()
    log.send(0.0, end=True)
    log.tick(100.0)
    assert silences(agree(log.records)) == []


def test_a_late_frame_is_a_sign_of_life() -> None:
    log = Log()
    log.send(0.0)
    log.send(9.0)
    log.send(1.0, at=15.0)
    log.tick(20.0)
    told = agree(log.records)
    assert told.reasons == ["late"]
    assert silences(told) == []
    log.tick(27.0)
    assert silences(agree(log.records)) == [("firing", "no frames", 25.0)]


def test_what_a_snapshot_covers_is_skipped() -> None:
    log = Log()
    for t in range(4):
        log.send(t)
    route = make_route()
    route.push(log.records[:3])
    slot = route.slots.slot("a", 0)
    route.slots.state["covered_wearable"][slot] = 3
    out = route.push(log.records[1:])
    assert out.rejected == []
    assert [score["window_start_us"] for _, score in out.scores] == [us(1)]
