"""Explain: how far each input pushed an answer away from that of a baseline. Integrated gradients.

The gradient of the answer is averaged on the straight way from the baseline to the input and multiplied by the
distance, so that the pushes add up to the difference of the two answers (Sundararajan et al. 2017, arXiv 1703.01365).
The average is taken by Gauss and Legendre's rule piece by piece. What an answer gains over a piece is known from its
ends: a piece whose pushes miss that, because the network has a kink there, is halved, until a row's pushes add up.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from models.lean import keras, tf

Float32 = NDArray[np.float32]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

#: Rows of all inputs to answers ``(B,)`` and the slopes of every input.
Ask = Callable[[Sequence[Float32]], tuple[Floats, list[Any]]]

#: Points within a piece, pieces a way begins as, and how often one is halved at most.
POINTS: Final = 6
PIECES: Final = 2
HALVINGS: Final = 12
#: Rows of the network that go through at once.
AT_ONCE: Final = 512
#: Pushes that miss the difference of the answers by this share of it, or of a twentieth of the answer, add up.
CLOSE: Final = 0.005


@dataclass(frozen=True, slots=True)
class Pushes:
    """Of B rows: ``inputs``, the push of every entry of every input, each ``(B, …)``; the answers, ``(B,)`` each."""

    inputs: tuple[Float32, ...]
    answer: Float32
    baseline: Float32

    @property
    def gap(self) -> Float32:
        """What the pushes leave of the difference of the answers, ``(B,)``."""
        total = sum(push.reshape(len(push), -1).sum(axis=1, dtype=np.float64) for push in self.inputs)
        return np.asarray(self.answer - self.baseline - total, dtype=np.float32)

    @property
    def complete(self) -> bool:
        """Whether the pushes of every row add up."""
        return bool((np.abs(self.gap) <= allowed(self.answer, self.baseline)).all())


def allowed(answer: NDArray[Any], baseline: NDArray[Any]) -> NDArray[Any]:
    """How large a gap may be, ``(B,)``."""
    return np.asarray(CLOSE * np.maximum(np.abs(answer - baseline), 0.05 * np.abs(answer)) + 1e-6)


class Explainer:
    """Explains ``answer``: inputs ``(B, …)`` of ``shapes`` as tensors, and ``(B,)`` of them, differentiable.

    After the inputs it takes what is the same for all rows, of the shapes ``fixed``.
    """

    def __init__(
        self,
        answer: Callable[..., Any],
        shapes: Sequence[tuple[int, ...]],
        fixed: Sequence[tuple[int, ...]] = (),
    ) -> None:
        self._of, self._count = answer, len(shapes)
        signature = [tf.TensorSpec((None, *shape), tf.float32) for shape in shapes]
        signature += [tf.TensorSpec(shape, tf.float32) for shape in fixed]
        self._graph = tf.function(self._gradients, input_signature=signature)

    def __call__(
        self, inputs: Sequence[NDArray[Any]], baselines: Sequence[NDArray[Any]], *fixed: NDArray[Any]
    ) -> Pushes:
        """Pushes of rows ``(B, …)`` from ``baselines``, each of the input's shape or ``(1, …)``."""
        told = [tf.constant(a, tf.float32) for a in fixed]

        def ask(rows: Sequence[Float32]) -> tuple[Floats, list[Any]]:
            answers, slopes = self._graph(*(tf.constant(a, tf.float32) for a in rows), *told)
            return answers.numpy().astype(np.float64), slopes

        given = [np.asarray(a, np.float32) for a in inputs]
        start = [
            np.broadcast_to(np.asarray(b, np.float32), a.shape) for a, b in zip(given, baselines, strict=True)
        ]
        rows = len(given[0])
        ends = np.array([ask(start)[0], ask(given)[0]])
        pushes = [np.zeros(a.shape, np.float64) for a in given]
        close = allowed(ends[1], ends[0])
        settled = np.zeros(rows)  # gaps of the pieces that are done
        pieces = _Pieces.of(rows)
        for halving in range(HALVINGS + 1):
            found, gap = _along(ask, given, start, pieces)
            whole = settled + np.bincount(pieces.row, gap, rows)
            # A row is done once its gaps add up to little; before that, pieces within their part of that are.
            done = (np.abs(whole) <= close)[pieces.row] | (
                np.abs(gap) <= close[pieces.row] * pieces.width / 4
            )
            done |= halving == HALVINGS
            for push, part in zip(pushes, found, strict=True):
                np.add.at(push, pieces.row[done], part[done])
            settled += np.bincount(pieces.row[done], gap[done], rows)
            if done.all():
                break
            pieces = pieces.halved(~done)
        answer, baseline = ends[1].astype(np.float32), ends[0].astype(np.float32)
        return Pushes(tuple(push.astype(np.float32) for push in pushes), answer, baseline)

    def _gradients(self, *given: Any) -> tuple[Any, list[Any]]:
        inputs = given[: self._count]
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            answer = self._of(*given)
        return answer, tape.gradient(answer, list(inputs), unconnected_gradients=tf.UnconnectedGradients.ZERO)


