"""Delivery: Faust's Kafka consumer, handing on what has come of one partition as one message.

Faust itself makes two tasks and a wait for every record, 10,000 a second on a core. Here what comes while the agent
is at work gathers, and is handed on when it is done (:func:`arrivals`) and the first of it has waited for the app's
``gather_s``: the more there is to do, the larger the chunks.

And where Faust goes on after a rebalance is not where its agent stands: records that it had fetched and dropped come
again only where an offset was committed, and a poll that was under way lets it skip what lies before.

Here the owner of the partitions says where each goes on (:meth:`ChunkConsumer.go_on`). Until then nothing is
fetched, and what was fetched earlier is void. What is void is told by *epochs*: seeking and fetching both happen in
the consumer's thread, so a poll under way lies before the seek, and comes again, or after it, and counts.

The position is the owner's: nothing here acknowledges or commits (see :mod:`stream.offsets`).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from itertools import groupby
from operator import attrgetter
from typing import Any, Final, NamedTuple, cast

from aiokafka import TopicPartition
from aiokafka.consumer.fetcher import FetchResult
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from aiokafka.errors import ConsumerStoppedError, CorruptRecordException
from faust.transport.consumer import ensure_TP
from faust.transport.drivers import aiokafka as driver
from faust.types.tuples import TP, ConsumerMessage

from stream.admin import FETCH_WAIT_MS

#: A poll waits this long for records, s.
POLL_S: Final = 0.05
#: While the agent is at work, what has come is taken out of the fetcher so often, s.
LOOK_S: Final = 0.02
#: No more is polled while so many polls' worth waits for the agent.
POLLS: Final = 16
#: Faust waits for ever where it is told to wait for no time, s.
LEAST_S: Final = 0.001
NOWHERE: Final = -1

Positions = Mapping[TopicPartition, int]


class Fetched(NamedTuple):
    """A record as it was fetched; ``timestamp`` in ms since 1970."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes]]


#: Makes of a parsed record of a place what an agent is to get: anything with an ``offset``.
Make = Callable[[TopicPartition, Any], Any]


class Chunk(NamedTuple):
    """Records of one partition in offset order, and the epoch in which they were fetched.

    ``last``: of the chunks that are handed on together.
    """

    epoch: int
    records: list[Any]
    last: bool


def as_fetched(place: TopicPartition, record: Any) -> Fetched:
    """All that is known of a record. aiokafka's own class for them takes three times as long to make."""
    return Fetched(
        place.topic,
        place.partition,
        record.offset,
        record.timestamp,
        record.key,
        record.value,
        record.headers,
    )


def _made(fetched: Any, make: Make) -> Iterator[Any]:
    """What was fetched of a partition, as ``make`` makes it, where aiokafka makes its own class of each first.

    ``next_fetch_offset`` is read by aiokafka between any two records: it is where the partition goes on.
    """
    place, batches = fetched._tp, fetched._records  # noqa: SLF001 (see the file's head)
    while batches.has_next():
        batch = batches.next_batch()
        if fetched._check_crcs and not batch.validate_crc():  # noqa: SLF001
            raise CorruptRecordException(f"a batch of {place} does not have the checksum it says")
        if not batch.is_control_batch:  # markers of transactions
            for record in batch:
                if record.offset >= fetched.next_fetch_offset:  # a broker gives whole batches
                    made = make(place, record)
                    fetched.next_fetch_offset = record.offset + 1
                    yield made
        fetched.next_fetch_offset = batch.next_offset  # compaction may have taken the last records


