"""Tests of stream/web/feed.py and ticks.py on the embedded broker."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable

import msgpack
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from stream.admin import create_topics
from stream.topics import ATHLETES, SCORES, VENUE
from stream.web.feed import BACK, KafkaFeed, Pace
from stream.web.messages import Batch
from stream.web.ticks import write_ticks
from tests.stream.web.fakes import SECOND_US, START_US
from tests.stream.web.scores import make_score
from touchline.embedded import EmbeddedBroker

PARTITIONS = 3
SOON = Pace(retry_s=0.1, probe_s=0.2)


@pytest.fixture
async def broker() -> AsyncIterator[EmbeddedBroker]:
    with EmbeddedBroker() as running:
        await create_topics(running.bootstrap, PARTITIONS)
        yield running


async def send(broker: EmbeddedBroker, *scores: dict[str, object], partition: int = 0) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=broker.bootstrap)
    await producer.start()
    for score in scores:
        await producer.send_and_wait(SCORES, msgpack.packb(score), partition=partition)
    await producer.stop()


async def until(batches: AsyncGenerator[Batch, None], found: Callable[[Batch], object]) -> list[Batch]:
    """What comes up to and with the batch that is looked for."""
    seen = []
    async with asyncio.timeout(20):
        async for batch in batches:
            seen.append(batch)
            if found(batch):
                return seen
    raise AssertionError("it did not come")


def seconds(count: int, first: int = 0) -> list[dict[str, object]]:
    return [make_score(end_us=START_US + k * SECOND_US) for k in range(first, first + count)]


async def test_it_gives_what_was_there_before_and_what_comes_after(broker: EmbeddedBroker) -> None:
    await send(broker, *seconds(5), partition=2)
    async with contextlib.aclosing(KafkaFeed(broker.bootstrap).subscribe()) as batches:
        seen = await until(batches, lambda batch: batch.scores)
        assert seen[0].status is not None
        assert seen[0].status.state == "live"
        assert len(seen[-1].scores) == 5
        await send(broker, make_score("a2"), partition=1)
        (*_, last) = await until(batches, lambda batch: batch.scores)
        assert [score["athlete"] for score in last.scores] == ["a2"]


async def test_names_are_read_from_the_beginning(broker: EmbeddedBroker) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=broker.bootstrap)
    await producer.start()
    await producer.send_and_wait(ATHLETES, msgpack.packb({"v": 1, "athlete": "a1", "name": "Ada"}))
    await producer.stop()
    async with contextlib.aclosing(KafkaFeed(broker.bootstrap).subscribe()) as batches:
        (*_, last) = await until(batches, lambda batch: batch.named)
    assert last.named[0].name == "Ada"


async def test_it_goes_back_a_fixed_number_of_records(broker: EmbeddedBroker) -> None:
    await send(broker, *seconds(50))
    pace = Pace(back={**BACK, SCORES: 3})
    async with contextlib.aclosing(KafkaFeed(broker.bootstrap, pace).subscribe()) as batches:
        (*_, last) = await until(batches, lambda batch: batch.scores)
    assert [score["window_end_us"] for score in last.scores] == [
        START_US + k * SECOND_US for k in (47, 48, 49)
    ]


async def test_without_topics_it_says_how_to_make_them_and_goes_on_when_they_are_there() -> None:
    with EmbeddedBroker() as broker:
        async with contextlib.aclosing(KafkaFeed(broker.bootstrap, SOON).subscribe()) as batches:
            (first,) = await until(batches, lambda batch: batch.status)
            assert first.status is not None
            assert "touchline topics create" in first.status.detail
            await create_topics(broker.bootstrap, PARTITIONS)
            await until(batches, lambda batch: batch.status and batch.status.state == "live")


@pytest.mark.slow
async def test_a_broker_that_is_away_is_a_status_and_one_that_comes_is_read() -> None:
    broker = EmbeddedBroker()
    async with contextlib.aclosing(KafkaFeed(broker.bootstrap, SOON).subscribe()) as batches:
        (first,) = await until(batches, lambda batch: batch.status)
        assert first.status is not None
        assert (first.status.state, broker.bootstrap in first.status.detail) == ("away", True)
        with broker:
            await create_topics(broker.bootstrap, PARTITIONS)
            await send(broker, *seconds(2))
            await until(batches, lambda batch: batch.scores)


@pytest.mark.slow
async def test_a_broker_that_goes_is_noticed_and_the_feed_comes_back(broker: EmbeddedBroker) -> None:
    async with contextlib.aclosing(KafkaFeed(broker.bootstrap, SOON).subscribe()) as batches:
        await until(batches, lambda batch: batch.status and batch.status.state == "live")
        broker.stop()
        await until(batches, lambda batch: batch.status and batch.status.state == "away")
        broker.start()
        await create_topics(broker.bootstrap, PARTITIONS)
        await send(broker, *seconds(1))
        await until(batches, lambda batch: batch.scores)


async def test_ticks_go_to_every_partition_of_the_venue_each_second(broker: EmbeddedBroker) -> None:
    ticking = asyncio.create_task(write_ticks(broker.bootstrap, lambda: time.time_ns() // 1000))
    consumer = AIOKafkaConsumer(VENUE, bootstrap_servers=broker.bootstrap, auto_offset_reset="earliest")
    await consumer.start()
    ticks: dict[int, list[int]] = {p: [] for p in range(PARTITIONS)}
    async with asyncio.timeout(10):
        while min(len(stamps) for stamps in ticks.values()) < 2:
            record = await consumer.getone()
            tick = msgpack.unpackb(record.value)["tick"]
            assert record.timestamp == tick // 1000
            ticks[record.partition].append(tick)
    await consumer.stop()
    ticking.cancel()
    await asyncio.gather(ticking, return_exceptions=True)
    for stamps in ticks.values():
        assert 0.5 < (stamps[1] - stamps[0]) / SECOND_US < 1.5