@dataclass(frozen=True, slots=True)
class _Pieces:
    """Pieces of the ways of rows, ``(P,)`` each: whose, where it begins and how wide it is, as shares of the way."""

    row: Ints
    begin: Floats
    width: Floats

    @staticmethod
    def of(rows: int) -> _Pieces:
        """The pieces that the ways begin as."""
        begin = np.tile(np.arange(PIECES) / PIECES, rows)
        return _Pieces(np.repeat(np.arange(rows), PIECES), begin, np.full(rows * PIECES, 1 / PIECES))

    def halved(self, which: NDArray[np.bool_]) -> _Pieces:
        """Halves of some pieces."""
        row, begin, width = self.row[which], self.begin[which], self.width[which] / 2
        return _Pieces(np.tile(row, 2), np.concatenate([begin, begin + width]), np.tile(width, 2))


def output_of(model: keras.Model, index: int) -> Explainer:
    """Explains a weighted sum of an output of a network, weights of that output's shape given with the inputs."""

    def answer(*given: Any) -> Any:
        inputs, weights = list(given[:-1]), given[-1]
        outputs = model(inputs if len(inputs) > 1 else inputs[0], training=False)
        one = outputs[index] if isinstance(outputs, list | tuple) else outputs
        return tf.reduce_sum(one * weights[None], axis=list(range(1, len(one.shape))))

    return Explainer(
        answer, [tuple(i.shape[1:]) for i in model.inputs], [tuple(model.outputs[index].shape[1:])]
    )


def percentile_of(model: keras.Model, levels: Sequence[float]) -> Explainer:
    """Explains where an output ``(B,)``, the last input, lies among the quantiles that a network gives: 0 to 1."""

    def answer(*given: Any) -> Any:
        quantiles, _ = model(list(given[:-1]), training=False)
        return _percentile(given[-1], quantiles, levels)

    return Explainer(answer, [*(tuple(i.shape[1:]) for i in model.inputs), ()])


def _percentile(actual: Any, quantiles: Any, levels: Sequence[float]) -> Any:
    """As :func:`stream.infer.percentile_of`, differentiable: linear between quantiles, the outer slopes go on."""
    level = tf.constant(levels, tf.float32)
    counted = tf.reduce_sum(tf.cast(quantiles <= actual[:, None], tf.int32), axis=1)
    above = tf.clip_by_value(counted, 1, len(levels) - 1)
    low = tf.gather(quantiles, above - 1, batch_dims=1)
    high = tf.gather(quantiles, above, batch_dims=1)
    share = (actual - low) / tf.maximum(high - low, 1e-6)
    steps = tf.gather(level, above) - tf.gather(level, above - 1)
    return tf.clip_by_value(tf.gather(level, above - 1) + share * steps, 0.0, 1.0)


def _along(
    ask: Ask, inputs: Sequence[Float32], baselines: Sequence[Float32], pieces: _Pieces
) -> tuple[list[Floats], Floats]:
    """Pushes along each of P pieces, ``(P, …)`` of every input, and what they miss of the answer's gain, ``(P,)``."""
    each = max(1, AT_ONCE // (POINTS + 2))
    parts = []
    for k in range(0, len(pieces.row), each):
        some = pieces.row[k : k + each]
        of = [a[some] for a in inputs], [b[some] for b in baselines]
        parts.append(_some(ask, *of, pieces.begin[k : k + each], pieces.width[k : k + each]))
    if not parts:
        return [np.zeros(a.shape) for a in inputs], np.zeros(0)
    pushes = [np.concatenate(column) for column in zip(*(p for p, _ in parts), strict=True)]
    return pushes, np.concatenate([gap for _, gap in parts])


def _some(
    ask: Ask, inputs: Sequence[Float32], baselines: Sequence[Float32], begin: Floats, width: Floats
) -> tuple[list[Floats], Floats]:
    """As :func:`_along` for a few pieces, all points of all of them at once; the ends go through with them."""
    nodes, shares = np.polynomial.legendre.leggauss(POINTS)
    at = begin[:, None] + width[:, None] * np.concatenate([[0], (nodes + 1) / 2, [1]])  # (P, N + 2)
    ways = [
        (b[:, None] + _spread(at, a) * (a - b)[:, None]).reshape(-1, *a.shape[1:])
        for a, b in zip(inputs, baselines, strict=True)
    ]
    answers, slopes = ask(ways)
    told = answers.reshape(at.shape)
    pushes = []
    total = np.zeros(len(begin))
    for a, b, slope in zip(inputs, baselines, slopes, strict=True):
        along = slope.numpy().reshape(len(a), POINTS + 2, *a.shape[1:])[:, 1:-1]
        mean = np.tensordot(along.astype(np.float64), shares / 2, axes=((1,), (0,)))
        push = (a - b) * mean * width.reshape(-1, *[1] * (a.ndim - 1))
        total += push.reshape(len(push), -1).sum(axis=1)
        pushes.append(push)
    return pushes, told[:, -1] - told[:, 0] - total


def _spread(at: NDArray[Any], a: Float32) -> Float32:
    """Places on the way, broadcast over an input's entries."""
    return at.astype(np.float32).reshape(*at.shape, *[1] * (a.ndim - 1))
