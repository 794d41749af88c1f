"""Gradient descent on one network, a step at a time; what to show it and when to stop is the caller's.

AdamW (Loshchilov & Hutter 2019, arXiv 1711.05101), a short warm-up and then half a cosine, gradients clipped, and a
running average of the weights, which is what is kept.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from models.device import placed, strategy

Arrays = Sequence[NDArray[Any]]
#: An LSTM over so many steps at most is written out: the graph grows with them, and so does the time to make it.
UNROLLED: Final = 40
Loss = Callable[[Sequence[Any], Sequence[Any]], Any]


@dataclass(frozen=True, slots=True)
class Plan:
    """``steps`` in all, of which ``warm`` rise to ``rate``; ``average`` is how much of it the average keeps.

    ``l1`` and ``l2`` are added to the loss, times the sum of the sizes and of the squares of all kernels.
    """

    steps: int
    rate: float = 2e-3
    warm: int = 100
    decay: float = 1e-4
    average: float = 0.995
    clip: float = 1.0
    l1: float = 0.0
    l2: float = 0.0

    def rate_at(self, step: int) -> float:
        """Learning rate of a step, counted from 0."""
        rising = min(1.0, (step + 1) / max(self.warm, 1))
        return self.rate * rising * 0.5 * (1 + math.cos(math.pi * min(step / self.steps, 1.0)))


class Descent:
    """Trains a network in place. Batches have one size, so that one graph serves.

    With more than one device (see :func:`models.device.strategy`) each takes every n-th row of a batch, and the
    gradients' mean is followed by all of them.
    """

    def __init__(self, build: Callable[[], keras.Model], loss: Loss, plan: Plan) -> None:
        self.plan = plan
        self.taken = 0
        self._loss, self._strategy = loss, strategy()
        with placed(self._strategy):
            self.model = build()
            _unroll(self.model)
            self._optimiser = keras.optimizers.AdamW(weight_decay=plan.decay)
            self._optimiser.build(self.model.trainable_variables)
            self._averages = [
                tf.Variable(
                    v,
                    synchronization=tf.VariableSynchronization.ON_WRITE,
                    aggregation=tf.VariableAggregation.MEAN,
                )
                for v in self.model.trainable_variables
            ]
        self._graph = tf.function(self._everywhere)

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
        pairs = zip(self.model.trainable_variables, self._averages, strict=True)
        return {variable.path: average.numpy() for variable, average in pairs}

    def state(self) -> dict[str, NDArray[Any]]:
        """Everything that the next steps follow from, but the rows they are given."""
        kept = {f"variable_{k}": np.asarray(v) for k, v in enumerate(self._variables())}
        return (
            kept
            | {f"average_{k}": a.numpy() for k, a in enumerate(self._averages)}
            | {"taken": np.array(self.taken)}
        )

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Go on from a :meth:`state`. Raises ``ValueError`` where it is another network's."""
        variables = self._variables()
        if {f"variable_{k}" for k in range(len(variables))} != {
            n for n in state if n.startswith("variable_")
        }:
            raise ValueError("the state is that of another network")
        for k, variable in enumerate(variables):
            variable.assign(state[f"variable_{k}"])
        for k, average in enumerate(self._averages):
            average.assign(state[f"average_{k}"])
        self.taken = int(state["taken"])

    def _variables(self) -> list[Any]:
        """Weights, the seeds of dropout, and what the optimiser remembers."""
        return [*self.model.variables, *self._optimiser.variables]

    def _everywhere(self, inputs: list[Any], targets: list[Any], share: Any) -> Any:
        """A step on every device; the mean of their losses."""
        if self._strategy is None:
            return self._descend(inputs, targets, share)
        losses = self._strategy.run(self._own_part, args=(inputs, targets, share))
        return self._strategy.reduce(tf.distribute.ReduceOp.MEAN, losses, axis=None)

    def _own_part(self, inputs: list[Any], targets: list[Any], share: Any) -> Any:
        replica = tf.distribute.get_replica_context()
        first, count = replica.replica_id_in_sync_group, replica.num_replicas_in_sync
        return self._descend([a[first::count] for a in inputs], [a[first::count] for a in targets], share)

    def _descend(self, inputs: list[Any], targets: list[Any], share: Any) -> Any:
        variables = self.model.trainable_variables
        with tf.GradientTape() as tape:
            outputs = self.model(inputs if len(inputs) > 1 else inputs[0], training=True)
            outputs = list(outputs) if isinstance(outputs, list | tuple) else [outputs]
            value = self._loss(targets, outputs) + sum(self.model.losses) + self._penalty(variables)
        gradients = tape.gradient(value, variables)
        if self._strategy is not None:
            replica = tf.distribute.get_replica_context()
            gradients = replica.all_reduce(tf.distribute.ReduceOp.MEAN, gradients)
        gradients, _ = tf.clip_by_global_norm(gradients, self.plan.clip)
        if self._strategy is not None:  # Keras adds up what the devices bring
            gradients = [gradient / self._strategy.num_replicas_in_sync for gradient in gradients]
        self._optimiser.apply(gradients, variables)
        for average, variable in zip(self._averages, variables, strict=True):
            average.assign(share * average + (1 - share) * variable)
        return value

    def _penalty(self, variables: Sequence[Any]) -> Any:
        kernels = [v for v in variables if len(v.shape) > 1]
        sizes = self.plan.l1 * sum(tf.reduce_sum(tf.abs(v)) for v in kernels) if self.plan.l1 else 0.0
        squares = self.plan.l2 * sum(tf.reduce_sum(tf.square(v)) for v in kernels) if self.plan.l2 else 0.0
        return sizes + squares


def _unroll(model: keras.Model) -> None:
    """Write out the steps of short LSTMs: a tenth faster than a loop in the graph, with the same sums."""
    for layer in model.layers:
        if isinstance(layer, keras.layers.LSTM) and layer.input.shape[1] <= UNROLLED:
            layer.unroll = True


def seed_everything(seed: int) -> None:
    """Seed Python, numpy and TensorFlow, and ask TensorFlow for the same sums in the same order."""
    keras.utils.set_random_seed(seed)
    tf.config.experimental.enable_op_determinism()
