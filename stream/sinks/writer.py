"""Writes batches to a store and does not give up. The one place that retries; it knows no Kafka."""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import structlog

from stream.errors import StoreUnavailable
from stream.sinks.batch import Batch
from stream.sinks.metrics import ERRORS, POINTS, WRITE_SECONDS
from stream.sinks.store import Store

FIRST_PAUSE_S: Final = 0.25
LONGEST_PAUSE_S: Final = 10.0

log = structlog.get_logger(__name__)


class Writer:
    """Hands batches to ``store`` in a thread of its own, so that no write holds up the event loop.

    A store that is away is asked again after ``pause_s``, twice that, and so on up to ten seconds, for ever.
    """

    def __init__(self, store: Store, pause_s: float = FIRST_PAUSE_S) -> None:
        self._store = store
        self._pause_s = pause_s
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="store")

    async def write(self, batch: Batch) -> None:
        """Return when the batch is safe. Any other error than StoreUnavailable is a fault of ours and leaves."""
        pause_s = self._pause_s
        while not await self._is_written(batch):
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, LONGEST_PAUSE_S)
        POINTS.labels(self._store.name).inc(len(batch))

    async def _is_written(self, batch: Batch) -> bool:
        loop = asyncio.get_running_loop()
        try:
            await loop.run_in_executor(self._thread, self._write, batch)
        except StoreUnavailable as error:
            ERRORS.labels(self._store.name, "unavailable").inc()
            log.warning("store is away, will try again", waiting=len(batch), reason=str(error))
            return False
        return True

    def _write(self, batch: Batch) -> None:
        started = time.perf_counter()
        self._store.write(batch.scores, batch.alerts)
        WRITE_SECONDS.labels(self._store.name).observe(time.perf_counter() - started)
