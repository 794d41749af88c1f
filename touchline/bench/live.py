"""Live: one worker at a fixed load, from frames in Kafka to scores in Kafka; does it keep up, and at what cost."""

from __future__ import annotations

import asyncio
import os
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any, Final

from aiokafka.partitioner import DefaultPartitioner

from stream import topics
from stream.admin import create_topics
from stream.errors import MissingError
from stream.records import encode_tick
from stream.settings import Settings
from touchline.bench import contenders
from touchline.bench.load import FRAME_US, FRAMES_A_SECOND, Load
from touchline.collect import Collector, percentiles_ms
from touchline.embedded import EmbeddedBroker
from touchline.processes import Processes, environment

#: Sessions begin and networks are compiled in the first seconds, which are not measured, s. Half of the athletes
#: begin: what memory the others add is theirs, and not the networks'.
HALF_S: Final = 9
WARM_S: Final = 16
#: Athletes' clocks differ: their frames are spread over a tenth of a second in so many parts.
PARTS: Final = 10
#: Frames that the sender puts into a batch come within so long, ms. What a batch costs the embedded broker grows with
#: how many there were before: with 5 ms it takes 0.6 of a core after 20 s of 1,000 athletes, with 20 ms half of that.
LINGER_MS: Final = 20
#: One athlete sends until a first score is seen, for so long at most: some engines take a while to begin, s.
BEGIN_S: Final = 60.0
#: How long frames may take to come to rest at the end, s.
REST_S: Final = 20.0
#: Frames that wait at the end of a load that was kept up with: at most so many seconds' worth more than at the start.
GROWN_S: Final = 0.5

#: Frames wait until their second closes, so the lag goes up and down: its least within so long counts, s.
LAG_S: Final = 2.0
#: Parts of the time that is measured; the cost is the median of theirs.
WINDOWS: Final = 3
#: Of the most that are kept up with, how many the latency is told for.
BELOW: Final = 0.8
#: The other engines, and a load for those that work one by one and take few athletes; the others get ours.
PEERS: Final = {
    "faust_stock": 10,
    "quixstreams": 10,
    "aiokafka": None,
    "bytewax": None,
    "confluent_kafka": None,
}

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class LiveConfig:
    """``athletes`` for ``seconds`` that are measured; ``engine``: our worker, or one of the :data:`PEERS`.

    ``workers``: processes of ours that share the partitions.
    """

    athletes: int
    seconds: int
    engine: str = "touchline"
    workers: int = 1


@dataclass(frozen=True, slots=True)
class Reading:
    """A process at a moment: CPU time used (s), memory (bytes)."""

    cpu_s: float
    rss_bytes: int


def reading(*pids: int) -> Reading:
    """What Linux says of processes, in all."""
    each = [_reading(pid) for pid in pids]
    return Reading(sum(one.cpu_s for one in each), sum(one.rss_bytes for one in each))


def _reading(pid: int) -> Reading:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    ticks = int(fields[11]) + int(fields[12])
    return Reading(ticks / os.sysconf("SC_CLK_TCK"), int(fields[21]) * os.sysconf("SC_PAGE_SIZE"))


async def run_live(config: LiveConfig, settings: Settings, tell: Tell) -> dict[str, Any]:
    """Measure; the JSON object of ``bench live --json``."""
    async with AsyncExitStack() as stack:
        bootstrap = settings.broker or stack.enter_context(EmbeddedBroker()).bootstrap
        processes = stack.enter_context(Processes(throwaway=settings.broker is None))
        settings = settings.model_copy(update={"broker": bootstrap})
        await create_topics(bootstrap, settings.partitions, settings.replication)
        collector = _Late(bootstrap)
        await collector.start()
        stack.push_async_callback(collector.stop)
        tell(f"starting {config.engine}")
        _start(processes, config, settings)
        await processes.wait_ready()
        sender = Sender(bootstrap, config, settings.partitions)
        return await _measure(config, sender, collector, (processes, tell))


