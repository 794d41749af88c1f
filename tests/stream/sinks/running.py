"""What the sink's tests run it with: its topics on a broker, and the sink as a child process."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from stream.sinks.store import StoredAlert
from stream.topics import ALERTS, SCORES
from tests.stream.sinks.examples import as_event, packed
from touchline.embedded import die_with_parent

ROOT = Path(__file__).parents[3]
PARTITIONS = 3
PATIENCE_S = 120.0
GROUP = "test-sink"


class Topics:
    """``async with Topics(bootstrap)``: makes the two topics, fills them, and reads what their group committed."""

    def __init__(self, bootstrap: str) -> None:
        self._bootstrap = bootstrap
        self._all = [TopicPartition(topic, p) for topic in (SCORES, ALERTS) for p in range(PARTITIONS)]

    async def __aenter__(self) -> Self:
        """Connect."""
        self._admin = AIOKafkaAdminClient(bootstrap_servers=self._bootstrap)
        await self._admin.start()
        await self._admin.create_topics([NewTopic(topic, PARTITIONS, 1) for topic in (SCORES, ALERTS)])
        self._producer = AIOKafkaProducer(bootstrap_servers=self._bootstrap)
        await self._producer.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Disconnect."""
        await self._producer.stop()
        await self._admin.close()

    async def send(self, scores: Iterable[dict[str, Any]] = (), alerts: Iterable[StoredAlert] = ()) -> None:
        """Publish as the worker would, and wait until the broker has it."""
        for one in scores:
            await self._producer.send(SCORES, packed(one), key=one["athlete"].encode())
        for event in alerts:
            headers, value = as_event(event)
            await self._producer.send(ALERTS, value, key=event.athlete.encode(), headers=headers)
        await self._producer.flush()

    async def send_raw(self, topic: str, value: bytes | None) -> None:
        """Publish any bytes, to the first partition."""
        await self._producer.send_and_wait(topic, value, key=b"rubbish", partition=0)

    async def committed(self) -> dict[TopicPartition, int]:
        """Offsets the sink's group has committed; a partition without one is left out."""
        found = await self._admin.list_consumer_group_offsets(GROUP, partitions=self._all)
        return {partition: entry.offset for partition, entry in found.items() if entry.offset >= 0}

    async def records(self) -> dict[TopicPartition, list[Any]]:
        """Every record of both topics, by partition and in order."""
        consumer = AIOKafkaConsumer(bootstrap_servers=self._bootstrap, auto_offset_reset="earliest")
        await consumer.start()
        try:
            consumer.assign(self._all)
            ends = await consumer.end_offsets(self._all)
            found: dict[TopicPartition, list[Any]] = {partition: [] for partition in self._all}
            while any(len(found[partition]) < ends[partition] for partition in self._all):
                for partition, records in (await consumer.getmany(timeout_ms=200)).items():
                    found[partition] += records
        finally:
            await consumer.stop()
        return found


class SinkProcess:
    """A child process that ends with the ``with`` block, at the latest. ``log`` is what it printed."""

    def __init__(self, folder: Path, **flags: Any) -> None:
        self.trouble = folder / "trouble"
        self._log = folder / "sink.log"
        self._flags = {"group": "test", "chunk_max": 20} | flags

    def __enter__(self) -> Self:
        """Start."""
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tests.stream.sinks.sink_process", json.dumps(self._flags), str(self.trouble)],
                cwd=ROOT, stdout=log, stderr=log, preexec_fn=die_with_parent,  # noqa: PLW1509 (one prctl)
            )  # fmt: skip
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Kill what still runs."""
        self.process.kill()
        self.process.wait()

    @property
    def log(self) -> str:
        return self._log.read_text()


async def until(holds: Callable[[], bool], sink: SinkProcess) -> None:
    """Wait for ``holds``, while the sink lives."""
    deadline = time.monotonic() + PATIENCE_S
    while not holds():
        assert sink.process.poll() is None, f"the sink ended:\n{sink.log[-4000:]}"
        assert time.monotonic() < deadline, f"not within {PATIENCE_S} s:\n{sink.log[-4000:]}"
        await asyncio.sleep(0.05)
