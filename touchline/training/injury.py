"""Train the injury ensemble on SoccerMon and judge it, whole athletes held out.

One small net per fold and seed. Its fold's athletes are what it is judged on, and all of them together are the
ensemble that is shipped.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
import optuna
from numpy.typing import NDArray

from models.artefact import Artefact, Manifest, next_version, save_artefact
from models.descent import Plan
from models.injury import InjuryConfig, build, fuse
from models.losses import LogLoss, Rare
from models.restore import answer, golden, plain_config, set_weights
from sim.readers.daily import read_daily
from stream.days import CHANNELS, COLUMNS, WELLNESS, WINDOW, day_features
from touchline.training.course import Course
from touchline.training.figures import logit, platt
from touchline.training.injury_card import injury_card, injury_metrics, today_helps
from touchline.training.injury_rows import FOLDS, SEEDS, InjuryRows, fold_of, injury_rows, seen
from touchline.training.reference import evenly, reference
from touchline.training.side_by_side import Telling, side_by_side
from touchline.training.tuning import Change, Problem
from touchline.training.workshop import Workshop

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

CONFIG: Final = InjuryConfig(channels=len(CHANNELS), members=1, units=4, dropout=0.3, l2=1e-2)
PLAN: Final = Plan(steps=200, rate=5e-3, warm=20, decay=1e-2, average=0.98)
RARE: Final = Rare()
#: Of the folds that settings are tuned on.
TUNING_SEED: Final = 100
#: Rows of a batch, and how many of them are positive: a rare class drawn more often, set right by calibration.
BATCH: Final = 1024
POSITIVE: Final = 256
#: Share of rows whose last day is only partly in, and of days whose load is not known.
PARTIAL: Final = 0.5
LOAD_UNKNOWN: Final = 0.05
ROWS_AT_ONCE: Final = 4096

#: How much of today's load the figures are given for: none, all, a part at random.
TODAY: Final[Mapping[str, Callable[[int], Floats]]] = {
    "without today": np.zeros,
    "with today": np.ones,
    "truncated today": lambda rows: np.random.default_rng(0).random(rows),
}


#: Groups of columns that may not be known at all.
GONE: Final[Mapping[str, list[int]]] = {"load": [0], "wellness": list(range(1, len(COLUMNS)))}


@dataclass(frozen=True, slots=True)
class Judged:
    """Out-of-fold answers ``(seeds, N)`` by how much of today was known; raw, before calibration.

    ``gone``: the same without today, by the group of columns that is not known at all.
    """

    raw: Mapping[str, Floats]
    gone: Mapping[str, Floats]
    members: list[Mapping[str, NDArray[Any]]]


def train_injury(shop: Workshop) -> Path:
    """Train, judge, save; the folder of the new version."""
    source = shop.source("soccermon")
    rows = injury_rows(read_daily(source.files[0]))
    judged = cross_validate(rows, shop)
    calibration = [platt(logit(raw), rows.label) for raw in judged.raw["without today"]]
    per_member = [pair for pair in calibration for _ in range(FOLDS)]
    config = replace(shop.chosen(CONFIG), members=len(judged.members))
    model = build(config)
    weights = fuse(judged.members, per_member)
    set_weights(model, weights)
    metrics = injury_metrics(rows, judged.raw, judged.gone)
    manifest = Manifest(
        name="injury",
        version=next_version(shop.out, "injury"),
        inputs={"days": {"shape": [WINDOW, len(CHANNELS)], "channels": list(CHANNELS)}},
        outputs={
            "probability": {
                "shape": [config.members],
                "unit": "probability",
                "horizon_days": 7,
                "today_helps": today_helps(metrics),
            }
        },
        normalisation={"load": "own mean of 28 days", **{k: list(v) for k, v in WELLNESS.items()}},
        config=plain_config(config),
        training={
            "plan": asdict(shop.chosen(PLAN)) | {"batch": BATCH, "positive": POSITIVE},
            "loss": asdict(shop.chosen(RARE)),
            "thrift": shop.thrift,
            "population": "elite women footballers",
            "seeds": list(SEEDS),
            **shop.notes,
        },
        data={source.name: source.sha256()},
        metrics=metrics,
        seen={source.name: seen(rows)},
    )
    example = [day_features(rows.values[:: len(rows) // 8], np.zeros(len(rows.values[:: len(rows) // 8])))]
    some = evenly(len(rows))
    spread = reference(model, manifest, [day_features(rows.values[some], np.zeros(len(some)))])
    artefact = Artefact(manifest, weights, golden(model, list(example)), spread)
    return save_artefact(shop.out, artefact, injury_card(manifest))


def cross_validate(rows: InjuryRows, shop: Workshop) -> Judged:
    """Train a net per seed and fold; answer for the fold it has not seen."""
    raw = {case: np.zeros((len(SEEDS), len(rows))) for case in (*TODAY, *GONE)}
    members: list[Mapping[str, NDArray[Any]]] = []
    inputs = {today: day_features(rows.values, known(len(rows))) for today, known in TODAY.items()}
    inputs |= {group: day_features(_without(rows.values, group), np.zeros(len(rows))) for group in GONE}
    folds = {seed: fold_of(rows, seed) for seed in SEEDS}
    nets = [(seed, k) for seed, fold in folds.items() for k in range(FOLDS) if (fold == k).any()]
    train = partial(_train_net, rows, replace(shop, tell=Telling(shop.tell)))
    shop.tell("injury: nets", 0, len(nets))
    for (seed, k), weights in zip(nets, side_by_side(train, nets, shop.tell), strict=True):
        held_out = folds[seed] == k
        model = build(shop.chosen(CONFIG))
        set_weights(model, weights)
        members.append(weights)
        for case, x in inputs.items():
            raw[case][SEEDS.index(seed), held_out] = _answers(model, x[held_out])
        shop.tell("injury: nets", len(members), len(nets))
    return Judged({case: raw[case] for case in TODAY}, {case: raw[case] for case in GONE}, members)


def _train_net(rows: InjuryRows, shop: Workshop, net: tuple[int, int]) -> Mapping[str, NDArray[Any]]:
    """The net of a seed that has not seen a fold."""
    seed, k = net
    return train_member(rows, np.flatnonzero(fold_of(rows, seed) != k), 100 * seed + k, shop)


def _without(values: Floats, group: str) -> Floats:
    """``(N, 28, 8)`` with a group of columns not known."""
    gone = values.copy()
    gone[:, :, GONE[group]] = np.nan
    return gone


def train_member(rows: InjuryRows, use: Ints, seed: int, shop: Workshop) -> dict[str, NDArray[np.float32]]:
    """One net on the rows ``use``; positives are drawn as often as :data:`POSITIVE` says."""
    config, plan, rare = shop.chosen(CONFIG), shop.chosen(PLAN), shop.chosen(RARE)
    positive, negative = use[rows.label[use] == 1], use[rows.label[use] == 0]
    weight = np.ones((BATCH, 1))

    def draw(rng: np.random.Generator) -> tuple[list[NDArray[Any]], list[NDArray[Any]]]:
        at = np.concatenate([rng.choice(positive, POSITIVE), rng.choice(negative, BATCH - POSITIVE)])
        return [_disturbed(rows.values[at], rng)], [rows.label[at][:, None], weight]

    return Course(
        told=f"injury: net {seed}",
        seed=seed,
        build=lambda: build(config),
        loss=LogLoss(rare.gamma, rare.positive),
        plan=replace(plan, steps=shop.steps(plan.steps), l2=0.0),  # the network has its own
        draw=draw,
        every=plan.steps,
    ).run(shop)


def _disturbed(values: Floats, rng: np.random.Generator) -> NDArray[np.float32]:
    """Rows as they may come live: today's load partly in or not at all, single loads unknown."""
    partial = rng.random(len(values)) < PARTIAL
    known = np.where(partial, np.maximum(0, rng.uniform(-0.5, 1, len(values))), 1.0)
    values = values.copy()
    values[:, -1, 0] *= known
    values[..., 0][rng.random(values.shape[:2]) < LOAD_UNKNOWN] = np.nan
    return day_features(values, known)


