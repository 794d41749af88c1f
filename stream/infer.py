"""Infer: hand windows to the engine, a batch at a time, and say which answers may be believed.

TensorFlow stays behind :class:`Engine`; this stage knows arrays. Where a model has seen too little it abstains.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from stream.normalise import CHANNELS, PRIOR, Normalised
from stream.roster import STATIC

Float32 = NDArray[np.float32]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
#: Effort ``(B, 120, E)``, static ``(B, S)`` and output over the own ``(B,)``.
Performed = tuple[NDArray[Any], NDArray[Any], NDArray[Any]]

#: Seconds of a channel a forecast must have seen within its two minutes.
SEEN_S: Final = 30
#: Output is averaged over this long, s.
OUTPUT_S: Final = 60
#: And that minute ended so long ago, s. A heart takes 20 to 60 s to answer: what was given last is not in the effort
#: yet, and an easy session would look like a bad one, because more than that is given in most at such a heart rate.
ANSWER_S: Final = 15
#: Below this share of heart-rate reserve effort says little about output.
LEAST_RESERVE: Final = 0.4
#: A heart rate stands for so many seconds after it in the effort, s. Networks took the seconds in which a strap had
#: fallen off for a heart at rest; with more of the last minute missing there is no score.
CARRY_S: Final = 30
#: Less output than this share of the prior's centre is not expected of anybody.
LEAST_EXPECTED: Final = 0.02
#: Kinds of output, the best first: a channel of the history each.
OUTPUTS: Final = ("power", "metabolic_power", "speed")
#: Channels of the effort, a value a second each.
EFFORT: Final = ("heart_rate_reserve", "wbgt_per_40", "heart_rate_reserve_present", "wbgt_present")
#: What the performance model is told of the athlete, the activity and the kind of output that is asked of it.
PERSONAL: Final = (*STATIC, "efficiency_known", *(f"output_is_{kind}" for kind in OUTPUTS))
_CENTRE: Final = np.array([PRIOR[name][0] for name in OUTPUTS])


class Forecast(Protocol):
    """Medians for each of the next 60 seconds, ``(B, 60)``; ``bands (B, 3, 6, 2)``: 10th and 90th percentile."""

    @property
    def heart_rate(self) -> Float32:
        """Beats per minute."""

    @property
    def speed(self) -> Float32:
        """Metres per second."""

    @property
    def yaw_rate(self) -> Float32:
        """Degrees per second."""

    @property
    def acceleration(self) -> Float32:
        """Metres per second squared."""

    @property
    def bands(self) -> Float32:
        """Of heart rate, speed and yaw rate."""


class Engine(Protocol):
    """What runs the networks. Arrays in, arrays out; any batch size."""

    @property
    def versions(self) -> Mapping[str, str]:
        """Model name to version."""

    @property
    def quantile_levels(self) -> tuple[float, ...]:
        """Levels of :meth:`performance`."""

    @property
    def today_helps(self) -> bool:
        """Whether the injury model was shown to rank better once today's load is known."""

    def forecast(self, x: Float32, anchor: Float32, earlier: Float32) -> Forecast:
        """``x (B, 120, 2C)``, ``anchor (B, 3)``, ``earlier (B, 24, 6)`` of :class:`~stream.normalise.Normalised`."""

    def performance(self, effort: Float32, static: Float32) -> tuple[Float32, Float32]:
        """``effort (B, 120, 4)``, ``static (B, S)`` to quantiles ``(B, Q)`` of output, see :class:`Output`.

        And the output ``(B,)`` that efficiencies are counted from.
        """

    def injury(self, days: Float32) -> Float32:
        """``days (B, 14, D)`` to the ensemble's probabilities ``(B, M)``."""

    def injury_pushes(self, days: Float32, ordinary: Float32) -> Float32:
        """How far entries pushed the mean probability of ``days (B, 14, D)`` from that of ``ordinary``: alike."""

    def performance_pushes(self, given: Performed, ordinary: Performed) -> tuple[Float32, ...]:
        """How far entries of each of the three pushed the percentile (0 to 1) from that of ``ordinary``: alike."""


