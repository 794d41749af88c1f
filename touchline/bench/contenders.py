"""Contenders: the same handler behind each engine: ``python -m touchline.bench.contenders NAME``, a process each.

Every engine is set up as its own documentation has it, and calls the same stages; only how records get there
differs. Ours, Bytewax and the plain loops get many at once; the others work one by one on what they get one by one.

With ``--count`` records are counted (:class:`Counting`). Without, the whole route works on them and scores go out
(:class:`Scoring`): what one would build with that engine if it kept nothing safe. Ours is then ``touchline worker``,
which does, and is not among these.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import math
import os
import sys
import time
import uuid
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final, Protocol

from stream.admin import FETCH_WAIT_MS
from stream.alert import load_rules
from stream.decode import decode
from stream.driver import share_one_heap, spare_garbage_collection
from stream.mould import Moulds
from stream.publish import Message, rejected_message, score_message
from stream.records import Record
from stream.roster import Roster
from stream.route import Route
from stream.settings import load_settings
from stream.snapshot import Point, pack_athletes
from stream.topics import STATE, VENUE
from touchline.bench.meter import NOTHING, Meter

#: Records that engines which take many are asked for at once.
MANY: Final = 5000
#: A broker hears of a group's member so often at least. The embedded one gives a new group its partitions after half
#: of that, which is 22 s with librdkafka's own and 30 with Faust's: none of it is measured, all of it is waited for.
SESSION_S: Final = 6
#: For the consumers of librdkafka: as ours, and as all but stock Faust can be told.
SOON: Final = {"fetch.wait.max.ms": str(FETCH_WAIT_MS), "session.timeout.ms": str(1000 * SESSION_S)}


class Handle(Protocol):
    """What is done with records."""

    def some(self, count: int, records: Callable[[], list[Record]]) -> None:
        """So many more came; ``records`` gives them as the stages take them."""


class Counting:
    """Records are counted, and decoded to arrays before unless ``raw``."""

    def __init__(self, meter: Meter, *, raw: bool) -> None:
        self._raw = raw
        self._meter = meter
        self._moulds = Moulds()

    def some(self, count: int, records: Callable[[], list[Record]]) -> None:
        """Decode and count."""
        if not self._raw:
            decode(records(), self._moulds)
        self._meter.add(count)


class Scoring:
    """The worker's stages, networks and snapshots, and a producer. No order between the two logs, no commits."""

    def __init__(self, bootstrap: str) -> None:
        from confluent_kafka import Producer  # noqa: PLC0415 (each contender needs its own engine only)

        from touchline.fleet import RegistryFleet  # noqa: PLC0415 (TensorFlow takes seconds to import)

        share_one_heap()
        settings = load_settings()
        engine, _ = RegistryFleet(settings).start()
        self._route = Route(settings.clock(), load_rules(None), engine, Roster())
        self._producer: Any = Producer({"bootstrap.servers": bootstrap, "linger.ms": 5, "acks": "all"})
        self._every_s, self._safe_at = settings.snapshot_every_s, time.monotonic()
        self._reached: dict[int, dict[bool, int]] = {}
        spare_garbage_collection()

    def some(self, count: int, records: Callable[[], list[Record]]) -> None:  # noqa: ARG002 (told by others)
        """Work through records; scores, refusals and now and then snapshots go out."""
        found = records()
        out = self._route.push(found)
        last = found[-1]
        self._reached.setdefault(last.partition, {})[last.venue] = last.offset + 1
        if time.monotonic() - self._safe_at >= self._every_s:
            self._snapshot()
        scored_us = time.time_ns() // 1000
        messages = [score_message(partition, record, scored_us) for partition, record in out.scores]
        self._send(messages + [rejected_message(rejected) for rejected in out.rejected])
        self._producer.poll(0)

    def _snapshot(self) -> None:
        """Athletes that changed, as the worker packs them."""
        route = self._route
        for partition, reached in self._reached.items():
            point = Point(reached.get(False, 0), reached.get(True, 0))
            changed = [slot for slot in route.slots.occupied(partition) if slot in route.changed]
            packed = pack_athletes(route, changed, point)
            self._send([Message(STATE, partition, key, value) for key, value in packed.items()])
        route.changed.clear()
        self._safe_at = time.monotonic()

    def _send(self, messages: list[Message]) -> None:
        produce = self._producer.produce
        for message in messages:
            produce(
                message.topic, message.value, message.key, message.partition, headers=list(message.headers)
            )