async def run_peers(config: LiveConfig, settings: Settings, tell: Tell) -> dict[str, Any]:
    """The same with the stages behind other engines: the name of each to what was measured."""
    found = {}
    for name, few in PEERS.items():
        asked = replace(config, engine=name, athletes=few or config.athletes)
        measured = await run_live(asked, settings, tell)
        found[name] = {
            key: measured[key]
            for key in ("athletes", "kept_up", "latency_ms", "athletes_per_core", "athletes_per_core_spread")
        }
    return found


async def run_search(config: LiveConfig, settings: Settings, tell: Tell) -> dict[str, Any]:
    """The most athletes that are kept up with, to a tenth, from ``config.athletes`` on; then 80 % of them."""
    fine, beyond, tried = 0, None, []
    athletes = config.athletes
    while beyond is None or beyond - fine > max(fine // 10, 1):
        measured = await run_live(replace(config, athletes=athletes), settings, tell)
        tried.append(
            {key: measured[key] for key in ("athletes", "kept_up", "athletes_per_core", "latency_ms")}
        )
        if measured["kept_up"]:
            fine = athletes
            athletes = 2 * athletes if beyond is None else (fine + beyond) // 2
        else:
            beyond = athletes
            athletes = (fine + beyond) // 2
    if not fine:
        return measured | {"ceiling": 0, "tried": tried}
    below = await run_live(replace(config, athletes=round(BELOW * fine)), settings, tell)
    return below | {"ceiling": fine, "tried": tried}


def _start(processes: Processes, config: LiveConfig, settings: Settings) -> None:
    if config.engine == "touchline":
        ours = environment(settings) | {"TOUCHLINE_METRICS_PORT": "0"}
        for number in range(config.workers):
            processes.start(f"worker-{number + 1}", "worker", ours)
        return
    command = f"{config.engine} {settings.broker} {topics.WEARABLE} {topics.VENUE}"
    processes.start(config.engine, command, environment(settings), module=contenders.__name__)


class _Late(Collector):
    """Takes note of when something came, and reads it when nothing more does: what waits here is not late there."""

    def __init__(self, bootstrap: str) -> None:
        super().__init__(bootstrap)
        self._unread: deque[tuple[str, Any, int]] = deque()

    def _take(self, topic: str, record: Any, now_us: int) -> None:
        self._unread.append((topic, record, now_us))

    async def step(self, timeout_ms: int = 50) -> int:
        """As a collector's, but what came is read when there is time."""
        came = await super().step(timeout_ms)
        for _ in range(len(self._unread) if not came else 0):
            super()._take(*self._unread.popleft())
        return came


async def _measure(
    config: LiveConfig, sender: Sender, collector: Collector, around: tuple[Processes, Tell]
) -> dict[str, Any]:
    processes, tell = around
    pids = [child.process.pid for child in processes.children]
    seen = collector.seen
    half = reading(*pids)
    sending = asyncio.create_task(asyncio.to_thread(sender.send))
    patience = time.monotonic() + BEGIN_S
    while not seen.scores and time.monotonic() < patience:
        processes.check()
        tell("waiting for a first score")
        await collector.step(50)
    sender.sending = config.athletes // 2
    until = time.monotonic() + WARM_S
    ends = until + config.seconds
    lags: list[tuple[float, int]] = []
    marks: list[tuple[int, Reading]] = []
    while (now := time.monotonic()) < ends:
        processes.check()
        await collector.step(20)
        if sender.sending < config.athletes and now >= until - WARM_S + HALF_S:
            half, sender.sending = reading(*pids), config.athletes
        if now >= until + len(marks) * config.seconds / WINDOWS:
            marks.append((len(seen.latency_us), reading(*pids)))
        if now >= until:
            lags.append((now, sender.sent - seen.accounted()))
        tell(f"{now - until:.0f} of {config.seconds} s, {sender.sent} frames sent, {len(seen.scores)} scores")
    marks.append((len(seen.latency_us), reading(*pids)))
    (first, began), (last, ended) = marks[0], marks[-1]
    each = per_core(marks)
    lag_start = min(lag for at, lag in lags if at < until + LAG_S)
    lag_end = min(lag for at, lag in lags if at >= ends - LAG_S)
    sender.stop = True
    await sending
    kept_up = lag_end - lag_start <= GROWN_S * FRAMES_A_SECOND * config.athletes
    if kept_up:  # else it would take long, and tell nothing new
        await _rest(sender, collector, processes)
    return {
        "engine": config.engine,
        "workers": config.workers,
        "athletes": config.athletes,
        "seconds": config.seconds,
        "kept_up": kept_up,
        "lag_start": lag_start,
        "lag_end": lag_end,
        "latency_ms": percentiles_ms(seen.latency_us[first:last]),
        "worker_cpu_s": round(ended.cpu_s - began.cpu_s, 2),
        "athletes_per_core": round(median(each)) if each else None,
        "athletes_per_core_spread": [round(min(each)), round(max(each))] if each else None,
        "rss_bytes_per_athlete": round((ended.rss_bytes - half.rss_bytes) / -(-config.athletes // 2)),
        "scores": len(seen.scores),
        "lost": sender.sent - seen.accounted(),
        "behind_ms": round(1000 * sender.behind_s, 1),
    }


def per_core(marks: Sequence[tuple[int, Reading]]) -> list[float]:
    """Athletes per core in each part between ``marks``, of scores so far and what the processes had used by then.

    Seconds of athletes that were scored, so that it holds for an engine that does not keep up too.
    """
    parts = [(scores - before, now.cpu_s - then.cpu_s) for (before, then), (scores, now) in pairwise(marks)]
    return [scores / cpu_s for scores, cpu_s in parts if cpu_s > 0]


async def _rest(sender: Sender, collector: Collector, processes: Processes) -> None:
    """Wait until all frames are accounted for, but not for ever."""
    until = time.monotonic() + REST_S
    while collector.seen.accounted() < sender.sent and time.monotonic() < until:
        processes.check()
        await collector.step(20)


class Sender:
    """Sends the load in real time from a thread, with confluent-kafka.

    ``sending``: how many of the athletes have begun; ``behind_s``: the most it was late.
    """

    def __init__(self, bootstrap: str, config: LiveConfig, partitions: int) -> None:
        try:
            from confluent_kafka import Producer  # noqa: PLC0415 (only benchmarks send with it)
        except ImportError:
            raise MissingError("benchmarks send with confluent-kafka: pip install 'touchline[dev]'") from None
        self.sent = 0
        self.behind_s = 0.0
        self.stop = False
        self.sending = 1
        self._load = Load(config.athletes)
        everyone = list(range(partitions))
        self._partition = [DefaultPartitioner()(key, everyone, everyone) for key in self._load.keys]
        self._partitions = partitions
        self._producer = Producer({"bootstrap.servers": bootstrap, "linger.ms": LINGER_MS})

    def send(self) -> None:
        """Until told to stop; then end all sessions."""
        start_us = time.time_ns() // 1000 // FRAME_US * FRAME_US + FRAME_US
        number = 0
        while not self.stop:
            t0_us = start_us + number * FRAME_US
            for part in range(PARTS):
                self._wait(t0_us + FRAME_US + part * FRAME_US // PARTS)
                chosen = slice(part, self.sending, PARTS)
                self._produce(self._load.tick(number, t0_us + part * FRAME_US // PARTS, chosen), chosen)
            if number % FRAMES_A_SECOND == 0:
                for partition in range(self._partitions):
                    self._producer.produce(topics.VENUE, encode_tick(t0_us), partition=partition)
            number += 1
        everybody = slice(None)
        self._produce(self._load.ends(number, start_us + number * FRAME_US), everybody)
        self._producer.flush()

    def _produce(self, frames: Any, part: slice) -> None:
        produce, wearable = self._producer.produce, topics.WEARABLE
        for (key, value), partition in zip(frames, self._partition[part], strict=True):
            produce(wearable, value, key, partition)
            self.sent += 1
        self._producer.poll(0)

    def _wait(self, until_us: int) -> None:
        left_s = until_us / 1e6 - time.time()
        self.behind_s = max(self.behind_s, -left_s)
        if left_s > 0:
            time.sleep(left_s)