class _Thread(driver.AIOKafkaConsumerThread):
    """The thread in which aiokafka fetches. ``epoch``: the one that began when positions were last set."""

    epoch = NOWHERE

    def _create_worker_consumer(self, transport: Any) -> Any:
        """Faust's consumer, with the choices changed that it does not take as settings, before it starts.

        Without tables Faust assigns partitions round robin over all topics, so that with three workers one would
        get ``telemetry.wearable-0`` and another ``telemetry.venue-0``; the range assignor gives equal numbers of
        two topics to one worker. And Faust lets the broker hold back an answer for 1.5 s.
        """
        consumer = super()._create_worker_consumer(transport)
        consumer._fetch_max_wait_ms = FETCH_WAIT_MS  # noqa: SLF001 (see above)
        consumer._partition_assignment_strategy = (RangePartitionAssignor,)  # noqa: SLF001 (see above)
        return consumer

    async def stay(self) -> None:
        """Send heartbeats from now on; aiokafka begins with them when the callback of an assignment has come back."""
        await self.call_thread(self._beat)

    async def _beat(self) -> None:
        self._ensure_consumer()._coordinator._start_heartbeat_task()  # noqa: SLF001 (it has no public way)

    async def go_on(self, positions: Positions, epoch: int) -> None:
        """Set the positions of partitions that are held; with it ``epoch`` begins."""
        await self.call_thread(self._seek_all, positions, epoch)

    async def _seek_all(self, positions: Positions, epoch: int) -> None:
        consumer = self._ensure_consumer()
        for place in consumer.assignment() & positions.keys():
            consumer.seek(place, positions[place])
        self.epoch = epoch

    async def poll(self, places: set[Any], wait_s: float) -> tuple[int, Mapping[TopicPartition, list[Any]]]:
        """What came of ``places``, and the epoch in which it was taken out of the fetcher."""
        return await self.call_thread(self._poll, places, wait_s)  # type: ignore[no-any-return]

    async def _poll(self, places: set[Any], wait_s: float) -> tuple[int, Mapping[TopicPartition, list[Any]]]:
        consumer = self._ensure_consumer()
        fetcher = consumer._fetcher  # noqa: SLF001 (as Faust's own poll does)
        if wait_s and not fetcher._records.keys() & places:  # noqa: SLF001 (it waits and takes in one; ours does so in two)
            arrived = fetcher._create_fetch_waiter()  # noqa: SLF001
            await asyncio.wait([arrived], timeout=wait_s)
            if not arrived.cancel():
                arrived.result()  # what went wrong with the group, if anything did
        for result in fetcher._records.values():  # noqa: SLF001
            if isinstance(result, FetchResult) and result.has_more():
                self._read(result._partition_records)  # noqa: SLF001
        limit = consumer._max_poll_records  # noqa: SLF001
        records = await self._fetch_records(consumer, places, 0, limit)
        return self.epoch, records  # no suspension lies between taking and this line

    def _read(self, fetched: Any) -> None:
        """Have aiokafka read what it fetched our way, from the first record on."""
        if not hasattr(fetched, "made"):
            app: Any = self.consumer.app
            fetched.made = fetched._records_iterator = _made(fetched, app.make)  # noqa: SLF001


class _Gathered:
    """What was polled in an epoch and waits for the agent, by partition."""

    def __init__(self) -> None:
        self._epoch = NOWHERE
        self._clear()

    def _clear(self) -> None:
        self._records: dict[TopicPartition, list[Any]] = {}
        self._since = 0.0
        self.count = 0

    def add(self, epoch: int, polled: Mapping[TopicPartition, list[Any]]) -> None:
        """Put what a poll brought to the rest; what was polled in another epoch is void."""
        if epoch != self._epoch:
            self._clear()
            self._epoch = epoch
        if polled and not self.count:
            self._since = time.monotonic()
        for place, records in polled.items():
            self._records.setdefault(place, []).extend(records)
            self.count += len(records)

    @property
    def age_s(self) -> float:
        """How long the first of it has waited, s."""
        return time.monotonic() - self._since

    def take(self) -> dict[TopicPartition, Chunk]:
        """All of it."""
        last = next(reversed(self._records))
        chunks = {place: Chunk(self._epoch, r, place == last) for place, r in self._records.items()}
        self._clear()
        return chunks


