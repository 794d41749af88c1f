"""Demo: broker, worker, sink, page and a simulated squad with nothing installed but the package."""

from __future__ import annotations

import asyncio
import secrets
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from sim.faults import Faults, parse_faults
from sim.send import SendReport, SendSettings, send
from sim.sessions import SessionConfig, simulate_session
from sim.squad import athlete_ids
from stream.admin import check_topics, create_topics
from stream.settings import Settings
from stream.sinks.open_store import open_store
from touchline.collect import Collected, Collector, percentiles_ms
from touchline.embedded import EmbeddedBroker
from touchline.processes import Processes, environment

#: Time for the sender to connect before its first frame is due, s.
LEAD_S: Final = 0.5
#: How long frames and scores may take to come to rest at the end, s.
REST_S: Final = 30.0
#: Between two looks at whether there is a score yet, s.
LOOK_S: Final = 0.2
#: The scripted dropout begins after this share of the demo and lasts this long past the silence limit, s.
DROPOUT_AT: Final = 0.3
DROPOUT_S: Final = 8.0


@dataclass(frozen=True, slots=True)
class DemoConfig:
    """What to show. ``seconds`` None goes on until it is stopped."""

    athletes: int = 22
    seconds: int | None = None
    headless: bool = False
    seed: int = 1
    kind: str = "match"


@dataclass(slots=True)
class Around:
    """What the demo says while it runs: ``say`` where to look, a line each, ``tell`` how it goes."""

    say: Callable[[str], None]
    tell: Callable[[str], None]


async def run_demo(config: DemoConfig, settings: Settings, around: Around) -> dict[str, Any]:
    """Run it; the JSON object of ``demo --json``. Everything it started has ended when this returns."""
    began = time.monotonic()
    async with AsyncExitStack() as stack:
        own = settings.broker is None
        bootstrap = settings.broker or stack.enter_context(EmbeddedBroker()).bootstrap
        settings = _settings(settings, bootstrap, stack)
        open_store(settings).close()  # an unwritable path is said here, in one line
        processes = stack.enter_context(Processes())
        around.tell("starting the worker and the sink")
        child = environment(settings, rebalance_timeout_s=1.5 if own else settings.rebalance_timeout_s)
        processes.start(
            "worker", "worker", child | {"TOUCHLINE_METRICS_PORT": "0"}
        )  # first: it takes longest
        await create_topics(bootstrap, settings.partitions, settings.replication)
        await check_topics(bootstrap)
        processes.start("sink", "sink", child | {"TOUCHLINE_METRICS_PORT": "0"})
        collector = Collector(bootstrap)
        await collector.start()
        stack.push_async_callback(collector.stop)
        if not config.headless:
            await _serve_page(settings, stack, around)
        await processes.wait_ready()
        if not config.headless:
            serving = asyncio.create_task(_serve_models(collector, processes, child, around))
            stack.push_async_callback(_stop, serving)
        report = await _play(config, bootstrap, collector, (processes, around))
        stored = await _stored(settings, collector.seen, processes)
    return _summary(config, report, collector.seen, (began, stored))


def _settings(settings: Settings, bootstrap: str, stack: AsyncExitStack) -> Settings:
    """The demo's own settings: the broker at hand, a store that goes with the demo unless one was named."""
    changes: dict[str, Any] = {"broker": bootstrap}
    if settings.influx_url is None and "store" not in settings.model_fields_set:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="touchline-store-"))
        changes["store"] = Path(folder) / "demo.sqlite"
    if not settings.web_token:
        changes["web_token"] = secrets.token_urlsafe(16)
    return settings.model_copy(update=changes)


async def _serve_page(settings: Settings, stack: AsyncExitStack, around: Around) -> None:
    from stream.web.serve import serve  # noqa: PLC0415 (a headless demo needs no web server)

    page = asyncio.create_task(serve(settings, lambda link: around.say(f"Open {link}")))
    stack.push_async_callback(_stop, page)
    await asyncio.sleep(0)
    if page.done():
        page.result()


async def _serve_models(
    collector: Collector, processes: Processes, child: Mapping[str, str], around: Around
) -> None:
    """Start the model service once scores flow: until then the worker needs the machine."""
    while collector.seen.first_at is None:
        processes.check()
        await asyncio.sleep(LOOK_S)
    models = processes.start("models", "models serve", child)
    await processes.wait_ready()
    url = models.ready.read_text()
    around.say(f"Models answer at {url}/v1/models and {url}/v2, described at {url}/docs")


async def _stop(task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def _play(
    config: DemoConfig, bootstrap: str, collector: Collector, around: tuple[Processes, Around]
) -> SendReport:
    """Simulate and send in real time, gathering scores; then wait until every frame is accounted for."""
    processes, says = around
    start = time.time() + LEAD_S
    seconds = config.seconds or 24 * 3600
    session = simulate_session(
        SessionConfig(
            config.athletes,
            seconds,
            round(start * 1e6),
            config.kind,  # type: ignore[arg-type]
            seed=config.seed,
            faults=_faults(config),
        ),
        np.random.default_rng(config.seed),
    )

    def progress(at_s: float, frames: int) -> None:
        seen = collector.seen
        says.tell(f"{at_s:.0f} s, {frames} frames sent, {len(seen.scores)} scores, {len(seen.alerts)} alerts")

    sending = asyncio.create_task(send(session, SendSettings(bootstrap, starts_at=start, tail_s=2), progress))
    try:
        while not sending.done():
            processes.check()
            await collector.step()
        rest = time.monotonic() + REST_S
        while collector.seen.accounted() < sending.result().frames_sent and time.monotonic() < rest:
            processes.check()
            await collector.step()
    finally:
        sending.cancel()
    return sending.result()


def _faults(config: DemoConfig) -> Faults:
    """One athlete's sensor drops out for a while, so that there is an alert to see."""
    seconds = config.seconds or 120
    begin = DROPOUT_AT * min(seconds, 120)
    end = min(begin + 10 + DROPOUT_S, seconds - 2)
    who = athlete_ids(config.athletes)[min(2, config.athletes - 1)]
    return parse_faults([f"dropout:{who}:{begin:.0f}:{end:.0f}"])


async def _stored(settings: Settings, seen: Collected, processes: Processes) -> int:
    """How many scores the store holds, once it has caught up with what was seen."""
    store = await asyncio.to_thread(open_store, settings)
    try:
        deadline = time.monotonic() + REST_S
        while True:
            stored = await asyncio.to_thread(store.count_scores)
            if stored >= len(seen.scores) or time.monotonic() > deadline:
                return stored
            processes.check()
            await asyncio.sleep(0.2)
    finally:
        store.close()


def _summary(
    config: DemoConfig, report: SendReport, seen: Collected, at: tuple[float, int]
) -> dict[str, Any]:
    began, stored = at
    late, duplicate = seen.reasons["late"], seen.reasons["duplicate"]
    return {
        "athletes": config.athletes,
        "frames_sent": report.frames_sent,
        "frames_scored": seen.frames_scored,
        "frames_rejected": seen.frames_rejected,
        "frames_late": late,
        "frames_duplicate": duplicate,
        "scores": len(seen.scores),
        "scores_stored": stored,
        "alerts": len(seen.alerts),
        "lost": report.frames_sent - seen.frames_scored - seen.frames_rejected - late - duplicate,
        "first_score_s": None if seen.first_at is None else round(seen.first_at - began, 3),
        "latency_ms": percentiles_ms(seen.latency_us),
        "sensor_age_ms": percentiles_ms(seen.age_us),
    }
