"""Tuning: a search over settings, and the inputs worth keeping. Judged on validation athletes or sessions alone.

Whatever is tried is written down. The rows that a card's figures come from are not looked at, except for the injury
model, which is judged by cross-validation over all athletes: its search uses other folds of the same athletes, and
``leak`` says so.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import optuna
from numpy.typing import NDArray

from touchline.training.workshop import Workshop

#: Changes the main input ``(B, T, C)``.
Change = Callable[[NDArray[Any]], NDArray[Any]]

#: How often a channel is shuffled, and the seed of shuffling and of the search.
REPEATS: Final = 5
SEED: Final = 0


@dataclass(frozen=True, slots=True)
class Problem:
    """What there is to tune of a model.

    ``fit`` trains on the inner training rows with a workshop's choices, under a name; ``loss`` judges that on the
    validation rows, their main input changed where asked, less is better. ``space`` draws choices; ``channels``: name
    to columns of the main input; ``split``: what is validated on, in words; ``leak``: where that flatters figures.
    """

    name: str
    fit: Callable[[Workshop, str], Any]
    loss: Callable[[Any, Change | None], float]
    space: Callable[[optuna.Trial], dict[str, Any]]
    channels: Mapping[str, tuple[int, ...]]
    split: str
    leak: str | None = None


def search(problem: Problem, shop: Workshop, trials: int) -> Workshop:
    """The workshop with the best choices of so many trials, the first of which changes nothing.

    By tree-structured Parzen estimators (Bergstra et al. 2011), seeded. ``search.json`` has every trial.
    """
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=SEED))
    tried: list[dict[str, Any]] = []
    for number in range(trials):
        shop.tell(f"{problem.name}: search", number, trials)
        trial = study.ask()
        choices = problem.space(trial) if number else {}
        began = time.perf_counter()
        with_them = replace(shop, choices={**shop.choices, **choices}, checkpoints=None)
        loss = problem.loss(problem.fit(with_them, f"{problem.name}: trial {number + 1} of {trials}"), None)
        study.tell(trial, loss)
        tried.append({"choices": choices, "loss": loss, "seconds": round(time.perf_counter() - began, 1)})
        _write(shop, "search.json", {"split": problem.split, "leak": problem.leak, "trials": tried})
    shop.tell(f"{problem.name}: search", trials, trials)
    best = min(tried, key=lambda entry: entry["loss"])
    note = {"split": problem.split, "leak": problem.leak, "trials": tried, "taken": best["choices"]}
    return replace(shop, choices={**shop.choices, **best["choices"]}, notes={**shop.notes, "search": note})


def select(problem: Problem, shop: Workshop) -> Workshop:
    """The workshop without the channels that the network does no worse without.

    A channel is shuffled over the validation rows (permutation importance, Breiman 2001, Machine Learning 45).
    Those whose shuffling raises the loss by no more than the spread of its repeats are left out, and the network is
    trained again; it is taken if its loss is no higher. ``features.json`` has all of it.
    """
    model = problem.fit(replace(shop, checkpoints=None), f"{problem.name}: all channels")
    loss = problem.loss(model, None)
    rng = np.random.default_rng(SEED)
    rises = {}
    for number, (channel, columns) in enumerate(problem.channels.items()):
        shop.tell(f"{problem.name}: shuffling channels", number, len(problem.channels))
        shuffled = [problem.loss(model, _shuffling(columns, rng)) - loss for _ in range(REPEATS)]
        rises[channel] = {"rise": float(np.mean(shuffled)), "spread": float(np.std(shuffled))}
    shop.tell(f"{problem.name}: shuffling channels", len(rises), len(rises))
    out = [channel for channel, found in rises.items() if found["rise"] <= found["spread"]]
    note: dict[str, Any] = {"split": problem.split, "leak": problem.leak, "loss": loss, "channels": rises}
    note |= {"left_out": out, "loss_without": None, "taken": False}
    fewer = shop
    if out and len(out) < len(rises):
        columns = tuple(sorted(column for channel in out for column in problem.channels[channel]))
        fewer = replace(shop, choices={**shop.choices, "masked": columns})
        smaller = problem.fit(
            replace(fewer, checkpoints=None), f"{problem.name}: without {len(out)} channels"
        )
        note["loss_without"] = problem.loss(smaller, None)
        note["taken"] = note["loss_without"] <= loss
    _write(shop, "features.json", note)
    return replace(fewer if note["taken"] else shop, notes={**shop.notes, "selection": note})


def _shuffling(columns: tuple[int, ...], rng: np.random.Generator) -> Change:
    """Gives every row these columns of another row, all steps together."""

    def change(x: NDArray[Any]) -> NDArray[Any]:
        mixed = x.copy()
        mixed[:, :, list(columns)] = x[rng.permutation(len(x))][:, :, list(columns)]
        return mixed

    return change


def _write(shop: Workshop, name: str, found: Mapping[str, Any]) -> None:
    if shop.checkpoints is None:
        return
    shop.checkpoints.mkdir(parents=True, exist_ok=True)
    path: Path = shop.checkpoints / name
    path.write_text(json.dumps(found, indent=1) + "\n")
