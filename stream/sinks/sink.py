"""The sink's Faust app: ``scores.live`` and ``alerts.risk`` into a store, acknowledged after the write.

Faust commits nothing here (``acks=False``): each batch is committed by hand once it is safe, so a committed
offset never passes an unwritten record.
"""

from __future__ import annotations

from typing import Any, Final

import faust
from aiokafka import TopicPartition

from stream.delivery import arrivals
from stream.driver import kafka_app
from stream.offsets import commit, committed, offsets_after
from stream.settings import Settings
from stream.sinks.batch import read_batch
from stream.sinks.metrics import QUEUE_DEPTH
from stream.sinks.store import Store
from stream.sinks.writer import Writer
from stream.topics import ALERTS, SCORES

#: How long a batch gathers, s. Nobody waits for it: what is live is pushed, the store serves history.
GATHER_S: Final = 0.25


def create_sink(settings: Settings, store: Store) -> faust.App:
    """The app, to be run by a ``faust.Worker``. The caller opens ``store`` and closes it after the run."""
    app: Any = kafka_app(settings, "sink", GATHER_S)
    writer = Writer(store)
    topic = app.topic(SCORES, ALERTS, key_serializer="raw", value_serializer="raw", acks=False)

    @app.agent(topic, name="sink")  # type: ignore[untyped-decorator]
    async def keep(records: Any) -> None:
        async for chunks in arrivals(app, records):
            fetched = [record for chunk in chunks for record in chunk]
            QUEUE_DEPTH.set(len(fetched))
            await writer.write(read_batch(fetched, store.name))
            await commit(app, offsets_after(fetched))
            QUEUE_DEPTH.set(0)

    async def revoked(_app: Any, _partitions: Any, **_kwargs: Any) -> None:
        app.consumer.leave()

    async def assigned(_app: Any, partitions: Any, **_kwargs: Any) -> None:
        await app.consumer.go_on(await committed(app, [TopicPartition(*place) for place in partitions]))

    app.on_partitions_revoked.connect(revoked)
    app.on_partitions_assigned.connect(assigned)
    return app  # type: ignore[no-any-return]
