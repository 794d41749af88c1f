"""What the forecast network is held against: the last value, ridge regression, histogram gradient boosting.

Both regressions see the same history and forecast the change from the last value, one horizon each.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from models.forecast import HORIZONS
from stream.normalise import CHANNELS
from touchline.training.windows import HEART_RATE, Pool

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

#: Channels that the runs have, seconds back that are seen, spans that are averaged.
SEEN: Final = tuple(CHANNELS.index(c) for c in ("heart_rate", "speed", "climb", "cadence", "metabolic_power"))
BACK: Final = (0, 1, 2, 3, 4, 5, 7, 10, 15, 20, 30, 40, 50, 60, 80, 100, 119)
SPANS: Final = (5, 10, 20, 30, 60, 119)
TRAIN_EVERY: Final = 3


def features(table: Pool, at: Ints) -> Floats:
    """``(N, features)``; heart rate as the difference from the last one, and that one; NaN missing."""
    values = table.raw[:, SEEN].astype(np.float64)
    filled = np.where(np.isfinite(values), values, 0.0)
    total = np.concatenate([np.zeros((1, len(SEEN))), np.cumsum(filled, axis=0)])
    now = values[at]
    lags = [values[at - back] for back in BACK]
    means = [(total[at + 1] - total[at + 1 - span]) / span for span in SPANS]
    parts = np.stack(lags + means, axis=1)
    parts[:, 1:, 0] -= now[:, None, 0]
    return parts.reshape(len(at), -1)


def changes(table: Pool, at: Ints) -> Floats:
    """Change of heart rate at each horizon ``(N, 6)``, NaN missing."""
    heart = table.raw[:, HEART_RATE].astype(np.float64)
    return np.stack([heart[at + h] - heart[at] for h in HORIZONS], axis=1)


def baseline_predictions(train: Pool, train_at: Ints, test: Pool, test_at: Ints) -> dict[str, Floats]:
    """Heart rate (bpm) at each horizon ``(N, 6)`` as each baseline has it, fitted on ``train``."""
    x, y = features(train, train_at[::TRAIN_EVERY]), changes(train, train_at[::TRAIN_EVERY])
    unseen, last = features(test, test_at), test.last[test_at, :1].astype(np.float64)
    found = {"last value": np.repeat(last, len(HORIZONS), axis=1)}
    for name in ("ridge", "gradient boosting"):
        found[name] = last + np.stack(
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
    """Ridge takes no gaps: 0, the last heart rate's for differences; trees take them as they are."""
    return np.nan_to_num(x) if name == "ridge" else x


def _error(predicted: Floats, actual: Floats) -> float:
    there = np.isfinite(actual)
    return float(np.abs(predicted - actual)[there].mean())
