"""Driver: Faust apps as all our processes want them, and the transport with our consumer in it."""

from __future__ import annotations

import ctypes
import gc
import sys
from typing import Any, Final

import faust
from faust.transport.drivers import aiokafka as driver

from stream.delivery import ChunkConsumer, Make, StockConsumer, as_fetched
from stream.errors import SettingsError
from stream.settings import Settings

#: How long a process may wait (for a store, say) before it leaves its group or Faust calls it stuck: 30 days, s.
OUTAGE_S: Final = 30 * 24 * 3600.0
#: Chunks that wait for an agent before Faust pauses their partitions: more than are ever handed on together.
CHUNKS: Final = 4096

#: Objects made before a collection of the youngest, and collections of one age before one of the next.
GARBAGE: Final = (50_000, 20, 20)
#: How long a thread may keep the interpreter when another waits for it, s; Python has 0.005.
SWITCH_S: Final = 0.0005
#: For glibc's ``mallopt``: M_ARENA_MAX, and M_MMAP_THRESHOLD, M_TRIM_THRESHOLD in bytes.
HEAP: Final = ((-8, 1), (-3, 1 << 20), (-1, 1 << 24))


class _Transport(driver.Transport):
    Consumer = ChunkConsumer


class _StockTransport(driver.Transport):
    Consumer = StockConsumer


class TouchlineApp(faust.App):
    """A Faust app with our consumer, and without a folder for tables in the working directory.

    ``delivery`` as in the settings; ``gather_s``: how long what came gathers for an agent with nothing to do;
    ``takes``: events that an agent takes in one go at most, in stock delivery; ``make``: makes of a record what
    agents get.
    """

    delivery = "chunks"
    gather_s = 0.0
    takes = 1
    make: Make = staticmethod(as_fetched)

    def _new_transport(self) -> driver.Transport:
        kind = _StockTransport if self.delivery == "stock" else _Transport
        return kind(self.conf.broker_consumer, self)

    def _create_directories(self) -> None:
        """Make none: state is ours, on ``state.athletes``."""


def kafka_app(settings: Settings, name: str, gather_s: float) -> TouchlineApp:
    """A Faust app as all our processes want it: no web port, no tables, no topics of its own.

    Timeouts let a new process take over soon and a store be away for days. Raises SettingsError without a broker.
    """
    if settings.broker is None:
        raise SettingsError("no broker: set --broker or TOUCHLINE_BROKER")
    stock = settings.delivery == "stock"
    app = TouchlineApp(
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
        stream_buffer_maxsize=2 * settings.chunk_max if stock else CHUNKS,
        stream_processing_timeout=OUTAGE_S,
        stream_wait_empty=False,
        agent_supervisor="mode.CrashingSupervisor",
    )
    app.delivery, app.takes, app.gather_s = settings.delivery, settings.chunk_max, gather_s
    return app


def spare_garbage_collection() -> None:
    """Leave what is loaded out of garbage collection, and collect less often.

    TensorFlow's graphs are hundreds of thousands of objects that never go, and walking them takes 0.2 s, in which no
    second is scored. What is made anew is freed by counting references, nearly all of it.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GARBAGE)


def switch_threads_sooner() -> None:
    """Let the route have the interpreter back sooner.

    It lets go of it in every call of numpy and TensorFlow, many times for each chunk; what fetches and publishes
    takes it meanwhile and keeps it as long as it may.
    """
    sys.setswitchinterval(SWITCH_S)


def share_one_heap() -> None:
    """Give memory back that a burst took; to be called before there are threads.

    A dozen threads of Kafka and TensorFlow, each with a heap of its own as glibc likes it, keep what their largest
    burst took: 0.3 MB an athlete at 1,000 of them. One heap, and arrays of 1 MB or more outside of it, keep a third.
    Another libc than glibc does as it likes.
    """
    libc: Any = ctypes.CDLL(None) if sys.platform == "linux" else None
    if hasattr(libc, "mallopt"):
        for parameter, value in HEAP:
            libc.mallopt(parameter, value)
