"""A course of training: steps, looks at what was not learnt from, the best of them kept, and checkpoints.

A checkpoint holds all that the next steps follow from: weights, their average, what the optimiser remembers, and the
best so far; the batch of a step follows from its number. Written at every look, whole or not at all. A course taken
up from one ends with the same weights as one that was never broken off.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.descent import Descent, Loss, Plan, seed_everything
from models.restore import set_weights
from stream.errors import UsageError
from touchline.training.side_by_side import ahead
from touchline.training.workshop import Workshop

Weights = Mapping[str, NDArray[Any]]
#: A batch: inputs and targets.
Batch = tuple[Sequence[NDArray[Any]], Sequence[NDArray[Any]]]
Draw = Callable[[np.random.Generator], Batch]


@dataclass(frozen=True, slots=True)
class Course:
    """``build`` makes the network, ``draw`` its batches; ``told`` names the course.

    Every ``every`` steps ``look`` (where there is one) says how well averaged weights do on what is not learnt from,
    less is better: the best look is kept, and after ``patience`` looks without a better one the course ends. Without
    ``look`` the last weights are kept. Costly batches are ``drawn_ahead`` in another process, to which ``draw`` goes
    pickled.
    """

    told: str
    seed: int
    build: Callable[[], Any]
    loss: Loss
    plan: Plan
    draw: Draw
    every: int = 100
    look: Callable[[Any], float] | None = None
    patience: int | None = None
    drawn_ahead: bool = False

    def run(self, shop: Workshop, before: Weights | None = None) -> dict[str, NDArray[np.float32]]:
        """The weights that are kept; ``before``: those to begin with, fresh ones otherwise."""
        seed_everything(self.seed)
        descent = Descent(self.build, self.loss, self.plan)
        if before is not None:
            set_weights(descent.model, before)
        kept = _Kept(shop, self)
        kept.take_up(descent)
        looker = None if self.look is None else self.build()
        with self._batches(range(descent.taken, self.plan.steps)) as batches:
            while descent.taken < self.plan.steps and not kept.over:
                descent.step(*next(batches))
                if descent.taken % self.every == 0 or descent.taken == self.plan.steps:
                    shop.tell(self.told, descent.taken, self.plan.steps)
                    self._look(descent, looker, kept)
                    kept.save(descent)
        return kept.best

    def _batches(self, steps: range) -> AbstractContextManager[Iterator[Batch]]:
        draw = partial(_drawn, self.draw, self.seed)
        return ahead(draw, steps) if self.drawn_ahead else nullcontext(map(draw, steps))

    def _look(self, descent: Descent, looker: Any | None, kept: _Kept) -> None:
        weights = descent.averaged()
        if self.look is None or looker is None:
            kept.best = weights
            return
        set_weights(looker, weights)
        loss = self.look(looker)
        kept.misses = 0 if loss < kept.loss else kept.misses + 1
        if loss < kept.loss:
            kept.loss, kept.best = loss, weights
        kept.over = self.patience is not None and kept.misses >= self.patience


def _drawn(draw: Draw, seed: int, step: int) -> Batch:
    return draw(np.random.default_rng((seed, step)))


class _Kept:
    """The best weights so far, and the checkpoint they and all else lie in."""

    def __init__(self, shop: Workshop, course: Course) -> None:
        self.best: dict[str, NDArray[np.float32]] = {}
        self.loss, self.misses, self.over = float("inf"), 0, False
        self._resume = shop.resume
        name = re.sub("[^a-z0-9]+", "-", course.told.lower()).strip("-")
        self._path = None if shop.checkpoints is None else shop.checkpoints / f"{name}.npz"
        described = [course.told, course.seed, course.every, asdict(course.plan), str(shop.choices)]
        self._of = hashlib.sha256(json.dumps(described).encode()).hexdigest()

    def take_up(self, descent: Descent) -> None:
        """Go on from the checkpoint where that is wanted and there is one. Raises UsageError for another course's."""
        if self._path is None or not self._resume or not self._path.exists():
            return
        with np.load(self._path, allow_pickle=False) as stored:
            about = json.loads(str(stored["about"]))
            if about["of"] != self._of:
                raise UsageError(f"{self._path} is of a course with other choices: train without --resume")
            descent.restore({name: stored[name] for name in stored.files})
            self.best = {
                name.removeprefix("best_"): stored[name] for name in stored.files if name[:5] == "best_"
            }
        self.loss, self.misses, self.over = float(about["loss"]), about["misses"], about["over"]

    def save(self, descent: Descent) -> None:
        """Write the checkpoint; the one before stays until it is whole."""
        if self._path is None:
            return
        about = {"of": self._of, "loss": str(self.loss), "misses": self.misses, "over": self.over}
        arrays = {f"best_{name}": array for name, array in self.best.items()} | descent.state()
        self._path.parent.mkdir(parents=True, exist_ok=True)
        scratch = self._path.with_suffix(".new.npz")
        np.savez(scratch, about=np.array(json.dumps(about)), **arrays)
        scratch.replace(self._path)


def forget(checkpoints: Path | None) -> None:
    """Delete the checkpoints of a model that is trained."""
    for path in [] if checkpoints is None else sorted(checkpoints.glob("*.npz")):
        path.unlink()
