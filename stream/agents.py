"""Agents: the route hung on Kafka.

Takes records off the telemetry topics, gives them to the route in a thread of its own, publishes what follows,
and every few seconds makes the state safe and commits what that covers.

Faust stays at this edge. A fault in here ends the process; the supervisor outside starts it again, and it
goes on from the snapshots.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

import structlog
from aiokafka import TopicPartition

from stream import metrics, topics
from stream.bounds import Bounds
from stream.control import ControlFollower
from stream.merge import PartitionMerge
from stream.offsets import commit
from stream.publish import Message, Publisher
from stream.records import Record
from stream.restore import Restorer
from stream.route import Outputs, Route
from stream.snapshot import Point, marker_key, pack_athletes, pack_marker
from stream.timed import Stopwatch

log = structlog.get_logger()

#: What was taken in one go is worked through in so many pieces at most, of so many records at least.
PIECES: Final = 4
PIECE: Final = 1000
#: A round of snapshots is made in slices of so many athletes; between them what comes in is worked through.
SLICE: Final = 100

TELEMETRY: Final = {False: topics.WEARABLE, True: topics.VENUE}


@dataclass(frozen=True, slots=True)
class Parts:
    """What the wiring gives the agents: the route, the time its networks take, and the ways in and out.

    ``shuffle``: cut chunks at random places, seeded; replays are verified with it.
    """

    route: Route
    stopwatch: Stopwatch
    bounds: Bounds
    control: ControlFollower
    publisher: Publisher
    restorer: Restorer
    snapshot_every_s: float
    shuffle: int | None = None


class Telemetry:
    """The worker's side of both telemetry topics. Everything that touches the route holds ``_busy``.

    ``_torn``: a go over records was begun and did not come to its end. How far it came nobody knows, while the merges
    take its records for done; so nothing is made safe any more, and the next owner begins where all was.
    """

    def __init__(self, app: Any, parts: Parts) -> None:
        self._app = app
        self._parts = parts
        self._merges: dict[int, PartitionMerge] = {}
        self._safe: dict[int, Point] = {}
        self._doubtful: set[int] = set()
        self._busy = asyncio.Lock()
        self._torn = False
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="route")
        self._begun_at = time.monotonic()
        self._round: asyncio.Task[None] | None = None
        self._shuffle = None if parts.shuffle is None else random.Random(parts.shuffle)  # noqa: S311

    async def take(self, chunks: Sequence[Sequence[Record]]) -> None:
        """Work through what came of some partitions."""
        async with self._at_work():
            # Both ask the broker: one way there and back, not two.
            ready, _ = await asyncio.gather(self._merge(chunks), self._parts.control.catch_up())
            await self._work_through(ready)
        self._begin_round()

    async def rest(self) -> None:
        """Between batches: wait for nothing that Kafka has deleted, and make the state safe when that is due."""
        async with self._at_work():
            if ready := await self._skip_deleted():
                await self._parts.control.catch_up()
                await self._work_through(ready)
        self._begin_round()

    async def close(self) -> None:
        """The worker ends, the consumer is gone already: what is done is safe, and skipped by the next owner.

        Where another worker has gone on in the meantime its state stands, and ours is void.
        """
        if self._round is not None:
            self._round.cancel()
            await asyncio.wait([self._round])
        async with self._busy:
            if not self._torn:
                await self._forget(await self._outpaced(set(self._merges)))
                await self._make_safe()
        self._thread.shutdown()

    async def between(self, change: Callable[[], None]) -> None:
        """Do something to the route between two chunks, in its thread."""
        async with self._busy:
            await self._in_thread(change)

    async def revoked(self, partitions: Iterable[int]) -> None:
        """Partitions may go to another worker: leave it as little as possible to do again."""
        self._app.consumer.leave()
        await self._end_round()
        async with self._busy:
            if self._merges and not self._torn and await self._commit():
                await self._make_safe()
                await self._commit()
            self._doubtful = set(self._merges)
            log.info("partitions revoked", partitions=sorted(set(partitions)))

    async def assigned(self, partitions: Iterable[int]) -> None:
        """Forget partitions that are no longer ours, load those that are new, and go on from what we have."""
        ours = set(partitions)
        await self._end_round()  # it knows the partitions of before
        async with self._busy:
            await self._forget(set(self._merges) - ours)
            await self._own(ours)
            await self._app.consumer.go_on(self._positions())
            log.info("partitions assigned", partitions=sorted(ours))

    def _positions(self) -> dict[TopicPartition, int]:
        """The next record of each log that was not received yet."""
        return {
            TopicPartition(topic, partition): merge.received(venue=venue)
            for partition, merge in self._merges.items()
            for venue, topic in TELEMETRY.items()
        }

    @asynccontextmanager
    async def _at_work(self) -> AsyncIterator[None]:
        """A go over records, to its end or torn. Raises RuntimeError after one that was torn."""
        async with self._busy:
            if self._torn:
                raise RuntimeError("work on records was broken off; this worker can only end")
            self._torn = True
            yield
            self._torn = False

    async def _work_through(self, ready: list[Record]) -> None:
        """Piece by piece; while one is worked on, what came of the one before goes out."""
        publish, done = self._parts.publisher.publish, Outputs()
        for piece in self._cut(ready):
            _, done = await asyncio.gather(publish(done), self._in_thread(self._push, piece))
        await publish(done)

    async def _in_thread(self, function: Any, *arguments: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._thread, function, *arguments)

    async def _merge(self, chunks: Sequence[Sequence[Record]]) -> list[Record]:
        """Put records into their partitions' merges; give what may go on, in merged order."""
        arrived: dict[int, list[Record]] = {}
        for chunk in chunks:
            arrived.setdefault(chunk[0].partition, []).extend(chunk)
            metrics.FRAMES.labels(TELEMETRY[chunk[0].venue]).inc(len(chunk))
        ready: list[Record] = []
        for partition, records in arrived.items():
            ready += self._merges[partition].push(records)
        self._tell_lost()
        return ready + await self._ask_ends()

    def _blocked(self) -> dict[TopicPartition, bool]:
        """The logs that others wait for, and whether they are the venue's."""
        blocked = {p: on for p, m in self._merges.items() if (on := m.blocked_on()) is not None}
        return {TopicPartition(TELEMETRY[venue], partition): venue for partition, venue in blocked.items()}

    async def _ask_ends(self) -> list[Record]:
        """Where one log waits for the other, ask whether the other has more; go on where it has not."""
        places = self._blocked()
        ready: list[Record] = []
        for place, end in (await self._parts.bounds.ends(places)).items():
            ready += self._merges[place.partition].drained(venue=places[place], end=end)
        metrics.WAITING.set(sum(merge.waiting for merge in self._merges.values()))
        return ready

    async def _skip_deleted(self) -> list[Record]:
        """Where one log waits for the other, ask whether what it waits for is still kept; go on where it is not."""
        places = self._blocked()
        bounds = self._parts.bounds
        begins, ends = await bounds.begins(places), await bounds.ends(places)
        ready: list[Record] = []
        for place, venue in places.items():
            merge = self._merges[place.partition]
            ready += merge.kept(venue=venue, begin=begins[place], end=ends[place])
        self._tell_lost()
        return ready

    def _tell_lost(self) -> None:
        for partition, merge in self._merges.items():
            for venue, topic in TELEMETRY.items():
                if lost := merge.take_lost(venue=venue):
                    metrics.LOST.labels(topic).inc(lost)
                    log.warning(
                        "Kafka deleted records before they were read",
                        topic=topic,
                        partition=partition,
                        lost=lost,
                    )

    async def _own(self, partitions: set[int]) -> None:
        """Go on with what we have of partitions, load the others.

        We may have been out of the group for a while without noticing; then another worker took a partition
        further, its records up to there do not come to us, and what we have of it is void.
        """
        doubtful, self._doubtful = partitions & self._doubtful, self._doubtful - partitions
        await self._forget(await self._outpaced(doubtful & set(self._merges)))
        await self._load(partitions - set(self._merges))

    async def _outpaced(self, held: set[int]) -> set[int]:
        """Partitions in which the group has committed more than came to us: another worker went on with them."""
        places = [TopicPartition(topic, partition) for topic in TELEMETRY.values() for partition in held]
        offsets = await self._parts.bounds.committed(places)
        found = {
            place.partition
            for place, offset in offsets.items()
            if offset > self._merges[place.partition].received(venue=place.topic == topics.VENUE)
        }
        if found:
            log.info("another worker went on with partitions in the meantime", partitions=sorted(found))
        return found

    async def _forget(self, partitions: set[int]) -> None:
        for partition in partitions:
            await self._in_thread(self._parts.route.release, partition)
            del self._merges[partition], self._safe[partition]
            for topic in TELEMETRY.values():
                metrics.LAG.remove(topic, str(partition))  # it is another worker's to tell

    async def _load(self, partitions: set[int]) -> None:
        """Restore partitions' athletes; each goes on from its marker, else from the beginning of its logs."""
        route = self._parts.route
        for partition, snapshots in (await self._parts.restorer.read(partitions)).items():
            await self._in_thread(route.release, partition)
            found: Point | None = await self._in_thread(snapshots.into, route, partition)
            if found is not None and await self._beyond(partition, found):
                await self._in_thread(route.release, partition)
                found = None
            point = found or await self._beginning(partition)
            wearable, venue = (point.wearable, point.wearable_seen_us), (point.venue, point.venue_seen_us)
            self._merges[partition], self._safe[partition] = PartitionMerge(wearable, venue), point
            log.info(
                "partition loaded", partition=partition, athletes=len(snapshots.athletes), point=str(point)
            )

    async def _beyond(self, partition: int, point: Point) -> bool:
        """Whether a marker lies behind the end of a log: then it is of another log, that was there before.

        Records would be passed by in silence until that place is reached.
        """
        reached = _offsets({partition: point})
        ends = await self._parts.bounds.ends(list(reached))
        beyond = [place.topic for place, offset in reached.items() if offset > ends[place]]
        if beyond:
            log.error(
                "state is of logs that are gone and left unread",
                partition=partition,
                topics=beyond,
                point=str(point),
            )
        return bool(beyond)

    async def _beginning(self, partition: int) -> Point:
        """Without a marker nothing was ever committed: the logs as far back as they are kept."""
        wearable, venue = (TopicPartition(topic, partition) for topic in TELEMETRY.values())
        begin = await self._parts.bounds.begins([wearable, venue])
        return Point(begin[wearable], begin[venue])

    def _cut(self, records: list[Record]) -> Iterable[list[Record]]:
        """A few pieces, so that the first scores need not wait for the last; for verification, at random places."""
        if not records:
            return []
        if self._shuffle is None:
            size = max(PIECE, -(-len(records) // PIECES))
            return [records[begin : begin + size] for begin in range(0, len(records), size)]
        inner = (self._shuffle.randrange(len(records)) for _ in range(self._shuffle.randrange(8)))
        return [records[a:b] for a, b in pairwise(sorted({0, *inner, len(records)}))]

    def _push(self, chunk: list[Record]) -> Outputs:
        """In the route's thread: work through a chunk, and tell how long the networks and the rest took."""
        began = time.perf_counter()
        self._parts.stopwatch.take()
        outputs = self._parts.route.push(chunk)
        took, inference = time.perf_counter() - began, self._parts.stopwatch.take()
        metrics.CHUNK.observe(took)
        metrics.WINDOWS.observe(took - inference)
        if outputs.scores:
            metrics.INFERENCE.observe(inference)
        return outputs

    def _begin_round(self) -> None:
        """Begin a round of snapshots when one is due; raises what went wrong in the one before."""
        if self._round is not None and self._round.done():
            self._round.result()
            self._round = None
        if self._round is None and time.monotonic() - self._begun_at >= self._parts.snapshot_every_s:
            self._begun_at = time.monotonic()
            self._round = asyncio.create_task(self._make_safe_by_slices())

    async def _end_round(self) -> None:
        """Wait for a round that is under way; raises what went wrong in it."""
        if self._round is not None:
            await self._round

    async def _make_safe_by_slices(self) -> None:
        """A round of snapshots beside the work, then offsets.

        Whom the group has put out writes nothing: the new owner's snapshots stand. Nor does whose work is torn.
        """
        with metrics.SNAPSHOT.time():
            async with self._busy:
                if self._torn or not await self._commit():
                    return
                points, markers = await self._mark()
                left = list(self._parts.route.changed)
            for begin in range(0, len(left), SLICE):
                async with self._busy:
                    if self._torn or not await self._commit():
                        return
                    await self._keep(left[begin : begin + SLICE])
            async with self._busy:
                if self._torn:
                    return
                await self._finish(points, markers)
                await self._commit()
        await self._observe_lag()

    async def _make_safe(self) -> None:
        """A round of snapshots in one go."""
        points, markers = await self._mark()
        await self._keep(list(self._parts.route.changed))
        await self._finish(points, markers)

    async def _commit(self) -> bool:
        return await commit(self._app, _offsets(self._safe))

    async def _mark(self) -> tuple[dict[int, Point], list[Message]]:
        """How far each partition is, and its marker of that; athletes not heard of for long are forgotten."""
        points = self._points()
        gone, markers = await self._in_thread(self._pack_markers, points)
        await self._parts.publisher.send(gone)
        return points, markers

    async def _keep(self, slots: Sequence[int]) -> None:
        """Snapshots of athletes, sent once all is safe that they cover: who restores one does not make it again."""
        publisher, changed = self._parts.publisher, self._parts.route.changed
        athletes = await self._in_thread(self._pack, changed.intersection(slots), self._points())
        await publisher.settle()
        await publisher.send(athletes)
        changed.difference_update(slots)

    async def _finish(self, points: dict[int, Point], markers: list[Message]) -> None:
        """The markers, sent once all athletes are safe that changed before them."""
        publisher = self._parts.publisher
        await publisher.settle()
        await publisher.send(markers)
        await publisher.settle()
        self._safe = points
        metrics.SNAPSHOT_AGE.set_to_current_time()

    def _points(self) -> dict[int, Point]:
        return {partition: _point(merge) for partition, merge in self._merges.items()}

    def _pack_markers(self, points: dict[int, Point]) -> tuple[list[Message], list[Message]]:
        """Tombstones of who is gone, and the markers."""
        route = self._parts.route
        gone: list[Message] = []
        markers: list[Message] = []
        for partition, point in points.items():
            newest = max(point.wearable_seen_us, point.venue_seen_us)
            names = route.retired(partition, newest)
            gone += [Message(topics.STATE, partition, name.encode(), None) for name in names]
            marker = pack_marker(route, partition, point)
            markers.append(Message(topics.STATE, partition, marker_key(partition), marker))
        metrics.ATHLETES.set(len(route.slots))
        return gone, markers

    def _pack(self, slots: Iterable[int], points: dict[int, Point]) -> list[Message]:
        """Snapshots of athletes."""
        route = self._parts.route
        of: dict[int, list[int]] = {}
        for slot in sorted(slots):
            of.setdefault(route.slots.of(slot).partition, []).append(slot)
        return [
            Message(topics.STATE, partition, key, value)
            for partition, held in of.items()
            for key, value in pack_athletes(route, held, points[partition]).items()
        ]

    async def _observe_lag(self) -> None:
        places = [TopicPartition(topic, p) for topic in TELEMETRY.values() for p in self._merges]
        for place, end in (await self._parts.bounds.ends(places)).items():
            done = self._merges[place.partition].released[place.topic == topics.VENUE]
            metrics.LAG.labels(place.topic, str(place.partition)).set(max(0, end - done))


def as_record(place: TopicPartition, record: Any) -> Record:
    """Telemetry as the route takes it; a record without a value is one without bytes."""
    venue = place.topic == topics.VENUE
    return Record(
        venue, place.partition, record.offset, 1000 * record.timestamp, record.key, record.value or b""
    )


def _point(merge: PartitionMerge) -> Point:
    return Point(
        merge.released[False], merge.released[True], merge.released_us[False], merge.released_us[True]
    )


def _offsets(points: dict[int, Point]) -> dict[TopicPartition, int]:
    wearable = {TopicPartition(topics.WEARABLE, p): point.wearable for p, point in points.items()}
    return wearable | {TopicPartition(topics.VENUE, p): point.venue for p, point in points.items()}
