"""Kafka deletes by age, read or not: a worker that was away too long says what it lost, and goes on."""

from __future__ import annotations

import asyncio
import re
import time

import pytest
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete

from sim.send import SendSettings, send
from stream import topics
from stream.admin import create_topics
from stream.bounds import Bounds
from stream.settings import load_settings
from tests.servers import KafkaServer
from touchline.collect import Collector
from touchline.processes import Processes
from touchline.replay import Run, run_through, start_workers
from touchline.simulate import Simulation

pytestmark = [pytest.mark.slow, pytest.mark.kafka]

SESSION = Simulation(8, 20, "match", 3, (), "natural", 1.0, None)
KEPT = 20


async def delete_but_the_last(bootstrap: str, keep: int) -> dict[str, int]:
    """Delete athletes' records; of the first partition that has some, all. How many are left, and how many went."""
    bounds, admin = Bounds(bootstrap), AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await bounds.start()
    await admin.start()
    try:
        places = await bounds.partitions(topics.WEARABLE)
        begins, ends = await bounds.begins(places), await bounds.ends(places)
        until = {place: max(begins[place], ends[place] - keep) for place in places}
        until[next(place for place in places if ends[place])] = -1
        await admin.delete_records({place: RecordsToDelete(offset) for place, offset in until.items()})
        left = await bounds.begins(places)
        return {
            "left": sum(ends[place] - left[place] for place in places),
            "gone": sum(left[place] - begins[place] for place in places),
        }
    finally:
        await admin.close()
        await bounds.stop()


def told(log: str) -> int:
    """How many records the worker says it lost."""
    return sum(map(int, re.findall(r"Kafka deleted records before they were read.*lost=(\d+)", log)))


async def test_a_worker_goes_on_behind_what_was_deleted_while_it_was_away(own_kafka: KafkaServer) -> None:
    bootstrap, settings = own_kafka.bootstrap, load_settings()
    now_us = round(time.time()) * 1_000_000
    await create_topics(bootstrap, settings.partitions)
    before, _ = await run_through(
        SESSION.session(now_us), settings, Run(1, bootstrap=bootstrap), lambda _: None
    )
    later = await send(SESSION.session(now_us + 60_000_000), SendSettings(bootstrap, tail_s=15))
    counts = await delete_but_the_last(bootstrap, KEPT)
    lost = counts["gone"] - before.frames_sent
    assert lost + counts["left"] == later.frames_sent
    with Processes() as processes:
        start_workers(processes, settings, bootstrap, Run(1, bootstrap=bootstrap))
        (worker,) = processes.children
        collector = Collector(bootstrap)
        await collector.start()
        try:
            async with asyncio.timeout(60):
                # A log of which nothing is left is told of when its partition comes to rest, at no certain time.
                while collector.seen.accounted() < counts["left"] or told(worker.log.read_text()) < lost:
                    processes.check()
                    await collector.step()
        finally:
            await collector.stop()
        assert collector.seen.accounted() == counts["left"]
        assert told(worker.log.read_text()) == lost
