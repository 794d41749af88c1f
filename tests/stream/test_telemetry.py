"""What a worker makes safe: what it has done, and after a fault in the midst of a go nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgpack
import pytest
from aiokafka import TopicPartition

from stream import metrics, topics
from stream.agents import Parts, Telemetry
from stream.alert import load_rules
from stream.publish import Message
from stream.records import Record
from stream.restore import Snapshots
from stream.roster import Roster
from stream.route import Outputs, Route
from stream.snapshot import marker_key
from stream.timed import Stopwatch
from tests.fakes import FakeEngine
from tests.stream.feeding import CLOCK, Log, heart

ATHLETES = ("ann", "bob")
MARKER = marker_key(0)
SECONDS = 20


class Fault(Exception):
    """What a test lets go wrong."""


@dataclass
class Broker:
    """Both logs of partition 0, and what is sent. ``goes_wrong``: a step that fails from now on."""

    log: list[Record]
    sent: list[Message] = field(default_factory=list)
    goes_wrong: str = ""
    scores: int = 0
    group: dict[TopicPartition, int] = field(default_factory=dict)

    def at(self, step: str) -> None:
        if step == self.goes_wrong:
            raise Fault(step)

    async def ends(self, places: Collection[TopicPartition]) -> dict[TopicPartition, int]:
        self.at("ends")
        return {p: sum(r.venue == (p.topic == topics.VENUE) for r in self.log) for p in places}

    async def begins(self, places: Collection[TopicPartition]) -> dict[TopicPartition, int]:
        return dict.fromkeys(places, 0)

    async def committed(self, places: Collection[TopicPartition]) -> dict[TopicPartition, int]:
        return {place: self.group.get(place, 0) for place in places}

    async def catch_up(self) -> None:
        self.at("control")

    async def publish(self, outputs: Outputs) -> None:
        self.scores += len(outputs.scores)
        if outputs.scores:
            self.at("publish")

    async def send(self, messages: Sequence[Message]) -> None:
        self.sent += messages

    async def settle(self) -> None:
        """All is there at once."""

    async def read(self, partitions: Collection[int]) -> dict[int, Snapshots]:
        state = [m for m in self.sent if m.topic == topics.STATE]
        athletes = {m.key: m.value for m in state if m.key and m.value and m.key != MARKER}
        markers = [m.value for m in state if m.key == MARKER]
        found = Snapshots(athletes, markers[-1] if markers else None)
        return dict.fromkeys(partitions, found)

    def marker(self) -> tuple[int, int] | None:
        """How far the newest marker reaches: next offsets of wearables and venue."""
        markers = [m.value for m in self.sent if m.topic == topics.STATE and m.key == MARKER]
        if not markers:
            return None
        found = msgpack.unpackb(markers[-1])
        return found["wearable"], found["venue"]


class Consumer:
    """Faust's consumer: everything is this worker's."""

    def __init__(self) -> None:
        self._thread = self
        self._consumer = self

    async def go_on(self, positions: dict[TopicPartition, int]) -> None:
        """Where reading goes on."""

    def leave(self) -> None:
        """Partitions are given up."""

    def assignment(self) -> set[TopicPartition]:
        return {TopicPartition(topic, 0) for topic in (topics.WEARABLE, topics.VENUE)}

    async def commit(self, offsets: dict[TopicPartition, int]) -> None:
        """Taken."""

    async def call_thread(self, function: Callable[..., Any], *arguments: Any) -> Any:
        return await function(*arguments)


class App:
    """As much of a Faust app as is asked for."""

    def __init__(self) -> None:
        self.consumer = Consumer()


class Failing(Route):
    """A route that breaks off where the broker says."""

    broker: Broker

    def push(self, records: Sequence[Record]) -> Outputs:
        self.broker.at("route")
        return super().push(records)


def records() -> list[Record]:
    """A frame a second of each athlete."""
    log = Log()
    for second in range(SECONDS):
        for athlete in ATHLETES:
            log.send(second, heart(140), athlete=athlete)
    return log.records


def telemetry(broker: Broker, every_s: float = 1e9) -> Telemetry:
    route = Failing(CLOCK, load_rules(None), FakeEngine(), Roster())
    route.broker = broker
    fake: Any = broker
    parts = Parts(route, Stopwatch(), fake, fake, fake, fake, snapshot_every_s=every_s)
    return Telemetry(App(), parts)


async def worked(broker: Broker, then: str) -> None:
    """A worker that takes the first half; then something goes wrong in the second, and the worker ends."""
    half = len(broker.log) // 2
    worker = telemetry(broker)
    await worker.assigned([0])
    await worker.take([broker.log[:half]])
    broker.goes_wrong = then
    try:
        await worker.take([broker.log[half:]])
    finally:
        broker.goes_wrong = ""
        await worker.close()


def test_a_worker_that_ends_leaves_a_marker_behind_all_it_has_done() -> None:
    broker = Broker(records())
    asyncio.run(worked(broker, then="nothing"))
    assert broker.marker() == (len(broker.log), 0)


@pytest.mark.parametrize("step", ["ends", "control", "route", "publish"])
def test_after_a_fault_in_the_midst_of_a_go_nothing_is_marked_as_done(step: str) -> None:
    broker = Broker(records())
    with pytest.raises(Fault, match=step):
        asyncio.run(worked(broker, then=step))
    assert broker.marker() is None


def test_a_worker_goes_on_behind_the_marker() -> None:
    broker = Broker(records())
    asyncio.run(worked(broker, then="nothing"))
    before = broker.scores
    asyncio.run(worked(broker, then="nothing"))
    assert broker.scores == before > 0


def test_state_of_a_log_that_is_gone_does_not_hide_the_records_of_the_new_one() -> None:
    broker = Broker(records())
    asyncio.run(worked(broker, then="nothing"))
    broker.log, broker.scores = records()[: len(broker.log) // 2], 0
    asyncio.run(worked(broker, then="nothing"))
    assert broker.scores > 0
    assert broker.marker() == (len(broker.log), 0)


def test_the_lag_of_a_partition_is_told_by_its_owner_alone() -> None:
    async def run(broker: Broker) -> None:
        worker = telemetry(broker, every_s=0.0)
        await worker.assigned([0])
        await worker.take([broker.log])
        await worker.assigned([0])  # waits for the round of snapshots, which looks
        assert lags() == {(topics.WEARABLE, "0"), (topics.VENUE, "0")}
        await worker.assigned([])
        await worker.close()

    metrics.LAG.clear()  # of workers that other tests ran in this process
    asyncio.run(run(Broker(records())))
    assert lags() == set()


def lags() -> set[tuple[str, str]]:
    """Topics and partitions whose lag is told."""
    samples = next(iter(metrics.LAG.collect())).samples
    return {(sample.labels["topic"], sample.labels["partition"]) for sample in samples}


def test_a_worker_whose_go_was_broken_off_takes_nothing_more_and_gives_up_nothing_as_done() -> None:
    async def run(broker: Broker) -> None:
        worker = telemetry(broker)
        await worker.assigned([0])
        broker.goes_wrong = "route"
        with pytest.raises(Fault):
            await worker.take([broker.log[:10]])
        broker.goes_wrong = ""
        with pytest.raises(RuntimeError, match="broken off"):
            await worker.take([broker.log[10:]])
        with pytest.raises(RuntimeError, match="broken off"):
            await worker.rest()
        await worker.revoked([0])
        await worker.close()

    broker = Broker(records())
    asyncio.run(run(broker))
    assert not broker.sent


def test_a_go_that_is_cancelled_counts_as_broken_off() -> None:
    async def run(broker: Broker) -> None:
        worker = telemetry(broker)
        await worker.assigned([0])
        held = asyncio.Event()

        async def hold() -> None:
            await held.wait()

        broker.catch_up = hold  # type: ignore[method-assign]
        going = asyncio.create_task(worker.take([broker.log]))
        await asyncio.sleep(0)
        going.cancel()
        await asyncio.wait([going])
        await worker.close()

    broker = Broker(records())
    asyncio.run(run(broker))
    assert broker.marker() is None


@pytest.mark.parametrize("topic", [topics.WEARABLE, topics.VENUE])
def test_a_worker_that_was_out_of_the_group_for_long_leaves_the_state_of_who_went_on(topic: str) -> None:
    """Half of the log is worked through; the group has committed more by the time the worker ends."""

    async def run(broker: Broker, committed: int) -> None:
        worker = telemetry(broker)
        await worker.assigned([0])
        await worker.take([broker.log[: len(broker.log) // 2]])
        broker.group[TopicPartition(topic, 0)] = committed
        await worker.close()

    broker = Broker(records())
    asyncio.run(run(broker, committed=len(broker.log)))
    assert not broker.sent
    asyncio.run(run(broker, committed=0))
    assert broker.marker() == (len(broker.log) // 2, 0)
