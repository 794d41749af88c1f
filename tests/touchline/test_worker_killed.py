"""The whole path on Apache Kafka: two workers in one group, one of them disturbed, nothing different after all."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import time
from collections.abc import Callable, Coroutine
from typing import Any

import msgpack
import pytest
from aiokafka import AIOKafkaConsumer

from sim.send import SendSettings, send
from stream import topics
from stream.admin import check_topics, create_topics
from stream.roster import check_athlete
from stream.settings import Settings, load_settings
from tests.servers import KafkaServer
from touchline.collect import Collected, Collector, compare, digest
from touchline.processes import Processes
from touchline.replay import Run, run_through, start_workers
from touchline.simulate import Simulation

pytestmark = [pytest.mark.slow, pytest.mark.kafka]

#: Now: Kafka begins to delete what is stamped older than its retention 30 s after it started.
START_US = round(time.time()) * 1_000_000
FAULTS = ("dropout:A02:10:30", "late:0.02", "duplicate:0.02", "corrupt:0.002", "reboot:A04:20", "skew:A05:30")
SESSION = Simulation(8, 60, "match", 3, FAULTS, "natural", 1.0, None)


#: Longer than a member may be silent before its group goes on without it (10 s).
STALL_S = 13.0

Disturb = Callable[[subprocess.Popen[bytes]], Coroutine[Any, Any, None]]


async def kill(worker: subprocess.Popen[bytes]) -> None:
    """SIGKILL: nothing is finished."""
    worker.kill()


async def stall(worker: subprocess.Popen[bytes]) -> None:
    """Stop it where it stands and let it go on when its partitions have long been another's."""
    worker.send_signal(signal.SIGSTOP)
    await asyncio.sleep(STALL_S)
    worker.send_signal(signal.SIGCONT)


async def disturbed(bootstrap: str, settings: Settings, disturb: Disturb) -> Collected:
    """Send in a fifth of the time, disturb a worker when a third of the scores are there, wait for all frames."""
    await create_topics(bootstrap, settings.partitions)
    await check_topics(bootstrap)
    with Processes() as processes:
        start_workers(processes, settings, bootstrap, Run(2, bootstrap=bootstrap))
        collector = Collector(bootstrap)
        await collector.start()
        victim = processes.children[0].process
        try:
            await processes.wait_ready()
            del processes.children[0]
            how = SendSettings(bootstrap, speed=5.0, tail_s=15)
            sending = asyncio.create_task(send(SESSION.session(START_US), how))
            while len(collector.seen.scores) < 150:
                await collector.step()
            disturbing = asyncio.create_task(disturb(victim))
            async with asyncio.timeout(120):
                while not sending.done() or collector.seen.accounted() < sending.result().frames_sent:
                    processes.check()
                    await collector.step()
                await disturbing
            for _ in range(4):
                await collector.step(500)
        finally:
            await collector.stop()
            victim.kill()
            victim.wait()
    return collector.seen


async def athlete_records(bootstrap: str) -> dict[str, dict[str, Any]]:
    """What the topic ``athletes`` says at last."""
    consumer = AIOKafkaConsumer(
        topics.ATHLETES, bootstrap_servers=bootstrap, auto_offset_reset="earliest", enable_auto_commit=False
    )
    await consumer.start()
    try:
        found: dict[str, dict[str, Any]] = {}
        while batch := await consumer.getmany(timeout_ms=2000):
            for records in batch.values():
                found |= {record.key.decode(): msgpack.unpackb(record.value) for record in records}
        return found
    finally:
        await consumer.stop()


@pytest.mark.parametrize("disturb", [kill, stall])
async def test_a_worker_disturbed_in_mid_session_changes_no_score_and_no_alert(
    own_kafka: KafkaServer, disturb: Disturb
) -> None:
    settings = load_settings(snapshot_every_s=2.0)
    killed = await disturbed(own_kafka.bootstrap, settings, disturb)
    _, calm = await run_through(SESSION.session(START_US), settings, Run(1), lambda _: None)
    assert killed.scores.keys() == calm.scores.keys()
    assert killed.alerts.keys() == calm.alerts.keys()
    assert len(calm.alerts) >= 2
    assert killed.reasons == calm.reasons
    assert digest(killed) == digest(calm)
    equal, largest = compare(killed, calm)
    assert equal, largest
    for name, record in (await athlete_records(own_kafka.bootstrap)).items():
        (entry,) = check_athlete(record)["sessions"]
        assert entry["session"] == killed.final[name, entry["session"]]["session"]
        assert (
            entry["own"]["heart_rate"][2] == killed.final[name, entry["session"]]["totals"]["heart_samples"]
        )
