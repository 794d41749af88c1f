"""The writer: it waits for a store that is away, holds nothing else up, and does not hide other faults."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from prometheus_client import REGISTRY

from stream.sinks.batch import Batch
from stream.sinks.store import StoredAlert
from stream.sinks.writer import Writer
from tests.stream.sinks.examples import alert, score
from tests.stream.sinks.fakes import MemoryStore


def value(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


async def test_a_batch_is_written_once_where_the_store_is_there() -> None:
    store = MemoryStore()
    await Writer(store).write(Batch([score()], [alert()]))
    assert (store.scores, store.kept_alerts, store.attempts) == ([score()], [alert()], 1)


async def test_a_store_that_is_away_is_waited_for_and_gets_the_same_batch() -> None:
    store = MemoryStore(away=4)
    before = value("touchline_store_errors_total", store="memory", reason="unavailable")
    started = time.monotonic()
    await Writer(store, pause_s=0.01).write(Batch([score()], []))
    assert store.scores == [score()]
    assert value("touchline_store_errors_total", store="memory", reason="unavailable") - before == 4
    assert time.monotonic() - started >= 0.01 + 0.02 + 0.04 + 0.08


async def test_what_is_stored_is_counted_once_whatever_it_took() -> None:
    before = value("touchline_store_points_total", store="memory")
    seconds = value("touchline_store_write_seconds_count", store="memory")
    await Writer(MemoryStore(away=2), pause_s=0.001).write(Batch([score(), score("bea")], [alert()]))
    assert value("touchline_store_points_total", store="memory") - before == 3
    assert value("touchline_store_write_seconds_count", store="memory") - seconds == 1


async def test_any_other_fault_leaves_at_once() -> None:
    store = MemoryStore(fault=TypeError("a fault of ours"))
    with pytest.raises(TypeError, match="a fault of ours"):
        await Writer(store).write(Batch([score()], []))
    assert store.attempts == 1


class SlowStore(MemoryStore):
    """Writes take until ``go`` is set."""

    def __init__(self) -> None:
        super().__init__()
        self.go = threading.Event()
        self.threads: list[str] = []

    def write(self, scores: Sequence[Mapping[str, Any]], alerts: Sequence[StoredAlert]) -> None:
        self.threads.append(threading.current_thread().name)
        self.go.wait(5)
        super().write(scores, alerts)


async def test_a_slow_write_does_not_hold_up_the_event_loop() -> None:
    store = SlowStore()
    writing = asyncio.create_task(Writer(store).write(Batch([score()], [])))
    turns = 0
    while turns < 20:
        await asyncio.sleep(0.001)
        turns += 1
    assert not writing.done()
    store.go.set()
    await writing
    assert store.threads == ["store_0"]


async def test_waiting_can_be_cancelled() -> None:
    writing = asyncio.create_task(Writer(MemoryStore(away=10**9), pause_s=0.01).write(Batch([score()], [])))
    await asyncio.sleep(0.05)
    writing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await writing
