"""Push: viewers of one web process. Scores go to the topic once a second, and every viewer is told within a frame.

The viewers share the machine with the process they look at, so what counts is its CPU time for each of them.
"""

from __future__ import annotations

import asyncio
import re
import secrets
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx
import msgpack
from aiokafka import AIOKafkaProducer

from stream import topics
from stream.admin import create_topics
from stream.errors import MissingError
from stream.settings import Settings
from stream.web.login import COOKIE
from touchline.bench.live import reading
from touchline.bench.store import made_scores
from touchline.collect import percentiles_ms
from touchline.embedded import EmbeddedBroker, die_with_parent
from touchline.processes import ChildFailed, environment

HOST: Final = "127.0.0.1"
BEGIN_S: Final = 30.0
#: Viewers come in groups of so many, and the first seconds with all of them are not measured.
TOGETHER: Final = 50
WARM_S: Final = 3
_NOW: Final = re.compile(r'"now_us": ?(\d+)')

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class PushConfig:
    """``viewers`` of a squad of ``athletes`` for ``seconds``."""

    viewers: int = 200
    athletes: int = 22
    seconds: int = 10


async def run_push(config: PushConfig, settings: Settings, tell: Tell) -> dict[str, Any]:
    """Measure; the JSON object of ``bench push --json``. Raises MissingError without websockets."""
    try:
        from websockets.asyncio.client import connect  # noqa: PLC0415 (only this benchmark is a viewer)
    except ImportError:
        raise MissingError("bench push needs websockets: pip install websockets") from None
    with ExitStack() as stack:
        bootstrap = settings.broker or stack.enter_context(EmbeddedBroker()).bootstrap
        await create_topics(bootstrap, settings.partitions, settings.replication)
        tell("starting the page")
        token = secrets.token_urlsafe()
        web = stack.enter_context(_web(settings, bootstrap, token))
        headers = {"cookie": f"{COOKIE}={await _session(web, token)}"}
        scoring = asyncio.create_task(_score(bootstrap, config, settings))
        delays_us: list[int] = []
        viewers: list[asyncio.Task[None]] = []
        try:
            for _ in range(config.viewers):
                socket_ = await connect(
                    f"ws://{web.address}/ws",
                    origin=f"http://{web.address}",  # type: ignore[arg-type]
                    additional_headers=headers,
                    compression=None,
                )
                viewers.append(asyncio.create_task(_view(socket_, delays_us)))
                if len(viewers) % TOGETHER == 0:
                    tell(f"{len(viewers)} of {config.viewers} viewers")
                    await asyncio.sleep(0)
            await asyncio.sleep(WARM_S)
            delays_us.clear()
            began = reading(web.process.pid)
            for second in range(config.seconds):
                tell(f"{second} of {config.seconds} s, {len(delays_us)} frames seen")
                await asyncio.sleep(1)
            cpu_s = reading(web.process.pid).cpu_s - began.cpu_s
            gone = sum(viewer.done() for viewer in viewers)
        finally:
            for task in (scoring, *viewers):
                task.cancel()
            await asyncio.gather(scoring, *viewers, return_exceptions=True)
    return {
        "viewers": config.viewers,
        "athletes": config.athletes,
        "seconds": config.seconds,
        "frames_per_viewer_s": round(len(delays_us) / config.viewers / config.seconds, 2),
        "delay_ms": percentiles_ms(delays_us),
        "web_cpu_s": round(cpu_s, 2),
        "viewers_per_core": round(config.viewers * config.seconds / cpu_s) if cpu_s else None,
        "gone": gone,
    }


@dataclass(frozen=True, slots=True)
class _Web:
    process: subprocess.Popen[bytes]
    address: str


@contextmanager
def _web(settings: Settings, bootstrap: str, token: str) -> Iterator[_Web]:
    """The page in a process of its own, on a free port and an empty store."""
    with socket.create_server((HOST, 0)) as free:
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory(prefix="touchline-bench-") as folder:
        asked = environment(
            settings, broker=bootstrap, web_host=HOST, web_port=port, web_token=token,
            store=Path(folder) / "bench.sqlite", influx_url=None,
        )  # fmt: skip
        process = subprocess.Popen(
            [sys.executable, "-m", "touchline.cli", "web"],
            env=asked, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            preexec_fn=die_with_parent,  # noqa: PLW1509 (one prctl, before any thread of the child)
        )  # fmt: skip
        try:
            yield _Web(process, f"{HOST}:{port}")
        finally:
            process.kill()
            process.wait()


async def _session(web: _Web, token: str) -> str:
    """Log in as soon as the page answers; the session's secret."""
    until = time.monotonic() + BEGIN_S
    async with httpx.AsyncClient() as client:
        while time.monotonic() < until and web.process.poll() is None:
            try:
                answer = await client.get(f"http://{web.address}/", params={"token": token})
            except httpx.TransportError:
                await asyncio.sleep(0.1)
                continue
            return answer.cookies[COOKIE]
    raise ChildFailed(f"the page did not answer in {BEGIN_S:.0f} s; try `touchline web`")


async def _view(line: Any, delays_us: list[int]) -> None:
    """One viewer: how long each frame took from the moment it was made, µs."""
    async for text in line:
        came_us = time.time_ns() // 1000
        found = _NOW.search(text)
        if found is not None:
            delays_us.append(came_us - int(found[1]))


async def _score(bootstrap: str, config: PushConfig, settings: Settings) -> None:
    """Scores of a squad, once a second, without end."""
    scores = await asyncio.to_thread(made_scores, settings, config.athletes)
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap)
    await producer.start()
    try:
        number = 0
        while True:
            now_us = time.time_ns() // 1_000_000_000 * 1_000_000
            for score in scores[number : number + config.athletes]:
                moved = {"window_start_us": now_us - 1_000_000, "window_end_us": now_us}
                lineage = score["lineage"] | {"ingest_us": now_us, "scored_us": time.time_ns() // 1000}
                value = msgpack.packb(score | moved | {"lineage": lineage})
                await producer.send(topics.SCORES, value, key=score["athlete"].encode())
            number = (number + config.athletes) % (len(scores) - config.athletes)
            await asyncio.sleep(1)
    finally:
        await producer.stop()