def _answers(model: Any, x: NDArray[np.float32]) -> Floats:
    parts = [x[i : i + ROWS_AT_ONCE] for i in range(0, len(x), ROWS_AT_ONCE)]
    return np.concatenate([answer(model, [part])[0][:, 0] for part in parts]).astype(np.float64)


def problem(shop: Workshop) -> Problem:
    """What there is to tune: a net for each of other folds of the athletes, judged on the athletes left out."""
    rows = injury_rows(read_daily(shop.source("soccermon").files[0]))
    fold = fold_of(rows, TUNING_SEED)
    days = day_features(rows.values, np.zeros(len(rows)))

    def fit(with_them: Workshop, told: str) -> list[Any]:
        nets = []
        for k in range(FOLDS):
            with_them.tell(told, k, FOLDS)
            nets.append(build(with_them.chosen(CONFIG)))
            set_weights(nets[-1], train_member(rows, np.flatnonzero(fold != k), TUNING_SEED + k, with_them))
        return nets

    def loss(nets: list[Any], change: Change | None) -> float:
        x = days if change is None else change(days)
        raw = np.zeros(len(rows))
        for k, net in enumerate(nets):
            raw[fold == k] = _answers(net, x[fold == k])
        slope, offset = platt(logit(raw), rows.label)
        z = slope * logit(raw) + offset
        return float(np.mean(np.logaddexp(0, z) - rows.label * z))

    known = len(CHANNELS) // 2
    return Problem(
        name="injury",
        fit=fit,
        loss=loss,
        space=_space,
        channels={name: (k, known + k) for k, name in enumerate(CHANNELS[:known])},
        split="out of fold over all athletes, by folds other than those of the figures",
        leak="the figures' folds are of the same athletes, so that what is chosen has seen them",
    )


def _space(trial: optuna.Trial) -> dict[str, Any]:
    return {
        "rate": trial.suggest_float("rate", 1e-3, 2e-2, log=True),
        "units": trial.suggest_categorical("units", [2, 4, 8]),
        "dropout": trial.suggest_float("dropout", 0.0, 0.5),
        "decay": trial.suggest_float("decay", 1e-3, 1e-1, log=True),
        "gamma": trial.suggest_float("gamma", 0.0, 2.0),
        "positive": trial.suggest_float("positive", 0.5, 4.0, log=True),
    }
