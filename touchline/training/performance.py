"""Train the performance network on fresh effort, judge it on athletes and sessions kept back, save it.

In rounds: the first learns what anybody gives at an effort; from that come the athletes' own efficiencies, and with
those the next learns how much narrower the distribution is around somebody who is known; and once more. Efficiencies
count from what the network expects of somebody who is known, which is what a round learns from the efficiencies of
the one before: so those that the finished network finds are the ones that it learnt with. Several networks go this
way, each with weights and batches of its own, because they come out a few points apart in easy sessions; one is then
taught to answer as they do on average.
"""

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
from models.losses import QuantileLoss, SameLoss
from models.performance import HISTORY, PerformanceConfig, build
from models.restore import golden, plain_config, set_weights, weights_of
from stream.infer import ANSWER_S, CARRY_S, EFFORT, OUTPUTS, PERSONAL
from stream.normalise import PRIOR
from touchline.fit import ENDED
from touchline.training.course import Course, Weights
from touchline.training.performance_card import performance_card
from touchline.training.performance_data import Efforts, PerformanceData, performance_data
from touchline.training.performance_own import Network, Own, anybody, known, own_elsewhere
from touchline.training.performance_trial import (
    SPLIT,
    TRIAL,
    Judged,
    Trial,
    judge,
    quantile_loss,
    real_figures,
)
from touchline.training.reference import ROWS, evenly, reference
from touchline.training.side_by_side import Telling, side_by_side
from touchline.training.tuning import Change, Problem
from touchline.training.windows import Float32
from touchline.training.workshop import Workshop

Floats = NDArray[np.float64]

CONFIG: Final = PerformanceConfig(static=len(PERSONAL), known=PERSONAL.index("efficiency_known"))
PLAN: Final = Plan(steps=0, rate=2e-3, warm=100, decay=1e-2, average=0.995)
#: Steps of each round; how many networks take them; and steps in which one learns to answer as they all do.
ROUNDS: Final = (800, 1500, 2500)
MEMBERS: Final = 4
TAUGHT_STEPS: Final = 3000
BATCH: Final = 256
SEED: Final = 0
TELL_EVERY: Final = 100
#: Every so many-th athlete settings are judged on.
LEFT_OUT_EVERY: Final = 5
#: A session gives rows only if it has this many; easy ones in cold air have few, and are judged by few.
LEAST_ROWS: Final = 20
#: Share of rows in which the venue's heat and the profile are hidden, and in which the efficiency is used.
HIDDEN: Final = 0.3
OWN: Final = 0.9
#: Share of rows in which heart rate has a gap, over which it is carried as live.
GAPS: Final = 0.2
#: How well it is known at least, where it is used; mostly well, by this power, as after a few sessions.
LEAST_OWN: Final = 0.3
MOSTLY: Final = 4


def train_performance(shop: Workshop) -> Path:
    """Read, train, judge, save; the folder of the new version."""
    seconds = round(TRIAL.seconds * min(1.0, shop.thrift))
    return train_on(performance_data(shop), shop, replace(TRIAL, seconds=seconds))


