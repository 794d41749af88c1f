"""Scoring raw frames: the stages of the worker on a state of the request's own, a chunk at a time in the one thread.

Between chunks other requests get their turn. Bounded: requests under way, seconds scored, time. Knows no HTTP.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import structlog

from stream.alert import Rule, load_rules
from stream.align import Aligned
from stream.clock import Clock
from stream.cut import CLOCK
from stream.decode import decode
from stream.errors import RequestRefused
from stream.infer import Engine
from stream.records import Record, Rejected
from stream.roster import Roster
from stream.route import Outputs, Route
from stream.serving.batcher import Lane
from stream.serving.frames_body import Asked, Sent
from stream.serving.refusals import DeadlinePassed, NetworkFailed, QueueFull, TooLarge

log = structlog.get_logger(__name__)

#: Frames worked through in one turn.
CHUNK: Final = 256
#: Requests under way at once.
UNDER_WAY: Final = 8


@dataclass(frozen=True, slots=True)
class Stages:
    """How the worker is set: clock and rules; and how many ``frames`` and ``seconds`` a request may have."""

    clock: Clock = CLOCK
    rules: Sequence[Rule] = field(default_factory=lambda: load_rules(None))
    frames: int = 50_000
    seconds: int = 7_200


@dataclass(frozen=True, slots=True)
class Scores:
    """Score records without the time of publishing, and what was refused, in the order of the frames."""

    records: list[dict[str, Any]]
    rejected: list[Rejected]


class Scorer:
    """Scores requests in the thread of ``lane``."""

    def __init__(self, stages: Stages, lane: Lane) -> None:
        self.stages, self._lane = stages, lane
        self._under_way = 0

    @contextmanager
    def place(self) -> Iterator[None]:
        """A place among the requests under way. Raises QueueFull where there is none."""
        if self._under_way >= UNDER_WAY:
            raise QueueFull(f"{UNDER_WAY} requests with frames are under way already")
        self._under_way += 1
        try:
            yield
        finally:
            self._under_way -= 1

    async def score(self, asked: Asked, engine: Engine, deadline: float) -> Scores:
        """Score frames before ``deadline``, on the event loop's clock.

        Raises TooLarge for more seconds than allowed, DeadlinePassed or NetworkFailed.
        """
        log_of_request = _Log(_Bounded(self.stages, engine, asked.people), asked.frames)
        scores = Scores([], list(asked.rejected))
        try:
            async with asyncio.timeout_at(deadline):
                for begin in range(0, len(asked.frames), CHUNK):
                    out = await self._turn(log_of_request, begin)
                    scores.records.extend(record for _, record in out.scores)
                    scores.rejected.extend(out.rejected)
        except TimeoutError:
            raise DeadlinePassed("the deadline passed before all frames were scored") from None
        scores.rejected.sort(key=lambda rejected: rejected.record.offset)
        return scores

    async def _turn(self, of_request: _Log, begin: int) -> Outputs:
        async with self._lane.turn:
            loop = asyncio.get_running_loop()
            try:
                return await loop.run_in_executor(self._lane.thread, of_request.push, begin)
            except RequestRefused:
                raise
            except Exception as error:
                log.exception("the stages failed on frames of a request")
                raise NetworkFailed("the stages failed on these frames") from error


class _Log:
    """The frames of a request as one partition's log, and the route that reads it."""

    def __init__(self, route: Route, frames: Sequence[Sent]) -> None:
        self._route, self._frames = route, frames
        self._now_us = 0

    def push(self, begin: int) -> Outputs:
        """Work through a chunk."""
        return self._route.push(self._timed(self._frames[begin : begin + CHUNK]))

    def _timed(self, chunk: Sequence[Sent]) -> list[Record]:
        """The records. One that nobody timed came with its last sample, but not before the one before it."""
        decoded = decode([sent.record for sent in chunk])
        last_us = {header.record.offset: header.last_us for header in decoded.headers}
        records = []
        for sent in chunk:
            record = sent.record
            at_us = record.at_us if sent.timed else last_us.get(record.offset) or 0
            self._now_us = max(self._now_us, at_us)
            records.append(record if sent.timed else record._replace(at_us=max(self._now_us, record.at_us)))
        return records


class _Bounded(Route):
    """The route of one request; closes no more seconds than it may."""

    def __init__(self, stages: Stages, engine: Engine, people: Roster) -> None:
        super().__init__(stages.clock, stages.rules, engine, people)
        self._most = self._left = stages.seconds

    def close(self, aligned: Aligned, out: Outputs) -> None:
        """See the route. Raises TooLarge before anything is computed."""
        self._left -= sum(closing.end_s - closing.begin_s for closing in aligned.closings)
        if self._left < 0:
            raise TooLarge(f"these frames span more than {self._most} seconds of athletes; send fewer")
        super().close(aligned, out)
