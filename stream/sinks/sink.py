"""The sink's Faust app: ``scores.live`` and ``alerts.risk`` into a store, acknowledged after the write.

Faust commits nothing here (``acks=False``): each batch is committed by hand once it is safe, so a committed
offset never passes an unwritten record.
"""

from __future__ import annotations

from typing import Any, Final

import faust

from stream.driver import TouchlineApp
from stream.errors import SettingsError
from stream.offsets import commit, offsets_after
from stream.settings import Settings
from stream.sinks.batch import read_batch
from stream.sinks.metrics import QUEUE_DEPTH
from stream.sinks.store import Store
from stream.sinks.writer import Writer
from stream.topics import ALERTS, SCORES

#: How long a batch gathers, s. Nobody waits for it: what is live is pushed, the store serves history.
GATHER_S: Final = 0.25
#: How long the store may be away before the sink leaves its group or Faust calls it stuck: thirty days, s.
OUTAGE_S: Final = 30 * 24 * 3600.0


def create_sink(settings: Settings, store: Store) -> faust.App:
    """The app, to be run by a ``faust.Worker``. The caller opens ``store`` and closes it after the run."""
    app = _app(settings)
    writer = Writer(store)
    topic = app.topic(SCORES, ALERTS, key_serializer="raw", value_serializer="raw", acks=False)

    @app.agent(topic, name="sink")
    async def keep(records: Any) -> None:
        async for events in records.noack_take(settings.chunk_max, within=GATHER_S):
            messages = [event.message for event in events]
            QUEUE_DEPTH.set(len(messages) + records.channel.queue.qsize())
            await writer.write(read_batch(messages, store.name))
            await commit(app, offsets_after(messages))
            QUEUE_DEPTH.set(records.channel.queue.qsize())

    return app


def _app(settings: Settings) -> faust.App:
    """Its own group; timeouts that let a new sink take over soon, and an outage last for days."""
    if settings.broker is None:
        raise SettingsError("the sink needs a broker: set TOUCHLINE_BROKER")
    return TouchlineApp(
        f"{settings.group}-sink",
        broker=[f"kafka://{address}" for address in settings.broker.split(",")],
        autodiscover=False,
        web_enabled=False,
        topic_disable_leader=True,
        topic_allow_declare=False,
        consumer_auto_offset_reset="earliest",
        broker_session_timeout=10.0,
        broker_heartbeat_interval=2.0,
        broker_rebalance_timeout=settings.rebalance_timeout_s,
        broker_max_poll_interval=OUTAGE_S,
        stream_processing_timeout=OUTAGE_S,
        stream_wait_empty=False,
        agent_supervisor="mode.CrashingSupervisor",
    )
