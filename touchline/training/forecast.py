"""Train the forecast network: an ensemble, then one net that answers as it does; judge it beside the baselines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any, Final

import numpy as np
import optuna
from numpy.typing import NDArray

from models.artefact import Artefact, Manifest, next_version, save_artefact
from models.batched import Batched
from models.descent import Plan
from models.forecast import AHEAD, HISTORY, HORIZONS, TARGETS, ForecastConfig, build, fuse
from models.losses import ForecastLoss, LikenessLoss
from models.restore import answer, golden, plain_config, set_weights, weights_of
from stream.earlier import BLOCK_S, BLOCKS, EARLIER
from stream.normalise import CHANNELS, PRIOR
from touchline.training.course import Course, Weights
from touchline.training.disturb import Missing, disturbed, in_terms, mirrored, take_out
from touchline.training.forecast_baselines import MATCH, Seconds, baseline_predictions
from touchline.training.forecast_card import forecast_card
from touchline.training.forecast_data import ForecastData, Part, forecast_data
from touchline.training.forecast_figures import Answers, errors_at, judge_part, widths
from touchline.training.reference import ROWS, evenly, reference
from touchline.training.side_by_side import Telling, side_by_side
from touchline.training.tuning import Change, Problem
from touchline.training.windows import HEART_RATE, SPEED, Float32, Pool
from touchline.training.workshop import Workshop

Ints = NDArray[np.int64]
Floats = NDArray[np.floating]
Parts = Sequence[tuple[float, Part]]

CONFIG: Final = ForecastConfig(channels=len(CHANNELS), earlier=len(EARLIER), units=96, hidden=160, since=True)
PLAN: Final = Plan(steps=1500, rate=2e-3, warm=100, decay=1e-2, average=0.995)
BATCH: Final = 320
SEED: Final = 0
#: Nets in the ensemble, and steps in which one net learns to answer as all of them do.
MEMBERS: Final = 3
TAUGHT_STEPS: Final = 3000
#: Which of them is held against nets for one head each, and the heads.
BESIDE: Final = 1
ONE_HEAD: Final = {1: "speed", 2: "yaw_rate", 3: "acceleration"}
#: Steps between looks at the runs that choose the step to keep, and how many of their seconds are looked at.
LOOK_EVERY: Final = 250
LOOK_AT: Final = 4000
ROWS_AT_ONCE: Final = 2048
#: Looks without a better one after which a net that is looked at ends.
PATIENCE: Final = 3
#: What is missing in figures of heart rate. With one in fewer than thirty of the 120 seconds none is forecast.
MISSING: Final = (
    *(Missing("heart", ago) for ago in (5, 15, 30, 60, 90)),
    *(Missing("position", ago) for ago in (15, 60)),
    *(Missing(group) for group in ("position", "motion")),
)
#: And in figures of a simulated squad, which has all sensors.
SQUAD_MISSING: Final = (
    *(Missing(group, 30) for group in ("heart", "position")),
    *(Missing(group) for group in ("position", "imu", "environment")),
)
#: Kinds of sessions that figures are of, and that say how wide bands must be.
JUDGED: Final = ("runs", "match")
SPLIT: Final = (
    "runs by session (one runner), match by half (the same players); test sessions never trained on"
)


@dataclass(frozen=True, slots=True)
class Ensemble:
    """``weights`` of each net, and what the first one says of the sessions it left out.

    ``alone``: by head, a net of the size, the seed, the steps and the sessions of the second, trained for that head
    alone.
    """

    weights: list[Weights]
    left_out: dict[str, Answers]
    alone: dict[str, Weights]


def train_forecast(shop: Workshop) -> Path:
    """Read, train, judge, save; the folder of the new version."""
    return train_on(forecast_data(shop), shop)


def train_on(data: ForecastData, shop: Workshop) -> Path:
    """Train, judge, save."""
    ensemble = train_members(data, shop)
    config = replace(shop.chosen(CONFIG), width=widths(ensemble.left_out))
    model = build(config)
    set_weights(model, teach(ensemble, data, shop))
    manifest = Manifest(
        name="forecast",
        version=next_version(shop.out, "forecast"),
        inputs={
            "x": {
                "shape": [HISTORY, 2 * len(CHANNELS)],
                "channels": list(CHANNELS),
                "then": "presence of each",
            },
            "anchor": {"shape": [len(TARGETS)], "channels": list(TARGETS)},
            "earlier": {
                "shape": [BLOCKS, 2 * len(EARLIER)],
                "channels": list(EARLIER),
                "then": "presence of each",
                "seconds": BLOCK_S,
            },
        },
        outputs={
            "median": {"shape": [len(TARGETS), AHEAD], "unit": ["bpm", "m/s", "deg/s"]},
            "acceleration": {"shape": [AHEAD], "unit": "m/s2"},
            "bands": {
                "shape": [len(TARGETS), len(HORIZONS), 2],
                "levels": [0.1, 0.9],
                "horizons": list(HORIZONS),
            },
        },
        normalisation={name: list(terms) for name, terms in PRIOR.items()},
        config=plain_config(config),
        training={
            "plan": asdict(shop.chosen(PLAN)) | {"batch": BATCH},
            "taught_by": MEMBERS,
            "taught_steps": TAUGHT_STEPS,
            "thrift": shop.thrift,
            "seed": SEED,
            **shop.notes,
        },
        data=data.hashes,
        metrics=_metrics(model, ensemble, data, shop),
        seen=data.seen,
    )
    at = data.kept.at[:: max(1, len(data.kept.at) // 4)][:4]
    saved = golden(model, inputs(data.kept.table, at))
    learnt = [
        inputs(part.table, part.at[evenly(len(part.at), round(share * ROWS))]) for share, part in data.train
    ]
    spread = reference(model, manifest, [np.concatenate(column) for column in zip(*learnt, strict=True)])
    return save_artefact(
        shop.out, Artefact(manifest, weights_of(model), saved, spread), forecast_card(manifest)
    )


def train_members(data: ForecastData, shop: Workshop) -> Ensemble:
    """Train the nets of the ensemble, the first on a part of the sessions, the others on all, and those for one head.

    Each has its seed, and none needs another.
    """
    split = [(share, part.split()) for share, part in data.train]
    out = {part.name: part for _, (_, part) in split if part.name in JUDGED}
    kept = [(share, part) for share, (part, _) in split]
    together = [Task(f"forecast: net {member + 1} of {MEMBERS}", SEED + member) for member in range(MEMBERS)]
    alone = [Task(f"forecast: {name} alone", SEED + BESIDE, (head,)) for head, name in ONE_HEAD.items()]
    train = partial(_train_net, data.train, kept, out["runs"], replace(shop, tell=Telling(shop.tell)))
    trained = list(side_by_side(train, [*together, *alone], shop.tell))
    weights = trained[:MEMBERS]
    return Ensemble(
        weights,
        {name: answers(_net(weights[0], shop), part) for name, part in out.items()},
        dict(zip(ONE_HEAD.values(), trained[MEMBERS:], strict=True)),
    )


def _train_net(every: Parts, kept: Parts, judge: Part, shop: Workshop, task: Task) -> Weights:
    first = task.seed == SEED
    return descend(kept, task, shop, judge) if first else descend(every, task, shop)


def teach(ensemble: Ensemble, data: ForecastData, shop: Workshop) -> Weights:
    """Weights of one net that answers as the ensemble does (distillation, Hinton et al. 2015, arXiv 1503.02531).

    It sees the same windows, disturbed in the same ways, and is told what the ensemble makes of them.
    """
    config, plan = replace(shop.chosen(CONFIG), dropout=0.0), shop.chosen(PLAN)
    return Course(
        told="forecast: one net of all",
        seed=SEED,
        build=lambda: build(config),
        loss=LikenessLoss(config),
        plan=replace(plan, steps=shop.steps(TAUGHT_STEPS)),
        draw=Lessons(data.train, fuse(ensemble.weights), replace(config, members=MEMBERS)),
        every=LOOK_EVERY,
        drawn_ahead=True,
    ).run(shop)


@dataclass(frozen=True)
class Lessons:
    """Draws windows of ``parts`` and what a net of ``config`` and ``weights`` makes of them."""

    parts: Parts
    weights: Weights
    config: ForecastConfig

    def __call__(self, rng: np.random.Generator) -> tuple[list[Float32], list[Float32]]:
        """A batch."""
        given, _ = draw(self.parts, rng)
        return given, self._teacher(*given)

    @cached_property
    def _teacher(self) -> Batched:
        net = build(self.config)
        set_weights(net, self.weights)
        return Batched(net, [BATCH])


def _net(weights: Weights, shop: Workshop) -> Any:
    """One net with its weights."""
    model = build(shop.chosen(CONFIG))
    set_weights(model, weights)
    return model


@dataclass(frozen=True, slots=True)
class Task:
    """What is told while it trains, its seed, and which heads it is trained for."""

    told: str
    seed: int
    heads: Sequence[int] = (0, 1, 2, 3)


def descend(parts: Parts, task: Task, shop: Workshop, judge: Part | None = None) -> Weights:
    """Weights at the last step or, with a part to ``judge`` by that is not learnt from, at the best one."""
    config, plan = shop.chosen(CONFIG), shop.chosen(PLAN)
    return Course(
        told=task.told,
        seed=task.seed,
        build=lambda: build(config),
        loss=ForecastLoss(config, task.heads),
        plan=replace(plan, steps=shop.steps(plan.steps)),
        draw=lambda rng: draw(parts, rng),
        every=LOOK_EVERY,
        look=None if judge is None else partial(look, judge),
        patience=PATIENCE,
    ).run(shop)


def inputs(
    table: Pool, at: Ints, missing: Missing | None = None, terms: Floats | None = None
) -> list[Float32]:
    """The network's inputs at seconds ``at``; with channels missing, or in own ``terms (2, C)``, where asked."""
    x, earlier = table.x(at), table.earlier(at)
    lost = None if missing is None else take_out(table, at, (x, earlier), missing)
    if terms is not None:
        x, earlier = in_terms(x, earlier, terms[None])
    return [x, table.anchor(at, lost), earlier]


