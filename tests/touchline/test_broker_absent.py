"""A worker may be started before its broker: it says so, tries again, and goes on when the broker is there."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from stream.admin import create_topics
from touchline.embedded import EmbeddedBroker, free_port

pytestmark = [pytest.mark.slow, pytest.mark.timeout(200)]

PATIENCE_S = 90.0


def wait_for(condition: str | Path, log: Path, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not (condition.exists() if isinstance(condition, Path) else condition in log.read_text()):
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.2)


def test_a_worker_waits_for_its_broker_and_for_the_topics(tmp_path: Path) -> None:
    port, log, ready = free_port(), tmp_path / "log", tmp_path / "ready"
    with log.open("wb") as out:
        worker = subprocess.Popen(
            [sys.executable, "-m", "touchline.cli", "worker", "--ready", str(ready)],
            env=os.environ | {"TOUCHLINE_BROKER": f"127.0.0.1:{port}"},
            stdout=out,
            stderr=out,
        )
    try:
        wait_for("no Kafka broker answers", log, worker)
        with EmbeddedBroker(port) as broker:
            wait_for("missing topics", log, worker)
            asyncio.run(create_topics(broker.bootstrap, 2))
            wait_for(ready, log, worker)
            worker.terminate()
            assert worker.wait(timeout=60) == 0
    finally:
        worker.kill()
        worker.wait()
    assert "Traceback" not in log.read_text()
