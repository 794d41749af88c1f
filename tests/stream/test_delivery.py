"""Delivery on Apache Kafka: whoever joins and leaves the group, the owner gets every record once and in order."""

from __future__ import annotations

import asyncio
import random
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.coordinator.assignors.range import RangePartitionAssignor

from stream.delivery import arrivals
from stream.driver import kafka_app
from stream.settings import load_settings
from tests.servers import KafkaServer

pytestmark = [pytest.mark.slow, pytest.mark.kafka]

TOPIC = "test.delivery"
PARTITIONS = 4
RECORDS = 8_000
INTRUSIONS = 6
PAUSES_S = (0.01,) * 25 + (1.5,)


class Owner:
    """Keeps the position of each partition itself and commits nothing. ``faults``: offsets that were not the next."""

    def __init__(self, bootstrap: str) -> None:
        settings = load_settings(
            broker=bootstrap, group="test-delivery", chunk_max=20, rebalance_timeout_s=1.0
        )
        self.app: Any = kafka_app(settings, "owner", 0.02)
        self.next: defaultdict[int, int] = defaultdict(int)
        self.faults: list[tuple[int, int, int]] = []
        self.rebalances = 0
        self.joined, self.finished = asyncio.Event(), asyncio.Event()
        topic = self.app.topic(TOPIC, key_serializer="raw", value_serializer="raw", acks=False)
        self.app.agent(topic, name="owner")(self._take)
        self.app.on_partitions_revoked.connect(self._revoked)
        self.app.on_partitions_assigned.connect(self._assigned)

    async def _take(self, stream: Any) -> None:
        async for chunks in arrivals(self.app, stream):
            for record in (record for chunk in chunks for record in chunk):
                if record.offset != self.next[record.partition]:
                    self.faults.append((record.partition, self.next[record.partition], record.offset))
                self.next[record.partition] = record.offset + 1
            if self.faults or sum(self.next.values()) >= RECORDS:
                self.finished.set()
            # A queue builds up behind it, and now and then a whole rebalance goes by between two takes.
            await asyncio.sleep(random.choice(PAUSES_S))

    async def _revoked(self, *_arguments: Any, **_kwargs: Any) -> None:
        self.app.consumer.leave()

    async def _assigned(self, *arguments: Any, **_kwargs: Any) -> None:
        self.rebalances += 1
        self.joined.set()
        ours = [place.partition for place in arguments[1]]
        await self.app.consumer.go_on({TopicPartition(TOPIC, p): self.next[p] for p in ours})


@asynccontextmanager
async def running(app: Any) -> AsyncIterator[None]:
    app.finalize()
    await app.start()
    try:
        yield
    finally:
        await app.stop()


async def produce(bootstrap: str) -> None:
    """Eight seconds of records, evenly over the partitions."""
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap)
    await producer.start()
    for number in range(RECORDS):
        await producer.send(TOPIC, b"%d" % number, partition=number % PARTITIONS)
        if number % 100 == 0:
            await asyncio.sleep(0.1)
    await producer.stop()


async def intrude(bootstrap: str, group: str) -> None:
    """Join the group, take half of its partitions, read nothing of them, leave; again and again."""
    for _ in range(INTRUSIONS):
        consumer = AIOKafkaConsumer(
            TOPIC,
            bootstrap_servers=bootstrap,
            group_id=group,
            enable_auto_commit=False,
            partition_assignment_strategy=(RangePartitionAssignor,),
            rebalance_timeout_ms=1000,
        )
        await consumer.start()
        await asyncio.sleep(0.7)
        await consumer.stop()
        await asyncio.sleep(0.7)


async def test_the_owner_gets_every_record_once_and_in_order(kafka_server: KafkaServer) -> None:
    bootstrap = kafka_server.bootstrap
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    await admin.create_topics([NewTopic(TOPIC, PARTITIONS, 1)])
    await admin.close()
    owner = Owner(bootstrap)
    async with running(owner.app), asyncio.timeout(90):
        await owner.joined.wait()
        await asyncio.gather(produce(bootstrap), intrude(bootstrap, owner.app.conf.id))
        await owner.finished.wait()
    assert owner.faults == []
    assert sum(owner.next.values()) == RECORDS
    assert owner.rebalances > INTRUSIONS
