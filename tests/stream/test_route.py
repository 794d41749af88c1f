"""The stages joined: the same records say the same however they are cut, and every frame is accounted for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stream.alert import Rule
from stream.records import Group, Record, encode_tick
from stream.route import Route
from stream.window import FRAMES
from tests.stream.feeding import (
    SILENT,
    Log,
    agree,
    heart,
    imu,
    make_route,
    position,
    speed,
    told,
    us,
    weather,
)

#: Rules that go on and off within seconds.
EAGER: Final = (
    SILENT,
    Rule("heart_rate_high", "heart_rate_share", "%", raise_at=60, clear_below=55, for_s=2, dwell_s=3),
    Rule("impact", "impact_peak", "g", raise_at=2, clear_below=1.5),
    Rule("injury_risk", "injury_risk", "", raise_at=0.01, clear_below=0.005),
)
DEVICES: Final = (("watch", False), ("pod", False), ("camera", True))


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happens: ``kind`` to an athlete's device, ``wait`` seconds after the one before."""

    kind: str
    athlete: str
    device: int
    wait: float
    size: int


KINDS: Final = (
    "frame", "frame", "frame", "frame", "frame", "late", "again", "reboot", "end", "lone end", "session",
    "future", "tick", "old session", "weather", "broken",
)  # fmt: skip

events = st.lists(
    st.builds(
        Event,
        kind=st.sampled_from(KINDS),
        athlete=st.sampled_from(["a", "b"]),
        device=st.integers(0, 2),
        wait=st.sampled_from([0.0, 0.3, 0.5, 0.7, 1.0, 1.3, 2.5, 12.0, 40.0]),
        size=st.integers(1, 12),
    ),
    max_size=20,
)


def groups(event: Event) -> dict[str, Group]:
    """Samples of one device: plain functions of its number and the size."""
    n = event.size
    if event.device == 0:
        return heart(*([90.0 + 8 * n, float("nan"), 130.0][: 1 + n % 3]))
    if event.device == 1:
        shocks = np.outer(np.sin(np.arange(5 * n)), [0.5, 1.0, 0.25 * n])
        return imu(shocks, rate=50) | speed(*np.linspace(2, n, n))
    return position(np.cumsum(np.full((n, 2), 0.3), axis=0)) if n % 2 else speed(*[6.0] * n, rate=5)


class Writer:
    """Makes a log of events; remembers each device's boot and each athlete's session."""

    def __init__(self) -> None:
        self.log = Log()
        self._boots = dict.fromkeys(range(len(DEVICES)), 1)
        self._sessions = {"a": 1, "b": 1}

    def write(self, event: Event, t: float) -> None:
        at = max(self.log.now, t + 1.5)
        if event.kind == "tick":
            self.log.tick(at)
        elif event.kind == "again" and self.log.records:
            self.log.again(self.log.records[-event.size % len(self.log.records)])
        elif event.kind == "weather":
            self.log.send(t, weather(20.0 + event.size, 30, 50), athlete="*", at=at, venue=True)
        elif event.kind == "broken":
            self.log.again(Record(False, 0, 0, 0, b"a", encode_tick(event.size)))
        else:
            self._frame(event, t, at)

    def _frame(self, event: Event, t: float, at: float) -> None:
        self._boots[event.device] += event.kind == "reboot"
        self._sessions[event.athlete] += event.kind == "session"
        device, venue = DEVICES[event.device]
        self.log.send(
            t + {"late": -0.3 * event.size, "future": 5.0}.get(event.kind, 0.0),
            {} if event.kind == "lone end" else groups(event),
            athlete=event.athlete,
            device=device,
            session=f"s{self._sessions[event.athlete] - (event.kind == 'old session')}",
            boot=self._boots[event.device],
            at=at,
            end=event.kind.endswith("end"),
            venue=venue,
        )


def written(happened: list[Event], gap_after: int = -1) -> list[Record]:
    """The log those events make; before number ``gap_after`` a thousand seconds pass."""
    writer, t = Writer(), 10.0
    for number, event in enumerate(happened):
        t += event.wait + (1000 if number == gap_after else 0)
        writer.write(event, t)
    return writer.log.records


def eager() -> Route:
    return make_route(rules=EAGER)


def accounted(records: list[Record], make: Callable[[], Route] = eager) -> None:
    """Athletes' frames sent == frames in scores + frames refused + frames of windows still open."""
    route = make()
    result = told([route.push(records)])
    scored = sum(score["quality"]["frames"] for scores in result.scores.values() for score in scores)
    sent = sum(record.key is not None for record in records)
    assert sent == scored + len(result.rejected) + len(route.windows.held(FRAMES))


@settings(max_examples=12, deadline=None)
@given(events, st.integers(-40, 19))
def test_the_same_records_say_the_same_however_they_are_cut(happened: list[Event], gap_after: int) -> None:
    records = written(happened, gap_after)
    result = agree(records, eager)
    accounted(records)
    for scores in result.scores.values():
        ends = [score["window_end_us"] for score in scores]
        assert ends == sorted(set(ends))


@pytest.mark.slow
@settings(max_examples=80, deadline=None)
@given(events, st.integers(-40, 19))
def test_the_same_records_say_the_same_however_they_are_cut_at_length(
    happened: list[Event], gap_after: int
) -> None:
    records = written(happened, gap_after)
    agree(records, eager)
    accounted(records)


# Forgetting


def hours(count: float) -> float:
    return 3600.0 * count


def test_athletes_are_forgotten_hours_after_their_session_and_later_without_its_end() -> None:
    log = Log()
    log.send(0, athlete="over", end=True)
    log.send(0, athlete="open")
    route = make_route()
    route.push(log.records)
    assert route.retired(0, us(hours(5.9))) == []
    assert route.retired(1, us(hours(100))) == []
    assert route.retired(0, us(hours(6.1))) == ["over"]
    assert route.retired(0, us(hours(23))) == []
    assert route.retired(0, us(hours(25))) == ["open"]
    assert len(route.slots) == 0
    assert len(route.windows.held(FRAMES)) == 0
    assert route.changed == set()


def test_a_released_partition_leaves_the_others() -> None:
    log = Log()
    log.send(0, athlete="a")
    here = log.records[0]
    there = log.send(0, athlete="b")._replace(partition=1)
    route = make_route()
    route.push([here, there])
    route.release(0)
    assert [route.slots.of(slot).name for slot in route.slots.occupied()] == ["b"]
    assert route.windows.held(FRAMES).slot.tolist() == [route.slots.slot("b", 1)]


def test_silence_is_noticed_by_the_ticks_of_ones_own_partition() -> None:
    log = Log()
    log.send(0, athlete="a")
    tick = log.tick(60)
    for partition, alerts in ((1, []), (0, ["a"])):
        route = make_route()
        out = route.push([log.records[0], tick._replace(partition=partition)])
        assert [transition.athlete for transition in out.alerts] == alerts
