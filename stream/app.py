"""App: the wiring of a worker. The one place that knows the real parts; tests pass their own engine through it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import faust
import structlog

from stream import topics
from stream.agents import Parts, Telemetry, as_record
from stream.alert import load_rules
from stream.bounds import Bounds
from stream.control import ControlFollower, Known, people_of
from stream.delivery import arrivals, stay_a_member
from stream.driver import kafka_app, spare_garbage_collection, switch_threads_sooner
from stream.follow import Fleet, Follower, Ways
from stream.labels import check_labels
from stream.lineup import VersionLineup
from stream.publish import Publisher
from stream.restore import Restorer
from stream.roster import Roster
from stream.route import Route
from stream.settings import Settings

log = structlog.get_logger()


def create_worker(settings: Settings, fleet: Fleet, ready: Path | None = None) -> faust.App:
    """The worker's Faust app, to be run by a ``faust.Worker``.

    ``fleet`` starts in a thread of its own while the worker joins its group. ``ready``: a file made when
    partitions are assigned and the engine is warm.
    """
    app: Any = kafka_app(settings, "worker", settings.chunk_within_ms / 1000)
    app.make = as_record
    topic = app.topic(topics.WEARABLE, topics.VENUE, key_serializer="raw", value_serializer="raw", acks=False)
    life = _Life(app, settings, fleet, ready)

    @app.agent(topic, name="telemetry")  # type: ignore[untyped-decorator]
    async def telemetry(records: Any) -> None:
        worker = await life.start()
        async for chunks in arrivals(app, records):
            await worker.take(chunks)

    app.timer(1.0)(life.rest)
    app.timer(1.0)(life.follow)
    app.on_partitions_revoked.connect(life.revoked)
    app.on_partitions_assigned.connect(life.assigned)
    app.on_before_shutdown.connect(life.close)
    return app  # type: ignore[no-any-return]


@dataclass(frozen=True, slots=True)
class Made:
    """The route, the versions that answer in it, and who keeps them as the labels say."""

    route: Route
    lineup: VersionLineup
    follower: Follower


class _Life:
    """What Faust calls while a worker lives. The engine loads while the worker joins its group."""

    def __init__(self, app: Any, settings: Settings, fleet: Fleet, ready: Path | None) -> None:
        self._app = app
        self._settings = settings
        self._people = Roster()
        self._fleet = fleet
        self._made = _in_background(self._make)
        self._ready = ready
        self._started = asyncio.Event()
        self._telemetry: Telemetry | None = None
        self._follower: tuple[Follower, Ways] | None = None

    async def start(self) -> Telemetry:
        """Wait for the engine and connect. Raises what loading the engine raised."""
        made = await asyncio.wrap_future(self._made)
        spare_garbage_collection()
        switch_threads_sooner()
        parts = self._parts(made)
        versions = self._control(parts.bounds, {topics.MODELS: Known(made.follower.told, check_labels)})
        for part in (parts.bounds, parts.control, versions, parts.publisher, parts.restorer):
            await part.start()
        self._telemetry = Telemetry(self._app, parts)
        ways = Ways(versions, self._telemetry.between, parts.publisher.send, made.lineup.take_verdicts)
        self._follower = made.follower, ways
        self._started.set()
        return self._telemetry

    async def _begun(self) -> Telemetry:
        """The telemetry once it has started. Raises what loading the engine raised, so that nobody waits in vain."""
        await asyncio.wrap_future(self._made)
        await self._started.wait()
        assert self._telemetry is not None
        return self._telemetry

    def _make(self) -> Made:
        engine, labels = self._fleet.start()
        rules = load_rules(self._settings.rules)
        lineup = VersionLineup(engine, rules)
        route = Route(self._settings.clock(), rules, lineup, self._people)
        return Made(route, lineup, Follower(self._fleet, lineup, labels, self._settings.model_policy))

    def _control(self, bounds: Bounds, known: Mapping[str, Known]) -> ControlFollower:
        assert self._settings.broker is not None
        return ControlFollower(self._settings.broker, bounds, known)

    def _parts(self, made: Made) -> Parts:
        settings = self._settings
        assert settings.broker is not None
        bounds = Bounds(settings.broker, self._app.conf.id)
        return Parts(
            route=made.route,
            stopwatch=made.lineup.stopwatch,
            bounds=bounds,
            control=self._control(bounds, people_of(self._people)),
            publisher=Publisher(settings.broker),
            restorer=Restorer(settings.broker, bounds),
            snapshot_every_s=settings.snapshot_every_s,
            shuffle=settings.shuffle,
        )

    async def rest(self) -> None:
        """Once a second."""
        if self._telemetry is not None:
            await self._telemetry.rest()

    async def follow(self) -> None:
        """Once a second: versions that get or lose a role."""
        if self._follower is not None:
            follower, ways = self._follower
            await follower.step(ways)

    async def revoked(self, _: Any, partitions: Any, **_kwargs: Any) -> None:
        """A rebalance begins. Before the telemetry has started nothing was fetched."""
        if self._telemetry is not None:
            await self._telemetry.revoked(_ours(partitions))

    async def assigned(self, _: Any, partitions: Any, **_kwargs: Any) -> None:
        """A rebalance is over. An engine or much state may take longer to load than a group waits for a member."""
        await stay_a_member(self._app)
        await (await self._begun()).assigned(_ours(partitions))
        if self._ready is not None:
            await asyncio.to_thread(self._ready.touch)

    async def close(self, _: Any, **_kwargs: Any) -> None:
        """The worker ends."""
        if self._telemetry is not None:
            await self._telemetry.close()


def _ours(partitions: Any) -> set[int]:
    return {place.partition for place in partitions if place.topic == topics.WEARABLE}


def _in_background(make: Callable[[], Made]) -> Future[Made]:
    """Start making the route in a daemon thread; the future carries it or what went wrong."""
    made: Future[Made] = Future()

    def run() -> None:
        try:
            made.set_result(make())
        except Exception as error:  # noqa: BLE001 (handed over whole: who waits for the route raises it)
            made.set_exception(error)

    threading.Thread(target=run, name="engine", daemon=True).start()
    return made
