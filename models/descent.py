"""Gradient descent on one network, a step at a time; what to show it and when to stop is the caller's.

AdamW (Loshchilov & Hutter 2019, arXiv 1711.05101), a short warm-up and then half a cosine, gradients clipped, and a
running average of the weights, which is what is kept.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

Arrays = Sequence[NDArray[Any]]
Loss = Callable[[Sequence[Any], Sequence[Any]], Any]


@dataclass(frozen=True, slots=True)
class Plan:
    """``steps`` in all, of which ``warm`` rise to ``rate``; ``average`` is how much of it the average keeps."""

    steps: int
    rate: float = 2e-3
    warm: int = 100
    decay: float = 1e-4
    average: float = 0.995
    clip: float = 1.0

    def rate_at(self, step: int) -> float:
        """Learning rate of a step, counted from 0."""
        rising = min(1.0, (step + 1) / max(self.warm, 1))
        return self.rate * rising * 0.5 * (1 + math.cos(math.pi * min(step / self.steps, 1.0)))


class Descent:
    """Trains ``model`` in place. Batches have one size, so that one graph serves."""

    def __init__(self, model: keras.Model, loss: Loss, plan: Plan) -> None:
        self.plan = plan
        self.taken = 0
        self._model = model
        self._optimiser = keras.optimizers.AdamW(weight_decay=plan.decay)
        self._optimiser.build(model.trainable_variables)
        self._averages = [tf.Variable(v) for v in model.trainable_variables]
        self._graph = tf.function(lambda inputs, targets, share: self._descend(loss, inputs, targets, share))

    def step(self, inputs: Arrays, targets: Arrays) -> float:
        """One batch; its loss."""
        self._optimiser.learning_rate.assign(self.plan.rate_at(self.taken))
        share = min(self.plan.average, (1 + self.taken) / (10 + self.taken))
        self.taken += 1
        loss = self._graph(
            [tf.constant(np.asarray(a, np.float32)) for a in inputs],
            [tf.constant(np.asarray(a, np.float32)) for a in targets],
            tf.constant(share, tf.float32),
        )
        return float(loss)

    def averaged(self) -> dict[str, NDArray[np.float32]]:
        """The average of the weights so far, by variable."""
        pairs = zip(self._model.trainable_variables, self._averages, strict=True)
        return {variable.path: average.numpy() for variable, average in pairs}

    def _descend(self, loss: Loss, inputs: list[Any], targets: list[Any], share: Any) -> Any:
        variables = self._model.trainable_variables
        with tf.GradientTape() as tape:
            outputs = self._model(inputs if len(inputs) > 1 else inputs[0], training=True)
            outputs = list(outputs) if isinstance(outputs, list | tuple) else [outputs]
            value = loss(targets, outputs) + sum(self._model.losses)
        gradients, _ = tf.clip_by_global_norm(tape.gradient(value, variables), self.plan.clip)
        self._optimiser.apply(gradients, variables)
        for average, variable in zip(self._averages, variables, strict=True):
            average.assign(share * average + (1 - share) * variable)
        return value


def seed_everything(seed: int) -> None:
    """Seed Python, numpy and TensorFlow, and ask TensorFlow for the same sums in the same order."""
    keras.utils.set_random_seed(seed)
    tf.config.experimental.enable_op_determinism()
