"""Sending a session to Kafka as the doors do: its records, its frames in order, and a tick for every second.

A worker's results do not depend on how fast a session is sent, because the order is strict: the tick of a second goes
out only when every record before it is acknowledged, and no record goes out two seconds ahead of an open tick.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any, Final, Protocol

import msgpack
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from aiokafka.partitioner import DefaultPartitioner

from sim.delivery import Delivery, FaultCounts, Session
from sim.pace import Pacer
from stream import topics
from stream.errors import BrokerUnavailable, TopicMismatch, UsageError
from stream.records import encode_tick

SECOND_US: Final = 1_000_000
BATCH_BYTES: Final = 256 * 1024
TOPIC_WAIT_S: Final = 10.0
STOP_S: Final = 5.0
LEAST_TIMEOUT_MS: Final = 1_000
RETRY_S: Final = 0.5
GAP_US: Final = 120 * SECOND_US

#: Called once a simulated second with the seconds since the session's start and the wearable frames sent.
Progress = Callable[[float, int], None]


@dataclass(frozen=True, slots=True)
class SendSettings:
    """How to send.

    ``speed`` simulated seconds per wall second, None as fast as the broker takes it; ``starts_at`` wall time (s since
    1970) at which the session's start is due, None for when sending begins; ``tail_s`` simulated seconds of
    ticks after the last delivery; ``connect_s`` how long to try to reach the broker, also when it goes away.
    """

    bootstrap: str
    speed: float | None = 1.0
    starts_at: float | None = None
    tail_s: int = 5
    connect_s: float = 30.0

    def __post_init__(self) -> None:
        """Refuse what cannot be."""
        if self.speed is not None and self.speed <= 0:
            raise UsageError("speed must be above 0")


@dataclass(frozen=True, slots=True)
class SendReport:
    """What was sent and acknowledged.

    ``frames_sent`` frames of athletes, duplicates included; ``venue_frames_sent`` venue-wide frames, each counted
    once however many partitions it went to; ``first_us`` and ``last_us`` simulated
    arrival of the first and last delivery, None where there was none; ``max_behind_s`` largest wall delay
    behind the due time.
    """

    frames_sent: int
    venue_frames_sent: int
    ticks_sent: int
    by_athlete: Mapping[str, int]
    first_us: int | None
    last_us: int | None
    wall_s: float
    max_behind_s: float
    faults: FaultCounts = field(default_factory=FaultCounts)


class Producer(Protocol):
    """The part of aiokafka's producer that sending needs. What ``send`` returns is done once acknowledged."""

    async def send(
        self,
        topic: str,
        value: bytes | None = None,
        key: bytes | None = None,
        partition: int | None = None,
        timestamp_ms: int | None = None,
    ) -> Awaitable[Any]:
        """Hand over one record."""

    async def partitions_for(self, topic: str) -> set[int]:
        """Partitions of a topic."""


async def send(session: Session, settings: SendSettings, on_progress: Progress | None = None) -> SendReport:
    """Send ``session`` to the broker at ``settings.bootstrap``; returns when all of it is acknowledged.

    Raises BrokerUnavailable where no broker answers or it goes away, TopicMismatch where topics are missing.
    """
    producer = await _connected(settings)
    try:
        return await send_through(producer, session, settings, on_progress)
    except KafkaError as error:
        raise BrokerUnavailable(f"the Kafka broker at {settings.bootstrap} failed: {error}") from error
    finally:
        with suppress(TimeoutError):
            await asyncio.wait_for(producer.stop(), STOP_S)


async def send_through(
    producer: Producer, session: Session, settings: SendSettings, on_progress: Progress | None = None
) -> SendReport:
    """:func:`send` with a producer that is started already."""
    names = (topics.WEARABLE, topics.VENUE, topics.ATHLETES, topics.SESSIONS)
    wait_s = min(TOPIC_WAIT_S, settings.connect_s)
    partitions = {name: await _partitions(producer, name, wait_s) for name in names}
    await _publish_records(producer, session)
    pacer = Pacer(settings.speed, session.start_us, settings.starts_at)
    sender = _Sender(producer, partitions, pacer)
    began = time.monotonic()
    await sender.run(session, settings.tail_s, on_progress)
    return SendReport(
        frames_sent=sender.by_athlete.total(),
        venue_frames_sent=sender.venue_frames,
        ticks_sent=sender.ticks,
        by_athlete={key.decode(): count for key, count in sorted(sender.by_athlete.items())},
        first_us=sender.first_us,
        last_us=sender.last_us,
        wall_s=time.monotonic() - began,
        max_behind_s=pacer.max_behind_s,
        faults=replace(session.faults),
    )


async def _connected(settings: SendSettings) -> AIOKafkaProducer:
    deadline = time.monotonic() + settings.connect_s
    while True:
        # Not idempotent: the embedded broker fails idempotent producers. Readers drop what is sent twice.
        producer = AIOKafkaProducer(
            bootstrap_servers=settings.bootstrap,
            acks="all",
            max_batch_size=BATCH_BYTES,
            request_timeout_ms=max(round(1000 * settings.connect_s), LEAST_TIMEOUT_MS),
        )  # fmt: skip
        try:
            await producer.start()
        except KafkaError as error:
            await producer.stop()
            if time.monotonic() + RETRY_S > deadline:
                raise BrokerUnavailable(
                    f"no Kafka broker answers at {settings.bootstrap}: start it, or name another with --broker"
                ) from error
            await asyncio.sleep(RETRY_S)
        else:
            return producer


