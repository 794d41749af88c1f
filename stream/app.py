"""App: the wiring of a worker. The one place that knows the real parts; tests pass their own engine through it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import faust
import structlog

from stream import topics
from stream.agents import Parts, Telemetry
from stream.alert import load_rules
from stream.align import Clock
from stream.bounds import Bounds
from stream.control import ControlFollower
from stream.driver import CHUNKS, kafka_app
from stream.infer import Engine
from stream.publish import Publisher
from stream.restore import Restorer
from stream.roster import Roster
from stream.route import Route
from stream.settings import Settings
from stream.timed import Stopwatch, TimedEngine

log = structlog.get_logger()


def create_worker(
    settings: Settings, load_engine: Callable[[], Engine], ready: Path | None = None
) -> faust.App:
    """The worker's Faust app, to be run by a ``faust.Worker``.

    ``load_engine`` runs in a thread of its own while the worker joins its group. ``ready``: a file made when
    partitions are assigned and the engine is warm.
    """
    app: Any = kafka_app(settings, "worker")
    topic = app.topic(topics.WEARABLE, topics.VENUE, key_serializer="raw", value_serializer="raw", acks=False)
    life = _Life(app, settings, load_engine, ready)

    @app.agent(topic, name="telemetry")  # type: ignore[untyped-decorator]
    async def telemetry(records: Any) -> None:
        worker = await life.start()
        async for events in records.noack_take(CHUNKS, within=settings.chunk_within_ms / 1000):
            await worker.take(events)

    app.timer(1.0)(life.rest)
    app.on_partitions_revoked.connect(life.revoked)
    app.on_partitions_assigned.connect(life.assigned)
    app.on_before_shutdown.connect(life.close)
    return app  # type: ignore[no-any-return]


class _Life:
    """What Faust calls while a worker lives. The engine loads while the worker joins its group."""

    def __init__(
        self, app: Any, settings: Settings, load_engine: Callable[[], Engine], ready: Path | None
    ) -> None:
        self._app = app
        self._settings = settings
        self._people = Roster()
        self._stopwatch = Stopwatch()
        self._route = _in_background(lambda: self._make_route(load_engine()))
        self._ready = ready
        self._started = asyncio.Event()
        self._telemetry: Telemetry | None = None

    async def start(self) -> Telemetry:
        """Wait for the engine and connect. Raises what loading the engine raised."""
        parts = self._parts(await asyncio.wrap_future(self._route))
        for part in (parts.bounds, parts.control, parts.publisher, parts.restorer):
            await part.start()
        self._telemetry = Telemetry(self._app, parts)
        self._started.set()
        return self._telemetry

    async def _begun(self) -> Telemetry:
        """The telemetry once it has started. Raises what loading the engine raised, so that nobody waits in vain."""
        await asyncio.wrap_future(self._route)
        await self._started.wait()
        assert self._telemetry is not None
        return self._telemetry

    def _make_route(self, engine: Engine) -> Route:
        settings = self._settings
        clock = Clock(
            lateness_us=settings.lateness_ms * 1000,
            future_us=settings.future_ms * 1000,
            silent_us=round(settings.silent_after_s * 1e6),
        )
        return Route(clock, load_rules(settings.rules), TimedEngine(engine, self._stopwatch), self._people)

    def _parts(self, route: Route) -> Parts:
        settings = self._settings
        assert settings.broker is not None
        bounds = Bounds(settings.broker)
        return Parts(
            route=route,
            stopwatch=self._stopwatch,
            bounds=bounds,
            control=ControlFollower(settings.broker, bounds, self._people),
            publisher=Publisher(settings.broker),
            restorer=Restorer(settings.broker, bounds),
            snapshot_every_s=settings.snapshot_every_s,
            shuffle=settings.shuffle,
        )

    async def rest(self) -> None:
        """Once a second."""
        if self._telemetry is not None:
            await self._telemetry.rest()

    async def revoked(self, _: Any, partitions: Any, **_kwargs: Any) -> None:
        """A rebalance begins. Before the telemetry has started nothing was fetched."""
        if self._telemetry is not None:
            await self._telemetry.revoked(_ours(partitions))

    async def assigned(self, _: Any, partitions: Any, **_kwargs: Any) -> None:
        """A rebalance is over."""
        await (await self._begun()).assigned(_ours(partitions))
        if self._ready is not None:
            await asyncio.to_thread(self._ready.touch)

    async def close(self, _: Any, **_kwargs: Any) -> None:
        """The worker ends."""
        if self._telemetry is not None:
            await self._telemetry.close()


def _ours(partitions: Any) -> set[int]:
    return {place.partition for place in partitions if place.topic == topics.WEARABLE}


def _in_background(make: Callable[[], Route]) -> Future[Route]:
    """Start making the route in a daemon thread; the future carries it or what went wrong."""
    made: Future[Route] = Future()

    def run() -> None:
        try:
            made.set_result(make())
        except Exception as error:  # noqa: BLE001 (handed over whole: who waits for the route raises it)
            made.set_exception(error)

    threading.Thread(target=run, name="engine", daemon=True).start()
    return made
