"""Control: follow compacted control topics, ``athletes`` and ``sessions`` into the roster, ``models`` into labels."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import msgpack
import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition

from stream import topics
from stream.bounds import Bounds
from stream.roster import Roster, check_athlete, check_session

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Known:
    """The newest record of each key of a topic, and what a record must be: ``check`` raises ValueError."""

    records: dict[str, Any]
    check: Callable[[Any], Any]


def people_of(roster: Roster) -> Mapping[str, Known]:
    """The topics that the roster knows."""
    return {
        topics.ATHLETES: Known(roster.athletes, check_athlete),
        topics.SESSIONS: Known(roster.sessions, check_session),
    }


class ControlFollower:
    """Reads topics whole, without a group: every worker knows all of them. ``known``: by topic."""

    def __init__(self, bootstrap: str, bounds: Bounds, known: Mapping[str, Known]) -> None:
        self._known = known
        self._bounds = bounds
        self._consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False)
        self._partitions: list[TopicPartition] = []
        self._next: dict[TopicPartition, int] = {}

    async def start(self) -> None:
        """Connect and read what is there."""
        await self._consumer.start()
        for name in self._known:
            self._partitions += await self._bounds.partitions(name)
        self._consumer.assign(self._partitions)
        self._next = await self._bounds.begins(self._partitions)
        for partition, offset in self._next.items():
            self._consumer.seek(partition, offset)
        await self.catch_up()

    async def stop(self) -> None:
        """Disconnect."""
        await self._consumer.stop()

    async def catch_up(self) -> None:
        """Read to where the topics end now."""
        ends = await self._bounds.ends(self._partitions)
        while any(self._next[partition] < end for partition, end in ends.items()):
            for partition, records in (await self._consumer.getmany(timeout_ms=200)).items():
                for record in records:
                    self._take(partition.topic, record)
                self._next[partition] = records[-1].offset + 1
            for partition, end in ends.items():  # compaction may leave nothing before the end
                position = await self._consumer.position(partition)
                self._next[partition] = max(self._next[partition], min(position, end))

    def _take(self, topic: str, record: Any) -> None:
        known = self._known[topic]
        key = (record.key or b"").decode(errors="replace")
        if record.value is None:
            known.records.pop(key, None)
            return
        try:
            known.records[key] = known.check(msgpack.unpackb(record.value))
        except ValueError as error:
            log.error("control record refused", topic=topic, key=key, offset=record.offset, error=str(error))  # noqa: TRY400 (its trace says no more)