async def _partitions(producer: Producer, topic: str, wait_s: float) -> list[int]:
    try:
        async with asyncio.timeout(wait_s):
            return sorted(await producer.partitions_for(topic))
    except TimeoutError:
        raise TopicMismatch(f"there is no topic {topic}: make it with `touchline topics create`") from None


async def _publish_records(producer: Producer, session: Session) -> None:
    """The control records first, so that whoever reads a frame can know whose it is."""
    records = [(topics.ATHLETES, record["athlete"], record) for record in session.athletes]
    records += [(topics.SESSIONS, record["session"], record) for record in session.sessions]
    acks = [
        await producer.send(
            topic, value=msgpack.packb(record), key=key.encode(), timestamp_ms=session.start_us // 1000
        )
        for topic, key, record in records
    ]
    for ack in acks:
        await ack


class _Sender:
    """Deliveries and ticks in strict order. Counts what was handed over."""

    def __init__(self, producer: Producer, partitions: Mapping[str, list[int]], pacer: Pacer) -> None:
        self._producer = producer
        self._partitions = partitions
        self._pacer = pacer
        self._partition_of: dict[bytes, int] = {}
        self._next_tick_us = 0
        self._open: list[Awaitable[Any]] = []
        self._closing: asyncio.Task[None] | None = None
        self.by_athlete: Counter[bytes] = Counter()
        self.venue_frames = 0
        self.ticks = 0
        self.first_us: int | None = None
        self.last_us: int | None = None

    async def run(self, session: Session, tail_s: int, on_progress: Progress | None) -> None:
        """Everything, up to the acknowledgement of the last tick."""

        def progress(at_us: int) -> None:
            if on_progress is not None:
                on_progress((at_us - session.start_us) / SECOND_US, self.by_athlete.total())

        try:
            for delivery in session.deliveries:
                if self.first_us is None:
                    self.first_us = delivery.at_us
                    self._next_tick_us = (delivery.at_us // SECOND_US + 1) * SECOND_US
                if self._pacer.unpaced:
                    await self._skip_to(delivery.at_us, progress)
                await self._tick_until(delivery.at_us, progress)
                await self._hand_over(delivery)
            if self.last_us is not None:
                await self._tick_until(self.last_us + tail_s * SECOND_US, progress)
            await self._closed()
        finally:
            if self._closing is not None:
                self._closing.cancel()

    async def _hand_over(self, delivery: Delivery) -> None:
        await self._pacer.until(delivery.at_us)
        self.last_us = delivery.at_us
        if delivery.key is not None:
            self.by_athlete[delivery.key] += 1
        else:
            self.venue_frames += 1
        for partition in self._targets(delivery):
            ack = await self._producer.send(
                delivery.topic,
                value=delivery.value,
                key=delivery.key,
                partition=partition,
                timestamp_ms=delivery.at_us // 1000,
            )
            self._open.append(ack)

    def _targets(self, delivery: Delivery) -> list[int]:
        """The key's partition (murmur2, as every Kafka client has it), or all of them for what concerns everyone."""
        partitions = self._partitions[delivery.topic]
        key = delivery.key
        if key is None:
            return partitions
        if key not in self._partition_of:
            self._partition_of[key] = DefaultPartitioner()(key, partitions, partitions)
        return [self._partition_of[key]]

    async def _skip_to(self, at_us: int, progress: Callable[[int], None]) -> None:
        """Nothing happens in a long gap once everybody is silent: ticks of its first two minutes are enough."""
        assert self.last_us is not None or at_us < self._next_tick_us
        if at_us - self._next_tick_us > 2 * GAP_US:
            await self._tick_until(self._next_tick_us + GAP_US, progress)
            self._next_tick_us = at_us // SECOND_US * SECOND_US

    async def _tick_until(self, at_us: int, progress: Callable[[int], None]) -> None:
        """All ticks due at or before ``at_us``."""
        while self._next_tick_us <= at_us:
            tick_us, self._next_tick_us = self._next_tick_us, self._next_tick_us + SECOND_US
            await self._pacer.until(tick_us)
            await self._closed()
            before, self._open = self._open, []
            self._closing = asyncio.create_task(self._close(tick_us, before))
            progress(tick_us)

    async def _closed(self) -> None:
        """The tick before is acknowledged."""
        if self._closing is not None:
            await self._closing

    async def _close(self, tick_us: int, before: list[Awaitable[Any]]) -> None:
        """Send the tick of ``tick_us`` to every partition once all records before it are acknowledged."""
        for ack in before:
            await ack
        value = encode_tick(tick_us)
        acks = [
            await self._producer.send(
                topics.VENUE, value=value, key=None, partition=partition, timestamp_ms=tick_us // 1000
            )
            for partition in self._partitions[topics.VENUE]
        ]
        for ack in acks:
            await ack
        self.ticks += 1
