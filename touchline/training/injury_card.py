"""Figures of the injury ensemble beside its baselines, and the card that shows them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from models.artefact import Manifest
from touchline.training.figures import (
    athlete_weights,
    brier_skill,
    calibration_slope,
    classifier_figures,
    interval,
    logit,
    platt,
    ranking,
    sigmoid,
)
from touchline.training.injury_baselines import boosting, logistic, past_rate
from touchline.training.injury_rows import FOLDS, SEEDS, InjuryRows, fold_of
from touchline.training.workshop import table

Floats = NDArray[np.float64]

SPLIT: Final = "athlete-grouped 5-fold, seeds 0, 1, 2, out-of-fold"
DRAWS: Final = 1000
#: Draws for figures that need a fit in each.
CALIBRATION_DRAWS: Final = 200
FIGURES: Final = ("auc", "auc_ci", "auc_within", "ap", "brier", "brier_skill", "ece", "calibration_slope")
#: Intervals of the figures that need a fit in each draw.
SURE: Final = ("brier_skill_ci", "calibration_slope_ci")
PRIMARY: Final = "without today"


def cross_calibrated(raw: Floats, rows: InjuryRows) -> Floats:
    """Each fold's answers set right by the other folds', ``(seeds, N)``, so that calibration is not flattered."""
    return calibrated_across(raw, rows.label, np.stack([fold_of(rows, seed) for seed in SEEDS]))


def calibrated_across(raw: Floats, label: Floats, folds: NDArray[np.int64]) -> Floats:
    """The same for any ``folds``; all ``(seeds, N)``."""
    out = np.zeros_like(raw)
    for number, fold in enumerate(folds):
        for k in range(FOLDS):
            others, own = fold != k, fold == k
            slope, offset = platt(logit(raw[number, others]), label[others])
            out[number, own] = sigmoid(max(slope, 0.0) * logit(raw[number, own]) + offset)
    return out


def judge(raw: Floats, probability: Floats, rows: InjuryRows) -> dict[str, Any]:
    """Figures, mean over the seeds.

    ``raw`` is ranked, ``probability`` judged for calibration, both ``(seeds, N)``.
    """
    ranked = [classifier_figures(r, rows.label, rows.athlete) for r in raw]
    judged = [classifier_figures(p, rows.label, rows.athlete) for p in probability]
    chosen = [j | {k: r[k] for k in ("auc", "auc_within", "ap")} for r, j in zip(ranked, judged, strict=True)]
    means = {name: _mean([c[name] for c in chosen]) for name in chosen[0]}
    aucs = [c["auc"] for c in chosen if c["auc"] is not None]
    spread = float(np.std(aucs)) if aucs else None
    return (
        means | {"auc_seeds_sd": spread, "auc_ci": interval(_aucs(raw, rows))} | _intervals(probability, rows)
    )


def _intervals(probability: Floats, rows: InjuryRows) -> dict[str, Any]:
    """Intervals of skill and slope over draws of athletes, of the first seed's answers."""
    draws = list(athlete_weights(rows.athlete, CALIBRATION_DRAWS, seed=0))
    skill = [brier_skill(probability[0], rows.label, weight) for weight in draws]
    slope = [calibration_slope(probability[0], rows.label, weight) for weight in draws]
    return {"brier_skill_ci": interval(skill), "calibration_slope_ci": interval(slope)}


def _mean(values: list[float | None]) -> float | None:
    known = [v for v in values if v is not None]
    return float(np.mean(known)) if known else None


def _aucs(raw: Floats, rows: InjuryRows) -> list[float | None]:
    """AUC, mean over the seeds, in each draw of athletes."""
    ranked = [ranking(r, rows.label) for r in raw]
    draws = athlete_weights(rows.athlete, DRAWS, seed=0)
    return [_mean([r.auc(weight) for r in ranked]) for weight in draws]


def paired(one: Floats, other: Floats, rows: InjuryRows) -> dict[str, Any]:
    """Difference in AUC and its interval, the same athletes drawn for both."""
    pairs = zip(_aucs(one, rows), _aucs(other, rows), strict=True)
    differences = [a - b if a is not None and b is not None else None for a, b in pairs]
    return {"difference": _mean(differences), "interval": interval(differences)}


