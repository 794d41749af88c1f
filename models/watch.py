"""Whether a canary has left its band beside the stable version, looked at after every window. Pure numpy, no clock.

Each measure is a rate in [0, 1] of both arms. Its difference in a window, canary minus stable, is bet on: under the
hypothesis that given all before the difference is on average no more than the tolerance, the product of the factors
``1 + bet * (difference - tolerance)`` is a non-negative supermartingale that starts at 1, and reaches ``1 / alpha``
ever with probability ``alpha`` at most (Ville's inequality). So one may look after every window, for ever. Several
bets are placed at once and their capitals averaged, which needs no tuning.
Source: Waudby-Smith and Ramdas, "Estimating means of bounded random variables by betting", Journal of the Royal
Statistical Society B 86(1), 2024.

What this does not know: whether the canary's athletes differ from the others. The tolerance has to leave room for
that.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

#: How many bets are placed at once.
BETS: Final = 12


@dataclass(frozen=True, slots=True)
class Tally:
    """One arm in one window, counted.

    ``scores`` asked for, of which ``errors`` failed, ``alerts`` raised an alert and ``slow`` came later than the
    deadline; ``known`` whose outcome is known by now, of which ``outside`` lay outside the 80 % band.
    """

    scores: int
    errors: int = 0
    alerts: int = 0
    slow: int = 0
    known: int = 0
    outside: int = 0


@dataclass(frozen=True, slots=True)
class Band:
    """A measure: which field of a tally by which is its rate, how far the canary may lie off, and to which sides."""

    measure: str
    per: str
    tolerance: float
    sides: tuple[int, ...] = (1,)


#: More errors, slow scores or misses are bad; more alerts and fewer both are.
BANDS: Final = (
    Band("errors", "scores", 0.01),
    Band("alerts", "scores", 0.05, (1, -1)),
    Band("slow", "scores", 0.05),
    Band("outside", "known", 0.05),
)


@dataclass(frozen=True, slots=True)
class Verdict:
    """The canary has left its band: by which measure, in which window (from 1), mean difference until then."""

    measure: str
    window: int
    difference: float


class Capital:
    """Capital of bets against "the mean is at most ``tolerance``", of differences in [-1, 1], ``shape`` at once."""

    def __init__(self, tolerance: float, shape: tuple[int, ...] = ()) -> None:
        self._tolerance = tolerance
        self._bets = np.geomspace(1e-3, 0.99, BETS) / (1 + tolerance)
        self._logs = np.zeros((*shape, BETS))

    def bet(self, differences: NDArray[np.float64] | float) -> NDArray[np.float64]:
        """Take one window's differences ``shape``; the logarithm of the capitals ``shape`` after it."""
        gain = np.asarray(differences)[..., None] - self._tolerance
        self._logs = self._logs + np.log1p(self._bets * gain)
        return np.asarray(np.logaddexp.reduce(self._logs, axis=-1) - np.log(BETS))


class CanaryWatch:
    """Adds up windows of both arms and says once and for all when the canary left its band.

    Equal arms, or a canary within all tolerances, are ever told apart with probability ``alpha`` at most: it is
    shared out among all measures and sides. A window in which an arm counted fewer than ``least`` says nothing of a
    measure.
    """

    def __init__(self, alpha: float = 0.01, bands: Sequence[Band] = BANDS, least: int = 1) -> None:
        self._bands, self._least = tuple(bands), max(1, least)
        tests = sum(len(band.sides) for band in bands)
        self._limit = float(np.log(tests / alpha))
        self._capital: Mapping[tuple[str, int], Capital] = {
            (band.measure, side): Capital(band.tolerance) for band in bands for side in band.sides
        }
        self._differences: dict[str, list[float]] = {band.measure: [] for band in bands}
        self._window = 0
        self.verdict: Verdict | None = None

    def add(self, stable: Tally, canary: Tally) -> Verdict | None:
        """Take a window; the verdict, which once given stays. Raises ``ValueError`` for a rate outside [0, 1]."""
        self._window += 1
        for band in self._bands:
            if self.verdict is None:
                self.verdict = self._judge(band, stable, canary)
        return self.verdict

    def _judge(self, band: Band, stable: Tally, canary: Tally) -> Verdict | None:
        if min(getattr(stable, band.per), getattr(canary, band.per)) < self._least:
            return None
        difference = _rate(band, canary) - _rate(band, stable)
        told = self._differences[band.measure]
        told.append(difference)
        logs = [self._capital[band.measure, side].bet(side * difference) for side in band.sides]
        if max(float(log) for log in logs) < self._limit:
            return None
        return Verdict(band.measure, self._window, float(np.mean(told)))


def _rate(band: Band, tally: Tally) -> float:
    rate = float(getattr(tally, band.measure) / getattr(tally, band.per))
    if not 0 <= rate <= 1:
        raise ValueError(f"{band.measure} by {band.per} is {rate}, which is no rate")
    return rate
