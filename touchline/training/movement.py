"""Train the movement network on both label sets at once and judge it, whole subjects held out.

Five folds: two subjects of the smartwatch set and a fifth of the BasicMotions recordings are held out of each. The
net that is shipped is a sixth, with the first fold's subjects held out and all of BasicMotions to learn from.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any, Final

import numpy as np
import optuna
from numpy.typing import NDArray

from models.artefact import Artefact, Manifest, next_version, save_artefact
from models.descent import Plan
from models.losses import HeadsLoss
from models.movement import CHANNELS, RATE_HZ, SAMPLES, MovementConfig, build
from models.restore import answer, golden, plain_config, set_weights, weights_of
from touchline.training.course import Course, Weights
from touchline.training.movement_baseline import boosted
from touchline.training.movement_card import movement_card, movement_metrics
from touchline.training.movement_data import (
    MOTIONS,
    SETS,
    WATCH,
    Recordings,
    fingerprints,
    read_movement,
    windows,
)
from touchline.training.movement_disturb import crops
from touchline.training.reference import evenly, reference
from touchline.training.side_by_side import Telling, side_by_side
from touchline.training.tuning import Change, Problem
from touchline.training.workshop import Workshop

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

CONFIG: Final = MovementConfig(
    heads=tuple(len(known.labels) for known in SETS), names=tuple(known.name for known in SETS)
)
PLAN: Final = Plan(steps=700, rate=3e-3, warm=50, decay=1e-3, average=0.98)
#: Windows of each label set in a batch.
BATCH: Final[Mapping[str, int]] = {WATCH.name: 48, MOTIONS.name: 24}
FOLDS: Final = 5
SEED: Final = 1
#: Steps between two looks at the inner subject, the best of which is kept; looks without a better one that end it.
LOOK: Final = 50
PATIENCE: Final = 6
SOURCES: Final[Mapping[str, str]] = {
    WATCH.name: "movement_watch_50hz",
    MOTIONS.name: "movement_basicmotions_10hz",
}


@dataclass(frozen=True, slots=True)
class Split:
    """Recordings by index: what is learnt from (each set's), what says when to stop (smartwatch)."""

    watch: Ints
    motions: Ints
    inner: Ints


def train_movement(shop: Workshop) -> Path:
    """Train, judge, save; the folder of the new version."""
    found = {name: shop.source(source) for name, source in SOURCES.items()}
    watch, motions = (read_movement(found[known.name].files[0]) for known in SETS)
    return train_on(watch, motions, shop, {s.name: s.sha256() for s in found.values()})


def train_on(watch: Recordings, motions: Recordings, shop: Workshop, hashes: Mapping[str, str]) -> Path:
    """As :func:`train_movement`, on these recordings."""
    sets = watch, motions
    train = partial(_weights, watch, motions, replace(shop, tell=Telling(shop.tell)))
    *folds, shipped_weights = side_by_side(train, [*range(FOLDS), None], shop.tell)
    out, boost = out_of_fold(sets, folds, shop), [_boosted(data) for data in sets]
    model = _net(shipped_weights, shop)
    held_out = np.flatnonzero(fold_of(watch) == 0)
    shipped = answers(model, [watch.signals[i] for i in held_out], 0)
    manifest = _manifest(shop, hashes, movement_metrics(sets, out, boost, (held_out, shipped)))
    manifest = replace(manifest, seen=seen(watch, motions))
    example = np.concatenate([windows(watch.signals[0])[:2], windows(motions.signals[0])[:1]])
    learnt = np.concatenate([windows(signals) for data in (watch, motions) for signals in data.signals])
    some = learnt[evenly(len(learnt))].astype(np.float32)
    spread = reference(model, manifest, [some])
    artefact = Artefact(manifest, weights_of(model), golden(model, [example.astype(np.float32)]), spread)
    return save_artefact(shop.out, artefact, movement_card(manifest))


def cross_validated(watch: Recordings, motions: Recordings, shop: Workshop) -> list[Floats]:
    """Of each set probabilities ``(N, C)`` by nets trained anew on folds, each by the one that has not seen it."""
    train = partial(_weights, watch, motions, replace(shop, tell=Telling(shop.tell)))
    return out_of_fold((watch, motions), list(side_by_side(train, range(FOLDS), shop.tell)), shop)


def out_of_fold(sets: Sequence[Recordings], folds: Sequence[Weights], shop: Workshop) -> list[Floats]:
    """Of each set the probabilities ``(N, C)``, each fold's by the net that has not seen it."""
    out = [np.zeros((len(data), len(data.of.labels))) for data in sets]
    for k, weights in enumerate(folds):
        model = _net(weights, shop)
        for head, data in enumerate(sets):
            held_out = np.flatnonzero(fold_of(data) == k)
            out[head][held_out] = answers(model, [data.signals[i] for i in held_out], head)
    return out


def _boosted(data: Recordings) -> Floats:
    out, fold = np.zeros((len(data), len(data.of.labels))), fold_of(data)
    for k in range(FOLDS):
        held_out = np.flatnonzero(fold == k)
        out[held_out] = boosted(data, np.flatnonzero(fold != k), held_out)
    return out


def _weights(watch: Recordings, motions: Recordings, shop: Workshop, fold: int | None) -> Weights:
    """Of the net that has not seen a fold; without one, of the net that is shipped."""
    if fold is not None:
        split = split_of(watch, motions, fold)
        return fit(watch, motions, split, f"movement: fold {fold + 1} of {FOLDS}", shop)
    split = replace(split_of(watch, motions, 0), motions=np.arange(len(motions)))
    return fit(watch, motions, split, "movement: net to ship", shop)


def _manifest(shop: Workshop, hashes: Mapping[str, str], metrics: Mapping[str, Any]) -> Manifest:
    channels = [f"{sensor}_{axis}" for sensor in ("accel", "gyro") for axis in "xyz"]
    return Manifest(
        name="movement",
        version=next_version(shop.out, "movement"),
        inputs={"imu": {"shape": [SAMPLES, CHANNELS], "channels": channels, "rate_hz": RATE_HZ}},
        outputs={s.name: {"shape": [len(s.labels)], "labels": list(s.labels)} for s in SETS},
        normalisation={s.name: {"accel": s.scale[0], "gyro": s.scale[1]} for s in SETS},
        config=plain_config(shop.chosen(CONFIG)),
        training={
            "plan": asdict(shop.chosen(PLAN)) | {"batch": dict(BATCH), "look": LOOK},
            "thrift": shop.thrift,
            "seed": SEED,
            **shop.notes,
        },
        data=dict(hashes),
        metrics=metrics,
    )


def seen(watch: Recordings, motions: Recordings) -> dict[str, list[str]]:
    """Fingerprints of what the shipped net learns from or is stopped by, by data set, for the manifest."""
    learnt = np.flatnonzero(fold_of(watch) != 0)
    return {SOURCES[WATCH.name]: fingerprints(watch, learnt), SOURCES[MOTIONS.name]: fingerprints(motions)}


def fold_of(data: Recordings) -> Ints:
    """Fold of every recording; all of a group's are in one."""
    return np.unique(data.group, return_inverse=True)[1].astype(np.int64) % FOLDS


def split_of(watch: Recordings, motions: Recordings, k: int) -> Split:
    """What is learnt from when fold ``k`` is held out; the inner subject is the first of the next fold."""
    fold = fold_of(watch)
    subject = watch.group[fold == (k + 1) % FOLDS].min()
    inner = watch.group == subject
    motion = np.flatnonzero(fold_of(motions) != k)
    return Split(np.flatnonzero((fold != k) & ~inner), motion, np.flatnonzero(inner))


def fit(watch: Recordings, motions: Recordings, split: Split, told: str, shop: Workshop) -> Weights:
    """Weights of one net; of its running averages those that are best on the inner subject."""
    config, plan = shop.chosen(CONFIG), shop.chosen(PLAN)
    parts = ((watch, split.watch), (motions, split.motions))
    return Course(
        told=told,
        seed=SEED,
        build=lambda: build(config),
        loss=HeadsLoss(tuple(BATCH.values())),
        plan=replace(plan, steps=shop.steps(plan.steps)),
        draw=lambda rng: _batch(parts, rng),
        every=LOOK,
        look=lambda model: _inner_loss(model, watch, split.inner),
        patience=PATIENCE,
    ).run(shop)


def _net(weights: Weights, shop: Workshop) -> Any:
    model = build(shop.chosen(CONFIG))
    set_weights(model, weights)
    return model


def problem(shop: Workshop) -> Problem:
    """What there is to tune: the net of the first fold, judged on its inner subject."""
    watch, motions = (read_movement(shop.source(SOURCES[known.name]).files[0]) for known in SETS)
    split = split_of(watch, motions, 0)
    return Problem(
        name="movement",
        fit=lambda with_them, told: _net(fit(watch, motions, split, told, with_them), with_them),
        loss=lambda model, change: _inner_loss(model, watch, split.inner, change),
        space=_space,
        channels={
            f"{sensor}_{axis}": (k,) for k, (sensor, axis) in enumerate(product(("accel", "gyro"), "xyz"))
        },
        split="one subject of the watch set that the first fold does not learn from",
        leak="that subject is judged in another fold",
    )


def _space(trial: optuna.Trial) -> dict[str, Any]:
    return {
        "rate": trial.suggest_float("rate", 5e-4, 1e-2, log=True),
        "decay": trial.suggest_float("decay", 1e-4, 1e-1, log=True),
        "dropout": trial.suggest_float("dropout", 0.1, 0.6),
        "image": trial.suggest_categorical("image", [8, 12, 16]),
        "signal": trial.suggest_categorical("signal", [16, 24, 32]),
    }


def _batch(
    parts: Sequence[tuple[Recordings, Ints]], rng: np.random.Generator
) -> tuple[list[Floats], list[Floats]]:
    """Windows of both sets, one set after the other, and for each head the labels of its own as one-hot rows."""
    x, targets = [], []
    for data, use in parts:
        assert data.label is not None
        at = rng.choice(use, BATCH[data.of.name])
        x.append(crops([data.signals[i] for i in at], rng))
        targets.append(np.eye(len(data.of.labels))[data.label[at]])
    return [np.concatenate(x)], targets


def _inner_loss(model: Any, watch: Recordings, inner: Ints, change: Change | None = None) -> float:
    assert watch.label is not None
    found = answers(model, [watch.signals[i] for i in inner], 0, change)
    return float(-np.log(found[np.arange(len(inner)), watch.label[inner]] + 1e-6).mean())


def answers(model: Any, signals: Sequence[Floats], head: int, change: Change | None = None) -> Floats:
    """Probabilities ``(N, C)`` of one head: the mean over each recording's windows, changed where asked."""
    cut = [windows(signal) for signal in signals]
    given = np.concatenate(cut).astype(np.float32)
    whole = answer(model, [given if change is None else change(given)])[head].astype(np.float64)
    starts = np.cumsum([0, *(len(part) for part in cut)])[:-1]
    counts = np.array([len(part) for part in cut])
    summed: Floats = np.add.reduceat(whole, starts, axis=0)
    mean: Floats = summed / counts[:, None]
    return mean