def injury_metrics(rows: InjuryRows, raw: Mapping[str, Floats], gone: Mapping[str, Floats]) -> dict[str, Any]:
    """Everything the card reports, by name; each set of figures names its split."""
    counts = {
        "rows": len(rows),
        "positives": int(rows.label.sum()),
        "athletes": len(np.unique(rows.athlete)),
        "positive_athletes": len(np.unique(rows.athlete[rows.label == 1])),
    }
    sets = {today: judge(r, cross_calibrated(r, rows), rows) for today, r in raw.items()}
    others = {"logistic": logistic(rows), "gradient boosting": boosting(rows), "past rate": past_rate(rows)}
    sets |= {name: judge(p, p, rows) for name, p in others.items()}
    against = {
        **{f"lstm - {name}": paired(raw[PRIMARY], p, rows) for name, p in others.items()},
        "with today - without": paired(raw["with today"], raw[PRIMARY], rows),
        "truncated today - without": paired(raw["truncated today"], raw[PRIMARY], rows),
    }
    without = {group: judge(r, cross_calibrated(r, rows), rows) for group, r in gone.items()}
    return {"split": SPLIT, "counts": counts, "figures": sets, "paired": against, "without": without}


def today_helps(metrics: Mapping[str, Any]) -> bool:
    """Whether today's load was shown to rank better: the interval of the paired difference lies above 0."""
    interval_of = metrics["paired"]["with today - without"]["interval"]
    return interval_of is not None and interval_of[0] > 0


CARD: Final = """\
# injury {version}

Probability of a *new* injury report within 7 days, from the last 14 days of load and wellness. {members} small LSTMs
({units} units each; one per fold and seed); the interval is the 10th to 90th percentile over them.

**Trained on** SoccerMon (Midoglu et al. 2024, doi 10.5281/zenodo.10033832, CC BY 4.0): {athletes} elite women
footballers of two teams, 2020 and 2021; {rows} athlete-days, {positives} of them with a new report within 7 days, by
{positive_athletes} athletes.

**Not for** anybody else without a flag, not for diagnosis, and not for deciding who plays. Reports are the athletes'
own. Athletes with a report in the last 7 days get no figure.

## Figures

Split: {split}; means over the seeds. AUC, AP: pooled out-of-fold answers. Brier, ECE and slope: calibrated on the
other folds only; the shipped nets are calibrated on all of them. Brier skill is against the rows' own base rate.
`auc_ci`: 95 %, bootstrap over athletes. `auc_within`: mean over athletes with both classes, the part that does not
come from telling athletes apart.

{figures}

{intervals}

{differences}

Where a group of columns is not known at all. The worker gives no risk then: it abstains without any wellness or any
load in the fourteen days.

{without}

## How to read them

- With {positive_athletes} positive athletes every interval is wide. Where that of the Brier skill includes 0, answers
  were not shown to say more than the base rate; where that of a difference does, there is none to speak of.
- Levels of wellness tell athletes apart better than days: compare `auc` with `auc_within`.
- Another study took the same kind of regression to another group of athletes and found 0.48: expect no transfer.
- Channels and sizes were chosen while looking at these folds, which flatters all rows of the first table somewhat.
- Where the interval of *with today - without* includes 0, today's load adds nothing that was shown, and no alert
  follows from it.
- The past rate knows the athlete's own earlier reports, which the nets are not given.
"""


def injury_card(manifest: Manifest) -> str:
    """The model card."""
    metrics = manifest.metrics
    figures = [(name, *(found[key] for key in FIGURES)) for name, found in metrics["figures"].items()]
    sure = [(name, *(found[key] for key in SURE)) for name, found in metrics["figures"].items()]
    differences = [(name, d["difference"], d["interval"]) for name, d in metrics["paired"].items()]
    return CARD.format(
        version=manifest.version,
        members=manifest.config["members"],
        units=manifest.config["units"],
        split=metrics["split"],
        figures=table(("answers", *FIGURES), figures),
        without=table(
            ("not known", *FIGURES),
            [(name, *(w[key] for key in FIGURES)) for name, w in metrics["without"].items()],
        ),
        intervals=table(("95 % over athletes, first seed", "brier_skill", "calibration_slope"), sure),
        differences=table(("AUC difference", "mean", "95 % interval over athletes"), differences),
        **metrics["counts"],
    )
