"""The demo runs everything, loses nothing, and leaves nothing behind."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from tests.touchline.command import touchline

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


def test_a_headless_demo_accounts_for_every_frame(tmp_path: Path) -> None:
    report = tmp_path / "demo.json"
    arguments = ("demo", "--headless", "--seconds", "45", "--athletes", "12", "--json", report)
    done = touchline(*arguments)
    assert done.code == 0, done.err
    figures = json.loads(report.read_text())
    assert figures["lost"] == 0
    assert figures["frames_sent"] == figures["frames_scored"] > 0
    assert figures["scores_stored"] == figures["scores"] >= 12 * 45
    assert figures["alerts"] >= 1
    assert set(figures["latency_ms"]) == {"p50", "p95", "p99"}


def children_of(pid: int) -> set[int]:
    found = set()
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue  # it ended while we looked
        if int(fields[1]) == pid:
            found.add(int(stat.parent.name))
    return found


def ask_models(url: str) -> None:
    """Both shapes of the model service answer for the injury model: nothing known of anybody."""
    rows = [[[0.0] * 17] * 14]
    answer = httpx.post(f"{url}/v1/models/injury:predict", json={"instances": rows}, timeout=30)
    assert answer.status_code == 200, answer.text
    (members,) = answer.json()["predictions"]
    flat = {"name": "days", "shape": [1, 14, 17], "datatype": "FP32", "data": [0.0] * 14 * 17}
    answer = httpx.post(f"{url}/v2/models/injury/infer", json={"inputs": [flat]}, timeout=30)
    assert answer.status_code == 200, answer.text
    assert answer.json()["outputs"][0]["data"] == pytest.approx(members)
    assert httpx.get(f"{url}/docs").status_code == 200


def test_a_demo_serves_models_and_ctrl_c_ends_all_its_processes(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with log.open("wb") as out:
        demo = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "touchline.cli",
                "demo",
                "--athletes",
                "4",
                *("--web-port", "0"),
                *("--models-port", "0"),
            ],
            stdout=out,
            stderr=out,
            env=os.environ | {"TOUCHLINE_STORE": str(tmp_path / "demo.sqlite")},
        )
    deadline = time.monotonic() + 120
    children: set[int] = set()
    while not (served := re.search(r"Models answer at (http://[^/]+)/", log.read_text())):
        assert demo.poll() is None, log.read_text()
        assert time.monotonic() < deadline, log.read_text()
        children |= children_of(demo.pid)
        time.sleep(0.2)
    assert "Open http" in log.read_text()
    assert len(children) >= 4, "broker, worker, sink and model service"
    ask_models(served[1])
    demo.send_signal(signal.SIGINT)
    assert demo.wait(timeout=60) == 0, log.read_text()
    assert "Traceback" not in log.read_text()
    assert not [pid for pid in children if Path(f"/proc/{pid}").exists()]
