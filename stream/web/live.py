"""The board kept up from the feed, and a frame for all viewers at most four times a second."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import aclosing
from typing import Final

from stream.web import metrics
from stream.web.board import Board, Changes
from stream.web.broadcast import Broadcast
from stream.web.messages import Feed
from stream.web.wire import Moment, encode_all, encode_some, snapshot

FRAME_S: Final = 0.25
#: Without a change every fourth frame goes out all the same, so that a page notices a dead line.
ALIVE_FRAMES: Final = 4
FORGET_S: Final = 30.0
#: A score older than this when it comes is history that is read again, and says nothing of how fast pushing is.
LIVE_US: Final = 60 * 1_000_000


class Live:
    """``clock`` is wall time in µs; ``silent_after_s`` as in the settings."""

    def __init__(self, feed: Feed, clock: Callable[[], int], silent_after_s: float) -> None:
        self._feed = feed
        self._clock = clock
        self._silent_after_us = round(silent_after_s * 1e6)
        self._idle = 0
        self.board = Board()
        self.broadcast = Broadcast(lambda: encode_all(self.board, self.moment()))

    def moment(self) -> Moment:
        """Now, and the age that makes an athlete stale."""
        return Moment(self._clock(), self._silent_after_us)

    def snapshot(self) -> dict[str, object]:
        """``GET /api/live``."""
        return snapshot(self.board, self.moment())

    async def run(self) -> None:
        """Without end. A fault of ours ends it with its exception."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._keep_up())
            tasks.create_task(self._frames())
            tasks.create_task(self._forget())

    async def _keep_up(self) -> None:
        async with aclosing(self._feed.subscribe()) as batches:
            async for batch in batches:
                self.board.take(batch)
                await asyncio.sleep(0)

    async def _frames(self) -> None:
        while True:
            await asyncio.sleep(FRAME_S)
            self.publish()

    def publish(self) -> None:
        """One frame, where there is something to say."""
        now_us, changes = self._clock(), self.board.changes()
        self._idle += 1
        if changes or self._idle >= ALIVE_FRAMES:
            self.broadcast.publish(encode_some(changes, now_us))
            self._idle = 0
            _observe(changes, now_us)

    async def _forget(self) -> None:
        while True:
            await asyncio.sleep(FORGET_S)
            self.board.forget(self._clock())


def _observe(changes: Changes, now_us: int) -> None:
    for track in changes.rows:
        waited_us = now_us - track.published_us
        if waited_us < LIVE_US:
            metrics.PUSH_SECONDS.observe(max(0, waited_us) / 1e6)