def of(topic: str, partition: int, offset: int, at_ms: int, message: tuple[Any, Any]) -> Record:
    """A record as the stages take it; ``message``: key and value."""
    return Record(topic == VENUE, partition, offset, 1000 * at_ms, message[0], message[1] or b"")


def stock_record(m: Any) -> list[Record]:
    """Of Faust's message."""
    return [of(m.topic, m.partition, m.offset, round(m.timestamp * 1000), (m.key, m.value))]


def plain_records(place: Any, found: Sequence[Any]) -> list[Record]:
    """Of aiokafka's."""
    return [of(place.topic, place.partition, r.offset, r.timestamp, (r.key, r.value)) for r in found]


def confluent_records(found: Sequence[Any]) -> list[Record]:
    """Of confluent-kafka's."""
    return [of(r.topic(), r.partition(), r.offset(), r.timestamp()[1], (r.key(), r.value())) for r in found]


def bytewax_records(found: Sequence[Any]) -> list[Record]:
    """Of Bytewax's."""
    return [of(m.topic, m.partition, m.offset, round(m.timestamp[1]), (m.key, m.value)) for m in found]


def touchline(bootstrap: str, names: Sequence[str], handle: Handle) -> None:
    """Ours: Faust with chunks."""
    from aiokafka import TopicPartition  # noqa: PLC0415 (each contender needs its own engine only)
    from faust.worker import Worker  # noqa: PLC0415

    from stream.agents import as_record  # noqa: PLC0415
    from stream.delivery import arrivals  # noqa: PLC0415
    from stream.driver import kafka_app  # noqa: PLC0415

    app: Any = kafka_app(
        load_settings(broker=bootstrap, group=uuid.uuid4().hex, chunk_max=MANY), "bench", 0.0
    )
    app.make = as_record
    source = app.topic(*names, key_serializer="raw", value_serializer="raw", acks=False)

    @app.agent(source, name="bench")  # type: ignore[untyped-decorator]
    async def agent(stream: Any) -> None:
        async for chunks in arrivals(app, stream):
            for chunk in chunks:
                handle.some(len(chunk), partial(list, chunk))

    async def assigned(_: Any, partitions: Any, **_kwargs: Any) -> None:
        await app.consumer.go_on({TopicPartition(*place): 0 for place in partitions})

    app.on_partitions_assigned.connect(assigned)
    Worker(app, loglevel="ERROR", quiet=True).execute_from_commandline()


def faust_stock(bootstrap: str, names: Sequence[str], handle: Handle) -> None:
    """Faust as it comes: an event for every message."""
    import faust  # noqa: PLC0415
    from faust.worker import Worker  # noqa: PLC0415

    app: Any = faust.App(
        uuid.uuid4().hex, broker=f"kafka://{bootstrap}", web_enabled=False, topic_disable_leader=True,
        topic_allow_declare=False, consumer_auto_offset_reset="earliest",
        broker_session_timeout=SESSION_S, broker_heartbeat_interval=SESSION_S / 3,
    )  # fmt: skip
    source = app.topic(*names, key_serializer="raw", value_serializer="raw")

    @app.agent(source)  # type: ignore[untyped-decorator]
    async def agent(stream: Any) -> None:
        async for event in stream.events():
            m = event.message
            handle.some(1, partial(stock_record, m))

    Worker(app, loglevel="ERROR", quiet=True).execute_from_commandline()


def aiokafka(bootstrap: str, names: Sequence[str], handle: Handle) -> None:
    """A plain loop over what each poll brings."""
    from aiokafka import AIOKafkaConsumer  # noqa: PLC0415

    async def loop() -> None:
        consumer = AIOKafkaConsumer(
            *names, bootstrap_servers=bootstrap, group_id=uuid.uuid4().hex, auto_offset_reset="earliest",
            fetch_max_wait_ms=FETCH_WAIT_MS, session_timeout_ms=1000 * SESSION_S,
        )  # fmt: skip
        await consumer.start()
        while True:
            polled = await consumer.getmany(timeout_ms=1000, max_records=MANY)
            for place, records in polled.items():
                handle.some(len(records), partial(plain_records, place, records))

    asyncio.run(loop())


