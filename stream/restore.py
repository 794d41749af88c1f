"""Restore: read a partition's snapshots back from ``state.athletes``, newest of each key."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition

from stream import topics
from stream.bounds import Bounds
from stream.route import Route
from stream.snapshot import Point, marker_key, unpack_athlete, unpack_marker

log = structlog.get_logger()


@dataclass(slots=True)
class Snapshots:
    """What ``state.athletes`` holds of one partition: athletes by key, and the marker."""

    athletes: dict[bytes, bytes] = field(default_factory=dict)
    marker: bytes | None = None

    def into(self, route: Route, partition: int) -> Point | None:
        """Fill the route; the point to go on from, None where there is no usable marker."""
        if self.marker is None:
            return None
        point = unpack_marker(route, partition, self.marker)
        if point is None:
            log.error("state is of another version and left unread", partition=partition)
            return None
        for key, value in self.athletes.items():
            if not unpack_athlete(route, partition, key, value):
                log.error("an athlete's state is of another version and left unread", athlete=key.decode())
        return point


class Restorer:
    """Reads with a consumer of its own, without a group."""

    def __init__(self, bootstrap: str, bounds: Bounds) -> None:
        self._bounds = bounds
        self._consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False)

    async def start(self) -> None:
        """Connect."""
        await self._consumer.start()

    async def stop(self) -> None:
        """Disconnect."""
        await self._consumer.stop()

    async def read(self, partitions: Collection[int]) -> dict[int, Snapshots]:
        """All snapshots of each partition, from its beginning to where it ends now."""
        places = [TopicPartition(topics.STATE, partition) for partition in partitions]
        found = {partition: Snapshots() for partition in partitions}
        if not places:
            return found
        self._consumer.assign(places)
        begin = await self._bounds.begins(places)
        left = {place: end for place, end in (await self._bounds.ends(places)).items() if end > begin[place]}
        for place, offset in begin.items():
            self._consumer.seek(place, offset)
        while left:
            for place, records in (await self._consumer.getmany(*left, timeout_ms=200)).items():
                for record in records:
                    _keep(found[place.partition], record.key, record.value, marker_key(place.partition))
            left = {p: end for p, end in left.items() if await self._consumer.position(p) < end}
        self._consumer.unsubscribe()  # or it would go on fetching
        return found


def _keep(found: Snapshots, key: bytes, value: bytes | None, marker: bytes) -> None:
    if key == marker:
        found.marker = value
    elif value is None:
        found.athletes.pop(key, None)
    else:
        found.athletes[key] = value
