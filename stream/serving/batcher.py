"""Micro-batching: requests for one network gathered for a moment and run together, in the one thread for networks.

Bounded everywhere: rows of a batch, rows that wait, how long the first one waits for others. A request whose deadline
passes in the queue is not computed. Knows arrays and time, no HTTP. Single event loop; not thread-safe.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field

import numpy as np
import structlog

from stream.serving import metrics
from stream.serving.network import Arrays, Network
from stream.serving.refusals import DeadlinePassed, NetworkFailed, NotReady, QueueFull, TooLarge

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Limits:
    """``rows`` of one batch and of one request; ``queue_rows`` that wait; ``delay_s`` the first waits for others."""

    rows: int = 256
    queue_rows: int = 1024
    delay_s: float = 0.002


@dataclass(frozen=True, slots=True)
class Answer:
    """Outputs of one request, ``(rows, …)`` each; how long it waited, and what its whole batch took, s."""

    outputs: Arrays
    queue_s: float
    compute_s: float


@dataclass(slots=True)
class Lane:
    """The one thread that networks run in, and whose turn it is."""

    thread: Executor = field(default_factory=lambda: ThreadPoolExecutor(1, "networks"))
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)


@dataclass(slots=True, eq=False)
class _Waiting:
    """A request in the queue; times are of the event loop."""

    inputs: Arrays
    rows: int
    since: float
    deadline: float
    answer: asyncio.Future[Answer]


class Batcher:
    """One network and its queue. Serves from :meth:`start` to :meth:`close`."""

    def __init__(self, network: Network, limits: Limits, lane: Lane) -> None:
        self.network = network
        self._limits, self._lane = limits, lane
        self._queue: deque[_Waiting] = deque()
        self._rows = 0
        self._some, self._full = asyncio.Event(), asyncio.Event()
        self._idle, self._busy = asyncio.Event(), False
        self._idle.set()
        self._closed = False
        self._labels = (network.name, network.version)
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to serve."""
        self._task = asyncio.create_task(self._run(), name=":".join(self._labels))

    async def close(self) -> None:
        """Take nothing new, answer what waits, then stop."""
        self._closed = True
        await self._idle.wait()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def submit(self, inputs: Arrays, deadline: float) -> Answer:
        """Have the network answer ``inputs (rows, …)`` before ``deadline``, on the event loop's clock.

        Raises QueueFull, TooLarge, NotReady, DeadlinePassed or NetworkFailed.
        """
        waiting = self._admit(inputs, deadline)
        try:
            async with asyncio.timeout_at(deadline):
                return await waiting.answer
        except TimeoutError:
            raise DeadlinePassed("the deadline passed before there was an answer") from None
        finally:
            self._leave(waiting)

    def _admit(self, inputs: Arrays, deadline: float) -> _Waiting:
        rows = len(next(iter(inputs.values())))
        if self._closed:
            raise NotReady(f"{self.network.name} version {self.network.version} is going out of service")
        if rows > self._limits.rows:
            raise TooLarge(f"{rows} rows; one request may have {self._limits.rows}")
        if self._rows + rows > self._limits.queue_rows:
            raise QueueFull(f"{self._rows} rows wait already; at most {self._limits.queue_rows} may")
        loop = asyncio.get_running_loop()
        waiting = _Waiting(inputs, rows, loop.time(), deadline, loop.create_future())
        self._queue.append(waiting)
        self._count(rows)
        return waiting

    def _leave(self, waiting: _Waiting) -> None:
        """Out of the queue, where it still is in it."""
        with suppress(ValueError):
            self._queue.remove(waiting)
            self._count(-waiting.rows)

    def _count(self, rows: int) -> None:
        self._rows += rows
        metrics.QUEUED.labels(*self._labels).set(self._rows)
        for event, holds in ((self._some, self._rows > 0), (self._full, self._rows >= self._limits.rows)):
            event.set() if holds else event.clear()
        self._settle()

    def _settle(self, *, busy: bool | None = None) -> None:
        """Idle is who has nothing waiting and nothing running."""
        self._busy = self._busy if busy is None else busy
        self._idle.clear() if self._busy or self._queue else self._idle.set()

    async def _run(self) -> None:
        while True:
            await self._gathered()
            async with self._lane.turn:
                self._settle(busy=True)
                try:
                    await self._compute(self._take())
                finally:
                    self._settle(busy=False)

    async def _gathered(self) -> None:
        """Until a batch is full, or its first request has waited long enough."""
        await self._some.wait()
        if self._queue:
            with suppress(TimeoutError):
                async with asyncio.timeout_at(self._queue[0].since + self._limits.delay_s):
                    await self._full.wait()

    def _take(self) -> list[_Waiting]:
        """The oldest requests that fit in one batch; those too late are told so and left out."""
        batch: list[_Waiting] = []
        room, now = self._limits.rows, asyncio.get_running_loop().time()
        while self._queue and self._queue[0].rows <= room:
            waiting = self._queue.popleft()
            self._count(-waiting.rows)
            if waiting.answer.done():
                continue
            if waiting.deadline <= now:
                waiting.answer.set_exception(DeadlinePassed("the deadline passed in the queue"))
                continue
            batch.append(waiting)
            room -= waiting.rows
        return batch

    async def _compute(self, batch: Sequence[_Waiting]) -> None:
        """Run a batch. A failure of the network is the failure of these requests and of no other."""
        if not batch:
            return
        loop = asyncio.get_running_loop()
        started = loop.time()
        work = loop.run_in_executor(self._lane.thread, self._timed, [waiting.inputs for waiting in batch])
        await asyncio.wait([work])
        if (error := work.exception()) is not None:
            self._fail(batch, error)
        else:
            self._share(batch, started, *work.result())

    def _timed(self, parts: Sequence[Arrays]) -> tuple[Arrays, float]:
        """In the thread: all parts as one batch, and how long the network took, s."""
        together = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
        begin = time.perf_counter()
        outputs = self.network(together)
        return outputs, time.perf_counter() - begin

    def _share(self, batch: Sequence[_Waiting], started: float, outputs: Arrays, compute_s: float) -> None:
        first = 0
        for waiting in batch:
            own = {name: values[first : first + waiting.rows] for name, values in outputs.items()}
            first += waiting.rows
            metrics.QUEUE_SECONDS.labels(*self._labels).observe(started - waiting.since)
            if not waiting.answer.done():
                waiting.answer.set_result(Answer(own, started - waiting.since, compute_s))
        metrics.COMPUTE_SECONDS.labels(*self._labels).observe(compute_s)
        metrics.BATCH_ROWS.labels(*self._labels).observe(first)

    def _fail(self, batch: Sequence[_Waiting], error: BaseException) -> None:
        log.error("a network failed", model=self._labels[0], version=self._labels[1], exc_info=error)
        for waiting in batch:
            if not waiting.answer.done():
                failed = NetworkFailed(
                    f"{self.network.name} version {self.network.version} failed on this batch"
                )
                waiting.answer.set_exception(failed)
