"""The data of the performance model: fresh effort and the output given at it.

Only the first third of every session is used, before fatigue can be in it. Effort, output and its centre are laid
out by the serving stage itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sim.bodies import Fatigue
from sim.schedule import Kind
from sim.sessions import SessionConfig
from sim.squad import athlete_ids
from stream.cut import CutSession
from stream.infer import Person, effort, output_over_own
from stream.normalise import CHANNELS, Normalised
from touchline.training.sessions import START_US, recorded, simulated
from touchline.training.windows import CENTRE, Float32, Pool, carried, pool
from touchline.training.workshop import Workshop

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

ROWS_AT_ONCE: Final = 8192
REAL: Final = ("hr_forecast_rikluost", "workouts_fit", "workouts_tcx_runpandas")
#: Every so many-th real session is kept back.
KEEP_EVERY: Final = 5
#: A simulated session and the smallest one, s, and the size of a squad.
SESSION_S: Final = 2100
LEAST_S: Final = 900
ATHLETES: Final = 12
#: Position, heart and power are all that the performance model needs of the simulated bodies.
CARRIED: Final = frozenset({"position", "heart", "motion"})
DAY_US: Final = 86_400_000_000

#: A simulated session and the intensity it was made with.
Made = tuple[CutSession, float]
#: Kind and intensity of a squad's sessions, a day apart; those of full intensity make the baselines.
Played = tuple[Kind, float]
TRAIN_SQUADS: Final[Sequence[tuple[int, Sequence[Played]]]] = (
    (40, (("match", 1.0), ("run", 1.0), ("match", 0.6))),
    (41, (("match", 1.0), ("run", 1.0), ("run", 0.6))),
    (42, (("match", 1.0), ("run", 1.0), ("training", 0.8))),
)
TEST_SQUADS: Final[Sequence[tuple[int, Sequence[Played]]]] = (
    (90, (("match", 1.0), ("run", 1.0), ("match", 0.5))),
)


@dataclass(frozen=True, slots=True)
class Efforts:
    """N scorable seconds: ``raw (N, 120, C)`` is drawn from ``table`` by ``at (N,)``.

    ``actual (N,)`` output of the last minute over the prior's centre; ``own (N,)`` the athlete's own centre over the
    prior's; ``person`` heart limits and static, a row each; ``third (N,)`` of the session, 0 to 2.
    """

    table: Pool
    at: Ints
    actual: Floats
    own: Floats
    person: Person
    third: Ints

    def __len__(self) -> int:
        """How many seconds."""
        return len(self.at)

    def take(self, index: NDArray[np.int64] | NDArray[np.bool_]) -> Efforts:
        """Some of the seconds."""
        person = Person(
            self.person.heart_rest[index], self.person.heart_max[index], self.person.static[index]
        )
        return replace(
            self, at=self.at[index], actual=self.actual[index], own=self.own[index], person=person,
            third=self.third[index],
        )  # fmt: skip

    def inputs(self) -> list[Float32]:
        """``effort (N, 120, 4)`` and ``static (N, 7)``."""
        return [effort(self.table.history(self.at), self.person), self.person.static]


def baselines(sessions: Sequence[CutSession], people: Sequence[str]) -> Floats:
    """Each session's athlete's own centres ``(sessions, C)``: mean over all the athlete's seconds, else the prior's.

    ``people``: who each session is of; the names in recordings are those of files.
    """
    own = {
        name: _mean_of([s for s, of in zip(sessions, people, strict=True) if of == name])
        for name in set(people)
    }
    return np.stack([own[name] for name in people])


def _mean_of(sessions: Sequence[CutSession]) -> Floats:
    history = np.concatenate([s.history for s in sessions])
    there = np.isfinite(history)
    mean = np.where(there, history, 0.0).sum(axis=0) / np.maximum(there.sum(axis=0), 1)
    return np.where(there.any(axis=0), mean, CENTRE)


def efforts(sessions: Sequence[CutSession], own: Floats, thirds: Sequence[int] = (0, 1, 2)) -> Efforts:
    """All seconds of some thirds in which a performance can be scored; ``own``: see :func:`baselines`."""
    table = pool(sessions)
    at = np.flatnonzero(table.session >= 0)
    length = np.array([len(carried(s)) for s in sessions])[table.session[at]]
    third = np.minimum(3 * table.within[at] // length, 2)
    at, third = at[np.isin(third, thirds)], third[np.isin(third, thirds)]
    every = Efforts(
        table, at, np.zeros(len(at)), np.ones(len(at)), _people(sessions, table.session[at]), third
    )
    parts = np.array_split(np.arange(len(at)), 1 + len(at) // ROWS_AT_ONCE)
    found = [_scorable(every.take(part), own) for part in parts]
    reasons, actual, over = (np.concatenate(column) for column in zip(*found, strict=True))
    return replace(every, actual=actual, own=over).take(reasons == 0)


def _people(sessions: Sequence[CutSession], number: Ints) -> Person:
    rest = np.array([s.heart_rest for s in sessions])
    most = np.array([s.heart_max for s in sessions])
    return Person(rest[number], most[number], np.stack([s.static for s in sessions])[number])


def _scorable(part: Efforts, own: Floats) -> tuple[Ints, Floats, Floats]:
    """Why not, output over the prior's centre, and the own centre over the prior's, of some seconds."""
    raw = part.table.history(part.at)
    none = np.zeros((len(raw), 0), np.float32)
    prior = np.broadcast_to(CENTRE, (len(raw), len(CHANNELS)))
    reasons, over_prior = output_over_own(Normalised(raw, none, none, prior), part.person)
    _, over_own = output_over_own(Normalised(raw, none, none, own[part.table.session[part.at]]), part.person)
    centre = np.divide(over_prior, over_own, out=np.ones(len(raw)), where=over_own > 0)
    return reasons, over_prior, centre


@dataclass(frozen=True, slots=True)
class PerformanceData:
    """``train`` by the share of a batch; ``unseen``: sessions kept back, all thirds, by name."""

    train: Sequence[tuple[float, Efforts]]
    unseen: dict[str, Efforts]
    hashes: dict[str, str]


def performance_data(shop: Workshop) -> PerformanceData:
    """Read, simulate and cut; every fifth real session is kept back, and a simulated squad of its own."""
    real, people = _real(shop)
    own = baselines(real, people)
    kept = np.arange(len(real)) % KEEP_EVERY == 0
    made = _squads(shop, TRAIN_SQUADS, "natural")
    rested = _squads(shop, TEST_SQUADS, "none")
    shop.tell("performance: cutting sessions", len(REAL) + 2, len(REAL) + 2)
    return PerformanceData(
        train=(
            (0.5, efforts([real[k] for k in np.flatnonzero(~kept).tolist()], own[~kept], (0,))),
            (0.5, efforts([s for s, _ in made], _usual_baselines(made), (0,))),
        ),
        unseen={"real": efforts([real[k] for k in np.flatnonzero(kept).tolist()], own[kept])}
        | _rested(rested),
        hashes={name: shop.source(name).sha256() for name in REAL},
    )


def _rested(made: Sequence[Made]) -> dict[str, Efforts]:
    """The squad kept back, whose capacity never falls, at full and at half intensity."""
    own = _usual_baselines(made)
    full = np.array([intensity == 1.0 for _, intensity in made])
    return {
        name: efforts([made[k][0] for k in np.flatnonzero(some).tolist()], own[some])
        for name, some in (("simulated, no fatigue", full), ("the same, half intensity", ~full))
    }


def _usual_baselines(made: Sequence[Made]) -> Floats:
    """Baselines of simulated athletes, from their sessions at full intensity, a row for each session."""
    usual = [session for session, intensity in made if intensity == 1.0]
    names = [_name(session) for session in usual]
    own = dict(zip(names, baselines(usual, names), strict=True))
    return np.stack([own[_name(session)] for session, _ in made])


def _real(shop: Workshop) -> tuple[list[CutSession], list[str]]:
    """Sessions and who they are of: the runs and the TCX files are one runner's each, a FIT file is somebody."""
    sessions: list[CutSession] = []
    people: list[str] = []
    for number, name in enumerate(REAL):
        shop.tell("performance: cutting sessions", number, len(REAL) + 2)
        found = sorted(recorded(shop.source(name)), key=lambda s: s.session)
        sessions += [_trusted(s) for s in found] if name == "hr_forecast_rikluost" else found
        people += [s.session if name == "workouts_fit" else name for s in found]
    shop.tell("performance: cutting sessions", len(REAL), len(REAL) + 2)
    return sessions, people


