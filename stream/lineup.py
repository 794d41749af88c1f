"""Lineup: which version of each model answers for whom. Stable for most, a canary for some athletes, a shadow unseen.

An athlete keeps their version: who is the canary's follows from the name alone. What a canary cannot answer the
stable version answers in its stead, so that no window is lost. One thread uses it, the one that runs the networks;
engines are loaded elsewhere.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import structlog
from numpy.typing import NDArray

from models.watch import Verdict
from stream import metrics
from stream.alert import Rule
from stream.infer import Answering, Came, Engine, Forecast, Performed
from stream.timed import Stopwatch
from stream.trial import Canary, Pair, Seen, Trial

log = structlog.get_logger(__name__)

Float32 = NDArray[np.float32]
Flags = NDArray[np.bool_]
Ints = NDArray[np.int64]
Arrays = tuple[Float32, ...]
#: Asks an engine for some rows.
Ask = Callable[[Engine, Any], Arrays]

#: A call that takes longer is slow for all its rows, s.
SLOW_S: Final = 0.25


class VersionLineup:
    """``stable`` runs every model; ``canaries`` and ``shadows`` (version and engine) by model."""

    def __init__(self, stable: Engine, rules: Sequence[Rule] = ()) -> None:
        self.stable = stable
        self.canaries: dict[str, Canary] = {}
        self.shadows: dict[str, tuple[str, Engine]] = {}
        self.stopwatch = Stopwatch()
        self.verdicts: list[tuple[Canary, Verdict]] = []
        self._rules = rules
        self._trials: dict[str, Trial] = {}
        self._failed: set[tuple[str, str]] = set()

    def rows(self, athletes: Sequence[str]) -> Arms:
        """The engine for rows of these athletes."""
        mine = {name: np.flatnonzero(canary.of(athletes)) for name, canary in self.canaries.items()}
        return Arms(self, len(athletes), {name: rows for name, rows in mine.items() if len(rows)})

    def look(self, rows: Answering, slot: Ints, second: Ints, came: Came) -> None:
        """Tally the canaries; one that has left its band answers for nobody from now on, and is told of."""
        assert isinstance(rows, Arms), "made by rows()"
        for name in list(self.canaries) if len(slot) else ():
            trial = self.trial(name)
            if name in rows.pairs:
                trial.add(rows.pairs[name], Seen(slot, second, came, self.stable.quantile_levels))
            verdict = trial.look(int(second.max()))
            if verdict is not None:
                self.verdicts.append((self.canaries.pop(name), verdict))

    def trial(self, name: str) -> Trial:
        """The trial of a model's canary; another canary begins another."""
        canary, running = self.canaries[name], self._trials.get(name)
        if running is None or running.canary is not canary:
            running = self._trials[name] = Trial(canary, self._rules)
        return running

    def take_verdicts(self) -> list[tuple[Canary, Verdict]]:
        """Canaries that have left their band since the last look."""
        found, self.verdicts = self.verdicts, []
        return found

    def tried(self, name: str, version: str, ask: Callable[[], Arrays]) -> Arrays | None:
        """The answers of a version on trial; None where it fails, however it does. The first failure is told."""
        try:
            return ask()
        except (
            Exception
        ):  # whatever ails a version on trial must not touch the stable version's athletes; it is counted
            if (name, version) not in self._failed:
                log.exception("a version on trial failed", model=name, version=version)
            self._failed.add((name, version))
            return None


