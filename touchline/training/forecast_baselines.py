"""What the forecast network is held against: the last value, ridge regression, histogram gradient boosting.

Both regressions see the same history and forecast one horizon each: heart rate and speed as the change from the last
value, what changes sign as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from models.forecast import HORIZONS
from stream.normalise import CHANNELS
from touchline.training.windows import Pool

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

#: Seconds back that are seen, spans that are averaged.
BACK: Final = (0, 1, 2, 3, 4, 5, 7, 10, 15, 20, 30, 40, 50, 60, 80, 100, 119)
SPANS: Final = (5, 10, 20, 30, 60, 119)
TRAIN_EVERY: Final = 3


@dataclass(frozen=True, slots=True)
class Question:
    """What is forecast: a ``target`` among the channels, from it and ``beside``; its change, or ``from_zero``."""

    target: int
    beside: tuple[int, ...]
    from_zero: bool = False


def _question(target: str, *beside: str, from_zero: bool = False) -> Question:
    return Question(CHANNELS.index(target), tuple(CHANNELS.index(name) for name in beside), from_zero)


#: Of channels that the recordings have.
HEART: Final = _question("heart_rate", "speed", "climb", "cadence", "metabolic_power")
MATCH: Final[Mapping[str, Question]] = {
    "speed": _question("speed", "acceleration", "yaw_rate", "metabolic_power"),
    "yaw_rate": _question("yaw_rate", "speed", "acceleration", "metabolic_power", from_zero=True),
    "acceleration": _question("acceleration", "speed", "yaw_rate", "metabolic_power", from_zero=True),
}


def features(table: Pool, at: Ints, question: Question) -> Floats:
    """``(N, features)``; the target as the difference from its last value, and that; NaN missing."""
    values = table.raw[:, (question.target, *question.beside)].astype(np.float64)
    filled = np.where(np.isfinite(values), values, 0.0)
    total = np.concatenate([np.zeros((1, values.shape[1])), np.cumsum(filled, axis=0)])
    now = values[at]
    lags = [values[at - back] for back in BACK]
    means = [(total[at + 1] - total[at + 1 - span]) / span for span in SPANS]
    parts = np.stack(lags + means, axis=1)
    if not question.from_zero:
        parts[:, 1:, 0] -= now[:, None, 0]
    return parts.reshape(len(at), -1)


def sought(table: Pool, at: Ints, question: Question) -> Floats:
    """The target, or its change, at each horizon ``(N, 6)``, NaN missing."""
    values = table.raw[:, question.target].astype(np.float64)
    since = 0.0 if question.from_zero else values[at]
    return np.stack([values[at + h] - since for h in HORIZONS], axis=1)


@dataclass(frozen=True, slots=True)
class Seconds:
    """Seconds ``at (N,)`` of a table."""

    table: Pool
    at: Ints


def baseline_predictions(train: Seconds, test: Seconds, question: Question = HEART) -> dict[str, Floats]:
    """The target at each horizon ``(N, 6)`` as each baseline has it, fitted on ``train``."""
    some = train.at[::TRAIN_EVERY]
    x, y = features(train.table, some, question), sought(train.table, some, question)
    unseen = features(test.table, test.at, question)
    since, found = np.zeros((len(test.at), 1)), {}
    if not question.from_zero:
        since = test.table.last[test.at, question.target, None].astype(np.float64)
        found["last value"] = np.repeat(since, len(HORIZONS), axis=1)
    for name in ("ridge", "gradient boosting"):
        found[name] = since + np.stack(
            [_guess(name, x, y[:, k], unseen) for k in range(len(HORIZONS))], axis=1
        )
    return found


def _guess(name: str, x: Floats, y: Floats, unseen: Floats) -> Floats:
    known = np.isfinite(y)
    model = _model(name)
    model.fit(_fill(name, x[known]), y[known])
    return np.asarray(model.predict(_fill(name, unseen)))


def _model(name: str) -> Any:
    if name == "ridge":
        return make_pipeline(StandardScaler(), Ridge(1000.0))
    return HistGradientBoostingRegressor(
        loss="absolute_error", max_iter=300, learning_rate=0.05, min_samples_leaf=200, random_state=0
    )


def _fill(name: str, x: Floats) -> Floats:
    """Ridge takes no gaps: 0, the last value's for differences; trees take them as they are."""
    return np.nan_to_num(x) if name == "ridge" else x
