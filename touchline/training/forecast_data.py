"""The data of the forecast: which sessions are trained on and which are kept for the figures.

The first net of the ensemble leaves out a part of the sessions, which say when to stop and how wide the bands are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from sim.sessions import SessionConfig
from stream.cut import CutSession
from stream.normalise import CHANNELS
from touchline.training.fingerprints import Hashes, stretches, whole, winnowed, written
from touchline.training.forecast_origins import AFTER, BEFORE, Origins, origins_of
from touchline.training.sessions import START_US, recorded, simulated
from touchline.training.side_by_side import side_by_side
from touchline.training.windows import HEART_RATE, SPEED, Pool, carried, origins, pool
from touchline.training.workshop import Workshop

Ints = NDArray[np.int64]

SEED: Final = 0
#: The runs that are split, and what is trained on whole beside them.
RUNS: Final = "hr_forecast_rikluost"
WORKOUTS: Final = ("workouts_fit", "workouts_tcx_runpandas")
#: Seconds of heart rate in a fingerprint, and how many beats a minute move in them at least; whoever has rows enough
#: to be judged on has the fingerprint of one of so many stretches in a row.
STRETCH_S: Final = 60
MOVES: Final = 5
STRETCHES: Final = BEFORE + 1 + AFTER - STRETCH_S + 1
#: Runs kept for the figures.
TEST_RUNS: Final = 10
#: Of the sessions trained on every so many-th is left out of the first net.
LEFT_OUT_EVERY: Final = 5
#: Seconds of a simulated session.
SIMULATED_S: Final = 1500
#: Smallest simulated session, s.
LEAST_S: Final = 300


@dataclass(frozen=True, slots=True)
class Part:
    """Sessions of one origin in one role: the pool and the seconds to forecast from."""

    name: str
    table: Pool
    at: Ints

    def split(self) -> tuple[Part, Part]:
        """What the first net learns from, and what it leaves out, by session."""
        out = self.table.session[self.at] % LEFT_OUT_EVERY == 0
        return replace(self, at=self.at[~out]), replace(self, at=self.at[out])


@dataclass(frozen=True, slots=True)
class ForecastData:
    """``train`` parts by the share of a batch they make; ``match``, the half that judges.

    ``kept``: where heart rate is judged, in runs kept back; ``fit``: the same of runs that baselines are fitted on.
    ``squad``: simulated athletes that are not trained on, with every sensor there is.
    ``seen``: fingerprints of the recorded sessions in ``train``.
    """

    train: Sequence[tuple[float, Part]]
    match: Part
    kept: Origins
    fit: Origins
    squad: Part
    hashes: dict[str, str]
    seen: Mapping[str, Any] = field(default_factory=dict)


def runs_split(sessions: Sequence[CutSession], seed: int = SEED) -> tuple[list[CutSession], list[CutSession]]:
    """Train and test runs, by session, shuffled by the seed."""
    ordered = sorted(sessions, key=lambda s: s.session)
    mixed = [ordered[i] for i in np.random.default_rng(seed).permutation(len(ordered))]
    return mixed[TEST_RUNS:], mixed[:TEST_RUNS]


def without(session: CutSession, channel: str) -> CutSession:
    """The session with a channel taken out."""
    history = session.history.copy()
    history[:, CHANNELS.index(channel)] = np.nan
    return replace(session, history=history)


def trusted(run: CutSession) -> CutSession:
    """A run of the data set as it may be learnt from: its power column repeats the temperature."""
    return without(run, "power")


def forecast_data(shop: Workshop) -> ForecastData:
    """Read, simulate and cut everything; half a match trains and the other half judges."""
    names = (RUNS, *WORKOUTS, "football_skillcorner_2417")
    cut: dict[str, list[CutSession]] = {}
    for number, name in enumerate(names):
        shop.tell("forecast: cutting sessions", number, len(names) + 1)
        cut[name] = list(recorded(shop.source(name)))
    shop.tell("forecast: cutting sessions", len(names), len(names) + 1)
    runs = [trusted(s) for s in cut[RUNS]]
    train, test = runs_split(runs)
    first, second = _halves(cut["football_skillcorner_2417"])
    *made, squad = side_by_side(simulated, _simulated(shop))
    shop.tell("forecast: cutting sessions", len(names) + 1, len(names) + 1)
    workouts = [session for name in WORKOUTS for session in cut[name]]
    return ForecastData(
        train=(
            (0.8, _part("runs", train, HEART_RATE)),
            (0.1, _part("match", first, SPEED)),
            (0.05, _part("workouts", workouts, HEART_RATE)),
            (0.05, _part("simulated", [session for one in made for session in one], SPEED)),
        ),
        match=_part("match", second, SPEED),
        kept=origins_of(test),
        fit=origins_of(train),
        squad=_part("squad", squad, HEART_RATE),
        hashes={name: shop.source(name).sha256() for name in names},
        seen=seen(shop),
    )


def seen(shop: Workshop) -> dict[str, list[str]]:
    """Fingerprints of the recorded sessions that heart rate is learnt from, by data set, for the manifest."""
    learnt = {RUNS: runs_split(recorded(shop.source(RUNS)))[0]}
    learnt |= {name: list(recorded(shop.source(name))) for name in WORKOUTS}
    return {name: fingerprints(sessions) for name, sessions in learnt.items()}


def fingerprints(sessions: Sequence[CutSession]) -> list[str]:
    """Those of each session; one without heart rate has none, and nothing to judge a forecast of it by."""
    return [written(winnowed(minutes_of(session), STRETCHES)) for session in sessions]


def minutes_of(session: CutSession) -> Hashes:
    """Hashes of a session's minutes, one beginning with each second: heart rate alone, in whole beats a minute."""
    return stretches(whole(carried(session)[:, [HEART_RATE]]), STRETCH_S, MOVES)


def _part(name: str, sessions: Sequence[CutSession], channel: int) -> Part:
    table = pool(sessions)
    return Part(name, table, origins(table, channel))


def _halves(sessions: Sequence[CutSession]) -> tuple[list[CutSession], list[CutSession]]:
    names = sorted({s.session for s in sessions})
    return [s for s in sessions if s.session == names[0]], [s for s in sessions if s.session != names[0]]


def _simulated(shop: Workshop) -> list[SessionConfig]:
    """Sessions to simulate; the last is of the squad that is not trained on."""
    seconds = max(LEAST_S, round(SIMULATED_S * shop.thrift))
    match = SessionConfig(athletes=22, seconds=seconds, start_us=START_US, kind="match", seed=11)
    return [
        match,
        replace(match, kind="training", seed=12),
        replace(match, athletes=12, kind="run", seed=13),
        replace(match, athletes=12, seed=14),
    ]