class Arms:
    """The engine for R rows, each answered by its athlete's version. ``mine``: by model the rows of its canary.

    The stable version answers all rows, the canary its own again: so both are known of the same athletes
    (:attr:`pairs`), and what the canary cannot answer has an answer.
    """

    def __init__(self, lineup: VersionLineup, rows: int, mine: Mapping[str, NDArray[np.intp]]) -> None:
        self._lineup, self._rows, self._mine = lineup, rows, mine
        self._canaries = dict(lineup.canaries)
        self.pairs: dict[str, Pair] = {}

    @property
    def versions(self) -> Mapping[str, str]:
        """The stable version of each model."""
        return self._lineup.stable.versions

    @property
    def quantile_levels(self) -> tuple[float, ...]:
        """Levels of :meth:`performance`; a canary has the same."""
        return self._lineup.stable.quantile_levels

    @property
    def today_helps(self) -> bool:
        """As the stable version."""
        return self._lineup.stable.today_helps

    def versions_by_row(self) -> list[Mapping[str, str]]:
        """Model to the version that answered, of each row. Rows alike share one map."""
        found: list[Mapping[str, str]] = [self.versions] * self._rows
        for name, pair in self.pairs.items():
            other = {id(one): {**one, name: pair.version} for one in found}
            for row in pair.rows.tolist():
                found[row] = other[id(found[row])]
        return found

    def forecast(self, x: Float32, anchor: Float32, earlier: Float32) -> Forecast:
        """As the engine."""

        def ask(engine: Engine, rows: Any) -> Arrays:
            told = engine.forecast(x[rows], anchor[rows], earlier[rows])
            return told.heart_rate, told.speed, told.yaw_rate, told.acceleration, told.bands

        return _Forecast(*self._answer("forecast", ask))

    def performance(self, effort: Float32, static: Float32) -> tuple[Float32, Float32]:
        """As the engine."""
        quantiles, usual = self._answer(
            "performance", lambda e, rows: e.performance(effort[rows], static[rows])
        )
        return quantiles, usual

    def injury(self, days: Float32) -> Float32:
        """As the engine; where versions differ in members, NaN fills up."""
        return self._answer("injury", lambda engine, rows: (engine.injury(days[rows]),))[0]

    def injury_pushes(self, days: Float32, ordinary: Float32) -> Float32:
        """As the engine; NaN where the canary cannot say."""
        return self._explained("injury", lambda e, rows: (e.injury_pushes(days[rows], ordinary[rows]),))[0]

    def performance_pushes(self, given: Performed, ordinary: Performed) -> Arrays:
        """As the engine; NaN where the canary cannot say."""

        def ask(engine: Engine, rows: Any) -> Arrays:
            picked = [(a[0][rows], a[1][rows], a[2][rows]) for a in (given, ordinary)]
            return engine.performance_pushes(*picked)

        return self._explained("performance", ask)

    def some(self, rows: Ints) -> Arms:
        """The arms of some of the rows, that answer as these do."""
        place = {name: np.flatnonzero(np.isin(rows, pair.rows)) for name, pair in self.pairs.items()}
        found = Arms(self._lineup, len(rows), {name: at for name, at in place.items() if len(at)})
        found._canaries = self._canaries
        return found

    def _explained(self, name: str, ask: Ask) -> Arrays:
        """Each row by its athlete's version. A trial is not about explanations: nothing is tallied."""
        with self._lineup.stopwatch.running():
            stable = ask(self._lineup.stable, slice(None))
            if name not in self._mine:
                return stable
            canary, there = self._canaries[name], self._mine[name]
            told = self._lineup.tried(name, canary.version, lambda: ask(canary.engine, there))
            unknown = tuple(np.full_like(array[there], np.nan) for array in stable)
            return tuple(_overlaid(*arrays, there) for arrays in zip(stable, told or unknown, strict=True))

    def _answer(self, name: str, ask: Ask) -> Arrays:
        with self._lineup.stopwatch.running():
            return self._answered(name, ask)

    def _answered(self, name: str, ask: Ask) -> Arrays:
        began = time.perf_counter()
        stable = ask(self._lineup.stable, slice(None))
        took_s = time.perf_counter() - began
        if name in self._lineup.shadows:
            self._compare(name, ask, stable)
        if name not in self._mine:
            return stable
        pair = self._pair(name, ask, (stable, took_s))
        self.pairs[name] = pair
        self._lineup.trial(name).called(pair)
        return tuple(_overlaid(*arrays, pair.rows) for arrays in zip(stable, pair.canary, strict=True))

    def _pair(self, name: str, ask: Ask, stable: tuple[Arrays, float]) -> Pair:
        canary, there = self._canaries[name], self._mine[name]
        began = time.perf_counter()
        told = self._lineup.tried(name, canary.version, lambda: ask(canary.engine, there))
        took_s = time.perf_counter() - began
        good = np.zeros(len(there), np.bool_) if told is None else _finite(told)
        rows = there[good]
        same = tuple(array[rows] for array in stable[0])
        return Pair(
            canary.version,
            rows,
            canary=same if told is None else tuple(array[good] for array in told),
            stable=same,
            scores=len(there),
            errors=(0, int((~good).sum())),
            slow=(len(there) * (stable[1] > SLOW_S), len(there) * (took_s > SLOW_S)),
        )

    def _compare(self, name: str, ask: Ask, stable: Arrays) -> None:
        """How far the shadow's answers lie from the stable ones, of the first output. It can do no harm."""
        version, engine = self._lineup.shadows[name]
        told = self._lineup.tried(name, version, lambda: ask(engine, slice(None)))
        if told is None or told[0].shape != stable[0].shape:
            metrics.SHADOW_ERRORS.labels(name).inc()
            return
        apart = np.abs(told[0].astype(np.float64) - stable[0]).reshape(self._rows, -1)
        metrics.SHADOW_ROWS.labels(name).inc(self._rows)
        metrics.SHADOW_APART.labels(name).inc(float(np.nan_to_num(apart).mean(axis=1).sum()))


@dataclass(frozen=True, slots=True)
class _Forecast:
    """Answers of both arms, in the order of the rows."""

    heart_rate: Float32
    speed: Float32
    yaw_rate: Float32
    acceleration: Float32
    bands: Float32


def _finite(told: Arrays) -> Flags:
    """Rows in which all answers are numbers."""
    return np.asarray(np.all([np.isfinite(a).reshape(len(a), -1).all(axis=1) for a in told], axis=0))


def _overlaid(whole: Float32, part: Float32, at: NDArray[np.intp]) -> Float32:
    """``whole`` with ``part`` in the rows ``at``; where they differ in width, NaN fills up."""
    shape = np.maximum(whole.shape[1:], part.shape[1:]).tolist()
    found = np.full((len(whole), *shape), np.nan, np.float32)
    found[(slice(None), *(slice(size) for size in whole.shape[1:]))] = whole
    found[at] = np.nan
    inside: Any = (at, *(slice(size) for size in part.shape[1:]))
    found[inside] = part
    return found
