"""The feed from Kafka: every partition of scores, alerts and athletes, without a consumer group.

Each web process sees everything, so it belongs to no group and commits nothing. It starts some records back, by
offset and not by time: the embedded broker answers 0 to a question by time.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from stream.admin import FETCH_WAIT_MS, check_topics
from stream.errors import BrokerUnavailable, TopicMismatch
from stream.topics import ALERTS, ATHLETES, SCORES
from stream.web import metrics
from stream.web.messages import Batch, FeedStatus
from stream.web.read import TOPICS, read

log = structlog.get_logger(__name__)

#: How many records back a partition is read at the start: ten minutes of 20 athletes, or less of more.
BACK: Final = MappingProxyType({SCORES: 12_000, ALERTS: 2_000})
PROBE_WITHIN_S: Final = 6.0
POLL_MS: Final = 100
POLL_MOST: Final = 1_000

LIVE: Final = FeedStatus("live")


@dataclass(frozen=True, slots=True)
class Pace:
    """``retry_s`` between tries; ``probe_s`` between questions to a broker, as nothing says that it went away."""

    retry_s: float = 2.0
    probe_s: float = 3.0
    back: Mapping[str, int] = field(default_factory=lambda: BACK)


class KafkaFeed:
    """``broker`` is one address or several, comma-separated."""

    def __init__(self, broker: str, pace: Pace | None = None) -> None:
        self._broker = broker
        self._pace = pace or Pace()

    async def subscribe(self) -> AsyncGenerator[Batch, None]:
        """See :class:`~stream.web.messages.Feed`. While the broker is away it is tried again and again."""
        while True:
            try:
                async with self._consumer() as consumer:
                    metrics.LIVE.set(1)
                    yield Batch(status=LIVE)
                    async for batch in _batches(consumer, self._pace.probe_s):
                        yield batch
            except (BrokerUnavailable, TopicMismatch) as error:
                yield self._away(str(error))
            except (KafkaError, OSError, TimeoutError) as error:
                yield self._away(
                    f"the Kafka broker at {self._broker} does not answer ({type(error).__name__})"
                )
            await asyncio.sleep(self._pace.retry_s)

    def _away(self, why: str) -> Batch:
        metrics.LIVE.set(0)
        log.warning("the page has no feed, trying again", reason=why)
        return Batch(status=FeedStatus("away", why))

    @asynccontextmanager
    async def _consumer(self) -> AsyncIterator[Any]:
        """Started and gone back. Looks for the topics first: asking for one would make it on many brokers."""
        await check_topics(self._broker)
        consumer = AIOKafkaConsumer(
            *TOPICS,
            bootstrap_servers=self._broker,
            group_id=None,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            request_timeout_ms=5_000,
            metadata_max_age_ms=30_000,
            fetch_max_wait_ms=FETCH_WAIT_MS,
        )
        try:
            await consumer.start()
            await _go_back(consumer, self._pace.back)
            yield consumer
        finally:
            await _stop(consumer)


async def _stop(consumer: Any) -> None:
    """Stop, and take it for no cancellation of ours when aiokafka lets out that of its own fetches.

    It does so (0.14.0) when a fetch has just failed, and then leaves its connections open.
    """
    stopping = asyncio.create_task(consumer.stop())
    await asyncio.wait([stopping])
    if stopping.cancelled():
        await consumer._client.close()  # noqa: SLF001 (see above)


async def _go_back(consumer: Any, back: Mapping[str, int]) -> None:
    partitions: Collection[TopicPartition] = consumer.assignment()
    first = await consumer.beginning_offsets(partitions)
    last = await consumer.end_offsets(partitions)
    for partition in partitions:
        records = last[partition] if partition.topic == ATHLETES else back[partition.topic]
        consumer.seek(partition, max(first[partition], last[partition] - records))


async def _batches(consumer: Any, probe_s: float) -> AsyncGenerator[Batch, None]:
    loop = asyncio.get_running_loop()
    probe_at = loop.time() + probe_s
    while True:
        polled = await consumer.getmany(timeout_ms=POLL_MS, max_records=POLL_MOST)
        if polled:
            yield _read_counted(polled)
        if loop.time() >= probe_at:
            await _probe(consumer)
            probe_at = loop.time() + probe_s


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
