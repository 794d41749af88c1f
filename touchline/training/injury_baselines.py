"""What the injury net is held against, on the same rows, folds and seeds.

The past rate, logistic regression, and histogram gradient boosting.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from stream.days import day_features
from touchline.training.injury_rows import FOLDS, HORIZON, SEEDS, InjuryRows, fold_of

Floats = NDArray[np.float64]

#: Inverse strength of the logistic regression's penalty.
STRENGTH: Final = 1e-2
#: Trees of the gradient boosting.
TREES: Final = 100
#: Days of record that the training athletes' rate counts for in an athlete's own past rate.
PRIOR_DAYS: Final = 90.0


def logistic(rows: InjuryRows) -> Floats:
    """Out-of-fold probabilities ``(seeds, N)`` of a logistic regression on each channel's mean over the 14 days."""
    return _out_of_fold(
        rows, lambda: make_pipeline(StandardScaler(), LogisticRegression(C=STRENGTH, max_iter=500))
    )


def boosting(rows: InjuryRows) -> Floats:
    """Out-of-fold probabilities ``(seeds, N)`` of gradient-boosted trees on the same means."""
    return _out_of_fold(
        rows,
        lambda: HistGradientBoostingClassifier(
            max_iter=TREES, learning_rate=0.05, min_samples_leaf=200, early_stopping=False, random_state=0
        ),
    )


def _out_of_fold(rows: InjuryRows, model: Callable[[], Any]) -> Floats:
    x = day_features(rows.values, np.zeros(len(rows))).mean(axis=1)
    out = np.zeros((len(SEEDS), len(rows)))
    for number, seed in enumerate(SEEDS):
        fold = fold_of(rows, seed)
        for k in np.unique(fold):
            fitted = model().fit(x[fold != k], rows.label[fold != k])
            out[number, fold == k] = fitted.predict_proba(x[fold == k])[:, 1]
    return out


def past_rate(rows: InjuryRows) -> Floats:
    """Out-of-fold probabilities ``(seeds, N)`` from the athlete's own new injuries so far and nothing else."""
    injuries, days = rows.past.T
    out = np.zeros((len(SEEDS), len(rows)))
    for number, seed in enumerate(SEEDS):
        fold = fold_of(rows, seed)
        for k in range(FOLDS):
            daily = rows.label[fold != k].mean() / HORIZON
            rate = (injuries + PRIOR_DAYS * daily) / (days + PRIOR_DAYS)
            out[number, fold == k] = 1 - (1 - rate[fold == k]) ** HORIZON
    return out
