"""Seconds and what lies in them. Every example is fed whole, one by one and in random chunks.

Drawings: a column is a fifth of a second, ``w`` a wearable's sample, ``v`` the venue's.
"""

from __future__ import annotations

import numpy as np
import pytest

from stream.align import Closing
from stream.records import CHANNELS, Group
from stream.slots import Field, Slots
from stream.window import FRAMES, Table, Windows
from tests.stream.feeding import T0_S, Log, agree, heart, imu, make_route, position, speed


def standing(x: float, n: int = 5, rate: float = 5.0) -> dict[str, Group]:
    return position([[x, 0.0]] * n, rate=rate)


def test_a_sample_on_the_border_belongs_to_the_second_it_begins() -> None:
    # |w....w....|w    0.0, 0.999999 | 1.0
    log = Log()
    log.send(0.0, heart(100))
    log.send(0.999999, heart(110))
    log.send(1.0, heart(150))
    log.send(2.5, heart(150), end=True)
    assert agree(log.records).column("live", "heart_rate") == [105, 150, 150]


def test_the_wearable_wins_over_the_venue_second_by_second() -> None:
    # watch   |wwwww|     |wwwww|
    # camera  |vvvvv|vvvvv|vvvvv|
    log = Log()
    for second in range(3):
        log.send(second, standing(9), device="camera", venue=True)
        if second != 1:
            log.send(second, standing(1), device="watch")
    log.send(3, heart(100), device="watch", end=True)
    log.send(3, {}, device="camera", venue=True, end=True)
    told = agree(log.records)
    assert [place and place["x"] for place in told.column("position")] == [1, 9, 1, None]
    assert told.column("quality", "position_source") == ["watch", "camera", "watch", None]


def test_of_two_wearables_the_first_seen_wins() -> None:
    log = Log()
    log.send(0, heart(100), device="zebra")
    log.send(0.1, heart(140), device="ant")
    log.send(1.0, heart(140), device="ant")
    log.send(1.1, heart(100), device="zebra")
    log.send(2.0, heart(140), device="ant")
    log.send(2.5, {}, device="ant", end=True)
    log.send(2.5, {}, device="zebra", end=True)
    told = agree(log.records)
    assert told.column("quality", "heart_source") == ["zebra", "zebra", "ant"]
    assert told.column("live", "heart_rate") == [100, 100, 140]


def test_groups_may_come_from_different_devices() -> None:
    log = Log()
    log.send(0, heart(100), device="strap")
    log.send(0, standing(3), device="camera", venue=True)
    log.send(0, imu(np.ones((100, 3))), device="pod")
    for device in ("strap", "pod", "camera"):
        log.send(1, {}, device=device, venue=device == "camera", end=True)
    (quality,) = agree(log.records).column("quality")
    sources = {name: quality[f"{name}_source"] for name in ("heart", "position", "imu")}
    assert sources == {"heart": "strap", "position": "camera", "imu": "pod"}


def test_a_path_does_not_jump_between_two_sources() -> None:
    """The camera sees the athlete 50 m from where the watch does; the change of source is no run."""
    log = Log()
    for second in range(4):
        log.send(second, standing(50), device="camera", venue=True)
        if second < 2:
            log.send(second, standing(0), device="watch")
    log.send(4, {}, device="watch", end=True)
    log.send(4, standing(50), device="camera", venue=True, end=True)
    assert agree(log.records).column("totals", "distance_m")[-1] == 0


@pytest.mark.parametrize(
    ("sent", "share"),
    [
        (speed(*[5.0] * 10), 0.0),
        (speed(*[5.0] * 4), 0.6),
        (speed(*[5.0] * 5, *[np.nan] * 5), 0.5),
        (speed(5.0, rate=1.0), 0.0),
        (speed(*[np.nan] * 10), 1.0),
    ],
)
def test_missingness_is_the_share_of_the_second_without_samples(sent: dict[str, Group], share: float) -> None:
    log = Log()
    log.send(0, sent, end=True)
    told = agree(log.records)
    assert told.column("quality", "missing", "position") == [share]
    assert told.column("quality", "missing", "heart") == [1.0]
    assert told.column("quality", "stale") == [share == 1.0]


def test_a_frame_without_a_single_measured_sample_is_a_frame() -> None:
    log = Log()
    log.send(0, heart(float("nan")), end=True)
    told = agree(log.records)
    assert told.column("quality", "frames") == [1]
    assert told.column("live", "heart_rate") == [None]
    assert told.column("quality", "heart_source") == [None]


