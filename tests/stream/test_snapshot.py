"""A worker dies anywhere, another goes on from its snapshots: same scores, same alerts as undisturbed."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import msgpack
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stream.records import Record
from stream.restore import Snapshots
from stream.route import Outputs, Route
from stream.snapshot import Point, marker_key, pack_athletes, pack_marker, unpack_athlete, unpack_marker
from stream.window import COLUMNS, FRAMES
from tests.stream.feeding import Log, Told, heart, imu, make_route, position, told, weather
from tests.stream.test_route import EAGER, Event, eager, events, written


def point_after(records: list[Record]) -> Point:
    """Where both logs stand when all of them were worked in."""
    next_offset, seen = {False: 0, True: 0}, {False: -1, True: -1}
    for record in records:
        next_offset[record.venue] = record.offset + 1
        seen[record.venue] = record.at_us
    return Point(next_offset[False], next_offset[True], seen[False], seen[True])


class Topic:
    """The compacted topic: the newest snapshot of each athlete, and the marker."""

    def __init__(self) -> None:
        self.athletes: dict[bytes, bytes] = {}
        self.marker: bytes | None = None

    def keep_athletes(self, route: Route, point: Point) -> None:
        changed = [slot for slot in route.slots.occupied(0) if slot in route.changed]
        self.athletes |= pack_athletes(route, changed, point)
        route.changed.clear()

    def keep_marker(self, route: Route, point: Point) -> None:
        self.marker = pack_marker(route, 0, point)

    def into(self, route: Route) -> Point | None:
        return Snapshots(dict(self.athletes), self.marker).into(route, 0)


def once(result: Told) -> Told:
    """Each refusal once: those of frames nobody could read are made again after a crash."""
    return Told(result.scores, result.alerts, sorted(set(result.rejected)))


def repeats_dropped(result: Told) -> Told:
    """What came between a snapshot and the crash is said again: the same, or it stays here."""

    def first_of_each(found: dict[str, list[dict[str, Any]]]) -> dict[str, list[dict[str, Any]]]:
        return {
            name: [one for place, one in enumerate(entries) if one not in entries[:place]]
            for name, entries in found.items()
        }

    return Told(first_of_each(result.scores), first_of_each(result.alerts), sorted(set(result.rejected)))


def with_a_crash(records: list[Record], cuts: list[int], *, marker_at: int) -> Told:
    """Snapshots after each cut, of what changed only; a crash after the last; the newest marker is of an earlier cut.

    cuts      |----c1----c2----c3 x
    marker               m
    next owner           |--------|------------   what athletes' snapshots cover is skipped
    """
    first, topic = eager(), Topic()
    outputs: list[Outputs] = []
    for number, (begin, end) in enumerate(pairwise([0, *cuts])):
        outputs.append(first.push(records[begin:end]))
        topic.keep_athletes(first, point_after(records[:end]))
        if number == marker_at:
            topic.keep_marker(first, point_after(records[:end]))
    second = eager()
    second.people.athletes.update(first.people.athletes)  # what it published of them is on its topic
    point = topic.into(second)
    assert point == point_after(records[: cuts[marker_at]])
    outputs.append(second.push(records[cuts[marker_at] :]))
    return told(outputs)


@settings(max_examples=15, deadline=None)
@given(events, st.lists(st.integers(0, 20), min_size=1, max_size=4), st.integers(0, 3))
def test_a_run_that_was_cut_anywhere_says_what_an_undisturbed_one_says(
    happened: list[Event], places: list[int], marker: int
) -> None:
    records = written(happened)
    cuts = sorted(min(place, len(records)) for place in places)
    undisturbed = told([eager().push(records)])
    assert once(with_a_crash(records, cuts, marker_at=marker % len(cuts))) == once(undisturbed)


@pytest.mark.slow
@settings(max_examples=200, deadline=None)
@given(events, st.lists(st.integers(0, 20), min_size=1, max_size=4), st.integers(0, 3), st.integers(-20, 19))
def test_a_run_that_was_cut_anywhere_says_what_an_undisturbed_one_says_at_length(
    happened: list[Event], places: list[int], marker: int, gap_after: int
) -> None:
    records = written(happened, gap_after)
    cuts = sorted(min(place, len(records)) for place in places)
    undisturbed = told([eager().push(records)])
    assert once(with_a_crash(records, cuts, marker_at=marker % len(cuts))) == once(undisturbed)


def with_a_round_beside_the_work(records: list[Record], cuts: list[int], waits: list[int]) -> Told:
    """A round begins at the first cut and goes on beside the work: each athlete is packed at a later cut.

    cuts      |----c1----c2----c3 x
    marker         m
    athletes       a     b     c
    """
    first, topic, outputs = eager(), Topic(), []
    outputs.append(first.push(records[: cuts[0]]))
    marker, left = pack_marker(first, 0, point_after(records[: cuts[0]])), sorted(first.changed)
    for number, (begin, end) in enumerate(pairwise([cuts[0], *cuts])):
        outputs.append(first.push(records[begin:end]))
        last = number == len(cuts) - 1
        due = [slot for slot in left if last or waits[slot % len(waits)] == number]
        topic.athletes |= pack_athletes(first, due, point_after(records[:end]))
        left = [slot for slot in left if slot not in due]
    topic.marker = marker
    second = eager()
    second.people.athletes.update(first.people.athletes)  # what it published of them is on its topic
    assert topic.into(second) == point_after(records[: cuts[0]])
    outputs.append(second.push(records[cuts[0] :]))
    return told(outputs)


@settings(max_examples=50, deadline=None)
@given(
    events,
    st.lists(st.integers(0, 20), min_size=1, max_size=4),
    st.lists(st.integers(0, 3), min_size=1, max_size=3),
)
def test_a_round_beside_the_work_loses_nothing_either(
    happened: list[Event], places: list[int], waits: list[int]
) -> None:
    records = written(happened)
    cuts = sorted(min(place, len(records)) for place in places)
    undisturbed = told([eager().push(records)])
    assert repeats_dropped(with_a_round_beside_the_work(records, cuts, waits)) == once(undisturbed)


def busy() -> list[Record]:
    """Two athletes with everything on: three devices, weather, alerts, windows half full."""
    log = Log()
    for k in range(6):
        log.send(k, weather(30, 40, 50), athlete="*", venue=True)
        for athlete in "ab":
            log.send(k, heart(150 + k), athlete=athlete)
            log.send(k, imu(np.full((50, 3), 0.5 * k)), athlete=athlete, device="pod")
            spots = position(np.arange(20).reshape(10, 2) + k)
            log.send(k, spots, athlete=athlete, device="camera", venue=True)
    return log.records


def test_a_restored_route_is_the_same_to_the_byte() -> None:
    records = busy()
    first, second, topic = eager(), eager(), Topic()
    first.push(records)
    point = point_after(records)
    topic.keep_athletes(first, point)
    topic.keep_marker(first, point)
    assert topic.into(second) == point
    for name in ("a", "b"):
        slots = first.slots.slot(name, 0), second.slots.slot(name, 0)
        one, other = (route.slots.of(slot) for route, slot in zip((first, second), slots, strict=True))
        assert (one.session, one.context, one.devices) == (other.session, other.context, other.devices)
        for field in first.slots.dtype.names or ():
            if not field.startswith("covered"):
                rows = [
                    route.slots.state[field][slot] for route, slot in zip((first, second), slots, strict=True)
                ]
                assert rows[0].tobytes() == rows[1].tobytes(), field
        for group in COLUMNS:
            held = [
                route.windows.held(group).take(route.windows.held(group).slot == slot)
                for route, slot in zip((first, second), slots, strict=True)
            ]
            assert held[0].values.tobytes() == held[1].values.tobytes()
            assert held[0].t_us.tolist() == held[1].t_us.tolist()
    assert first.venue.packed(0) == second.venue.packed(0)
    assert len(second.windows.held(FRAMES)) > 0


def test_only_what_changed_is_due() -> None:
    route = eager()
    log = Log()
    log.send(0, athlete="a")
    log.send(0, athlete="b")
    route.push(log.records)
    route.changed.clear()
    sent = len(log.records)
    log.send(0.5, athlete="b")
    route.push(log.records[sent:])
    assert route.changed == {route.slots.slot("b", 0)}


@pytest.mark.parametrize("what", ["late", "tick"])
def test_a_late_frame_and_a_silence_change_an_athlete_too(what: str) -> None:
    route, log = eager(), Log()
    log.send(0.0)
    log.send(5.0)
    route.push(log.records)
    route.changed.clear()
    sent = len(log.records)
    if what == "late":
        log.send(0.5, at=6.0)
    else:
        log.tick(30.0)
    route.push(log.records[sent:])
    assert route.changed == {route.slots.slot("a", 0)}


def test_a_version_that_is_not_known_is_left_unread() -> None:
    route, topic = eager(), Topic()
    route.push(busy())
    topic.keep_athletes(route, Point(1, 1))
    topic.keep_marker(route, Point(1, 1))

    def newer(value: bytes) -> bytes:
        return bytes(msgpack.packb(msgpack.unpackb(value) | {"v": 99}))

    fresh = eager()
    assert not unpack_athlete(fresh, 0, b"a", newer(topic.athletes[b"a"]))
    assert topic.marker is not None
    assert unpack_marker(fresh, 0, newer(topic.marker)) is None
    assert len(fresh.slots) == 0
    assert Snapshots(topic.athletes, newer(topic.marker)).into(fresh, 0) is None
    assert len(fresh.slots) == 0
    one_newer = {b"a": newer(topic.athletes[b"a"]), b"b": topic.athletes[b"b"]}
    assert Snapshots(one_newer, topic.marker).into(fresh, 0) == Point(1, 1)
    assert "a" not in fresh.slots
    assert "b" in fresh.slots


def test_without_a_marker_nothing_is_restored() -> None:
    route, topic, fresh = eager(), Topic(), eager()
    route.push(busy())
    topic.keep_athletes(route, Point(1, 1))
    assert topic.into(fresh) is None
    assert len(fresh.slots) == 0


def test_a_worker_with_other_rules_takes_over_what_both_know() -> None:
    """The rule both have keeps its state, a new one begins blank, one that is gone is dropped."""
    first, topic = make_route(rules=EAGER[:2]), Topic()
    records = busy()
    first.push(records)
    topic.keep_athletes(first, point_after(records))
    topic.keep_marker(first, point_after(records))
    second = make_route(rules=EAGER[1:])
    topic.into(second)
    states = second.slots.state[second.slots.slot("a", 0)]
    assert states["alert_heart_rate_high_state"] == first.slots.state["alert_heart_rate_high_state"][0] != 0
    assert states["alert_impact_state"] == 0


def test_a_marker_has_a_key_no_athlete_can_have() -> None:
    assert marker_key(3) == b"*/3"


def test_snapshots_are_small_enough_for_kafka() -> None:
    route = make_route()
    log = Log()
    for k in range(30):
        log.send(k * 0.1, imu(np.zeros((10, 6))), seq=k * 100)
    route.push(log.records)
    (value,) = pack_athletes(route, route.slots.occupied(0), Point(0, 0)).values()
    assert len(value) < 100_000
