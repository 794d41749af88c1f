"""Bounds: where logs begin and end, and how far a group is in them. A client of its own that never fetches.

Kafka answers the requests of one connection in order, so a question on a connection that waits for records
waits with it (half a second here).
"""

from __future__ import annotations

from collections.abc import Collection

from aiokafka import AIOKafkaConsumer, TopicPartition


class Bounds:
    """Asks a broker for offsets; ``group``: whose are told by :meth:`committed`. It does not join that."""

    def __init__(self, bootstrap: str, group: str | None = None) -> None:
        self._consumer = AIOKafkaConsumer(
            bootstrap_servers=bootstrap, group_id=group, enable_auto_commit=False
        )

    async def start(self) -> None:
        """Connect."""
        await self._consumer.start()

    async def stop(self) -> None:
        """Disconnect."""
        await self._consumer.stop()

    async def ends(self, places: Collection[TopicPartition]) -> dict[TopicPartition, int]:
        """The next offset that will be written, of each."""
        return dict(await self._consumer.end_offsets(list(places))) if places else {}

    async def begins(self, places: Collection[TopicPartition]) -> dict[TopicPartition, int]:
        """The oldest offset kept, of each."""
        return dict(await self._consumer.beginning_offsets(list(places))) if places else {}

    async def committed(self, places: Collection[TopicPartition]) -> dict[TopicPartition, int]:
        """Where the group goes on in each, 0 where nobody ever committed."""
        return {place: await self._consumer.committed(place) or 0 for place in places}

    async def partitions(self, topic: str) -> list[TopicPartition]:
        """All partitions of a topic."""
        cluster = await self._consumer._client.fetch_all_metadata()  # noqa: SLF001 (no public way for one topic)
        return [TopicPartition(topic, number) for number in sorted(cluster.partitions_for_topic(topic) or ())]