class Answering(Engine, Protocol):
    """The engine for R rows, which may be answered by different versions."""

    def some(self, rows: Ints) -> Engine:
        """The engine for some of the rows, to explain them."""

    def versions_by_row(self) -> Sequence[Mapping[str, str]]:
        """Model to the version that answered, of each row."""


@runtime_checkable
class Lineup(Protocol):
    """Says which versions answer for whom."""

    def rows(self, athletes: Sequence[str]) -> Answering:
        """The engine for rows of these athletes."""

    def look(self, rows: Answering, slot: Ints, second: Ints, came: Came) -> None:
        """What came of rows that were answered; ``slot`` and ``second`` ``(R,)`` of each."""


@dataclass(frozen=True, slots=True)
class Came:
    """What answers are held against, ``(R,)``: heart rate of the second (bpm), output over the median expected."""

    heart_rate: Floats
    over_expected: Floats


class Alone:
    """A lineup of one engine for everybody."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def rows(self, athletes: Sequence[str]) -> Answering:
        """The engine, whoever it is for."""
        return _Everybody(self._engine, len(athletes))

    def look(self, rows: Answering, slot: Ints, second: Ints, came: Came) -> None:
        """There is nobody to compare."""


class _Everybody:
    """One engine for R rows."""

    def __init__(self, engine: Engine, rows: int) -> None:
        self._engine, self._rows = engine, rows
        self.versions, self.quantile_levels = engine.versions, engine.quantile_levels
        self.today_helps = engine.today_helps

    def forecast(self, x: Float32, anchor: Float32, earlier: Float32) -> Forecast:
        return self._engine.forecast(x, anchor, earlier)

    def performance(self, effort: Float32, static: Float32) -> tuple[Float32, Float32]:
        return self._engine.performance(effort, static)

    def injury(self, days: Float32) -> Float32:
        return self._engine.injury(days)

    def injury_pushes(self, days: Float32, ordinary: Float32) -> Float32:
        return self._engine.injury_pushes(days, ordinary)

    def performance_pushes(self, given: Performed, ordinary: Performed) -> tuple[Float32, ...]:
        return self._engine.performance_pushes(given, ordinary)

    def versions_by_row(self) -> Sequence[Mapping[str, str]]:
        return [self.versions] * self._rows

    def some(self, rows: Ints) -> Engine:  # noqa: ARG002 (the protocol's)
        return self._engine


@dataclass(frozen=True, slots=True)
class Asked:
    """What the performance model was asked for R seconds: ``effort (R, 120, 4)``, ``static (R, S)``.

    And what it is held against: ``output (R,)``, the mean of a minute in the unit of its ``kind (R,)``, and
    ``over_own (R,)``, see :class:`Output`.
    """

    effort: Float32
    static: Float32
    output: Floats
    over_own: Floats
    kind: Ints

    def some(self, rows: Ints) -> Asked:
        """Of some of the seconds."""
        return Asked(
            self.effort[rows], self.static[rows], self.output[rows], self.over_own[rows], self.kind[rows]
        )


@dataclass(frozen=True, slots=True)
class Inferred:
    """Answers for R seconds, NaN where a head abstains.

    ``median (R, 3, 60)`` of heart rate, speed, yaw rate; ``acceleration (R, 60)``; ``bands (R, 3, 6, 2)``.
    ``percentile (R,)``: where the actual output lies among what is expected when fresh, 0 to 1;
    ``over_expected (R,)``: the output over what efficiencies are counted from; ``kind (R,)`` of output;
    ``abstains (R,)``: index into :data:`ABSTENTIONS` of why there is no percentile. ``asked``: what it came from.
    """

    median: Float32
    acceleration: Float32
    bands: Float32
    percentile: Floats
    over_expected: Floats
    kind: NDArray[np.int64]
    abstains: NDArray[np.int64]
    asked: Asked


ABSTENTIONS: Final = (
    None,
    "no heart rate",
    "no output",
    "too little seen",
    "effort below 40 % of heart-rate reserve",
    "break",
)


@dataclass(frozen=True, slots=True)
class Person:
    """What the performance model is told of the athletes of R rows.

    Heart limits (bpm), ``static (R, S)``; for each kind of output ``efficiency (R, 3)``, which it is divided by, and
    ``known (R, 3)``, how far that is the athlete's own: 0 to 1. ``in_break (R,)``: whether a break is marked.
    """

    heart_rest: Floats
    heart_max: Floats
    static: Float32
    efficiency: Floats
    known: Floats
    in_break: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Output:
    """Output of R rows, of the minute that the effort tells of.

    ``kind (R,)``: index into :data:`OUTPUTS`, the best that is there; ``mean (R,)`` of it; ``over_own (R,)``: that
    over the prior's centre and over the athlete's efficiency; ``abstains (R,)``.
    """

    kind: NDArray[np.int64]
    mean: Floats
    over_own: Floats
    abstains: NDArray[np.int64]


def infer(windows: Normalised, person: Person, engine: Engine) -> Inferred:
    """Run forecast and performance on all rows, one call each."""
    rows = len(windows.raw)
    if rows == 0:
        none = np.zeros(0)
        return Inferred(
            np.zeros((0, 3, 60), np.float32),
            np.zeros((0, 60), np.float32),
            np.zeros((0, 3, 6, 2), np.float32),
            none,
            none,
            none.astype(np.int64),
            none.astype(np.int64),
            Asked(
                np.zeros((0, windows.raw.shape[1], len(EFFORT)), np.float32),
                np.zeros((0, len(PERSONAL)), np.float32),
                none,
                none,
                none.astype(np.int64),
            ),
        )
    median, acceleration, bands = _forecast(windows, engine)
    given = output(windows.raw, person)
    asked = Asked(
        effort(windows.raw, person), personal(person, given.kind), given.mean, given.over_own, given.kind
    )
    quantiles, usual = engine.performance(asked.effort, asked.static)
    percentile = percentile_of(given.over_own, quantiles, engine.quantile_levels)
    expected = usual.astype(np.float64)
    scored = given.abstains == 0
    return Inferred(
        median,
        acceleration,
        bands,
        percentile=np.where(scored, percentile, np.nan),
        over_expected=np.where(scored, given.over_own / np.maximum(expected, LEAST_EXPECTED), np.nan),
        kind=given.kind,
        abstains=given.abstains,
        asked=asked,
    )


def _forecast(windows: Normalised, engine: Engine) -> tuple[Float32, Float32, Float32]:
    found = engine.forecast(windows.x, windows.anchor, windows.earlier)
    seen = ~np.isnan(windows.raw)
    enough = np.stack([_seen(seen, c) >= SEEN_S for c in ("heart_rate", "speed", "yaw_rate")], axis=1)
    enough[:, 2] |= enough[:, 1]  # turning is missing whenever the athlete walks
    median = np.stack([found.heart_rate, found.speed, found.yaw_rate], axis=1)
    median = np.where(enough[:, :, None], median, np.float32(np.nan))
    bands = np.where(enough[:, :, None, None], found.bands, np.float32(np.nan))
    return median, np.where(enough[:, 1:2], found.acceleration, np.float32(np.nan)), bands


def _seen(present: NDArray[np.bool_], channel: str) -> NDArray[np.int64]:
    return np.asarray(present[:, :, CHANNELS.index(channel)].sum(axis=1))


def effort(raw: Float32, person: Person) -> Float32:
    """``(R, 120, 4)`` by :data:`EFFORT`: share of heart-rate reserve, WBGT over 40 °C, 1 where each is present.

    A heart rate is carried over gaps of up to :data:`CARRY_S`.
    """
    heart = held(raw[:, :, CHANNELS.index("heart_rate")], CARRY_S)
    rest, most = person.heart_rest[:, None], person.heart_max[:, None]
    channels = np.stack([(heart - rest) / (most - rest), raw[:, :, CHANNELS.index("wbgt")] / 40.0], axis=2)
    present = ~np.isnan(channels)
    return np.concatenate([np.where(present, channels, 0), present], axis=2).astype(np.float32)


def held(values: NDArray[Any], longest: int) -> NDArray[Any]:
    """``(R, T)`` with NaN replaced by the newest value of the ``longest`` steps before, where there is one."""
    step = np.arange(values.shape[1])
    newest = np.maximum.accumulate(np.where(np.isnan(values), -1, step), axis=1)
    found = np.take_along_axis(values, np.maximum(newest, 0), axis=1)
    return np.where((newest >= 0) & (step - newest <= longest), found, values.dtype.type(np.nan))


def personal(person: Person, kind: NDArray[np.int64]) -> Float32:
    """``(R, S + 4)`` by :data:`PERSONAL`; ``kind (R,)`` of output."""
    known = person.known[np.arange(len(kind)), kind]
    return np.concatenate([person.static, known[:, None], np.eye(len(OUTPUTS))[kind]], axis=1).astype(
        np.float32
    )


def output(raw: Float32, person: Person) -> Output:
    """The output in ``raw (R, 120, channels)`` that the effort tells of, and why it may not be scored."""
    recent = raw[:, -OUTPUT_S - ANSWER_S : -ANSWER_S]
    columns = [CHANNELS.index(name) for name in OUTPUTS]
    means = np.stack([_mean(recent[:, :, column]) for column in columns], axis=1)  # (R, 3)
    kind = np.argmax(~np.isnan(means), axis=1)
    rows = np.arange(len(recent))
    mean = means[rows, kind]
    over_own = mean / _CENTRE[kind] / person.efficiency[rows, kind]
    heart_rate = raw[:, -OUTPUT_S:, CHANNELS.index("heart_rate")]
    heart = _mean(heart_rate)
    reserve = (heart - person.heart_rest) / (person.heart_max - person.heart_rest)
    none = np.isnan(raw[:, -OUTPUT_S - ANSWER_S :, columns]).all(axis=(1, 2))
    reasons = np.zeros(len(recent), dtype=np.int64)
    reasons[reserve < LEAST_RESERVE] = 4
    reasons[np.isnan(over_own) | np.isnan(reserve)] = 3
    reasons[none] = 2
    reasons[np.isnan(heart_rate).all(axis=1)] = 1
    reasons[person.in_break] = 5
    return Output(kind, mean, over_own, reasons)


def _mean(values: Float32) -> Floats:
    """Mean over time of (R, T) where at least half is there, else NaN."""
    there = ~np.isnan(values)
    count = there.sum(axis=1)
    total = np.where(there, values, 0).sum(axis=1, dtype=np.float64)
    return np.where(count >= values.shape[1] // 2, total / np.maximum(count, 1), np.nan)


def percentile_of(actual: Floats, quantiles: Float32, levels: tuple[float, ...]) -> Floats:
    """Where ``actual (R,)`` lies among ``quantiles (R, Q)`` rising with ``levels``: 0 to 1, linear in between.

    Beyond the outermost quantiles the outer slope goes on, up to 0 and 1.
    """
    level = np.asarray(levels)
    above = np.clip((quantiles <= actual[:, None]).sum(axis=1), 1, len(level) - 1)
    rows = np.arange(len(actual))
    low, high = quantiles[rows, above - 1], quantiles[rows, above]
    share = (actual - low) / np.maximum(high - low, 1e-6)
    return np.asarray(np.clip(level[above - 1] + share * (level[above] - level[above - 1]), 0.0, 1.0))
