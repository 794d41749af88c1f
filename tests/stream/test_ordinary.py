"""Ordinary frames: told all at once, what is told of each by itself (:func:`tests.stream.feeding.agree`)."""

from __future__ import annotations

from typing import Any

import pytest

from stream.align import _Run
from stream.ordinary import ordinary
from stream.slots import SEQ_WINDOW
from tests.stream.feeding import CLOCK, NONE, Log, agree, heart, make_route, told

ATHLETES = ("a", "b", "c")


def steady(seconds: int, start: int = 0, log: Log | None = None) -> Log:
    """A frame a second of each athlete, a second device of one."""
    log = log or Log()
    for t in range(start, start + seconds):
        for athlete in ATHLETES:
            log.send(t, heart(120 + t % 7), athlete=athlete)
        log.send(t, athlete="b", device="belt")
    return log


def test_in_a_steady_session_no_frame_is_looked_at_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    route, log = make_route(), steady(3)
    route.push(log.records)
    later = steady(20, 3, Log(now=3.0, _seqs=log._seqs)).records  # noqa: SLF001 (it goes on with its numbers)

    def refuse(*_: Any) -> bool:
        raise AssertionError("looked at by itself")

    monkeypatch.setattr(_Run, "frame", refuse)
    assert sorted(told([route.push(later)]).scores) == list(ATHLETES)


def test_one_athlete_with_an_odd_frame_leaves_the_others_ordinary(monkeypatch: pytest.MonkeyPatch) -> None:
    route, log = make_route(), steady(3)
    route.push(log.records)
    later = Log(now=3.0, _seqs=log._seqs)  # noqa: SLF001
    steady(5, 3, later)
    later.again(later.records[0])
    looked_at: list[str] = []
    frame = _Run.frame

    def note(self: _Run, index: int, header: Any) -> bool:
        looked_at.append(header.athlete)
        return frame(self, index, header)

    monkeypatch.setattr(_Run, "frame", note)
    assert told([route.push(later.records)]).reasons == ["duplicate"]
    assert set(looked_at) == {"a"}


def test_a_frame_of_an_older_session_is_not_ordinary() -> None:
    log = Log()
    for t in range(5):
        log.send(t, session="first")
    for t in range(10, 15):
        log.send(t, session="second")
    log.send(4.5, session="first")
    log.send(15, session="second")
    assert agree(log.records).reasons == ["late"]


def test_counters_that_leap_are_remembered_as_they_came() -> None:
    log = Log()
    for t, seq in enumerate([0, 1, 2, 5, 6, 9, 9 + SEQ_WINDOW // 2, SEQ_WINDOW]):
        log.send(t, seq=seq)
    for seq in (5, 3, 4, 9, 0):  # of which 5 and 9 came before, and 0 is too far back to tell
        log.send(7.5, seq=seq)
    assert agree(log.records).reasons == ["duplicate", "duplicate", "duplicate"]


def test_no_frames_are_ordinary_of_nobody() -> None:
    log = steady(2)
    route = make_route()
    route.push(log.records)
    assert len(ordinary([], NONE, route.slots, CLOCK).index) == 0