def draw(parts: Parts, rng: np.random.Generator) -> tuple[list[Float32], list[Float32]]:
    """A batch: inputs and targets, each part with its share."""
    drawn = [_draw_part(part, round(share * BATCH), rng) for share, part in parts]
    given = [np.concatenate(column) for column in zip(*(given for given, _ in drawn), strict=True)]
    targets = [np.concatenate(column) for column in zip(*(targets for _, targets in drawn), strict=True)]
    return given, targets


def _draw_part(part: Part, rows: int, rng: np.random.Generator) -> tuple[list[Float32], list[Float32]]:
    """Some seconds of a part; nothing is asked of a head whose own sensor was not seen at all."""
    at = rng.choice(part.at, rows)
    x, anchor, earlier = disturbed(part.table, at, rng)
    ahead = part.table.ahead(at)
    mirrored(x, ahead, rng)
    seen = np.asarray(x[:, :, len(CHANNELS) :].any(axis=1))  # (B, C)
    believed = seen[:, [HEART_RATE, SPEED, SPEED, SPEED], None]  # (B, 4, 1)
    mask = np.asarray(np.isfinite(ahead) & believed, dtype=np.float32)
    ahead = np.where(mask > 0, ahead, 0.0)
    return [x, anchor, earlier], [ahead[:, :3], ahead[:, 3], mask[:, :3], mask[:, 3]]


