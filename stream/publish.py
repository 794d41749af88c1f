"""Publish: scores, alerts, refused frames and snapshots onto their topics. Sent is what the broker has acked."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import msgpack
import ormsgpack
from aiokafka import AIOKafkaProducer
from cloudevents.http import CloudEvent
from cloudevents.kafka import to_binary

from stream import metrics, topics
from stream.alert import Transition
from stream.records import Rejected
from stream.route import Outputs

SOURCE: Final = "touchline/worker"
#: A partition has one batch under way at a time, so the size of a batch says how many scores go out per round trip.
BATCH_BYTES: Final = 512 * 1024
#: What is kept of a refused record. A broker takes records of up to 1 MiB, so one that big cannot go out again with
#: headers beside it, and a worker that tries would end, start and try again for good.
KEPT_BYTES: Final = 512 * 1024
KEPT_KEY: Final = 512
KEPT_DETAIL: Final = 300

Headers = Sequence[tuple[str, bytes]]


@dataclass(frozen=True, slots=True)
class Message:
    """One record to be written; without ``partition`` the key decides."""

    topic: str
    partition: int | None
    key: bytes | None
    value: bytes | None
    headers: Headers = ()


def score_message(partition: int, record: dict[str, Any], scored_us: int) -> Message:
    """A score record as it goes out, stamped with the time of publishing."""
    lineage = record["lineage"] | {"scored_us": scored_us}
    # The same bytes as msgpack's, in a third of the time.
    packed = ormsgpack.packb(record | {"lineage": lineage}, option=ormsgpack.OPT_SERIALIZE_NUMPY)
    return Message(topics.SCORES, partition, record["athlete"].encode(), packed)


def alert_message(transition: Transition) -> Message:
    """An alert transition as a CloudEvent in Kafka binary mode; its id is the same whenever it is made again."""
    rule, state = transition.rule.name, transition.state
    moment = datetime.fromtimestamp(transition.event_us / 1e6, UTC)
    event = CloudEvent(
        {
            "id": f"{rule}:{transition.athlete}:{transition.before}-{state}:{transition.event_us}",
            "source": SOURCE,
            "type": f"touchline.alert.{state}",
            "subject": transition.athlete,
            "time": moment.isoformat(),
            "datacontenttype": "application/json",
            "partitionkey": transition.athlete,
        },
        alert_data(transition),
    )
    message = to_binary(event)
    headers = [(name, bytes(value)) for name, value in message.headers.items()]
    value = message.value.encode() if isinstance(message.value, str) else message.value
    return Message(topics.ALERTS, transition.partition, transition.athlete.encode(), value, headers)


def alert_data(transition: Transition) -> dict[str, Any]:
    """The event's data, as documented."""
    rule = transition.rule
    return {
        "rule": rule.name,
        "athlete": transition.athlete,
        "session": transition.session,
        "from": transition.before,
        "state": transition.state,
        "reason": transition.reason,
        "message": transition.message,
        "value": transition.value,
        "threshold": None if rule.metric == "silence" else rule.raise_at,
        "unit": rule.unit,
        "event_us": transition.event_us,
        "inputs": [entry.as_map() for entry in transition.inputs],
    }


def rejected_message(rejected: Rejected) -> Message:
    """A refused frame: the original bytes (of a huge one the beginning), the reason in headers."""
    record = rejected.record
    topic = topics.VENUE if record.venue else topics.WEARABLE
    place = {"topic": topic, "partition": str(record.partition), "offset": str(record.offset)}
    texts = {"reason": rejected.reason, "detail": rejected.detail[:KEPT_DETAIL]} | place
    headers = [(name, text.encode()) for name, text in texts.items()]
    key = None if record.key is None else record.key[:KEPT_KEY]
    return Message(topics.REJECTED, record.partition, key, record.value[:KEPT_BYTES], headers)


def athlete_message(record: dict[str, Any]) -> Message:
    """An athlete record after a session, by its key; the control topics have partitions of their own."""
    return Message(topics.ATHLETES, None, record["athlete"].encode(), msgpack.packb(record))


class Publisher:
    """A producer that remembers what is under way; :meth:`settle` waits for it and raises what went wrong."""

    def __init__(self, bootstrap: str) -> None:
        self._producer = AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all", max_batch_size=BATCH_BYTES)
        self._under_way: set[asyncio.Future[Any]] = set()
        self._failed: BaseException | None = None

    async def start(self) -> None:
        """Connect."""
        await self._producer.start()

    async def stop(self) -> None:
        """Send what is left and disconnect."""
        await self._producer.stop()

    async def send(self, messages: Sequence[Message]) -> None:
        """Hand messages to the producer, in order per partition."""
        batches: dict[tuple[str, int], list[Message]] = {}
        for message in messages:
            if message.partition is None:
                self._watch(await self._producer.send(message.topic, message.value, key=message.key))
            else:
                batches.setdefault((message.topic, message.partition), []).append(message)
        await asyncio.gather(*(self._send_batch(*place, batch) for place, batch in batches.items()))

    async def _send_batch(self, topic: str, partition: int, messages: Sequence[Message]) -> None:
        """Messages of one partition in as few batches as they fit in: a future for each batch, not each message."""
        batch = self._producer.create_batch()
        for message in messages:
            told = {"timestamp": None, "key": message.key, "value": message.value}
            headers = list(message.headers)
            if batch.append(**told, headers=headers) is None:
                self._watch(await self._producer.send_batch(batch, topic, partition=partition))
                batch = self._producer.create_batch()
                batch.append(**told, headers=headers)  # the first one always fits
        self._watch(await self._producer.send_batch(batch, topic, partition=partition))

    def _watch(self, future: asyncio.Future[Any]) -> None:
        self._under_way.add(future)
        future.add_done_callback(self._done)

    async def publish(self, outputs: Outputs) -> None:
        """Send all that a chunk led to."""
        scored_us = time.time_ns() // 1000
        messages = [rejected_message(rejected) for rejected in outputs.rejected]
        messages += [alert_message(transition) for transition in outputs.alerts]
        messages += [score_message(partition, record, scored_us) for partition, record in outputs.scores]
        messages += [athlete_message(record) for record in outputs.athletes]
        await self.send(messages)
        _count(outputs, scored_us)

    async def settle(self) -> None:
        """Wait until everything handed over is acknowledged by the broker; raises the first failure."""
        await self._producer.flush()
        if self._under_way:
            await asyncio.wait(self._under_way)
        if self._failed is not None:
            raise self._failed

    def _done(self, future: asyncio.Future[Any]) -> None:
        self._under_way.discard(future)
        if not future.cancelled() and future.exception() is not None:
            self._failed = self._failed or future.exception()


def _count(outputs: Outputs, scored_us: int) -> None:
    metrics.SCORES.inc(len(outputs.scores))
    for rejected in outputs.rejected:
        metrics.REJECTED.labels(rejected.reason).inc()
        if rejected.reason == "late":
            metrics.LATE.inc()
    for transition in outputs.alerts:
        metrics.ALERTS.labels(transition.rule.name, transition.state).inc()
    for _, record in outputs.scores:
        metrics.LATENCY.observe(max(0.0, (scored_us - record["lineage"]["ingest_us"]) / 1e6))
