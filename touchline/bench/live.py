"""Live: one worker at a fixed load, from frames in Kafka to scores in Kafka; does it keep up, and at what cost."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from aiokafka.partitioner import DefaultPartitioner

from stream import topics
from stream.admin import create_topics
from stream.errors import MissingError
from stream.records import encode_tick
from stream.settings import Settings
from touchline.bench.load import FRAME_US, FRAMES_A_SECOND, Load
from touchline.collect import Collector, percentiles_ms
from touchline.embedded import EmbeddedBroker
from touchline.processes import Child, Processes, environment

#: Sessions begin and networks are compiled in the first seconds, which are not measured, s.
WARM_S: Final = 10
#: Athletes' clocks differ: their frames are spread over a tenth of a second in so many parts.
PARTS: Final = 10
#: How long frames may take to come to rest at the end, s.
REST_S: Final = 60.0
#: Frames that wait at the end of a load that was kept up with: at most so many seconds' worth more than at the start.
GROWN_S: Final = 0.5

#: Frames wait until their second closes, so the lag goes up and down: its least within so long counts, s.
LAG_S: Final = 2.0

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class LiveConfig:
    """``athletes`` for ``seconds`` that are measured."""

    athletes: int
    seconds: int


@dataclass(frozen=True, slots=True)
class Reading:
    """A process at a moment: CPU time used (s), memory (bytes)."""

    cpu_s: float
    rss_bytes: int


def reading(pid: int) -> Reading:
    """What Linux says of a process."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    ticks = int(fields[11]) + int(fields[12])
    return Reading(ticks / os.sysconf("SC_CLK_TCK"), int(fields[21]) * os.sysconf("SC_PAGE_SIZE"))


async def run_live(config: LiveConfig, settings: Settings, tell: Tell) -> dict[str, Any]:
    """Measure; the JSON object of ``bench live --json``."""
    async with AsyncExitStack() as stack:
        bootstrap = settings.broker or stack.enter_context(EmbeddedBroker()).bootstrap
        settings = settings.model_copy(update={"broker": bootstrap})
        processes = stack.enter_context(Processes(throwaway=settings.broker is None))
        worker = processes.start("worker", "worker", environment(settings) | {"TOUCHLINE_METRICS_PORT": "0"})
        await create_topics(bootstrap, settings.partitions, settings.replication)
        collector = Collector(bootstrap)
        await collector.start()
        stack.push_async_callback(collector.stop)
        tell("starting the worker")
        await processes.wait_ready()
        sender = Sender(bootstrap, config, settings.partitions)
        return await _measure(config, sender, collector, (worker, tell))


async def _measure(
    config: LiveConfig, sender: Sender, collector: Collector, around: tuple[Child, Tell]
) -> dict[str, Any]:
    worker, tell = around
    seen, empty = collector.seen, reading(worker.process.pid)
    sending = asyncio.create_task(asyncio.to_thread(sender.send))
    until = time.monotonic() + WARM_S
    ends = until + config.seconds
    lags: list[tuple[float, int]] = []
    first, began = 0, empty
    while (now := time.monotonic()) < ends:
        worker.check()
        await collector.step(50)
        if now >= until:
            if not lags:
                first, began = len(seen.latency_us), reading(worker.process.pid)
            lags.append((now, sender.sent - seen.accounted()))
        tell(f"{now - until:.0f} of {config.seconds} s, {sender.sent} frames sent, {len(seen.scores)} scores")
    ended, last = reading(worker.process.pid), len(seen.latency_us)
    lag_start = min(lag for at, lag in lags if at < until + LAG_S)
    lag_end = min(lag for at, lag in lags if at >= ends - LAG_S)
    sender.stop = True
    await sending
    rest = time.monotonic() + REST_S
    while seen.accounted() < sender.sent and time.monotonic() < rest:
        worker.check()
        await collector.step()
    cpu_s = ended.cpu_s - began.cpu_s
    grown = lag_end - lag_start
    return {
        "athletes": config.athletes,
        "seconds": config.seconds,
        "kept_up": grown <= GROWN_S * FRAMES_A_SECOND * config.athletes,
        "lag_start": lag_start,
        "lag_end": lag_end,
        "latency_ms": percentiles_ms(seen.latency_us[first:last]),
        "worker_cpu_s": round(cpu_s, 2),
        "athletes_per_core": round(config.athletes * config.seconds / cpu_s) if cpu_s else None,
        "rss_bytes_per_athlete": round((ended.rss_bytes - empty.rss_bytes) / config.athletes),
        "scores": len(seen.scores),
        "lost": sender.sent - seen.accounted(),
        "behind_ms": round(1000 * sender.behind_s, 1),
    }


class Sender:
    """Sends the load in real time from a thread, with confluent-kafka; ``behind_s``: the most it was late."""

    def __init__(self, bootstrap: str, config: LiveConfig, partitions: int) -> None:
        try:
            from confluent_kafka import Producer  # noqa: PLC0415 (only benchmarks send with it)
        except ImportError:
            raise MissingError("benchmarks send with confluent-kafka: pip install 'touchline[dev]'") from None
        self.sent = 0
        self.behind_s = 0.0
        self.stop = False
        self._load = Load(config.athletes)
        everyone = list(range(partitions))
        self._partition = [DefaultPartitioner()(key, everyone, everyone) for key in self._load.keys]
        self._partitions = partitions
        self._producer = Producer({"bootstrap.servers": bootstrap, "linger.ms": 5})

    def send(self) -> None:
        """Until told to stop; then end all sessions."""
        start_us = time.time_ns() // 1000 // FRAME_US * FRAME_US + FRAME_US
        number = 0
        while not self.stop:
            t0_us = start_us + number * FRAME_US
            for part in range(PARTS):
                self._wait(t0_us + FRAME_US + part * FRAME_US // PARTS)
                chosen = slice(part, None, PARTS)
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
