"""The feed from Kafka: every partition of scores, alerts and athletes, without a consumer group.

Each web process sees everything, so it belongs to no group and commits nothing. It starts some records back, by
offset and not by time: the embedded broker answers 0 to a question by time.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Collection
from contextlib import asynccontextmanager
from typing import Any, Final

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError, UnknownTopicOrPartitionError

from stream.topics import ALERTS, ATHLETES, SCORES
from stream.web import metrics
from stream.web.messages import Batch, FeedStatus
from stream.web.read import TOPICS, read

log = structlog.get_logger(__name__)

#: How many records back a partition is read at the start: ten minutes of 20 athletes, or less of more.
BACK: Final = {SCORES: 12_000, ALERTS: 2_000}
RETRY_S: Final = 2.0
#: Nothing says that a connected broker went away, so it is asked this often.
PROBE_S: Final = 3.0
PROBE_WITHIN_S: Final = 6.0
POLL_MS: Final = 100
POLL_MOST: Final = 1_000

LIVE: Final = FeedStatus("live")


class KafkaFeed:
    """``broker`` is one address or several, comma-separated."""

    def __init__(self, broker: str) -> None:
        self._broker = broker

    async def subscribe(self) -> AsyncGenerator[Batch, None]:
        """See :class:`~stream.web.messages.Feed`. While the broker is away it is tried again every two seconds."""
        while True:
            try:
                async with self._consumer() as consumer:
                    metrics.LIVE.set(1)
                    yield Batch(status=LIVE)
                    async for batch in _batches(consumer):
                        yield batch
            except (KafkaError, OSError, TimeoutError) as error:
                metrics.LIVE.set(0)
                status = FeedStatus("away", self._words(error))
                log.warning("the page has no feed", reason=status.detail)
                yield Batch(status=status)
            await asyncio.sleep(RETRY_S)

    @asynccontextmanager
    async def _consumer(self) -> AsyncIterator[Any]:
        consumer = AIOKafkaConsumer(
            *TOPICS,
            bootstrap_servers=self._broker,
            group_id=None,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            request_timeout_ms=5_000,
            metadata_max_age_ms=30_000,
        )
        try:
            await consumer.start()
            await _go_back(consumer)
            yield consumer
        finally:
            await consumer.stop()

    def _words(self, error: Exception) -> str:
        if isinstance(error, UnknownTopicOrPartitionError):
            return f"the topics are not there on {self._broker}: run `touchline topics create`"
        return f"no Kafka broker answers at {self._broker}; trying again every {RETRY_S:.0f} s"


async def _go_back(consumer: Any) -> None:
    partitions: Collection[TopicPartition] = consumer.assignment()
    first = await consumer.beginning_offsets(partitions)
    last = await consumer.end_offsets(partitions)
    for partition in partitions:
        back = last[partition] if partition.topic == ATHLETES else BACK[partition.topic]
        consumer.seek(partition, max(first[partition], last[partition] - back))


async def _batches(consumer: Any) -> AsyncGenerator[Batch, None]:
    loop = asyncio.get_running_loop()
    probe_at = loop.time() + PROBE_S
    while True:
        polled = await consumer.getmany(timeout_ms=POLL_MS, max_records=POLL_MOST)
        if polled:
            yield _read_counted(polled)
        if loop.time() >= probe_at:
            await _probe(consumer)
            probe_at = loop.time() + PROBE_S


def _read_counted(polled: dict[TopicPartition, list[Any]]) -> Batch:
    for partition, records in polled.items():
        metrics.RECORDS.labels(partition.topic).inc(len(records))
    batch, unread = read(record for records in polled.values() for record in records)
    for one in unread:
        metrics.MALFORMED.labels(one.topic).inc()
        log.debug("unreadable record", topic=one.topic, offset=one.offset, reason=one.reason)
    return batch


async def _probe(consumer: Any) -> None:
    """Ask the broker for the ends of its topics: the lag, and the proof that it is there."""
    partitions = consumer.assignment()
    ends = await asyncio.wait_for(consumer.end_offsets(partitions), PROBE_WITHIN_S)
    for topic in TOPICS:
        ours = [partition for partition in partitions if partition.topic == topic]
        behind = [max(0, ends[p] - await consumer.position(p)) for p in ours]
        metrics.LAG.labels(topic).set(sum(behind))
