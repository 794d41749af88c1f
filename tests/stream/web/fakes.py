"""Fakes of what the web process stands on: a clock that is set, a feed that is told, a store in memory."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Any

import numpy as np

from stream.errors import StoreUnavailable
from stream.sinks.flatten import flatten
from stream.sinks.store import History, HistoryQuery, StoredAlert, StoredAthlete
from stream.web.messages import Batch, FeedStatus

SECOND_US = 1_000_000
#: 25 November 2026, 15:00 UTC: a match under way.
START_US = 1_795_618_800 * SECOND_US


class Clock:
    """Wall time in µs that stands still until it is moved."""

    def __init__(self, now_us: int = START_US) -> None:
        self.now_us = now_us

    def __call__(self) -> int:
        return self.now_us

    def forward(self, seconds: float) -> None:
        self.now_us += round(seconds * SECOND_US)


class FakeFeed:
    """Gives what :meth:`push` was handed, from any thread; live from the start."""

    def __init__(self, *first: Batch) -> None:
        self._first = first
        self._loop: asyncio.AbstractEventLoop | None = None
        self._queue: asyncio.Queue[Batch] = asyncio.Queue()

    async def subscribe(self) -> AsyncGenerator[Batch, None]:
        self._loop = asyncio.get_running_loop()
        yield Batch(status=FeedStatus("live"))
        for batch in self._first:
            yield batch
        while True:
            yield await self._queue.get()

    def push(self, batch: Batch) -> None:
        assert self._loop is not None, "nobody has subscribed"
        self._loop.call_soon_threadsafe(self._queue.put_nowait, batch)


class BrokenFeed:
    """A feed with a fault of ours in it."""

    async def subscribe(self) -> AsyncGenerator[Batch, None]:
        yield Batch(status=FeedStatus("live"))
        raise ZeroDivisionError


class FakeStore:
    """Scores and alerts in memory; with ``away`` set it cannot answer."""

    name = "fake"

    def __init__(self) -> None:
        self.rows: dict[str, dict[int, dict[str, float]]] = {}
        self.sessions: dict[str, str] = {}
        self.kept_alerts: list[StoredAlert] = []
        self.queries: list[HistoryQuery] = []
        self.away = False
        self.closed = False

    def write(self, scores: Sequence[Mapping[str, Any]], alerts: Sequence[StoredAlert]) -> None:
        for score in scores:
            self.rows.setdefault(score["athlete"], {})[score["window_end_us"]] = flatten(score)
            self.sessions[score["athlete"]] = score["session"]
        self.kept_alerts.extend(alerts)

    def history(self, query: HistoryQuery) -> History:
        self._answer()
        self.queries.append(query)
        start_us, end_us = query.bounds_us
        kept = self.rows.get(query.athlete, {})
        times = [at for at in sorted(kept) if start_us <= at < end_us]
        columns = {name: np.array([kept[at].get(name, np.nan) for at in times]) for name in query.fields}
        return History(np.array(times, dtype=np.int64), columns)

    def alerts(self, athlete: str | None, start_us: int, end_us: int) -> list[StoredAlert]:
        self._answer()
        return [
            alert
            for alert in self.kept_alerts
            if athlete in (None, alert.athlete) and start_us <= alert.event_us < end_us
        ]

    def athletes(self) -> list[StoredAthlete]:
        self._answer()
        return [StoredAthlete(one, self.sessions[one], max(rows)) for one, rows in sorted(self.rows.items())]

    def count_scores(self) -> int:
        return sum(len(rows) for rows in self.rows.values())

    def close(self) -> None:
        self.closed = True

    def _answer(self) -> None:
        if self.away:
            raise StoreUnavailable("the store is away")
