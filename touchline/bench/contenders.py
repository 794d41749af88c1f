"""Contenders: the same handler behind each engine: ``python -m touchline.bench.contenders NAME``, a process each.

Every engine is set up as its own documentation has it, and calls the same decoding; only how records get there
differs. Ours, Bytewax and the plain loops get many at once; the others decode one by one what they get one by one.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import sys
import uuid
from collections.abc import Callable, Sequence
from typing import Any, Final

from stream.decode import decode
from stream.mould import Moulds
from stream.records import Record
from touchline.bench.meter import NOTHING, Meter

#: Records that engines which take many are asked for at once.
MANY: Final = 5000


class Handle:
    """What is done with records: counted, and decoded to arrays before unless ``raw``."""

    def __init__(self, meter: Meter, *, raw: bool) -> None:
        self.raw = raw
        self._meter = meter
        self._moulds = Moulds()

    def some(self, records: Sequence[tuple[int, int, bytes | None, bytes]]) -> None:
        """Offset, timestamp in ms, key and value of each."""
        if not self.raw:
            decode(
                [Record(False, 0, o, ms * 1000, key, value) for o, ms, key, value in records], self._moulds
            )
        self._meter.add(len(records))


def touchline(bootstrap: str, topic: str, handle: Handle) -> None:
    """Ours: Faust with chunks."""
    from aiokafka import TopicPartition  # noqa: PLC0415 (each contender needs its own engine only)
    from faust.worker import Worker  # noqa: PLC0415

    from stream.delivery import records_of  # noqa: PLC0415
    from stream.driver import CHUNKS, kafka_app  # noqa: PLC0415
    from stream.settings import load_settings  # noqa: PLC0415

    app: Any = kafka_app(load_settings(broker=bootstrap, group=uuid.uuid4().hex), "bench")
    source = app.topic(topic, key_serializer="raw", value_serializer="raw", acks=False)

    @app.agent(source, name="bench")  # type: ignore[untyped-decorator]
    async def agent(stream: Any) -> None:
        async for events in stream.noack_take(CHUNKS, within=0.05):
            found = records_of(app, events)
            handle.some([(r.offset, r.timestamp, r.key, r.value or b"") for r in found])

    async def assigned(_: Any, partitions: Any, **_kwargs: Any) -> None:
        await app.consumer.go_on({TopicPartition(*place): 0 for place in partitions})

    app.on_partitions_assigned.connect(assigned)
    Worker(app, loglevel="ERROR", quiet=True).execute_from_commandline()


def faust_stock(bootstrap: str, topic: str, handle: Handle) -> None:
    """Faust as it comes: an event for every message."""
    import faust  # noqa: PLC0415
    from faust.worker import Worker  # noqa: PLC0415

    app: Any = faust.App(
        uuid.uuid4().hex, broker=f"kafka://{bootstrap}", web_enabled=False, topic_disable_leader=True,
        topic_allow_declare=False, consumer_auto_offset_reset="earliest",
    )  # fmt: skip
    source = app.topic(topic, key_serializer="raw", value_serializer="raw")

    @app.agent(source)  # type: ignore[untyped-decorator]
    async def agent(stream: Any) -> None:
        async for event in stream.events():
            message = event.message
            handle.some([(message.offset, round(message.timestamp * 1000), message.key, message.value)])

    Worker(app, loglevel="ERROR", quiet=True).execute_from_commandline()


def aiokafka(bootstrap: str, topic: str, handle: Handle) -> None:
    """A plain loop over what each poll brings."""
    from aiokafka import AIOKafkaConsumer  # noqa: PLC0415

    async def loop() -> None:
        consumer = AIOKafkaConsumer(
            topic, bootstrap_servers=bootstrap, group_id=uuid.uuid4().hex, auto_offset_reset="earliest"
        )
        await consumer.start()
        while True:
            polled = await consumer.getmany(timeout_ms=1000, max_records=MANY)
            for records in polled.values():
                handle.some([(r.offset, r.timestamp, r.key, r.value) for r in records])

    asyncio.run(loop())


def confluent_kafka(bootstrap: str, topic: str, handle: Handle) -> None:
    """A plain loop over librdkafka."""
    from confluent_kafka import Consumer  # noqa: PLC0415

    consumer = Consumer(
        {"bootstrap.servers": bootstrap, "group.id": uuid.uuid4().hex, "auto.offset.reset": "earliest"}
    )
    consumer.subscribe([topic])
    while True:
        if records := consumer.consume(MANY, timeout=0.1):
            handle.some([(r.offset(), r.timestamp()[1], r.key(), r.value()) for r in records])


def quixstreams(bootstrap: str, topic: str, handle: Handle) -> None:
    """Quix Streams: a function for every message."""
    from quixstreams import Application  # noqa: PLC0415

    app = Application(
        broker_address=bootstrap, consumer_group=uuid.uuid4().hex, auto_offset_reset="earliest",
        auto_create_topics=False, loglevel="ERROR",
    )  # fmt: skip
    source = app.topic(topic, key_deserializer="bytes", value_deserializer="bytes")

    def one(value: bytes, key: bytes, timestamp: int, _: Any) -> None:
        handle.some([(0, timestamp, key, value)])

    app.dataframe(source).update(one, metadata=True)
    app.run()


def bytewax(bootstrap: str, topic: str, handle: Handle) -> None:
    """Bytewax: its Kafka source, a function for every batch it brings."""
    import bytewax.operators as op  # noqa: PLC0415
    from bytewax.connectors.kafka import KafkaSource  # noqa: PLC0415
    from bytewax.connectors.stdio import StdOutSink  # noqa: PLC0415
    from bytewax.dataflow import Dataflow  # noqa: PLC0415
    from bytewax.run import cli_main  # noqa: PLC0415

    def many(found: list[Any]) -> list[str]:
        handle.some([(m.offset, round(m.timestamp[1]), m.key, m.value) for m in found])
        return []

    flow = Dataflow("bench")
    source = KafkaSource([bootstrap], [topic], tail=True, batch_size=MANY)
    op.output("out", op.flat_map_batch("handle", op.input("in", flow, source), many), StdOutSink())
    cli_main(flow)  # type: ignore[no-untyped-call]


CONTENDERS: Final[dict[str, Callable[[str, str, Handle], None]]] = {
    "touchline": touchline,
    "faust_stock": faust_stock,
    "aiokafka": aiokafka,
    "quixstreams": quixstreams,
    "bytewax": bytewax,
    "confluent_kafka": confluent_kafka,
}


def main() -> None:
    """Run one; it ends by itself with its figures as one line of JSON."""
    parser = argparse.ArgumentParser()
    parser.add_argument("name", choices=CONTENDERS)
    parser.add_argument("bootstrap")
    parser.add_argument("topic")
    parser.add_argument("--count", type=int, required=True)
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--raw", action="store_true")
    asked = parser.parse_args()
    logging.disable(logging.WARNING)
    handle = Handle(Meter(asked.count, asked.seconds), raw=asked.raw)
    try:
        CONTENDERS[asked.name](asked.bootstrap, asked.topic, handle)
    except ModuleNotFoundError as error:
        print(error, file=sys.stderr)  # noqa: T201 (a process for one figure)
        sys.exit(NOTHING)


if __name__ == "__main__":
    main()
