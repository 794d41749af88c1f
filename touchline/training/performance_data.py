"""The data of the performance model: fresh effort and the output given at it.

Of a recorded session only the first third is used, before fatigue can be in it; simulated ones to learn from are of
bodies that do not tire. Effort, output and what kind it is of are laid out by the serving stage itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim.schedule import Kind
from sim.sessions import SessionConfig
from sim.squad import athlete_ids
from stream.cut import CutSession
from stream.infer import OUTPUTS, Person, effort, output, personal
from stream.normalise import CHANNELS
from touchline.training.sessions import START_US, recorded, simulated
from touchline.training.side_by_side import side_by_side
from touchline.training.windows import Float32, Pool, carried, pool
from touchline.training.workshop import Workshop

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

ROWS_AT_ONCE: Final = 8192
REAL: Final = ("hr_forecast_rikluost", "workouts_fit", "workouts_tcx_runpandas")
#: Every so many-th real session is kept back.
KEEP_EVERY: Final = 5
#: A simulated session, s, and the shortest that is worth simulating; the size of a squad.
SESSION_S: Final = 900
LEAST_S: Final = 300
ATHLETES: Final = 12
#: Position, heart and power are all that the performance model needs of the simulated bodies.
CARRIED: Final = frozenset({"position", "heart", "motion"})
DAY_US: Final = 86_400_000_000
#: No squad plays on so many.
DAYS: Final = 100

#: Squads to learn from, and their sessions, a day apart: the kind, and between what the intensity is drawn. First
#: those that tell who an athlete is, as a season does: mostly as hard as usual. What is found out in hard sessions
#: does not hold as it is in easy ones, and the network is to learn that. Then easy ones, many because hearts are
#: seldom high enough in them to be scored, and hard ones beyond the usual, which would else be the edge of what was
#: seen.
SQUADS: Final = tuple(range(50, 62))
TELLING: Final[tuple[tuple[Kind, tuple[float, float]], ...]] = (
    ("match", (0.85, 1.1)),
    ("run", (0.85, 1.1)),
    ("match", (0.5, 0.7)),
    ("run", (0.5, 0.7)),
)
PLAYED: Final[tuple[tuple[Kind, tuple[float, float]], ...]] = (
    ("match", (0.8, 1.2)),
    ("match", (0.4, 0.8)),
    ("match", (0.4, 0.6)),
    ("match", (0.4, 0.6)),
    ("run", (0.7, 1.2)),
    ("run", (0.45, 0.6)),
    ("training", (0.5, 1.1)),
)
#: A telling session is so long, as a share of the others.
TELLING_SHARE: Final = 2 / 3
#: Air temperatures that are drawn from, °C; None is a mild day.
AIR_C: Final = (None, 12.0, 20.0, 27.0, 32.0)
#: Of what is drawn for the sessions.
SEED: Final = 17


@dataclass(frozen=True, slots=True)
class Efforts:
    """N scorable seconds: ``raw (N, 120, C)`` is drawn from ``table`` by ``at (N,)``.

    ``actual (N,)`` output of a minute over the prior's centre, of ``kind (N,)``; ``person``: a row each, their
    efficiency unknown; ``third (N,)`` of the session, 0 to 2; ``athlete (sessions,)`` whose each session is, ``tells
    (sessions,)``: whether it tells of its athlete, as earlier ones do.
    """

    table: Pool
    at: Ints
    actual: Floats
    kind: Ints
    person: Person
    third: Ints
    athlete: Ints
    tells: NDArray[np.bool_]

    def __len__(self) -> int:
        """How many seconds."""
        return len(self.at)

    @property
    def session(self) -> Ints:
        """Number of the session of each second, ``(N,)``."""
        return np.asarray(self.table.session[self.at])

    def take(self, index: NDArray[np.int64] | NDArray[np.bool_]) -> Efforts:
        """Some of the seconds."""
        person = Person(*(getattr(self.person, name)[index] for name in Person.__dataclass_fields__))
        return replace(
            self, at=self.at[index], actual=self.actual[index], kind=self.kind[index], person=person,
            third=self.third[index],
        )  # fmt: skip

    def inputs(self) -> list[Float32]:
        """``effort (N, 120, 4)`` and ``static (N, 8)``."""
        return [effort(self.table.history(self.at), self.person), personal(self.person, self.kind)]


def efforts(
    sessions: Sequence[CutSession], people: Sequence[str], tells: Sequence[bool] | None = None
) -> Efforts:
    """All seconds in which a performance can be scored; ``people``: who each session is of; all tell unless said."""
    table = pool(sessions)
    at = np.flatnonzero(table.session >= 0)
    number = table.session[at]
    length = np.array([len(carried(s)) for s in sessions])[number]
    third = np.minimum(3 * table.within[at] // length, 2)
    athlete = np.unique(np.array(people), return_inverse=True)[1]
    none = np.zeros(len(at), np.int64)
    telling = np.ones(len(sessions), np.bool_) if tells is None else np.array(tells, np.bool_)
    every = Efforts(table, at, none.astype(float), none, _people(sessions, number), third, athlete, telling)
    found = [
        _outputs(every.take(part)) for part in np.array_split(np.arange(len(at)), 1 + len(at) // ROWS_AT_ONCE)
    ]
    actual, kind, reasons = (np.concatenate(column) for column in zip(*found, strict=True))
    return replace(every, actual=actual, kind=kind).take(reasons == 0)


def _people(sessions: Sequence[CutSession], number: Ints) -> Person:
    rest = np.array([s.heart_rest for s in sessions])
    most = np.array([s.heart_max for s in sessions])
    anybody = np.ones((len(number), len(OUTPUTS)))
    return Person(
        rest[number],
        most[number],
        np.stack([s.static for s in sessions])[number],
        anybody,
        0 * anybody,
        np.zeros(len(number), np.bool_),
    )


def _outputs(part: Efforts) -> tuple[Floats, Ints, Ints]:
    found = output(part.table.history(part.at), part.person)
    return found.over_own, found.kind, found.abstains


@dataclass(frozen=True, slots=True)
class PerformanceData:
    """``train``: fresh seconds, each part with its share of a batch; ``real``: all recorded sessions, whole.

    ``kept (sessions,)``: which of ``real`` are kept back.
    """

    train: Sequence[tuple[float, Efforts]]
    real: Efforts
    kept: NDArray[np.bool_]
    hashes: dict[str, str]


def performance_data(shop: Workshop) -> PerformanceData:
    """Read, simulate and cut; every fifth real session is kept back."""
    with ThreadPoolExecutor(1) as beside:  # other processes simulate, this one cuts recordings
        squads = beside.submit(lambda: list(_squads(shop)))
        real, kept = real_efforts(shop)
    made = squads.result()
    return PerformanceData(
        train=(
            (0.3, real.take((real.third == 0) & ~kept[real.session])),
            (0.7, efforts(made, [_name(s) for s in made], [_day(s) < len(TELLING) for s in made])),
        ),
        real=real,
        kept=kept,
        hashes={name: shop.source(name).sha256() for name in REAL},
    )


def real_efforts(shop: Workshop) -> tuple[Efforts, NDArray[np.bool_]]:
    """All recorded sessions and which are kept back.

    The runs and the TCX files are one runner's each; a FIT file is somebody.
    """
    sessions: list[CutSession] = []
    people: list[str] = []
    for number, name in enumerate(REAL):
        shop.tell("performance: cutting sessions", number, len(REAL))
        found = sorted(recorded(shop.source(name)), key=lambda s: s.session)
        sessions += [_trusted(s) for s in found] if name == "hr_forecast_rikluost" else found
        people += [s.session if name == "workouts_fit" else name for s in found]
    shop.tell("performance: cutting sessions", len(REAL), len(REAL))
    return efforts(sessions, people), np.arange(len(sessions)) % KEEP_EVERY == 0


def _trusted(session: CutSession) -> CutSession:
    """The power column of these runs repeats their temperature: taken out."""
    history = session.history.copy()
    history[:, CHANNELS.index("power")] = np.nan
    return replace(session, history=history)


def _name(session: CutSession) -> str:
    """An athlete of a simulated squad."""
    return f"{_seed(session) // DAYS}/{session.athlete}"


def _day(session: CutSession) -> int:
    return _seed(session) % DAYS


def _seed(session: CutSession) -> int:
    """The seed in the session's name: of the squad and the day."""
    return int(session.session.split("-")[2])


