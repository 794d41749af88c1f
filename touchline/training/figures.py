"""Figures of probabilities and of point forecasts, on arrays. Judges; trains nothing.

Where a figure is not defined (one class only, no rows) it is None, never NaN.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score, precision_recall_curve, roc_curve

Floats = NDArray[np.float64]
Names = NDArray[np.str_]

#: Probabilities are kept this far from 0 and 1 where a logit is taken.
EDGE: Final = 1e-6
RELIABILITY_BINS: Final = 10
#: Newton's method of :func:`platt`: steps, longest step, when to end; a penalty that only separable labels feel.
NEWTON_STEPS: Final = 50
LONGEST_STEP: Final = 5.0
CLOSE_ENOUGH: Final = 1e-10
RIDGE: Final = 1e-6
LOGIT_MOST: Final = 500.0


@dataclass(frozen=True, slots=True)
class Ranking:
    """Scores against labels, ready for many weighted AUCs: ``place (N,)`` rank among distinct scores."""

    place: NDArray[np.int64]
    label: Floats

    def auc(self, weight: Floats | None = None) -> float | None:
        """Area under the ROC curve, ties counted half; None without both classes."""
        w = np.ones(len(self.label)) if weight is None else weight
        positive = np.bincount(self.place, w * self.label)
        negative = np.bincount(self.place, w * (1 - self.label))
        pairs = positive.sum() * negative.sum()
        if pairs <= 0:
            return None
        below = np.cumsum(negative) - negative / 2
        return float((positive * below).sum() / pairs)


def ranking(score: Floats, label: Floats) -> Ranking:
    """Sort once."""
    return Ranking(np.unique(score, return_inverse=True)[1].astype(np.int64), label)


def auc_within(score: Floats, label: Floats, athlete: Names) -> float | None:
    """Mean of the AUCs of single athletes, over those with both classes."""
    own = [ranking(score[rows], label[rows]).auc() for rows in _by_athlete(athlete)]
    known = [a for a in own if a is not None]
    return float(np.mean(known)) if known else None


def _by_athlete(athlete: Names) -> list[NDArray[np.bool_]]:
    return [athlete == name for name in np.unique(athlete)]


def athlete_weights(athlete: Names, draws: int, seed: int) -> Iterator[Floats]:
    """Bootstrap over athletes: how often each row counts, ``(N,)`` a draw; rows of an athlete stay together."""
    names, index = np.unique(athlete, return_inverse=True)
    rng = np.random.default_rng(seed)
    for _ in range(draws):
        yield rng.multinomial(len(names), np.full(len(names), 1 / len(names)))[index].astype(np.float64)


def interval(values: Sequence[float | None], share: float = 0.95) -> list[float] | None:
    """Central interval of bootstrap values; None without any."""
    known = [v for v in values if v is not None]
    tails = [(1 - share) / 2, (1 + share) / 2]
    return [float(v) for v in np.quantile(known, tails)] if known else None


def brier(probability: Floats, label: Floats) -> float:
    """Mean squared error of probabilities."""
    return float(((probability - label) ** 2).mean())


def brier_skill(probability: Floats, label: Floats, weight: Floats | None = None) -> float | None:
    """One minus Brier over that of always giving the rows' own base rate, which nobody knows beforehand."""
    base = np.average(label, weights=weight)
    reference = float(base * (1 - base))
    error = float(np.average((probability - label) ** 2, weights=weight))
    return 1 - error / reference if reference > 0 else None


def calibration_error(probability: Floats, label: Floats) -> float:
    """Expected calibration error over :data:`RELIABILITY_BINS` bins of equal count."""
    parts = np.array_split(np.argsort(probability, kind="stable"), RELIABILITY_BINS)
    gaps = [len(p) * abs(probability[p].mean() - label[p].mean()) for p in parts if len(p)]
    return float(sum(gaps) / len(label))


def calibration_slope(probability: Floats, label: Floats, weight: Floats | None = None) -> float | None:
    """Slope of a logistic regression of the label on the logit: 1 right, below 1 too sure; None with one class."""
    seen = label if weight is None else label[weight > 0]
    if len(seen) == 0 or seen.min() == seen.max():
        return None
    return platt(logit(probability), label, weight)[0]


