"""The door's sign of life: one tick a second into every partition of ``telemetry.venue``, so that silence is noticed.

A door's duty, so it reads the wall clock. Two doors that tick do no harm.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Final

import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from stream.admin import check_topics
from stream.errors import BrokerUnavailable, TopicMismatch
from stream.records import encode_tick
from stream.topics import VENUE
from stream.web import metrics

log = structlog.get_logger(__name__)

RETRY_S: Final = 2.0
SECOND_US: Final = 1_000_000


async def write_ticks(broker: str, clock: Callable[[], int]) -> None:
    """Without end; ``clock`` is wall time in µs. While the broker is away no tick is written, nor made up later."""
    while True:
        try:
            await check_topics(broker)  # a write to a topic that is not there would make it on many brokers
            await _write(broker, clock)
        except (BrokerUnavailable, TopicMismatch, KafkaError, OSError) as error:
            log.warning("no ticks are written, trying again", reason=str(error))
        await asyncio.sleep(RETRY_S)


async def _write(broker: str, clock: Callable[[], int]) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=broker, request_timeout_ms=5_000)
    try:
        await producer.start()
        while True:
            await _until_next_second(clock())
            await _tick(producer, clock())
    finally:
        await producer.stop()


async def _until_next_second(now_us: int) -> None:
    await asyncio.sleep((SECOND_US - now_us % SECOND_US) / SECOND_US)


async def _tick(producer: Any, now_us: int) -> None:
    value = encode_tick(now_us)
    partitions = sorted(await producer.partitions_for(VENUE))
    sent = [await producer.send(VENUE, value, partition=p, timestamp_ms=now_us // 1000) for p in partitions]
    await asyncio.gather(*sent)
    metrics.TICKS.inc(len(sent))