def train_on(data: PerformanceData, shop: Workshop, trial: Trial) -> Path:
    """Train, judge, save."""
    model = descend(data, shop)
    some = data.real.take(np.arange(4) * (len(data.real) // 4))
    network = NetworkOf(model)
    manifest = Manifest(
        name="performance",
        version=next_version(shop.out, "performance"),
        inputs={
            "effort": {"shape": [HISTORY, len(EFFORT)], "channels": list(EFFORT)},
            "static": {"shape": [len(PERSONAL)], "channels": list(PERSONAL)},
        },
        outputs={
            "quantiles": {
                "shape": [len(CONFIG.levels)],
                "unit": "output over the prior's centre and own efficiency",
                ENDED: ANSWER_S,
            },
            "usual": {"shape": [1], "unit": "output over the prior's centre and own efficiency"},
        },
        normalisation={name: list(PRIOR[name]) for name in OUTPUTS},
        config=plain_config(shop.chosen(CONFIG)),
        training={
            "plan": asdict(shop.chosen(PLAN)) | {"steps": list(ROUNDS), "batch": BATCH},
            "taught_by": MEMBERS,
            "taught_steps": TAUGHT_STEPS,
            "thrift": shop.thrift,
            "seed": SEED,
            **shop.notes,
        },
        data=data.hashes,
        metrics={
            "split": SPLIT,
            "levels": list(CONFIG.levels),
            "simulated": judge(Judged(network, CONFIG.levels), trial, shop.tell),
            "masters": judge(Judged(network, CONFIG.levels), trial.of_masters(), shop.tell),
            "real": real_figures(Judged(network, CONFIG.levels), data.real, data.kept),
        },
    )
    weights = {v.path: np.asarray(v) for v in model.trainable_variables}
    drawn = [part.take(evenly(len(part), round(share * ROWS))) for share, part in data.train]
    rows = [np.concatenate(column) for column in zip(*(part.inputs() for part in drawn), strict=True)]
    artefact = Artefact(
        manifest, weights, golden(model, list(some.inputs())), reference(model, manifest, rows)
    )
    return save_artefact(shop.out, artefact, performance_card(manifest))


class NetworkOf:
    """A model as a function of arrays. It goes to another process as its model."""

    def __init__(self, model: Any) -> None:
        self._model, self._batched = model, Batched(model)

    def __call__(self, effort: Float32, static: Float32) -> tuple[Float32, Float32]:
        """Quantiles of output, and the output that efficiencies are counted from."""
        quantiles, usual = self._batched(effort, static)
        return quantiles, usual[:, 0]

    def __reduce__(self) -> tuple[Any, ...]:
        """For pickling."""
        return NetworkOf, (self._model,)


def descend(data: PerformanceData, shop: Workshop) -> Any:
    """The trained network."""
    member = partial(_member, data, replace(shop, tell=Telling(shop.tell)))
    members = list(side_by_side(member, range(MEMBERS), shop.tell))
    model = build(shop.chosen(CONFIG))
    set_weights(model, _teach(_strangers(data), members, shop))
    return model


def _member(data: PerformanceData, shop: Workshop, member: int) -> Weights:
    """Weights of a network that has found its own efficiencies from round to round."""
    model, parts, weights = build(shop.chosen(CONFIG)), _strangers(data), None
    for number, steps in enumerate(ROUNDS):
        if weights is not None:
            parts = [_acquainted(share, found, NetworkOf(model)) for share, found in data.train]
        told = f"performance: network {member + 1} of {MEMBERS}, round {number + 1} of {len(ROUNDS)}"
        seed = SEED + member * len(ROUNDS) + number
        weights = _course(parts, told, seed, steps, shop).run(shop, weights)
        set_weights(model, weights)
    return weights_of(model)


def _strangers(data: PerformanceData) -> list[Part]:
    return [Part(share, found, anybody(found)) for share, found in data.train]


def _teach(parts: Sequence[Part], members: Sequence[Weights], shop: Workshop) -> Weights:
    """Weights of one network that answers as the members do on average (distillation, arXiv 1503.02531)."""
    config = replace(shop.chosen(CONFIG), dropout=0.0)
    return Course(
        told="performance: one network of all",
        seed=SEED,
        build=lambda: build(config),
        loss=SameLoss(),
        plan=replace(shop.chosen(PLAN), steps=shop.steps(TAUGHT_STEPS)),
        draw=Lessons(parts, members, config),
        every=TELL_EVERY,
        drawn_ahead=True,
    ).run(shop, members[0])


@dataclass(frozen=True)
class Lessons:
    """Draws inputs from ``parts`` and what networks of ``config`` make of them on average."""

    parts: Sequence[Part]
    members: Sequence[Weights]
    config: PerformanceConfig

    def __call__(self, rng: np.random.Generator) -> tuple[list[Float32], list[Float32]]:
        """A batch."""
        given, _ = _drawn(self.parts, rng)
        answers = [network(*given) for network in self._networks]
        return given, [np.mean(each, axis=0) for each in zip(*answers, strict=True)]

    @cached_property
    def _networks(self) -> list[Batched]:
        networks = []
        for weights in self.members:
            model = build(self.config)
            set_weights(model, weights)
            networks.append(Batched(model))
        return networks


def _course(parts: Sequence[Part], told: str, seed: int, steps: int, shop: Workshop) -> Course:
    config = shop.chosen(CONFIG)
    return Course(
        told=told,
        seed=seed,
        build=lambda: build(config),
        loss=QuantileLoss(config.levels),
        plan=replace(shop.chosen(PLAN), steps=shop.steps(steps)),
        draw=partial(_drawn, parts),
        every=TELL_EVERY,
    )


def _drawn(parts: Sequence[Part], rng: np.random.Generator) -> tuple[list[Float32], list[Floats]]:
    return _batch([part.draw(rng) for part in parts], rng)


def _acquainted(share: float, found: Efforts, network: Network) -> Part:
    """A part whose athletes are known as the network finds them."""
    return Part(share, found, own_elsewhere(found, network))


def problem(shop: Workshop) -> Problem:
    """What there is to tune: the first round, judged by quantile loss on every fifth athlete's fresh seconds."""
    parts, held_out = [], []
    for share, found in performance_data(shop).train:
        left_out = found.athlete[found.session] % LEFT_OUT_EVERY == 0
        rest = found.take(~left_out)
        parts.append(Part(share, rest, anybody(rest)))
        rows = np.flatnonzero(left_out)
        held_out.append(found.take(rows[evenly(len(rows), ROWS)]))
    effort, static = (np.concatenate(c) for c in zip(*(h.inputs() for h in held_out), strict=True))
    actual = np.concatenate([h.actual for h in held_out])

    def fit(with_them: Workshop, told: str) -> Any:
        model = build(with_them.chosen(CONFIG))
        set_weights(model, _course(parts, told, SEED, ROUNDS[0], with_them).run(with_them))
        return model

    def loss(model: Any, change: Change | None) -> float:
        told = NetworkOf(model)(effort if change is None else change(effort), static)[0]
        return quantile_loss(told, actual, CONFIG.levels)

    half = len(EFFORT) // 2
    return Problem(
        name="performance",
        fit=fit,
        loss=loss,
        space=_space,
        channels={name: (k, half + k) for k, name in enumerate(EFFORT[:half])},
        split="every fifth athlete of those trained on, their efficiency not known",
    )


def _space(trial: optuna.Trial) -> dict[str, Any]:
    return {
        "rate": trial.suggest_float("rate", 5e-4, 5e-3, log=True),
        "decay": trial.suggest_float("decay", 1e-4, 3e-2, log=True),
        "dropout": trial.suggest_float("dropout", 0.0, 0.3),
        "units": trial.suggest_categorical("units", [16, 32, 64]),
        "hidden": trial.suggest_categorical("hidden", [16, 32, 64]),
    }


class Part:
    """Seconds to draw from: a session at random, then one of its seconds; ``own``: their athletes' efficiencies."""

    def __init__(self, share: float, found: Efforts, own: Own) -> None:
        self._found, self._own = found, own
        self._rows = round(share * BATCH)
        self._order = np.argsort(found.session, kind="stable")
        _, begin, count = np.unique(found.session[self._order], return_index=True, return_counts=True)
        enough = count >= LEAST_ROWS
        self._begin, self._count = begin[enough], count[enough]

    def draw(self, rng: np.random.Generator) -> Efforts:
        """Some rows, most of them over the own efficiency, more or less well known."""
        session = rng.integers(0, len(self._begin), self._rows)
        within = (rng.random(self._rows) * self._count[session]).astype(np.int64)
        drawn = self._found.take(self._order[self._begin[session] + within])
        share = 1 - (1 - LEAST_OWN) * rng.random(self._rows) ** MOSTLY
        return known(drawn, self._own, np.where(rng.random(self._rows) < OWN, share, 0.0))


def _batch(drawn: list[Efforts], rng: np.random.Generator) -> tuple[list[Float32], list[Floats]]:
    """Effort and static, some of it hidden; output over the prior's centre and what is known of the athlete."""
    inputs = [np.concatenate(column) for column in zip(*(d.inputs() for d in drawn), strict=True)]
    heat, profile = rng.random((2, len(inputs[0]))) < HIDDEN
    inputs[0][heat, :, 1::2] = 0.0  # WBGT and its presence
    _carry(inputs[0], rng)
    inputs[1][profile, :3] = 0.0  # age, whether known, sex
    return inputs, [np.concatenate([d.actual for d in drawn])[:, None]]


def _carry(effort: Float32, rng: np.random.Generator) -> None:
    """Carry the heart rate over gaps in some rows of ``effort (B, 120, 4)``, in place; some last up to the end."""
    rows = np.flatnonzero(rng.random(len(effort)) < GAPS)
    begin = rng.integers(1, HISTORY, len(rows))[:, None]
    end = begin + rng.integers(1, CARRY_S + 1, len(rows))[:, None]
    second = np.arange(HISTORY)[None, :]
    newest = np.where((second >= begin) & (second < end), begin - 1, second)  # (rows, 120)
    for column in (0, 2):  # heart rate and its presence
        effort[rows, :, column] = np.take_along_axis(effort[rows, :, column], newest, axis=1)