def _trusted(session: CutSession) -> CutSession:
    """The power column of these runs repeats their temperature: taken out."""
    history = session.history.copy()
    history[:, CHANNELS.index("power")] = np.nan
    return replace(session, history=history)


def _name(session: CutSession) -> str:
    """An athlete of a simulated squad: the seed in the session's name tells squads apart."""
    return f"{session.session.split('-')[2]}/{session.athlete}"


def _squads(shop: Workshop, squads: Sequence[tuple[int, Sequence[Played]]], fatigue: Fatigue) -> list[Made]:
    """All sessions of some squads with their intensity. The same seed gives the same athletes."""
    seconds = max(LEAST_S, round(SESSION_S * shop.thrift))
    return [
        (session, intensity)
        for seed, played in squads
        for day, (kind, intensity) in enumerate(played)
        for session in simulated(_config((kind, intensity), seconds, (seed, day), fatigue))
    ]


def _config(how: Played, seconds: int, seed_day: tuple[int, int], fatigue: Fatigue) -> SessionConfig:
    (kind, intensity), (seed, day) = how, seed_day
    groups = CARRIED if kind == "run" else CARRIED - {"motion"}
    return SessionConfig(
        athletes=ATHLETES,
        seconds=seconds,
        start_us=START_US + day * DAY_US,
        kind=kind,
        seed=seed,
        intensity=intensity,
        fatigue=fatigue,
        carried=dict.fromkeys(athlete_ids(ATHLETES), groups),
    )