class Played(NamedTuple):
    """A squad's session: the same ``squad`` gives the same athletes, another ``day`` other play and weather."""

    squad: int
    day: int
    kind: Kind
    intensity: float
    air_c: float | None
    seconds: int

    def config(self) -> SessionConfig:
        """What the simulator is told; nobody tires."""
        groups = CARRIED if self.kind == "run" else CARRIED - {"motion"}
        return SessionConfig(
            athletes=ATHLETES,
            seconds=self.seconds,
            start_us=START_US + self.day * DAY_US,
            kind=self.kind,
            seed=DAYS * self.squad + self.day,
            squad=self.squad,
            intensity=self.intensity,
            fatigue="none",
            air_c=self.air_c,
            carried=dict.fromkeys(athlete_ids(ATHLETES), groups),
        )


def _drawn(seconds: int) -> list[Played]:
    """Sessions to learn from; hard and easy ones, cold and hot ones for every squad."""
    rng = np.random.default_rng(SEED)
    found = []
    for squad in SQUADS:
        for day, (kind, between) in enumerate((*TELLING, *PLAYED)):
            length = max(LEAST_S, round(TELLING_SHARE * seconds)) if day < len(TELLING) else seconds
            air_c = AIR_C[rng.integers(len(AIR_C))]
            found.append(Played(squad, day, kind, float(rng.uniform(*between)), air_c, length))
    return found


def _squads(shop: Workshop) -> Iterator[CutSession]:
    """The sessions to learn from, simulated side by side in processes of their own."""
    played = _drawn(max(LEAST_S, round(SESSION_S * shop.thrift)))
    played = played[: max(len(TELLING) + len(PLAYED), round(len(played) * shop.thrift))]
    configs = [replace(p.config(), frames_per_s=1) for p in played]  # the same samples in fewer frames
    for number, sessions in enumerate(side_by_side(simulated, configs), start=1):
        shop.tell("performance: simulating", number, len(played))
        yield from sessions