def reliability(probability: Floats, label: Floats, bins: int = 10) -> list[dict[str, Any]]:
    """How often what was said with a probability came, in ``bins`` bins of equally many rows ``(N,)``.

    ``mean`` said, ``observed`` share with its 95 % interval (Wilson 1927), ``rows``. Rows are not independent: the
    interval is the least there is.
    """
    if len(label) == 0:
        return []
    order = np.argsort(probability, kind="stable")
    parts = [part for part in np.array_split(order, min(bins, len(order))) if len(part)]
    return [
        {
            "mean": float(probability[part].mean()),
            "observed": float(label[part].mean()),
            "interval": wilson(float(label[part].sum()), len(part)),
            "rows": len(part),
        }
        for part in parts
    ]


def wilson(hits: float, count: int, z: float = 1.96) -> list[float]:
    """Interval of a share of ``count`` (Wilson 1927, doi 10.1080/01621459.1927.10502953)."""
    share = hits / count
    middle = (share + z**2 / (2 * count)) / (1 + z**2 / count)
    half = z * np.sqrt(share * (1 - share) / count + z**2 / (4 * count**2)) / (1 + z**2 / count)
    return [float(max(0.0, middle - half)), float(min(1.0, middle + half))]


def curves(score: Floats, label: Floats, points: int = 100) -> dict[str, list[list[float]]] | None:
    """``roc``: [false alarms, hits]; ``pr``: [recall, precision]; about ``points`` each. None with one class."""
    if len(label) == 0 or label.min() == label.max():
        return None
    false, hits, _ = roc_curve(label, score)
    precision, recall, _ = precision_recall_curve(label, score)
    return {"roc": _thinned(false, hits, points), "pr": _thinned(recall[::-1], precision[::-1], points)}


def _thinned(x: Floats, y: Floats, points: int) -> list[list[float]]:
    at = np.unique(np.linspace(0, len(x) - 1, min(points, len(x))).astype(np.int64))
    return [[round(float(a), 5), round(float(b), 5)] for a, b in zip(x[at], y[at], strict=True)]


def at_threshold(probability: Floats, label: Floats, threshold: float) -> dict[str, float | None]:
    """Accuracy, precision, recall and F1 where an answer at or above ``threshold`` is a yes; means over repeats.

    ``probability (repeats, N)``. A share of nothing (no yes, no positive, no rows) is None.
    """
    yes, true = probability >= threshold, label == 1
    hits, said, there = (yes & true).sum(), yes.sum(), true.sum() * len(probability)
    return {
        "threshold": threshold,
        "accuracy": _share((yes == true).sum(), yes.size),
        "precision": _share(hits, said),
        "recall": _share(hits, there),
        "f1": _share(2 * hits, said + there),
    }


def _share(part: float, whole: float) -> float | None:
    return float(part / whole) if whole else None


def logit(probability: Floats) -> Floats:
    """Log odds."""
    p = np.clip(probability, EDGE, 1 - EDGE)
    return np.asarray(np.log(p / (1 - p)))


def sigmoid(value: Floats) -> Floats:
    """Probability of log odds."""
    return np.asarray(1 / (1 + np.exp(-value)))


def platt(score: Floats, label: Floats, weight: Floats | None = None) -> tuple[float, float]:
    """Slope and intercept that turn scores into log odds (Platt 1999), by Newton's method.

    Two parameters, fitted hundreds of times in a bootstrap; where scores separate the labels, :data:`RIDGE` ends it.
    """
    w = np.ones(len(label)) if weight is None else weight
    x = np.stack([score, np.ones(len(score))])  # (2, N)
    beta = np.zeros(2)
    for _ in range(NEWTON_STEPS):
        p = sigmoid(np.clip(beta @ x, -LOGIT_MOST, LOGIT_MOST))
        slope = x @ (w * (p - label)) + RIDGE * beta
        bend = (x * (w * p * (1 - p))) @ x.T + RIDGE * np.eye(2)
        step = np.linalg.solve(bend, slope)
        beta -= np.clip(step, -LONGEST_STEP, LONGEST_STEP)
        if np.abs(step).max() < CLOSE_ENOUGH:
            break
    return float(beta[0]), float(beta[1])


def classifier_figures(probability: Floats, label: Floats, athlete: Names) -> dict[str, Any]:
    """All figures of one set of predictions, by the names of ``evaluate injury --json``."""
    both = label.min() < label.max()
    return {
        "auc": ranking(probability, label).auc(),
        "auc_within": auc_within(probability, label, athlete),
        "ap": float(average_precision_score(label, probability)) if both else None,
        "brier": brier(probability, label),
        "brier_skill": brier_skill(probability, label),
        "ece": calibration_error(probability, label),
        "calibration_slope": calibration_slope(probability, label),
    }