def look(part: Part, model: Any) -> float:
    """Mean absolute error of heart rate over all horizons, each in units of its typical change."""
    return Validation(part).loss(model, None)


class Validation:
    """Some seconds of a part that is not learnt from, as arrays."""

    def __init__(self, part: Part) -> None:
        at = part.at[:: max(1, len(part.at) // LOOK_AT)]
        self._inputs, self._ahead = inputs(part.table, at), part.table.ahead(at)

    def loss(self, model: Any, change: Change | None) -> float:
        """As :func:`look`, the histories changed where asked."""
        x, *others = self._inputs
        given = [x if change is None else change(x), *others]
        medians = [
            answer(model, [a[i : i + ROWS_AT_ONCE] for a in given])[0] for i in range(0, len(x), ROWS_AT_ONCE)
        ]
        picked = [h - 1 for h in HORIZONS]
        error = np.abs(np.concatenate(medians) - self._ahead[:, : len(TARGETS)])[:, 0, picked]
        return float(np.nanmean(error / CONFIG.scales()[0, picked]))


def problem(shop: Workshop) -> Problem:
    """What there is to tune: one net, judged on the sessions that the ensemble's first net leaves out."""
    split = [(share, part.split()) for share, part in forecast_data(shop).train]
    kept = [(share, inner) for share, (inner, _) in split]
    judge = next(out for _, (_, out) in split if out.name == "runs")
    validation = Validation(judge)

    def fit(with_them: Workshop, told: str) -> Any:
        return _net(descend(kept, Task(told, SEED), with_them, judge), with_them)

    return Problem(
        name="forecast",
        fit=fit,
        loss=validation.loss,
        space=_space,
        channels={name: (k, len(CHANNELS) + k) for k, name in enumerate(CHANNELS)},
        split="every fifth run of the training runs",
    )


def _space(trial: optuna.Trial) -> dict[str, Any]:
    return {
        "rate": trial.suggest_float("rate", 5e-4, 5e-3, log=True),
        "decay": trial.suggest_float("decay", 1e-4, 3e-2, log=True),
        "dropout": trial.suggest_float("dropout", 0.0, 0.4),
        "units": trial.suggest_categorical("units", [48, 64, 96, 128]),
        "hidden": trial.suggest_categorical("hidden", [96, 128, 160]),
        "memory": trial.suggest_categorical("memory", [24, 48, 96]),
        "l1": trial.suggest_float("l1", 1e-8, 1e-5, log=True),
    }


def answers(model: Any, part: Part, missing: Missing | None = None, terms: Floats | None = None) -> Answers:
    """The network's answers for every second of a part, asked as :func:`inputs` has it."""
    parts = [
        answer(model, inputs(part.table, part.at[i : i + ROWS_AT_ONCE], missing, terms))
        for i in range(0, len(part.at), ROWS_AT_ONCE)
    ]
    median, acceleration, bands = (np.concatenate(column) for column in zip(*parts, strict=True))
    return Answers(part.table.ahead(part.at), part.table.last_seen(part.at), median, acceleration, bands)


def _metrics(model: Any, ensemble: Ensemble, data: ForecastData, shop: Workshop) -> dict[str, Any]:
    """Figures on the parts kept back; baselines on the same runs, nets for one head each on the same match."""
    shop.tell("forecast: figures", 0, 2)
    kept = Part("runs", data.kept.table, data.kept.at)
    found = answers(model, kept)
    heart = {"mae": data.kept.errors_of(found), "coverage_80": data.kept.covered_by(found)}
    gone = {str(missing): data.kept.errors_of(answers(model, kept, missing)) for missing in MISSING}
    own = data.fit.table.own.mean(axis=0)  # of the runner's other runs
    squad = {
        str(missing or "nothing missing"): _squad_errors(model, data.squad, missing)
        for missing in (None, *SQUAD_MISSING)
    }
    shop.tell("forecast: figures", 1, 2)
    baselines = data.kept.baseline_errors(data.fit)
    shop.tell("forecast: figures", 2, 2)
    return {
        "split": SPLIT,
        "figures": {"runs": {"heart_rate": heart}, "match": _match(model, data)},
        "heart_rate_in_own_terms": data.kept.errors_of(answers(model, kept, terms=own)),
        "heart_rate_missing": gone,
        "squad_missing": squad,
        "baselines": baselines,
        "alone": _alone(ensemble, data, shop),
        "origins": {
            "runs": len(data.kept.at),
            "match": len(data.match.at),
            "simulated squad": len(data.squad.at),
        },
    }


def _match(model: Any, data: ForecastData) -> dict[str, Any]:
    """Figures on the half of the match that judges, beside those of baselines fitted on the other half."""
    first = next(part for _, part in data.train if part.name == "match")
    fit, judged = (Seconds(part.table, part.at) for part in (first, data.match))
    found = answers(model, data.match)
    figures = judge_part(found)
    for head, name in ONE_HEAD.items():
        guesses = baseline_predictions(fit, judged, MATCH[name])
        figures[name] |= {called: errors_at(guess, found.ahead[:, head]) for called, guess in guesses.items()}
    return figures


def _squad_errors(model: Any, squad: Part, missing: Missing | None) -> dict[str, Any]:
    """Mean absolute errors of heart rate and speed of a squad with something missing."""
    figures = judge_part(answers(model, squad, missing))
    return {name: figures[name]["mae"] for name in TARGETS[:2]}


def _alone(ensemble: Ensemble, data: ForecastData, shop: Workshop) -> dict[str, Any]:
    """Mean absolute errors on the match of nets trained for one head each, and of the same net trained for all."""

    def errors(weights: Weights) -> dict[str, Any]:
        return judge_part(answers(_net(weights, shop), data.match))

    together = errors(ensemble.weights[BESIDE])
    return {
        name: {"one head": errors(alone)[name]["mae"], "all heads": together[name]["mae"]}
        for name, alone in ensemble.alone.items()
    }
