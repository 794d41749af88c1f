"""Serving as processes: three behind a fourth and one killed while requests flow; stopping; what goes wrong."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from models.artefact import SIGNATURE
from stream.serving.balance import GONE
from tests.stream.serving.registry import add_version
from tests.touchline.command import touchline

pytestmark = pytest.mark.slow

WITHIN_S = 90
ROWS: dict[str, Any] = {"instances": [[[0.0] * 17] * 14]}
PREDICT = "/v1/models/injury:predict"


@dataclass
class Process:
    """A command of ours that goes on."""

    popen: subprocess.Popen[bytes]
    ready: Path

    async def url(self) -> str:
        """Where it serves, once it does."""
        for _ in range(WITHIN_S * 10):
            if self.ready.exists() and (text := self.ready.read_text()):
                return text
            assert self.popen.poll() is None, "it ended"
            await asyncio.sleep(0.1)
        raise TimeoutError(self.ready.name)

    def stop(self) -> int:
        """Ask it to go; its exit code."""
        self.popen.send_signal(signal.SIGTERM)
        return self.popen.wait(WITHIN_S)


@contextmanager
def running(folder: Path, name: str, *arguments: str) -> Iterator[Process]:
    """``touchline models …`` on a free port with the models in ``folder``."""
    ready = folder / f"{name}.ready"
    command = [
        sys.executable,
        "-m",
        "touchline.cli",
        "models",
        *arguments,
        "--port",
        "0",
        "--ready",
        str(ready),
    ]
    settings = {"TOUCHLINE_KEYS": str(folder / "keys"), "TOUCHLINE_SERVING_POLL_S": "0.5"}
    with (folder / f"{name}.log").open("wb") as log:
        popen = subprocess.Popen(command, env=os.environ | settings, stdout=log, stderr=log)
        try:
            yield Process(popen, ready)
        finally:
            popen.kill()
            popen.wait()


@pytest.fixture
def models(tmp_path: Path) -> Path:
    """A registry with one small model."""
    add_version(tmp_path / "models", "1", tmp_path / "keys")
    return tmp_path / "models"


async def asking(client: httpx.AsyncClient, stop: asyncio.Event, statuses: list[int]) -> None:
    """One request after the other."""
    while not stop.is_set():
        statuses.append((await client.post(PREDICT, json=ROWS)).status_code)


async def test_one_of_three_is_killed_and_no_request_is_lost(tmp_path: Path, models: Path) -> None:
    serve = ("serve", "--model-dir", str(models))
    with (
        running(tmp_path, "a", *serve) as a,
        running(tmp_path, "b", *serve) as b,
        running(tmp_path, "c", *serve) as c,
    ):
        upstreams = [f"--upstream={await process.url()}" for process in (a, b, c)]
        with running(tmp_path, "route", "route", *upstreams) as route:
            async with httpx.AsyncClient(base_url=await route.url(), timeout=30) as client:
                stop, statuses = asyncio.Event(), list[int]()
                clients = [asyncio.create_task(asking(client, stop, statuses)) for _ in range(6)]
                await asyncio.sleep(1)
                before = len(statuses)
                b.popen.kill()
                await asyncio.sleep(2)
                stop.set()
                await asyncio.gather(*clients)
                healthy = [upstream["ready"] for upstream in (await client.get("/upstreams")).json()]
                counted = (await client.get("/metrics")).text
        assert before > 20
        assert len(statuses) > before + 20
        assert set(statuses) == {200}
        assert healthy == [True, False, True]
        assert counted.count('status="200",upstream=') >= 3


async def test_a_process_told_to_stop_answers_what_it_has_and_ends_well(tmp_path: Path, models: Path) -> None:
    with running(tmp_path, "a", "serve", "--model-dir", str(models)) as process:
        async with httpx.AsyncClient(base_url=await process.url(), timeout=30) as client:
            asked = [asyncio.create_task(client.post(PREDICT, json=ROWS)) for _ in range(50)]
            await asyncio.wait(asked, return_when=asyncio.FIRST_COMPLETED)
            code = await asyncio.to_thread(process.stop)
            answers = await asyncio.gather(*asked, return_exceptions=True)
    assert code == 0
    statuses = [answer.status_code for answer in answers if isinstance(answer, httpx.Response)]
    assert set(statuses) <= {200, 503}
    assert 200 in statuses
    gone = [answer for answer in answers if isinstance(answer, BaseException)]
    assert all(isinstance(error, GONE) for error in gone), "who was not let in is free to ask another process"


def test_a_registry_without_models_is_missing(tmp_path: Path) -> None:
    done = touchline("models", "serve", "--port", "0", "--model-dir", tmp_path)
    assert done.code == 3
    assert f"no models in {tmp_path}" in done.err


def test_a_registry_whose_only_version_is_not_signed_is_refused(tmp_path: Path, models: Path) -> None:
    (models / "injury" / "1" / SIGNATURE).unlink()
    done = touchline("models", "serve", "--port", "0", "--model-dir", models, TOUCHLINE_KEYS=str(tmp_path))
    assert done.code == 1
    assert "the version is not signed" in done.err


@pytest.mark.parametrize(("pin", "there"), [("sprint=1", "injury"), ("injury=9", "there is 1")])
def test_what_is_pinned_and_not_there_is_missing(models: Path, pin: str, there: str) -> None:
    done = touchline("models", "serve", "--port", "0", "--model-dir", models, "--pin", pin)
    assert done.code == 3
    assert "cannot be pinned" in done.err
    assert there in done.err


def test_a_port_that_is_taken_is_said(models: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = touchline("models", "serve", "--port", port, "--model-dir", models)
    assert done.code == 2
    assert f"port {port} is taken, choose another with --port" in done.err


@pytest.mark.parametrize(
    "arguments",
    [("serve", "--pin", "injury"), ("serve", "--pin", "injury=1", "--policy", "latest"), ("route",)],
)
def test_what_cannot_be_meant_is_a_usage_error(arguments: tuple[str, ...]) -> None:
    assert touchline("models", *arguments).code == 2


def test_an_upstream_that_is_no_address_is_a_usage_error() -> None:
    done = touchline("models", "route", "--upstream", "localhost:1", "--port", "0")
    assert (done.code, "--upstream localhost:1" in done.err) == (2, True)
