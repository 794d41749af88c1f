"""Judge a stored injury ensemble on a file of daily rows, and, asked to, train it anew on the file's own folds.

The ensemble was trained one member to a seed and fold. Athletes that it was trained on, known by their days whatever
they are called and whatever file they stand in, are answered only by the members that have not seen them; everybody
else is new to all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from models.artefact import Artefact
from models.restore import answer, restore
from sim.readers.daily import read_daily
from stream.days import day_features
from touchline.training.figures import at_threshold, curves, reliability
from touchline.training.injury import cross_validate
from touchline.training.injury_baselines import boosting, logistic, past_rate
from touchline.training.injury_card import PRIMARY, SPLIT, calibrated_across, cross_calibrated, judge, paired
from touchline.training.injury_rows import FOLDS, SEEDS, InjuryRows, injury_rows, owners, seen
from touchline.training.sessions import Source
from touchline.training.workshop import Workshop

Floats = NDArray[np.float64]

TRAINED_ON: Final = "soccermon"
ROWS_AT_ONCE: Final = 4096
#: An answer this many times the training rows' base rate counts as a yes, where yes and no are asked for.
TIMES_BASE_RATE: Final = 2.0
#: With fewer athletes that have a positive row there is a fold without any in its training part.
FEWEST_POSITIVE_ATHLETES: Final = 2
BASELINES: Final[Mapping[str, Callable[[InjuryRows], Floats]]] = {
    "past_rate": past_rate,
    "logistic": logistic,
    "hgb": boosting,
}
FIGURES: Final = (
    "auc", "auc_ci", "auc_within", "ap", "brier", "brier_skill", "brier_skill_ci", "ece", "calibration_slope",
    "calibration_slope_ci",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Answers:
    """``ranked`` and ``probability`` ``(repeats, N)``, a repeat per seed where athletes were held out; the split."""

    ranked: Floats
    probability: Floats
    split: str


def evaluate_injury(artefact: Artefact, file: Path, shop: Workshop | None = None) -> dict[str, Any]:
    """Figures of a version on the daily rows of ``file``; with a ``shop``, of nets trained anew.

    Raises MissingError or :class:`~stream.errors.UnreadableFile` for the file, ArtefactDamaged for the version.
    """
    rows = injury_rows(read_daily(file))
    found = _answers(artefact, rows, file) if shop is None else _repeated(rows, shop)
    figures = _judged(found, rows) | at_threshold(found.probability, rows.label, _threshold(artefact))
    figures |= _plotted(found, rows)
    counts = {
        "rows": len(rows),
        "positives": int(rows.label.sum()),
        "athletes": len(np.unique(rows.athlete)),
        "positive_athletes": _positive_athletes(rows),
    }
    named = {"model": artefact.manifest.name, "version": artefact.manifest.version, "split": found.split}
    return named | counts | figures | ({} if shop is None else _beside(found, rows))


def _plotted(found: Answers, rows: InjuryRows) -> dict[str, Any]:
    """What the report draws: calibration over all repeats, ranking of the first."""
    if len(rows) == 0 or len(found.ranked) == 0:
        return {"reliability": [], "curves": None}
    return {
        "reliability": reliability(found.probability.ravel(), np.tile(rows.label, len(found.probability))),
        "curves": curves(found.ranked[0], rows.label),
    }


def _judged(found: Answers, rows: InjuryRows) -> dict[str, Any]:
    if len(rows) == 0 or len(found.ranked) == 0:
        return dict.fromkeys(FIGURES)
    figures = judge(found.ranked, found.probability, rows)
    return {name: figures[name] for name in FIGURES}


def _answers(artefact: Artefact, rows: InjuryRows, file: Path) -> Answers:
    """The stored ensemble's answers, of athletes that were trained on only by members that have not seen them."""
    members = _by_member(artefact, rows)  # (N, M)
    mean = members.mean(axis=1)[None]
    learnt = _learnt(artefact, rows, file)
    if learnt is None:
        return Answers(mean, mean, "all athletes of the file; which the version was trained on is not known")
    owner = owners(rows, learnt)
    known = np.flatnonzero(owner >= 0)
    if len(known) == 0:
        return Answers(mean, mean, "all athletes of the file, none of them trained on")
    folds = np.array([athlete["fold"] for athlete in learnt])[owner[known]].T  # (seeds, known)
    ranked = np.repeat(mean, len(SEEDS), axis=0)
    for number, fold in enumerate(folds):
        ranked[number, known] = members[known, number * FOLDS + fold]
    probability, whole = ranked.copy(), len(known) >= artefact.manifest.metrics["counts"]["rows"]
    if whole:
        probability[:, known] = calibrated_across(ranked[:, known], rows.label[known], folds)
    return Answers(ranked, probability, _told(rows.athlete, known, whole=whole))


