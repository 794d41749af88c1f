"""Injuries of runners from their diaries: what plain models make of them, whole athletes held out. Trains anew.

The shipped ensemble is not asked: it knows other loads and needs wellness answers that these files do not have.
Values are normalised with the training athletes' alone; figures published for this data used the judged athletes'
own healthy days for that, which lets the model know more than it would have.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sim.readers.runners import RunnerTable, read_runners
from touchline.training.figures import curves, reliability
from touchline.training.injury_baselines import STRENGTH
from touchline.training.injury_card import judge, paired
from touchline.training.injury_rows import FOLDS, SEEDS, InjuryRows, fold_of
from touchline.training.workshop import Tell

Floats = NDArray[np.float64]

MODELS: Final = ("logistic", "gradient boosting")
SPLIT: Final = "athlete-grouped 5-fold, seeds 0, 1, 2, out-of-fold, normalised by the training athletes alone"


def evaluate_runners(file: Path, tell: Tell) -> dict[str, Any]:
    """Figures of each model on a day or week file, and the paired difference.

    Raises MissingError or :class:`~stream.errors.UnreadableFile` for the file.
    """
    table = read_runners(file)
    rows = _rows(table)
    counts = {
        "rows": len(table),
        "positives": int(table.injury.sum()),
        "athletes": len(np.unique(table.athlete)),
        "positive_athletes": len(np.unique(table.athlete[table.injury == 1])),
    }
    named = {"model": "runners", "version": None, "split": SPLIT, "columns": list(table.columns)} | counts
    if counts["positive_athletes"] < FOLDS:
        return named | {"models": None, "paired": None, "reliability": [], "curves": None}
    answers = {name: _out_of_fold(name, table, rows, tell) for name in MODELS}
    line, trees = (answers[name] for name in MODELS)
    return named | {
        "models": {name: judge(found, found, rows) for name, found in answers.items()},
        "paired": {"gradient boosting - logistic": paired(trees, line, rows)},
        "reliability": reliability(line.ravel(), np.tile(rows.label, len(line))),
        "curves": curves(line[0], rows.label),
    }


def _rows(table: RunnerTable) -> InjuryRows:
    nothing = np.zeros((len(table), 2))
    return InjuryRows(table.entries, table.injury, table.athlete, table.day.astype("datetime64[D]"), nothing)


def _out_of_fold(name: str, table: RunnerTable, rows: InjuryRows, tell: Tell) -> Floats:
    """Probabilities ``(seeds, N)`` of athletes that were not trained on."""
    out = np.zeros((len(SEEDS), len(rows)))
    for number, seed in enumerate(SEEDS):
        fold = fold_of(rows, seed)
        for k in range(FOLDS):
            tell(f"runners: {name}", number * FOLDS + k, len(SEEDS) * FOLDS)
            held_out = fold == k
            out[number, held_out] = _fitted(name, table, ~held_out).predict_proba(
                _inputs(name, table, held_out)
            )[:, 1]
    tell(f"runners: {name}", len(SEEDS) * FOLDS, len(SEEDS) * FOLDS)
    return out


def _fitted(name: str, table: RunnerTable, use: NDArray[np.bool_]) -> Any:
    model: Any = HistGradientBoostingClassifier(random_state=0, max_depth=3, learning_rate=0.05, max_iter=150)
    if name == "logistic":
        model = make_pipeline(StandardScaler(), LogisticRegression(C=STRENGTH, max_iter=1000))
    return model.fit(_inputs(name, table, use), table.injury[use])


def _inputs(name: str, table: RunnerTable, use: NDArray[np.bool_]) -> Floats:
    """For trees every day as it is; for the line means over the days, and how many of them are known."""
    values = table.entries[use]
    if name != "logistic":
        return values.reshape(len(values), -1)
    there = np.isfinite(values)
    mean = np.where(there, values, 0.0).sum(axis=1) / np.maximum(there.sum(axis=1), 1)
    return np.concatenate([mean, there.mean(axis=1)], axis=1)
