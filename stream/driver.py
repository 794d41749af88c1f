"""Driver: Faust's Kafka consumer with two of its fixed choices changed. The only subclass of Faust's transport.

Without tables Faust assigns partitions round robin over all topics, so that with three workers one would get
``telemetry.wearable-0`` and another ``telemetry.venue-0``; the range assignor gives equal numbers of two topics
to one worker, and everything of an athlete stays together. And Faust lets the broker hold back an answer for
1.5 s; a broker that takes that at its word (the embedded one does) would make every score that old.
"""

from __future__ import annotations

from typing import Any, Final

import faust
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from faust.transport.drivers import aiokafka as driver

from stream.errors import SettingsError
from stream.settings import Settings

FETCH_WAIT_MS: Final = 50
#: How long a process may wait (for a store, say) before it leaves its group or Faust calls it stuck: 30 days, s.
OUTAGE_S: Final = 30 * 24 * 3600.0


class _Thread(driver.AIOKafkaConsumerThread):
    def _create_worker_consumer(self, transport: Any) -> Any:
        """Faust's consumer, changed before it starts: it takes neither as a setting."""
        consumer = super()._create_worker_consumer(transport)
        consumer._fetch_max_wait_ms = FETCH_WAIT_MS  # noqa: SLF001 (see above)
        consumer._partition_assignment_strategy = (RangePartitionAssignor,)  # noqa: SLF001 (see above)
        return consumer


class _Consumer(driver.Consumer):
    def _new_consumer_thread(self) -> _Thread:
        return _Thread(self, loop=self.loop, beacon=self.beacon)


class _Transport(driver.Transport):
    Consumer = _Consumer


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
        stream_buffer_maxsize=2 * settings.chunk_max,
        stream_processing_timeout=OUTAGE_S,
        stream_wait_empty=False,
        agent_supervisor="mode.CrashingSupervisor",
    )