class ChunkConsumer(driver.Consumer):
    """Faust's consumer with delivery by chunks. Faust makes it; agents reach it as ``app.consumer``."""

    epoch = NOWHERE
    _epochs = 0

    def _new_consumer_thread(self) -> _Thread:
        self._positioned, self._free = asyncio.Event(), asyncio.Event()
        return _Thread(self, loop=self.loop, beacon=self.beacon)

    def leave(self) -> None:
        """A rebalance began: what was fetched and not worked through is void."""
        self.epoch = NOWHERE
        self._positioned.clear()

    async def go_on(self, positions: Positions) -> None:
        """Go on from ``positions``, the next offset of each partition that is held now."""
        thread: Any = self._thread
        self._epochs += 1
        self.epoch = self._epochs
        await thread.go_on(positions, self.epoch)
        self._positioned.set()
        self._free.set()

    def done(self, epoch: int) -> None:
        """The agent is done with what it was handed in an epoch."""
        if epoch == self.epoch:
            self._free.set()

    async def perform_seek(self) -> None:
        """Do not go back to what is committed, as Faust does whenever it resumes: the owner says where."""

    async def _drain_messages(self, fetcher: Any) -> None:
        """Fetch and hand on, until Faust stops its fetcher."""
        thread: Any = self._thread
        gathered, full = _Gathered(), POLLS * self.app.conf.broker_max_poll_records
        gather_s: float = cast("Any", self.app).gather_s
        while not (self.should_stop or fetcher.should_stop):
            places = self._get_active_partitions()
            if not (self.flow_active and self._positioned.is_set() and places):
                await self.sleep(0.02)
                continue
            if gathered.count < full:
                try:
                    gathered.add(*await thread.poll(set(places), 0.0 if gathered.count else POLL_S))
                except ConsumerStoppedError:
                    if not self.app.should_stop:
                        raise
                    return
            if not gathered.count:
                continue
            if not self._free.is_set():
                await self.wait_first(self._free.wait(), self.suspend_flow.wait(), timeout=LOOK_S)
            elif gathered.count < full and (left_s := gather_s - gathered.age_s) > 0:
                await asyncio.sleep(left_s)
            else:
                await self._hand_on(gathered.take())

    async def _hand_on(self, chunks: Mapping[TopicPartition, Chunk]) -> None:
        """To the agent, which says when it is :meth:`done`; nothing of another epoch."""
        for place, chunk in chunks.items():
            if chunk.epoch != self.epoch:
                return
            self._free.clear()
            self.app.monitor.track_tp_end_offset(ensure_TP(place), self.highwater(ensure_TP(place)))
            message = self._message(ensure_TP(place), chunk)
            await self.wait_first(self.callback(message), self.suspend_flow.wait())

    def _message(self, place: TP, chunk: Chunk) -> ConsumerMessage:
        """A chunk as Faust's one message. Of its last record Faust reads the offset; the rest is ours."""
        offset, value = chunk.records[-1].offset, cast("Any", chunk)
        return ConsumerMessage(
            place.topic, place.partition, offset, 0.0, 0, [], None, value, None, tp=place,
            generation_id=self.app.consumer_generation_id,
        )  # fmt: skip


class StockConsumer(driver.Consumer):
    """Faust's consumer as it comes, a message for every record, to compare with: the setting ``delivery`` has it.

    It goes on from the owner's position too, but records of a poll that was under way can be lost in a rebalance.
    """

    def _new_consumer_thread(self) -> _Thread:
        return _Thread(self, loop=self.loop, beacon=self.beacon)

    def leave(self) -> None:
        """A rebalance began; Faust drops what was fetched."""

    async def go_on(self, positions: Positions) -> None:
        """Go on from ``positions``, the next offset of each partition that is held now."""
        thread: Any = self._thread
        await thread.go_on(positions, NOWHERE)
        for place, offset in positions.items():
            self._read_offset[ensure_TP(place)] = offset - 1 if offset else None

    async def perform_seek(self) -> None:
        """The owner says where, as above."""


async def stay_a_member(app: Any) -> None:
    """To be called as a callback of an assignment begins, so that the group does not go on without us meanwhile."""
    await app.consumer._thread.stay()  # noqa: SLF001 (Faust's thread, which is ours)


def _stock(app: Any, message: Any) -> Any:
    """A record that Faust's own consumer brought."""
    at_ms = round(1000 * message.timestamp)
    place = TopicPartition(message.topic, message.partition)
    headers = list(message.headers or ())
    fetched = Fetched(
        place.topic, place.partition, message.offset, at_ms, message.key, message.value, headers
    )
    return app.make(place, fetched)


async def arrivals(app: Any, stream: Any) -> AsyncIterator[list[list[Any]]]:
    """What has come since the last time, for an agent: of each partition its records, in offset order.

    What a rebalance made void is left out. Asking for the next says that the agent is done with the last.
    """
    if app.delivery == "stock":
        within = max(app.gather_s, LEAST_S)
        async for events in stream.noack_take(app.takes, within=within):
            yield [
                [_stock(app, event.message) for event in run]
                for _, run in groupby(events, attrgetter("message.tp"))
            ]
        return
    stream.enable_acks = False
    together: list[Chunk] = []
    async for event in stream.events():
        chunk: Chunk = event.message.value
        together = [*(other for other in together if other.epoch == chunk.epoch), chunk]
        if chunk.last:
            if chunk.epoch == app.consumer.epoch:
                yield [each.records for each in together]
            together = []
            app.consumer.done(chunk.epoch)