def _told(athlete: NDArray[np.str_], known: NDArray[np.int64], *, whole: bool) -> str:
    """The split in words. With all that was trained on there, each fold's answers are calibrated by the others'."""
    every, trained_on = len(np.unique(athlete)), len(np.unique(athlete[known]))
    told = f"{SPLIT}: {trained_on} of {every} athletes were trained on, answered by the nets that have not seen them"
    told += "" if trained_on == every else ", the others by all nets"
    return told + ("" if whole else "; calibrated as stored, on all that was trained on")


def _learnt(artefact: Artefact, rows: InjuryRows, file: Path) -> Sequence[Mapping[str, Any]] | None:
    """Who was trained on; None where a version does not say it and this is not the file that it is of."""
    if artefact.manifest.seen:
        return [athlete for athletes in artefact.manifest.seen.values() for athlete in athletes]
    of_it = Source(TRAINED_ON, (file,)).sha256() == artefact.manifest.data.get(TRAINED_ON)
    return seen(rows) if of_it else None


def _by_member(artefact: Artefact, rows: InjuryRows) -> Floats:
    """Probabilities of every member ``(N, M)``, nothing of the last day's load known."""
    model = restore(artefact)
    x = day_features(rows.values, np.zeros(len(rows)))
    parts = [answer(model, [x[at : at + ROWS_AT_ONCE]])[0] for at in range(0, len(x), ROWS_AT_ONCE)]
    width = int(artefact.manifest.config["members"])
    return np.concatenate(parts).astype(np.float64) if parts else np.zeros((0, width))


def _repeated(rows: InjuryRows, shop: Workshop) -> Answers:
    """Nets trained on the file's own folds, each answering for the athletes it has not seen."""
    if _positive_athletes(rows) < FEWEST_POSITIVE_ATHLETES:
        nothing = np.zeros((0, len(rows)))
        return Answers(
            nothing, nothing, "none: fewer than two athletes have a new injury within 7 days of a row"
        )
    raw = cross_validate(rows, shop).raw[PRIMARY]
    return Answers(raw, cross_calibrated(raw, rows), f"trained anew: {SPLIT}")


def _beside(found: Answers, rows: InjuryRows) -> dict[str, Any]:
    """The baselines on the same folds, and the paired differences to them."""
    if len(found.ranked) == 0:
        return {"baselines": dict.fromkeys(BASELINES), "paired": None}
    others = {name: baseline(rows) for name, baseline in BASELINES.items()}
    return {
        "baselines": {name: _judged(Answers(p, p, found.split), rows) for name, p in others.items()},
        "paired": {name: paired(found.ranked, p, rows) for name, p in others.items()},
    }


def _positive_athletes(rows: InjuryRows) -> int:
    return len(np.unique(rows.athlete[rows.label == 1]))


def _threshold(artefact: Artefact) -> float:
    counts = artefact.manifest.metrics["counts"]
    return float(TIMES_BASE_RATE * counts["positives"] / counts["rows"])
