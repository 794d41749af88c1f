"""Train the performance network on fresh effort, judge it on athletes and sessions kept back, save it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from models.artefact import Artefact, Manifest, next_version, save_artefact
from models.descent import Descent, Plan, seed_everything
from models.losses import QuantileLoss
from models.performance import HISTORY, PerformanceConfig, build
from models.restore import answer, golden, plain_config, set_weights
from stream.infer import percentile_of
from stream.normalise import PRIOR
from stream.roster import STATIC
from touchline.training.performance_card import performance_card
from touchline.training.performance_data import Efforts, PerformanceData, performance_data
from touchline.training.windows import Float32
from touchline.training.workshop import Workshop

Floats = NDArray[np.float64]

CONFIG: Final = PerformanceConfig(static=len(STATIC))
PLAN: Final = Plan(steps=1500, rate=2e-3, warm=100, decay=1e-2, average=0.995)
BATCH: Final = 256
SEED: Final = 0
TELL_EVERY: Final = 100
ROWS_AT_ONCE: Final = 2048
#: Share of rows in which the venue's heat and the profile are hidden, and in which output is over the own centre.
HIDDEN: Final = 0.3
OWN: Final = 0.75
#: How far towards the own centre at least, where it is known.
LEAST_OWN: Final = 0.5
SPLIT: Final = "real: every fifth session kept back; simulated: a squad of its own"
EFFORT: Final = ("heart_rate_reserve", "wbgt_per_40", "heart_rate_reserve_present", "wbgt_present")


def train_performance(shop: Workshop) -> Path:
    """Read, train, judge, save; the folder of the new version."""
    return train_on(performance_data(shop), shop)


def train_on(data: PerformanceData, shop: Workshop) -> Path:
    """Train, judge, save."""
    model = descend(data, shop)
    held_out = next(iter(data.unseen.values()))
    some = held_out.take(np.arange(4) * (len(held_out) // 4))
    manifest = Manifest(
        name="performance",
        version=next_version(shop.out, "performance"),
        inputs={
            "effort": {"shape": [HISTORY, len(EFFORT)], "channels": list(EFFORT)},
            "static": {"shape": [len(STATIC)], "channels": list(STATIC)},
        },
        outputs={"quantiles": {"shape": [len(CONFIG.levels)], "unit": "output over own centre"}},
        normalisation={name: list(PRIOR[name]) for name in ("power", "metabolic_power", "speed")},
        config=plain_config(CONFIG),
        training={"plan": asdict(PLAN) | {"batch": BATCH}, "thrift": shop.thrift, "seed": SEED},
        data=data.hashes,
        metrics=_metrics(model, data),
    )
    weights = {v.path: np.asarray(v) for v in model.trainable_variables}
    artefact = Artefact(manifest, weights, golden(model, list(some.inputs())))
    return save_artefact(shop.out, artefact, performance_card(manifest))


def descend(data: PerformanceData, shop: Workshop) -> Any:
    """The trained network."""
    seed_everything(SEED)
    rng = np.random.default_rng(SEED)
    steps, model = shop.steps(PLAN.steps), build(CONFIG)
    descent = Descent(model, QuantileLoss(CONFIG.levels), replace(PLAN, steps=steps))
    for step in range(1, steps + 1):
        descent.step(*draw(data, rng))
        if step % TELL_EVERY == 0 or step == steps:
            shop.tell("performance: steps", step, steps)
    set_weights(model, descent.averaged())
    return model


def draw(data: PerformanceData, rng: np.random.Generator) -> tuple[list[Float32], list[Floats]]:
    """A batch: effort and static, some of it hidden; output over the prior's centre or on the way to the own."""
    drawn = [part.take(rng.integers(0, len(part), round(share * BATCH))) for share, part in data.train]
    inputs = [np.concatenate(column) for column in zip(*(d.inputs() for d in drawn), strict=True)]
    heat, profile = rng.random((2, len(inputs[0]))) < HIDDEN
    inputs[0][heat, :, 1::2] = 0.0  # WBGT and its presence
    inputs[1][profile, :3] = 0.0  # age, whether known, sex
    actual, own = (np.concatenate([getattr(d, k) for d in drawn]) for k in ("actual", "own"))
    weight = np.where(rng.random(len(actual)) < OWN, rng.uniform(LEAST_OWN, 1.0, len(actual)), 0.0)
    return inputs, [(actual / (1 + weight * (own - 1)))[:, None]]


def percentiles(model: Any, found: Efforts) -> Floats:
    """Where each second's output over the own centre lies, 0 to 1."""
    parts = np.array_split(np.arange(len(found)), 1 + len(found) // ROWS_AT_ONCE)
    quantiles = np.concatenate([answer(model, list(found.take(p).inputs()))[0] for p in parts])
    return percentile_of(found.actual / found.own, quantiles, CONFIG.levels)


def _metrics(model: Any, data: PerformanceData) -> Mapping[str, Any]:
    """Fresh thirds: how often output lies below each level. Whole sessions: mean score by third."""
    figures: dict[str, Any] = {"split": SPLIT, "levels": list(CONFIG.levels), "fresh": {}, "thirds": {}}
    for name, found in data.unseen.items():
        place = percentiles(model, found)
        fresh = place[found.third == 0]
        figures["fresh"][name] = {
            "seconds": len(fresh),
            "below": [_mean(fresh < level) for level in CONFIG.levels],
        }
        figures["thirds"][name] = [_mean(100 * place[found.third == third]) for third in range(3)]
    return figures


def _mean(values: NDArray[Any]) -> float | None:
    return float(values.mean()) if len(values) else None
