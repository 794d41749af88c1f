"""Train the forecast network, set its bands, judge it beside the baselines, save it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from models.artefact import Artefact, Manifest, next_version, save_artefact
from models.descent import Descent, Plan, seed_everything
from models.forecast import AHEAD, HISTORY, HORIZONS, TARGETS, ForecastConfig, build
from models.losses import ForecastLoss
from models.restore import answer, golden, plain_config, set_weights
from stream.normalise import CHANNELS, PRIOR
from touchline.training.disturb import disturbed, mirrored
from touchline.training.forecast_baselines import baseline_errors
from touchline.training.forecast_card import forecast_card
from touchline.training.forecast_data import ForecastData, Part, forecast_data
from touchline.training.forecast_figures import Answers, judge_part, missing_groups, widths
from touchline.training.windows import HEART_RATE, SPEED, Float32, Pool
from touchline.training.workshop import Workshop

Ints = NDArray[np.int64]

CONFIG: Final = ForecastConfig(channels=len(CHANNELS))
PLAN: Final = Plan(steps=3000, rate=2e-3, warm=100, decay=1e-2, average=0.995)
BATCH: Final = 256
SEED: Final = 0
#: Steps between looks at the runs that choose the step to keep, and how many of their seconds are looked at.
LOOK_EVERY: Final = 250
LOOK_AT: Final = 4000
ROWS_AT_ONCE: Final = 2048
SPLIT: Final = (
    "runs by session (one runner), match by half (the same players); test sessions never trained on"
)


def train_forecast(shop: Workshop) -> Path:
    """Read, train, judge, save; the folder of the new version."""
    return train_on(forecast_data(shop), shop)


def train_on(data: ForecastData, shop: Workshop) -> Path:
    """Train, judge, save."""
    weights = descend(data, shop)
    model = build(CONFIG)
    set_weights(model, weights)
    config = replace(CONFIG, width=widths({n: answers(model, p) for n, p in data.tune.items()}))
    model = build(config)
    set_weights(model, weights)
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
        training={"plan": asdict(PLAN) | {"batch": BATCH}, "thrift": shop.thrift, "seed": SEED},
        data=data.hashes,
        metrics=_metrics(model, data, shop),
    )
    example = next(iter(data.test.values()))
    at = example.at[:: max(1, len(example.at) // 4)][:4]
    saved = golden(model, [example.table.x(at), example.table.anchor(at)])
    return save_artefact(shop.out, Artefact(manifest, weights, saved), forecast_card(manifest))


def descend(data: ForecastData, shop: Workshop) -> Mapping[str, NDArray[Any]]:
    """Weights at the step that forecast the tuning runs best."""
    seed_everything(SEED)
    rng = np.random.default_rng(SEED)
    steps = shop.steps(PLAN.steps)
    model, looker = build(CONFIG), build(CONFIG)
    descent = Descent(model, ForecastLoss(CONFIG), replace(PLAN, steps=steps))
    best: tuple[float, Mapping[str, NDArray[Any]]] = (np.inf, {})
    for step in range(1, steps + 1):
        descent.step(*draw(data, rng))
        if step % LOOK_EVERY == 0 or step == steps:
            shop.tell("forecast: steps", step, steps)
            weights = descent.averaged()
            set_weights(looker, weights)
            best = min(best, (_look(looker, data.tune["runs"]), weights), key=lambda pair: pair[0])
    return best[1]


def draw(data: ForecastData, rng: np.random.Generator) -> tuple[list[Float32], list[Float32]]:
    """A batch: inputs and targets, each part with its share."""
    drawn = [_draw_part(part, round(share * BATCH), rng) for share, part in data.train]
    inputs = [np.concatenate(column) for column in zip(*(inputs for inputs, _ in drawn), strict=True)]
    targets = [np.concatenate(column) for column in zip(*(targets for _, targets in drawn), strict=True)]
    return inputs, targets


def _draw_part(part: Part, rows: int, rng: np.random.Generator) -> tuple[list[Float32], list[Float32]]:
    """Some seconds of a part; nothing is asked of a head whose own sensor was not seen at all."""
    at = rng.choice(part.at, rows)
    x = disturbed(part.table, at, rng)
    ahead = part.table.ahead(at)
    mirrored(x, ahead, rng)
    seen = np.asarray(x[:, :, len(CHANNELS) :].any(axis=1))  # (B, C)
    believed = seen[:, [HEART_RATE, SPEED, SPEED, SPEED], None]  # (B, 4, 1)
    mask = np.asarray(np.isfinite(ahead) & believed, dtype=np.float32)
    ahead = np.where(mask > 0, ahead, 0.0)
    return [x, part.table.anchor(at)], [ahead[:, :3], ahead[:, 3], mask[:, :3], mask[:, 3]]


def _look(model: Any, part: Part) -> float:
    """Mean absolute error of heart rate over all horizons, each in units of its typical change."""
    found = answers(model, Part(part.name, part.table, part.at[:: max(1, len(part.at) // LOOK_AT)]))
    picked = [h - 1 for h in HORIZONS]
    error = np.abs(found.median - found.ahead[:, :3])[:, 0, picked] / CONFIG.scales()[0, picked]
    return float(np.nanmean(error))


def answers(model: Any, part: Part, gone: str | None = None) -> Answers:
    """The network's answers for every second of a part; with a group of channels ``gone`` where asked."""
    parts = [
        _answer(model, part.table, part.at[i : i + ROWS_AT_ONCE], gone)
        for i in range(0, len(part.at), ROWS_AT_ONCE)
    ]
    median, acceleration, bands = (np.concatenate(column) for column in zip(*parts, strict=True))
    return Answers(part.table.ahead(part.at), part.table.last_seen(part.at), median, acceleration, bands)


def _answer(model: Any, table: Pool, at: Ints, gone: str | None) -> list[Float32]:
    return answer(model, [missing_groups(table.x(at), gone), table.anchor(at)])


def _metrics(model: Any, data: ForecastData, shop: Workshop) -> dict[str, Any]:
    """Figures on the parts kept back; baselines on the same runs."""
    shop.tell("forecast: figures", 0, 2)
    test = data.test["runs"]
    figures = {name: judge_part(answers(model, part)) for name, part in data.test.items()}
    gone = {
        group: judge_part(answers(model, test, group))["heart_rate"]["mae"]
        for group in ("position", "motion")
    }
    shop.tell("forecast: figures", 1, 2)
    train = next(part for _, part in data.train if part.name == "runs")
    baselines = baseline_errors(train.table, train.at, test.table, test.at)
    shop.tell("forecast: figures", 2, 2)
    return {
        "split": SPLIT,
        "figures": figures,
        "heart_rate_without": gone,
        "baselines": baselines,
        "origins": {name: len(part.at) for name, part in data.test.items()},
    }
