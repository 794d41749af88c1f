"""Versions change under a running session: promoted, tried on some and taken back by itself, rolled back by hand.

No window is lost, each score comes once, and each carries the version that gave it.
"""

from __future__ import annotations

import asyncio
import shutil
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgpack
import numpy as np
import pytest

from models.artefact import SHIPPED, Artefact, find_artefact, load_artefact, save_artefact
from models.labels import move_label, read_labels
from models.restore import build, golden, set_weights
from models.signature import local_key, sign
from sim.send import SendReport, SendSettings, send
from stream import topics
from stream.admin import check_topics, create_topics
from stream.settings import Settings, load_settings
from stream.trial import Canary
from tests.touchline.command import touchline
from touchline.collect import Collector
from touchline.embedded import EmbeddedBroker
from touchline.processes import Processes
from touchline.replay import Run, start_workers
from touchline.simulate import Simulation

pytestmark = pytest.mark.slow

#: As long as three commands and a verdict may take on a slow machine; sent six times as fast.
SESSION = Simulation(8, 900, "run", 3, (), "none", 1.0, None)
SPEED = 6.0
START_US = 1_760_000_000_000_000
SHARE = 0.5
PATIENCE_S = 240
OLD, GOOD, BAD = "1", "2", "3"


class Counting(Collector):
    """Counts every score as it comes, and which version of the forecast gave it."""

    def __init__(self, bootstrap: str) -> None:
        super().__init__(bootstrap)
        self.came: Counter[tuple[str, int]] = Counter()
        self.forecasts: dict[str, list[str]] = {}

    def _take(self, topic: str, record: Any, now_us: int) -> None:
        if topic == topics.SCORES:
            score = msgpack.unpackb(record.value)
            self.came[score["athlete"], score["window_end_us"]] += 1
            self.forecasts.setdefault(score["athlete"], []).append(score["lineage"]["models"]["forecast"])
        super()._take(topic, record, now_us)

    def given(self, version: str) -> int:
        """Scores that a version of the forecast gave."""
        return sum(versions.count(version) for versions in self.forecasts.values())


def add(root: Path, shipped: Artefact, version: str, off: float) -> None:
    """The shipped forecast under another number, its heart rates ``off`` by so many typical changes."""
    weights = dict(shipped.weights)
    for name, bias in shipped.weights.items():
        if name.endswith("_heart_rate_change/bias"):
            weights[name] = bias + np.float32(off)
    model = build("forecast", shipped.manifest.config)
    set_weights(model, weights)
    given = [shipped.golden[f"input_{k}"] for k in range(len(model.inputs))]
    manifest = replace(shipped.manifest, version=version)
    save_artefact(root, Artefact(manifest, weights, golden(model, given)), "# another")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A registry with three forecasts, the last one worse on purpose, all signed here; the first is stable."""
    made = load_settings(model_dir=tmp_path / "registry", keys=tmp_path / "keys", snapshot_every_s=2.0)
    root = tmp_path / "registry"
    for name in ("performance", "injury"):
        folder = find_artefact(SHIPPED, name)
        shutil.copytree(folder, root / name / folder.name)
    shipped = load_artefact(find_artefact(SHIPPED, "forecast"))
    for version, off in ((OLD, 0.0), (GOOD, 0.0), (BAD, 40.0)):
        add(root, shipped, version, off)
        sign(root / "forecast" / version, local_key(made.keys))
    move_label(root, "forecast", "stable", OLD)
    return made


async def until(what: Callable[[], bool], collector: Collector, processes: Processes) -> None:
    """Gather scores until something is so."""
    end = time.monotonic() + PATIENCE_S
    while not what():
        assert time.monotonic() < end, "it did not come to that in time"
        processes.check()
        await collector.step()


async def play(settings: Settings, bootstrap: str, processes: Processes, collector: Counting) -> SendReport:
    """Promote, try a worse one, roll back by hand, each when scores of the one before have come."""
    root = settings.model_dir
    assert root is not None
    place = {"TOUCHLINE_MODEL_DIR": str(root), "TOUCHLINE_KEYS": str(settings.keys)}

    async def move(action: str, *arguments: str) -> None:
        command = ("models", action, "forecast", *arguments, "--broker", bootstrap, "--json")
        moving = asyncio.create_task(asyncio.to_thread(touchline, *command, **place))
        await until(moving.done, collector, processes)
        assert moving.result().code == 0, moving.result().err
        assert moving.result().json["announced"] is True

    await processes.wait_ready()
    how = SendSettings(bootstrap, speed=SPEED, tail_s=15)
    sending = asyncio.create_task(send(SESSION.session(START_US), how))
    try:
        await until(lambda: collector.given(OLD) > 100, collector, processes)
        await move("promote", GOOD)
        await until(lambda: collector.given(GOOD) > 100, collector, processes)
        await move("canary", BAD, "--share", str(SHARE))
        await until(lambda: collector.given(BAD) > 20, collector, processes)
        await until(lambda: "canary" not in read_labels(root, "forecast"), collector, processes)
        await move("rollback")
        older = collector.given(OLD)
        await until(lambda: collector.given(OLD) > older + 50, collector, processes)
        assert not sending.done(), "the session was too short for what was to be shown"
        report = await sending
        await until(lambda: collector.seen.accounted() >= report.frames_sent, collector, processes)
    finally:
        sending.cancel()
    return report


async def test_versions_change_under_a_running_session_and_no_window_is_lost(settings: Settings) -> None:
    with EmbeddedBroker() as broker, Processes() as processes:
        await create_topics(broker.bootstrap, settings.partitions)
        await check_topics(broker.bootstrap)
        start_workers(processes, settings, broker.bootstrap, Run(2, bootstrap=broker.bootstrap))
        collector = Counting(broker.bootstrap)
        await collector.start()
        try:
            report = await play(settings, broker.bootstrap, processes, collector)
        finally:
            await collector.stop()
    assert read_labels(settings.model_dir or Path(), "forecast") == {"stable": OLD}
    assert collector.seen.accounted() == report.frames_sent
    assert set(collector.came.values()) == {1}, "each score once"
    ends = sorted({end for _, end in collector.came})
    assert np.diff(ends).tolist() == [1_000_000] * (len(ends) - 1)
    assert len(collector.came) == SESSION.athletes * len(ends), "no window lost"
    athletes = sorted(collector.forecasts)
    tried = Canary("forecast", BAD, None, SHARE).of(athletes)  # type: ignore[arg-type]
    assert 0 < tried.sum() < len(athletes)
    for athlete, was_tried in zip(athletes, tried.tolist(), strict=True):
        came = list(dict.fromkeys(collector.forecasts[athlete]))
        assert came == ([OLD, GOOD, BAD] if was_tried else [OLD, GOOD]), athlete
        assert collector.forecasts[athlete][-1] == OLD
    assert collector.given(BAD) < 300 * int(tried.sum()), "it went long before the session ended"
