"""Driver: Faust apps as all our processes want them, and the transport with our consumer in it."""

from __future__ import annotations

from typing import Final

import faust
from faust.transport.drivers import aiokafka as driver

from stream.delivery import ChunkConsumer
from stream.errors import SettingsError
from stream.settings import Settings

#: How long a process may wait (for a store, say) before it leaves its group or Faust calls it stuck: 30 days, s.
OUTAGE_S: Final = 30 * 24 * 3600.0
#: Chunks that an agent takes in one go at most; twice as many wait for it before fetching pauses.
CHUNKS: Final = 16


class _Transport(driver.Transport):
    Consumer = ChunkConsumer


class TouchlineApp(faust.App):
    """A Faust app with our consumer, and without a folder for tables in the working directory."""

    def _new_transport(self) -> _Transport:
        return _Transport(self.conf.broker_consumer, self)

    def _create_directories(self) -> None:
        """Make none: state is ours, on ``state.athletes``."""


def kafka_app(settings: Settings, name: str) -> faust.App:
    """A Faust app as all our processes want it: no web port, no tables, no topics of its own.

    Timeouts let a new process take over soon and a store be away for days. Raises SettingsError without a broker.
    """
    if settings.broker is None:
        raise SettingsError("no broker: set --broker or TOUCHLINE_BROKER")
    return TouchlineApp(
        f"{settings.group}-{name}",
        broker=[f"kafka://{address}" for address in settings.broker.split(",")],
        autodiscover=False,
        web_enabled=False,
        topic_disable_leader=True,
        topic_allow_declare=False,
        consumer_auto_offset_reset="earliest",
        broker_session_timeout=10.0,
        # A member hears of a rebalance with its next heartbeat, and is to be back within the timeout.
        broker_heartbeat_interval=min(2.0, settings.rebalance_timeout_s / 4),
        broker_rebalance_timeout=settings.rebalance_timeout_s,
        broker_max_poll_interval=OUTAGE_S,
        broker_max_poll_records=settings.chunk_max,
        stream_buffer_maxsize=2 * CHUNKS,
        stream_processing_timeout=OUTAGE_S,
        stream_wait_empty=False,
        agent_supervisor="mode.CrashingSupervisor",
    )
