"""Hours of sessions at speed: nothing lost, and memory does not grow with them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from stream.admin import create_topics
from stream.alert import load_rules
from stream.records import Record
from stream.roster import Roster
from stream.route import Route
from stream.settings import load_settings
from touchline.bench.load import FIRST_T0_US, FRAME_US, FRAMES_A_SECOND, Load
from touchline.embedded import EmbeddedBroker
from touchline.fleet import RegistryFleet
from touchline.processes import Processes
from touchline.replay import Run, run_through, start_workers
from touchline.simulate import Simulation

pytestmark = [pytest.mark.soak, pytest.mark.timeout(3600)]

START_US = 1_790_000_000_000_000


def resident_mb(pid: int) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * 4096 / 1e6


async def test_an_hour_is_scored_whole() -> None:
    session = Simulation(11, 3600, "match", 5, ("late:0.01", "duplicate:0.01"), "natural", 1.0, None)
    report, seen = await run_through(session.session(START_US), load_settings(), Run(1), lambda _: None)
    assert seen.accounted() == report.frames_sent
    assert len(seen.scores) >= 11 * 3599


async def test_memory_is_flat_over_many_sessions() -> None:
    settings = load_settings()
    with EmbeddedBroker() as broker, Processes() as processes:
        await create_topics(broker.bootstrap, settings.partitions)
        start_workers(processes, settings, broker.bootstrap, Run(1, bootstrap=broker.bootstrap))
        await processes.wait_ready()
        worker = processes.children[0].process.pid
        sizes = []
        for number in range(6):
            session = Simulation(11, 600, "match", number, (), "natural", 1.0, None)
            begin_us = START_US + number * 3_600_000_000
            run = Run(0, bootstrap=broker.bootstrap)
            await run_through(session.session(begin_us), settings, run, lambda _: None)
            sizes.append(resident_mb(worker))
        # The allocator gives back in lumps of some 50 MB: what leaks lies above all of the first half.
        assert min(sizes[3:]) - max(sizes[:3]) < 30, sizes


def test_three_hours_of_a_session_take_no_more_memory_than_half_an_hour() -> None:
    """Without a broker: what is watched is the stages and the networks."""
    settings, load, offset = load_settings(), Load(50), 0
    engine, _ = RegistryFleet(settings).start()
    route = Route(settings.clock(), load_rules(None), engine, Roster())
    sizes = []
    for number in range(3 * 3600 * FRAMES_A_SECOND):
        t0_us = FIRST_T0_US + number * FRAME_US
        frames = list(load.tick(number, t0_us))
        records = [Record(False, 0, offset + k, t0_us + FRAME_US, *frame) for k, frame in enumerate(frames)]
        offset += len(frames)
        route.push(records)
        if (number + 1) % (600 * FRAMES_A_SECOND) == 0:
            sizes.append(resident_mb(os.getpid()))
    assert max(sizes[3:]) - max(sizes[:3]) < 20, sizes
