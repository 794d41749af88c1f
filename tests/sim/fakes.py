"""Stand-ins for what ``sim`` talks to."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass, field
from typing import Any

from aiokafka.errors import KafkaTimeoutError


@dataclass(frozen=True, slots=True)
class Sent:
    """One record as it was handed over, and how many records were acknowledged by then."""

    topic: str
    key: bytes | None
    value: bytes
    partition: int | None
    timestamp_ms: int | None
    acknowledged_before: int


@dataclass(slots=True)
class SlowProducer:
    """Takes records at once and acknowledges them one by one, ``ack_s`` apart; fails from record ``fails_at`` on."""

    partitions: int = 3
    ack_s: float = 0.0
    fails_at: int | None = None
    sent: list[Sent] = field(default_factory=list)
    acknowledged: list[int] = field(default_factory=list)

    async def send(
        self,
        topic: str,
        value: bytes | None = None,
        key: bytes | None = None,
        partition: int | None = None,
        timestamp_ms: int | None = None,
    ) -> Awaitable[Any]:
        index = len(self.sent)
        if self.fails_at is not None and index >= self.fails_at:
            raise KafkaTimeoutError
        self.sent.append(Sent(topic, key, value or b"", partition, timestamp_ms, len(self.acknowledged)))
        return asyncio.ensure_future(self._acknowledge(index))

    async def _acknowledge(self, index: int) -> None:
        await asyncio.sleep(self.ack_s)
        self.acknowledged.append(index)

    async def partitions_for(self, topic: str) -> set[int]:
        return {0} if topic in {"athletes", "sessions"} else set(range(self.partitions))


class NoTopics(SlowProducer):
    """A producer whose broker has no topics: it waits for them for good."""

    async def partitions_for(self, topic: str) -> set[int]:
        await asyncio.sleep(3600)
        raise AssertionError(topic)
