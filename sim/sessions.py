"""One simulated session from body to delivery, lazily, second by second; memory does not grow with its length."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

import numpy as np

from sim import layout
from sim.bodies import FATIGUE_MODES, PACING, Bodies, Fatigue
from sim.days import days_before
from sim.delivery import Delivery, FaultCounts, Session
from sim.devices import VenueStation, Wearables
from sim.faults import NO_FAULTS, Faults, inject
from sim.gait import Gait
from sim.intent import Intent
from sim.layout import FRAMES_PER_S
from sim.motion import Motion, Movement
from sim.schedule import KINDS, Kind, schedule_of
from sim.sensors import Readings, Sensors
from sim.squad import Floats, Physiology, Squad, athlete_ids, athlete_records, draw_squad
from sim.weather import EVERY_S, Air, Weather
from stream.errors import UsageError
from stream.metabolic import metabolic_power

ACTIVITY: Final[Mapping[Kind, str]] = {"match": "football", "training": "football", "run": "run"}
#: Channel groups of each kind's wearables.
CARRIED: Final[Mapping[Kind, frozenset[str]]] = {
    "match": frozenset({"imu", "position", "heart"}),
    "training": frozenset({"imu", "position", "heart"}),
    "run": frozenset({"imu", "position", "heart", "motion"}),
}
LAYOUTS: Final = {
    "imu": layout.IMU, "position": layout.PITCH, "heart": layout.HEART, "motion": layout.MOTION,
}  # fmt: skip
SECOND_US: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class SessionConfig:
    """What to simulate.

    ``start_us`` event time of the first sample, µs since 1970 UTC; ``intensity`` factor on all speeds meant (0.5 is
    half); ``fatigue`` see :class:`sim.bodies.Bodies`; ``carried`` channel groups of single athletes where they differ
    from those of the kind; ``air_c`` air temperature, None a mild day; ``seed`` names the session, the numbers come
    from the generator; ``squad`` a seed for who the athletes are, so that they can play more than one session, None
    where they too come from the generator, and ``physiology`` what their bodies are like; ``frames_per_s`` of a
    wearable, a divisor of ten; samples stay.
    """

    athletes: int
    seconds: int
    start_us: int
    kind: Kind = "match"
    seed: int = 0
    squad: int | None = None
    physiology: Physiology = "trained"
    intensity: float = 1.0
    fatigue: Fatigue = "natural"
    faults: Faults = NO_FAULTS
    carried: Mapping[str, frozenset[str]] = field(default_factory=dict)
    air_c: float | None = None
    population: str | None = None
    frames_per_s: int = FRAMES_PER_S

    @property
    def session_id(self) -> str:
        """``sim-<kind>-<seed>-<start in seconds since 1970>``."""
        return f"sim-{self.kind}-{self.seed}-{self.start_us // SECOND_US}"


@dataclass(frozen=True, slots=True)
class Second:
    """The truth of one second, arrays ``(athletes,)`` unless said; what no sensor tells.

    ``index`` seconds since the start; ``motion`` at 10 Hz; ``power`` mean metabolic W/kg; ``heart_rate`` bpm at the
    second's start; ``capacity`` 0…1 at its start; ``air`` over the venue.
    """

    index: int
    motion: Motion
    power: Floats
    heart_rate: Floats
    capacity: Floats
    air: Air
    contacts: float


def _checked(config: SessionConfig) -> SessionConfig:
    if config.athletes < 1 or config.seconds < 1:
        raise UsageError("a session needs at least 1 athlete and 1 second")
    if config.kind not in KINDS:
        raise UsageError(f"unknown kind of session {config.kind!r}: one of {', '.join(KINDS)}")
    if config.fatigue not in FATIGUE_MODES:
        raise UsageError(f"unknown fatigue {config.fatigue!r}: one of {', '.join(FATIGUE_MODES)}")
    if not 0 < config.intensity <= 1.2:
        raise UsageError("intensity must lie above 0 and at most at 1.2")
    if config.frames_per_s < 1 or FRAMES_PER_S % config.frames_per_s:
        raise UsageError(f"a wearable sends 1, 2, 5 or {FRAMES_PER_S} frames a second")
    strangers = sorted((config.faults.athletes | set(config.carried)) - set(athlete_ids(config.athletes)))
    if strangers:
        raise UsageError(f"not in a squad of {config.athletes}: {', '.join(strangers)}")
    unknown = sorted(set().union(*config.carried.values()) - set(LAYOUTS))
    if unknown:
        raise UsageError(f"wearables do not carry {', '.join(unknown)}: only {', '.join(LAYOUTS)}")
    return config


def simulate_seconds(config: SessionConfig, squad: Squad, rng: np.random.Generator) -> Iterator[Second]:
    """The truth, second by second, without sensors and frames."""
    schedule = schedule_of(config.kind, config.seconds)
    intent = Intent(squad, rng)
    movement = Movement(squad, rng, on_pitch=config.kind != "run")
    bodies = Bodies(squad, config.fatigue, config.seconds, rng)
    weather = Weather(rng, config.air_c)
    air = weather.step()
    for index in range(config.seconds):
        if index and index % EVERY_S == 0:
            air = weather.step()
        phase, since_s = schedule.at(index)
        target = config.intensity * intent.step(phase, since_s) * bodies.capacity**PACING
        motion = movement.step(target, phase.area)
        power = metabolic_power(motion.speed, motion.acceleration).mean(axis=1)
        yield Second(index, motion, power, bodies.heart_rate, bodies.capacity, air, phase.contacts)
        bodies.step(power, air.wbgt)


def _frames(
    config: SessionConfig, squad: Squad, seconds: Iterable[Second], rng: np.random.Generator
) -> Iterator[list[Delivery]]:
    """Deliveries of each second, sorted; frames of a second may arrive in the next."""
    road = config.kind == "run"
    layouts = LAYOUTS | {"position": layout.ROAD} if road else LAYOUTS
    carried = {athlete: config.carried.get(athlete, CARRIED[config.kind]) for athlete in squad.ids}
    wearables = Wearables(config.session_id, carried, layouts, rng, config.frames_per_s)
    station = VenueStation(config.session_id, rng)
    gait, sensors = Gait(squad.size, rng), Sensors(squad, rng)
    for second in seconds:
        place = sensors.position(second.motion)
        readings = Readings(
            imu=gait.step(second.motion, second.contacts),
            position=layout.on_road(place) if road else place,
            heart=np.rint(second.heart_rate),
            motion=sensors.motion(second.motion, second.power),
        )
        t0_us = config.start_us + second.index * SECOND_US
        weather = [station.frame(t0_us, second.air)] if second.index % EVERY_S == 0 else []
        yield weather + wearables.second(t0_us, readings, last=second.index == config.seconds - 1)


def _in_order(blocks: Iterable[list[Delivery]], start_us: int) -> Iterator[Delivery]:
    """One sequence by arrival: what arrives after its second's end waits for the next second's frames."""
    waiting: list[Delivery] = []
    for index, block in enumerate(blocks, start=1):
        waiting = sorted(waiting + block, key=_arrival)
        end_us = start_us + index * SECOND_US
        ready = [delivery for delivery in waiting if delivery.at_us < end_us]
        waiting = waiting[len(ready) :]
        yield from ready
    yield from waiting


def _arrival(delivery: Delivery) -> int:
    return delivery.at_us


def _observed(seconds: Iterable[Second], observe: Callable[[Second], None] | None) -> Iterator[Second]:
    for second in seconds:
        if observe is not None:
            observe(second)
        yield second


def session_record(config: SessionConfig) -> dict[str, Any]:
    """The record of the topic ``sessions``."""
    return {
        "v": 1,
        "session": config.session_id,
        "activity": ACTIVITY[config.kind],
        "venue": None if config.kind == "run" else "Simulated Park",
        "start_us": config.start_us,
        "source": "simulate",
    }


def simulate_session(
    config: SessionConfig, rng: np.random.Generator, observe: Callable[[Second], None] | None = None
) -> Session:
    """A session whose deliveries are simulated as they are read.

    ``observe`` is shown the truth of each second before its frames come out. The same config and generator state give
    the same bytes; faults draw from a stream of their own, so they do not change the bodies.
    Raises :class:`stream.errors.UsageError` for a config that cannot be.
    """
    config = _checked(config)
    people, days, bodies, sensors, faults = rng.spawn(5)
    if config.squad is not None:
        people = np.random.default_rng(config.squad)
    squad = draw_squad(config.athletes, people, config.physiology)
    today = datetime.fromtimestamp(config.start_us / SECOND_US, UTC).date()
    records = athlete_records(squad, days_before(today, squad.size, days), config.population)
    seconds = _observed(simulate_seconds(config, squad, bodies), observe)
    counts = FaultCounts()
    ordered = _in_order(_frames(config, squad, seconds, sensors), config.start_us)
    deliveries = inject(ordered, config.faults, config.start_us, faults, counts)
    return Session([session_record(config)], records, config.start_us, deliveries, counts)
