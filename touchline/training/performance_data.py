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

from sim.sessions import SessionConfig
from stream.cut import CutSession
from stream.infer import Person, effort, output_over_own
from stream.normalise import CHANNELS, Normalised
from touchline.training.sessions import START_US, recorded, simulated
from touchline.training.windows import CENTRE, Float32, Pool, pool
from touchline.training.workshop import Workshop

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

ROWS_AT_ONCE: Final = 8192
#: A whole simulated session and the smallest one, s.
SESSION_S: Final = 3600
LEAST_S: Final = 900
#: Position and heart are all that the performance model needs of the simulated bodies.
CARRIED: Final = frozenset({"position", "heart", "motion"})


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


def efforts(sessions: Sequence[CutSession], thirds: Sequence[int] = (0, 1, 2)) -> Efforts:
    """All seconds of some thirds in which a performance can be scored."""
    table = pool(sessions)
    at = np.flatnonzero(table.session >= 0)
    length = np.array([len(s.second) for s in sessions])[table.session[at]]
    third = np.minimum(3 * table.within[at] // np.maximum(length, 1), 2)
    at, third = at[np.isin(third, thirds)], third[np.isin(third, thirds)]
    person = _people(sessions, table.session[at])
    every = Efforts(table, at, np.zeros(len(at)), np.ones(len(at)), person, third)
    parts = [
        _scorable(every.take(part))
        for part in np.array_split(np.arange(len(at)), 1 + len(at) // ROWS_AT_ONCE)
    ]
    reasons = np.concatenate([reason for reason, _, _ in parts])
    actual, own = (np.concatenate([p[k] for p in parts]) for k in (1, 2))
    return replace(every, actual=actual, own=own).take(reasons == 0)


def _people(sessions: Sequence[CutSession], number: Ints) -> Person:
    rest = np.array([s.heart_rest for s in sessions])
    most = np.array([s.heart_max for s in sessions])
    return Person(rest[number], most[number], np.stack([s.static for s in sessions])[number])


def _scorable(part: Efforts) -> tuple[Ints, Floats, Floats]:
    """Why not, output over the prior's centre, and the own centre over the prior's, of some seconds."""
    raw = part.table.history(part.at)
    none = np.zeros((len(raw), 0), np.float32)
    prior = np.broadcast_to(CENTRE, (len(raw), len(CHANNELS)))
    mean = part.table.own[part.table.session[part.at], 0].astype(np.float64)
    reasons, over_prior = output_over_own(Normalised(raw, none, none, prior), part.person)
    _, over_own = output_over_own(Normalised(raw, none, none, mean), part.person)
    own = np.divide(over_prior, over_own, out=np.ones(len(raw)), where=over_own > 0)
    return reasons, over_prior, own


@dataclass(frozen=True, slots=True)
class PerformanceData:
    """``train`` by the share of a batch; ``unseen``: other athletes' fresh thirds; ``whole``: all thirds, by name."""

    train: Sequence[tuple[float, Efforts]]
    unseen: dict[str, Efforts]
    whole: dict[str, Efforts]
    hashes: dict[str, str]


def performance_data(shop: Workshop) -> PerformanceData:
    """Read, simulate and cut; every fifth real session is kept back, and a simulated squad of its own."""
    names = ("hr_forecast_rikluost", "workouts_fit", "workouts_tcx_runpandas")
    kept: list[CutSession] = []
    real: list[CutSession] = []
    for number, name in enumerate(names):
        shop.tell("performance: cutting sessions", number, len(names) + 1)
        ordered = sorted(recorded(shop.source(name)), key=lambda s: s.session)
        sessions = [_trusted(s) for s in ordered] if name == "hr_forecast_rikluost" else ordered
        kept += sessions[::5]
        real += [s for k, s in enumerate(sessions) if k % 5]
    shop.tell("performance: cutting sessions", len(names), len(names) + 1)
    made = [s for config in _configs(shop) for s in simulated(config, config.seconds // 3)]
    rested = simulated(_test_config(shop))
    shop.tell("performance: cutting sessions", len(names) + 1, len(names) + 1)
    return PerformanceData(
        train=((0.5, efforts(real, (0,))), (0.5, _first_seconds(made))),
        unseen={"real": efforts(kept, (0,)), "simulated": efforts(rested, (0,))},
        whole={"real": efforts(kept), "simulated, no fatigue": efforts(rested)},
        hashes={name: shop.source(name).sha256() for name in names},
    )


def _first_seconds(sessions: Sequence[CutSession]) -> Efforts:
    """Sessions of which only the first third was simulated: all of it."""
    return efforts(sessions)


def _trusted(session: CutSession) -> CutSession:
    """The power column of these runs repeats their temperature: taken out."""
    history = session.history.copy()
    history[:, CHANNELS.index("power")] = np.nan
    return replace(session, history=history)


def _configs(shop: Workshop) -> list[SessionConfig]:
    seconds = max(LEAST_S, round(SESSION_S * shop.thrift))
    kinds = (("match", 1.0), ("training", 1.0), ("run", 1.0), ("match", 0.6), ("run", 0.7), ("training", 0.8))
    return [_config(seconds, 40 + k, kind, intensity) for k, (kind, intensity) in enumerate(kinds)]


def _test_config(shop: Workshop) -> SessionConfig:
    seconds = max(LEAST_S, round(SESSION_S * shop.thrift))
    return replace(_config(seconds, 90, "match", 1.0), fatigue="none")


def _config(seconds: int, seed: int, kind: str, intensity: float) -> SessionConfig:
    athletes = 16
    names = [f"A{k:02d}" for k in range(1, athletes + 1)]
    groups = CARRIED if kind == "run" else CARRIED - {"motion"}
    return SessionConfig(
        athletes=athletes,
        seconds=seconds,
        start_us=START_US,
        kind=kind,  # type: ignore[arg-type]
        seed=seed,
        intensity=intensity,
        carried=dict.fromkeys(names, groups),
    )
