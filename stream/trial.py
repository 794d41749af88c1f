"""Trial: a canary beside the stable version, tallied by event time, and the verdict when it leaves its band.

Both answer for the canary's athletes, so that athletes who differ are not taken for versions that do. Counted are
failures and slow calls of the networks, answers that would raise an alert, and outcomes outside the 80 % band. A
forecast's outcome is the heart rate five seconds later, a performance's the output itself; an injury's comes after
days and is not waited for. Pure: no clock, the caller's seconds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.canary import canary_athletes
from models.watch import CanaryWatch, Tally, Verdict
from stream.alert import Rule
from stream.infer import LEAST_EXPECTED, Came, Engine, percentile_of

Float32 = NDArray[np.float32]
Flags = NDArray[np.bool_]
Ints = NDArray[np.int64]
Arrays = tuple[Float32, ...]

#: Seconds of event time between looks.
WINDOW_S: Final = 5
#: A forecast is held against the heart rate so many seconds later.
AHEAD_S: Final = 5
#: Levels of the 80 % band.
LOW: Final = 0.1
HIGH: Final = 0.9
#: The metric of the rules that follow from a model.
FOLLOWS: Final[Mapping[str, str]] = {"performance": "performance", "injury": "injury_risk"}
#: What is counted, as :class:`models.watch.Tally` has it.
COUNTED: Final = ("scores", "errors", "alerts", "slow", "known", "outside")


@dataclass(frozen=True, slots=True)
class Pair:
    """What a canary (of ``version``) and the stable one say of the same ``rows (N,)``; ``errors``, ``slow`` by arm.

    ``canary`` and ``stable``: outputs ``(N, …)`` of the rows that the canary answered. Arms: stable, canary.
    """

    version: str
    rows: NDArray[np.intp]
    canary: Arrays
    stable: Arrays
    scores: int
    errors: tuple[int, int]
    slow: tuple[int, int]


@dataclass(slots=True)
class Canary:
    """A version on trial for a ``share`` of the athletes; ``engine`` has it in the place of the stable one."""

    name: str
    version: str
    engine: Engine
    share: float
    inside: dict[str, bool] = field(default_factory=dict)

    def of(self, athletes: Sequence[str]) -> Flags:
        """Whose it is, ``(athletes,)``."""
        unknown = [athlete for athlete in dict.fromkeys(athletes) if athlete not in self.inside]
        if unknown:
            found = canary_athletes(unknown, self.share, f"{self.name}/{self.version}")
            self.inside.update(zip(unknown, found.tolist(), strict=True))
        return np.array([self.inside[athlete] for athlete in athletes], dtype=np.bool_)


@dataclass(frozen=True, slots=True)
class Seen:
    """What came of R rows: ``slot`` and ``second (R,)``, and the ``levels`` of the quantiles of output."""

    slot: Ints
    second: Ints
    came: Came
    levels: tuple[float, ...]


class Trial:
    """Counts of one canary. ``rules``: all there are."""

    def __init__(self, canary: Canary, rules: Sequence[Rule]) -> None:
        self.canary = canary
        self._watch = CanaryWatch()
        self._since: int | None = None
        self._counts = {name: np.zeros(2, np.int64) for name in COUNTED}
        limits = [rule.raise_at for rule in rules if rule.metric == FOLLOWS.get(canary.name)]
        self._limit = min(limits, default=np.inf)
        # What stable and canary said of the heart rate five seconds ahead, by slot: when, and between what (bpm).
        self._said_s = np.full((0, AHEAD_S), -1)
        self._said = np.full((0, AHEAD_S, 2, 2), np.nan)

    def called(self, pair: Pair) -> None:
        """Both were asked; of the injury model that is all there is to know for days."""
        self._counts["scores"] += pair.scores
        self._counts["errors"] += pair.errors
        self._counts["slow"] += pair.slow
        if self.canary.name == "injury":
            for arm, members in enumerate((pair.stable[0], pair.canary[0])):
                self._counts["alerts"][arm] += int((members.mean(axis=1) >= self._limit).sum())

    def add(self, pair: Pair, seen: Seen) -> None:
        """Hold what both said of some seconds against what came."""
        if self.canary.name == "performance":
            self._outputs(pair, seen)
        elif self.canary.name == "forecast":
            self._forecasts(pair, seen)

    def look(self, second: int) -> Verdict | None:
        """The verdict, once there is one, looked for every five seconds of event time.

        Time may go back: partitions run apart, and one wrong stamp ahead must not put off the verdict for good.
        """
        self._since = second if self._since is None else self._since
        if abs(second - self._since) < WINDOW_S:
            return None
        self._since = second
        tallies = [Tally(**{name: int(of[arm]) for name, of in self._counts.items()}) for arm in (0, 1)]
        for counted in self._counts.values():
            counted[:] = 0
        return self._watch.add(*tallies)

    def _outputs(self, pair: Pair, seen: Seen) -> None:
        """Where the output lies among what either expects; what it is told over came of the canary's answer."""
        usual = pair.canary[1].astype(np.float64)
        actual = seen.came.over_expected[pair.rows] * np.maximum(usual, LEAST_EXPECTED)
        known = np.isfinite(actual)
        for arm, quantiles in enumerate((pair.stable[0], pair.canary[0])):
            percentile = percentile_of(actual[known], quantiles[known], seen.levels)
            self._counts["alerts"][arm] += int((100 * percentile >= self._limit).sum())
            self._judged(arm, (percentile < LOW) | (percentile > HIGH))

    def _forecasts(self, pair: Pair, seen: Seen) -> None:
        """What was said five seconds ago against what came; then what is said now is kept."""
        bands = np.stack([pair.stable[-1][:, 0, 0], pair.canary[-1][:, 0, 0]], axis=1)  # (N, arm, bound)
        slot, second, came = (a[pair.rows] for a in (seen.slot, seen.second, seen.came.heart_rate))
        self._grow(int(slot.max(initial=-1)) + 1)
        for now in np.unique(second):  # a slot has a second once
            rows = second == now
            place = (slot[rows], np.full(rows.sum(), now % AHEAD_S))
            self._came(came[rows], self._said[place], self._said_s[place] == now - AHEAD_S)
            self._said_s[place], self._said[place] = now, bands[rows]

    def _came(self, came: NDArray[np.float64], said: NDArray[np.float64], then: Flags) -> None:
        known = then & np.isfinite(came)
        for arm in (0, 1):
            low, high = said[known, arm].T
            self._judged(arm, (came[known] < low) | (came[known] > high))

    def _grow(self, slots: int) -> None:
        more = slots - len(self._said_s)
        if more > 0:
            self._said_s = np.concatenate([self._said_s, np.full((more, AHEAD_S), -1)])
            self._said = np.concatenate([self._said, np.full((more, AHEAD_S, 2, 2), np.nan)])

    def _judged(self, arm: int, outside: NDArray[np.bool_]) -> None:
        self._counts["known"][arm] += len(outside)
        self._counts["outside"][arm] += int(outside.sum())
