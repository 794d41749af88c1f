"""Figures of forecasts, and the width that makes the bands hold what they say. Arrays in, plain numbers out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from models.forecast import HORIZONS, TARGETS
from touchline.training.windows import Float32

Floats = NDArray[np.float64]

PICKED: Final = [h - 1 for h in HORIZONS]
#: Share of outcomes between the 10th and the 90th percentile.
COVERED: Final = 0.8
#: Fewer outcomes than this say nothing of a band.
LEAST: Final = 100


@dataclass(frozen=True, slots=True)
class Answers:
    """What came and what was forecast, N rows.

    ``ahead (N, 4, 60)`` actual heart rate, speed, yaw rate, acceleration, NaN missing; ``last (N, 4)``
    of the same; ``median (N, 3, 60)``, ``acceleration (N, 60)``, ``bands (N, 3, 6, 2)`` forecast.
    """

    ahead: Float32
    last: Float32
    median: Float32
    acceleration: Float32
    bands: Float32


def widths(tuned: Mapping[str, Answers]) -> tuple[tuple[float, ...], ...]:
    """How much wider each band ``(3, 6)`` must be to hold 80 % of what came in sessions not trained on.

    Split conformal scaling (Lei et al. 2018, doi 10.1080/01621459.2017.1307116), by target and horizon, each set of
    sessions counting alike; 1 where there is too little.
    """
    return tuple(
        tuple(_width([_excess(a, k, h) for a in tuned.values()]) for h in range(len(HORIZONS)))
        for k in range(len(TARGETS))
    )


def _excess(found: Answers, target: int, horizon: int) -> Floats:
    """How far outcomes lie from the median in units of the band's half on their side."""
    actual, median = (a[:, target, PICKED[horizon]] for a in (found.ahead, found.median))
    low, high = np.moveaxis(found.bands[:, target, horizon], 1, 0)
    half = np.where(actual < median, median - low, high - median)
    excess = np.abs(actual - median) / np.maximum(half, 1e-6)
    return np.asarray(excess[np.isfinite(excess)], dtype=np.float64)


def _width(excesses: list[Floats]) -> float:
    known = [float(np.quantile(e, COVERED)) for e in excesses if len(e) >= LEAST]
    return float(np.mean(known)) if known else 1.0


def judge_part(found: Answers) -> dict[str, Any]:
    """Figures by target: mean absolute error at the horizons beside the last value's and 0's, coverage of the bands.

    ``inconsistency``: mean distance (m/s²) of the acceleration head from the difference of the median speed head.
    """
    figures: dict[str, Any] = {}
    for k, name in enumerate((*TARGETS, "acceleration")):
        median = found.median[:, k] if k < len(TARGETS) else found.acceleration
        actual = found.ahead[:, k]
        figures[name] = {
            "mae": _errors(median, actual),
            "last_value": _errors(found.last[:, k, None], actual),
            "zero": _errors(np.zeros(1, np.float32), actual),
        }
        if k < len(TARGETS):
            figures[name]["coverage_80"] = [
                _covered(actual[:, h], found.bands[:, k, i]) for i, h in enumerate(PICKED)
            ]
    difference = np.diff(found.median[:, 1], axis=1)
    figures["inconsistency"] = float(np.abs(found.acceleration[:, 1:] - difference).mean())
    return figures


def _errors(predicted: Float32, actual: Float32) -> list[float | None]:
    """Mean absolute error at each horizon of every second's ``(N, 60)``; None where nothing came."""
    return errors_at(np.broadcast_to(predicted, actual.shape)[:, PICKED], actual)


def errors_at(predicted: NDArray[Any], actual: Float32) -> list[float | None]:
    """Mean absolute error of ``predicted (N, 6)`` at the horizons of ``actual (N, 60)``; None where nothing came."""
    error = np.abs(predicted - actual[:, PICKED])
    return [_mean(column[np.isfinite(column)]) for column in error.T]


def _covered(actual: Float32, band: Float32) -> float | None:
    there = np.isfinite(actual)
    inside = (actual >= band[:, 0]) & (actual <= band[:, 1])
    return _mean(inside[there].astype(np.float64))


def _mean(values: NDArray[Any]) -> float | None:
    return float(values.mean(dtype=np.float64)) if len(values) >= LEAST else None