def confluent_kafka(bootstrap: str, names: Sequence[str], handle: Handle) -> None:
    """A plain loop over librdkafka."""
    from confluent_kafka import Consumer  # noqa: PLC0415

    consumer = Consumer(
        {"bootstrap.servers": bootstrap, "group.id": uuid.uuid4().hex, "auto.offset.reset": "earliest"} | SOON
    )
    consumer.subscribe(list(names))
    while True:
        if records := consumer.consume(MANY, timeout=0.1):
            handle.some(len(records), partial(confluent_records, records))


def quixstreams(bootstrap: str, names: Sequence[str], handle: Handle) -> None:
    """Quix Streams: a function for every message."""
    from quixstreams import Application, message_context  # noqa: PLC0415

    app = Application(
        broker_address=bootstrap, consumer_group=uuid.uuid4().hex, auto_offset_reset="earliest",
        auto_create_topics=False, loglevel="ERROR", consumer_extra_config=SOON,
    )  # fmt: skip

    def one(value: bytes, key: bytes, timestamp: int, _: Any) -> None:
        place = message_context()
        handle.some(1, lambda: [of(place.topic, place.partition, place.offset, timestamp, (key, value))])

    for name in names:
        source = app.topic(name, key_deserializer="bytes", value_deserializer="bytes")
        app.dataframe(source).update(one, metadata=True)
    app.run()


def bytewax(bootstrap: str, names: Sequence[str], handle: Handle) -> None:
    """Bytewax: its Kafka source, a function for every batch it brings."""
    import bytewax.operators as op  # noqa: PLC0415
    from bytewax.connectors.kafka import KafkaSource  # noqa: PLC0415
    from bytewax.connectors.stdio import StdOutSink  # noqa: PLC0415
    from bytewax.dataflow import Dataflow  # noqa: PLC0415
    from bytewax.run import cli_main  # noqa: PLC0415

    def many(found: list[Any]) -> list[str]:
        handle.some(len(found), partial(bytewax_records, found))
        return []

    flow = Dataflow("bench")
    source = KafkaSource([bootstrap], names, tail=True, batch_size=MANY, add_config=SOON)
    op.output("out", op.flat_map_batch("handle", op.input("in", flow, source), many), StdOutSink())
    cli_main(flow)  # type: ignore[no-untyped-call]


CONTENDERS: Final[dict[str, Callable[[str, Sequence[str], Handle], None]]] = {
    "touchline": touchline,
    "faust_stock": faust_stock,
    "aiokafka": aiokafka,
    "quixstreams": quixstreams,
    "bytewax": bytewax,
    "confluent_kafka": confluent_kafka,
}


def main() -> None:
    """Run one: with ``--count`` until it has counted enough, its figures as one line of JSON; else for ever."""
    parser = argparse.ArgumentParser()
    parser.add_argument("name", choices=CONTENDERS)
    parser.add_argument("bootstrap")
    parser.add_argument("topics", nargs="+")
    parser.add_argument("--count", type=int)
    parser.add_argument("--seconds", type=float, default=math.inf)
    parser.add_argument("--raw", action="store_true")
    parser.add_argument("--ready", type=Path)
    asked = parser.parse_args()
    logging.disable(logging.WARNING)
    try:
        handle: Handle = (
            Scoring(asked.bootstrap)
            if asked.count is None
            else Counting(Meter(asked.count, asked.seconds), raw=asked.raw)
        )
        if asked.ready is not None:
            asked.ready.touch()
            os.chdir(asked.ready.parent)  # some engines keep files where they stand
        CONTENDERS[asked.name](asked.bootstrap, asked.topics, handle)
    except ModuleNotFoundError as error:
        print(error, file=sys.stderr)  # noqa: T201 (a process for one figure)
        sys.exit(NOTHING)


if __name__ == "__main__":
    main()