def test_a_frame_counts_where_its_last_sample_lies_and_its_samples_where_they_lie() -> None:
    # |..wwwww|wwww...|   one frame of two seconds
    log = Log()
    log.send(0.4, speed(*[1.0] * 3, *[3.0] * 5, rate=5.0), end=True)
    told = agree(log.records)
    assert told.column("quality", "frames") == [0, 1]
    assert told.column("live", "speed") == [1, 3]
    assert told.column("quality", "missing", "position") == [0.4, 0.0]


def test_athletes_do_not_mix() -> None:
    log = Log()
    for second in range(3):
        for athlete, rate in (("a", 100), ("b", 150)):
            log.send(second, heart(rate), athlete=athlete, end=second == 2)
    told = agree(log.records)
    assert told.column("live", "heart_rate", athlete="a") == [100] * 3
    assert told.column("live", "heart_rate", athlete="b") == [150] * 3


# The table of open samples itself


def table(slot: list[int], t: list[float]) -> Table:
    n = len(slot)
    stamps = np.array([T0_S * 10**6 + round(at * 1e6) for at in t], dtype=np.int64)
    zero = np.zeros(n, dtype=np.int64)
    values = np.arange(n * len(CHANNELS["heart"]), dtype=np.float64).reshape(n, -1)
    return Table(np.array(slot), zero, stamps, zero + 10**6, values)


def two_slots(next_s: int) -> Slots:
    slots = Slots((Field("next_s", "i8"),))
    for name in ("a", "b"):
        slots.of(slots.slot(name, 0)).device("watch", venue=False)
    slots.state["next_s"] = T0_S + next_s
    return slots


def test_closing_takes_the_due_samples_and_leaves_the_others() -> None:
    windows = Windows()
    windows.put("heart", table([0, 1, 0, 1], [0.5, 0.2, 1.5, 1.2]))
    closings = [Closing(slot, T0_S, T0_S + 1, at_us=7, newest_us=9) for slot in (1, 0)]
    seconds = windows.close(closings, two_slots(1))
    assert seconds.slot.tolist() == [0, 1]
    row, due = seconds.samples["heart"]
    assert row.tolist() == [0, 1]
    assert due.values[:, 0].tolist() == [0, 2]
    assert windows.held("heart").values[:, 0].tolist() == [4, 6]


def test_closed_seconds_are_sorted_by_athlete_and_time_and_waves_hold_each_athlete_once() -> None:
    closings = [
        Closing(1, T0_S, T0_S + 1, 7, 8),
        Closing(0, T0_S + 5, T0_S + 7, 9, 8),
        Closing(1, T0_S + 1, T0_S + 3, 10, 11, final=True),
        Closing(0, T0_S + 7, T0_S + 7, 12, 11, final=True),
    ]
    seconds = Windows().close(closings, two_slots(9))
    assert seconds.slot.tolist() == [0, 0, 1, 1, 1]
    assert (seconds.second - T0_S).tolist() == [5, 6, 0, 1, 2]
    assert seconds.at_us.tolist() == [9, 9, 7, 10, 10]
    assert seconds.newest_us.tolist() == [8, 8, 8, 11, 11]
    assert seconds.final.tolist() == [False, False, False, False, True]
    assert [wave.tolist() for wave in seconds.waves()] == [[0, 2], [1, 3], [4]]


def test_nothing_to_close_gives_no_seconds() -> None:
    seconds = Windows().close([], two_slots(0))
    assert len(seconds) == 0
    assert list(seconds.waves()) == []


def test_dropped_slots_leave_nothing_waiting() -> None:
    windows = Windows()
    windows.put("heart", table([0, 1, 1], [0.5, 0.2, 1.5]))
    zero = np.zeros(1, dtype=np.int64)
    windows.put(FRAMES, Table(zero, zero, zero, zero, np.zeros((1, 2))))
    windows.drop([0])
    assert windows.held("heart").slot.tolist() == [1, 1]
    assert len(windows.held(FRAMES)) == 0
    windows.drop([1])
    assert len(windows.held("heart")) == 0


def test_released_athletes_leave_no_samples_to_whoever_takes_their_slot() -> None:
    log = Log()
    log.send(0.0, heart(100))
    route = make_route()
    route.push(log.records)
    route.release(0)
    log = Log()
    log.send(0.5, heart(150), athlete="b", end=True)
    (score,) = [score for _, score in route.push(log.records).scores]
    assert score["live"]["heart_rate"] == 150
    assert score["quality"]["frames"] == 1
