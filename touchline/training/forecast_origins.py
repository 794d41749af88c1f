"""Which seconds of recorded runs heart rate is forecast from when forecasts are judged, and how far off they were.

An origin is a row with 120 rows before and 60 after it in its run; what the sensor got wrong (outside 25 to 240 bpm)
is no target. Card and ``evaluate`` count the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from models.forecast import HORIZONS
from stream.cut import CutSession
from touchline.training.forecast_baselines import Seconds, baseline_predictions
from touchline.training.forecast_figures import PICKED, Answers
from touchline.training.windows import HEART_RATE, Pool, carried, pool

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

BEFORE: Final = 120
AFTER: Final = 60


@dataclass(frozen=True, slots=True)
class Origins:
    """``at (N,)`` seconds of ``table`` to forecast from; ``actual (N, 6)`` heart rate then (bpm), NaN none."""

    table: Pool
    at: Ints
    actual: Floats

    def errors(self, predicted: NDArray[Any]) -> list[float | None]:
        """Mean absolute error of ``predicted (N, 6)`` at each horizon, bpm; None where nothing came."""
        return self._means(np.abs(predicted - self.actual))

    def errors_of(self, answers: Answers) -> list[float | None]:
        """Mean absolute error of a network's answers at each horizon, bpm."""
        return self.errors(answers.median[:, 0, PICKED])

    def covered_by(self, answers: Answers) -> list[float | None]:
        """Share of what came that lay between the 10th and the 90th percentile, at each horizon."""
        low, high = np.moveaxis(answers.bands[:, 0], 2, 0)  # (N, 6)
        return self._means(((self.actual >= low) & (self.actual <= high)).astype(np.float64))

    def baseline_errors(self, fit: Origins) -> dict[str, list[float | None]]:
        """Mean absolute errors (bpm) of the baselines, fitted on other runs."""
        guesses = baseline_predictions(Seconds(fit.table, fit.at), Seconds(self.table, self.at))
        return {name: self.errors(guess) for name, guess in guesses.items()}

    def _means(self, values: Floats) -> list[float | None]:
        there = np.isfinite(self.actual)
        return [float(values[rows, k].mean()) if rows.any() else None for k, rows in enumerate(there.T)]


def origins_of(runs: Sequence[CutSession]) -> Origins:
    """All origins of some runs."""
    table = pool(runs)
    parts = [_rows(run, np.flatnonzero(table.session == number)) for number, run in enumerate(runs)]
    at = np.concatenate([part[0] for part in parts]) if parts else np.zeros(0, np.int64)
    ahead = np.concatenate([part[1] for part in parts]) if parts else np.zeros((0, len(HORIZONS)), np.int64)
    return Origins(table, at, table.raw[ahead, HEART_RATE].astype(np.float64))


def _rows(run: CutSession, places: Ints) -> tuple[Ints, Ints]:
    """Origins of a run ``(N,)`` and the rows they are asked for ``(N, 6)``; a row is a second with anything in it."""
    carries = np.isfinite(carried(run)).any(axis=1)
    rows = places[carries]
    origin = np.arange(BEFORE, len(rows) - AFTER)
    return rows[origin], rows[origin[:, None] + np.asarray(HORIZONS)]
