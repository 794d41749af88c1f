"""What the performance network is held against: quantiles of output from the same inputs, by plainer means.

What is given in general, whatever the effort; ridge regression with its residuals around it; and histogram gradient
boosting, a fit for every level. They see means of the effort and all that the network is told of the athlete.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from models.performance import HISTORY, SPANS
from touchline.training.performance_data import Efforts
from touchline.training.reference import evenly

Floats = NDArray[np.float64]

#: Rows that are fitted, at most, and trees of each level.
ROWS: Final = 12_000
TREES: Final = 100


def baseline_quantiles(fit: Efforts, unseen: Efforts, levels: tuple[float, ...]) -> dict[str, Floats]:
    """Quantiles ``(N, Q)`` of the output of ``unseen`` as each baseline has them, learnt from ``fit``."""
    some = fit.take(evenly(len(fit), ROWS))
    x, seen = features(some), features(unseen)
    return {name: quantiles(x, some.actual, seen, levels) for name, quantiles in _BASELINES.items()}


def features(found: Efforts) -> Floats:
    """``(N, features)``: means of the effort over the network's spans, and what is known of the athlete."""
    effort, static = found.inputs()
    means = [effort[:, HISTORY - begin : HISTORY - end].mean(axis=1) for begin, end in SPANS]
    return np.concatenate([*means, static], axis=1).astype(np.float64)


def _in_general(x: Floats, actual: Floats, seen: Floats, levels: tuple[float, ...]) -> Floats:  # noqa: ARG001 (alike)
    return np.tile(np.quantile(actual, levels), (len(seen), 1))


def _ridge(x: Floats, actual: Floats, seen: Floats, levels: tuple[float, ...]) -> Floats:
    model = make_pipeline(StandardScaler(), Ridge(1.0)).fit(x, actual)
    around = np.quantile(actual - model.predict(x), levels)
    return np.asarray(model.predict(seen)[:, None] + around)


def _boosting(x: Floats, actual: Floats, seen: Floats, levels: tuple[float, ...]) -> Floats:
    columns = [_level(level).fit(x, actual).predict(seen) for level in levels]
    return np.sort(np.stack(columns, axis=1), axis=1)  # fits of their own may cross


def _level(level: float) -> Any:
    return HistGradientBoostingRegressor(
        loss="quantile", quantile=level, max_iter=TREES, min_samples_leaf=100, random_state=0
    )


_BASELINES: Final[Mapping[str, Callable[[Floats, Floats, Floats, tuple[float, ...]], Floats]]] = {
    "output in general": _in_general,
    "ridge": _ridge,
    "gradient boosting": _boosting,
}
