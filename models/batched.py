"""One network behind a few fixed batch sizes, each compiled once. Any number of rows goes in; order is kept."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.lean import keras, tf

Float32 = NDArray[np.float32]


class Batched:
    """Pads rows to the smallest warm size that takes them, splits above the largest.

    ``sizes``: all batch sizes, smallest first; those of ``compiled`` go through XLA, which takes seconds each.
    Sizes not warmed up yet are passed over, so that a call never waits for the compiler once one size is warm; the
    first call that would take another size has it warmed up in a thread of its own.
    ``outputs``: the shapes of the outputs without rows; names are in the network's order.
    """

    def __init__(self, model: keras.Model, sizes: Sequence[int], compiled: Sequence[int]) -> None:
        self._model, self._xla = model, frozenset(compiled)
        self._shapes = [tuple(i.shape[1:]) for i in model.inputs]
        self.outputs = [tuple(o.shape[1:]) for o in model.outputs]
        self._calls: dict[int, Callable[..., list[Any]]] = {}
        self._warm: tuple[int, ...] = ()
        self._wanted: set[int] = set()
        self._warming = threading.Lock()
        self.sizes = tuple(sorted(sizes))
        self.input_names = [i.name for i in model.inputs]
        self.output_names = list(model.output_names)

    @property
    def warm(self) -> tuple[int, ...]:
        """Sizes that are compiled, smallest first."""
        return self._warm

    def warm_up(self, sizes: Iterable[int] | None = None) -> dict[int, float]:
        """Compile sizes (all without any), smallest first; seconds each took."""
        took = {}
        for size in sorted(self.sizes if sizes is None else sizes):
            begin = time.perf_counter()
            self._run(size, [np.zeros((size, *shape), np.float32) for shape in self._shapes])
            took[size] = time.perf_counter() - begin
            with self._warming:
                self._warm = tuple(sorted({*self._warm, size}))
        return took

    def __call__(self, *inputs: NDArray[Any]) -> list[Float32]:
        """Inputs ``(B, …)`` to outputs ``(B, …)``."""
        rows = len(inputs[0])
        if rows == 0:
            return [np.zeros((0, *shape), np.float32) for shape in self.outputs]
        parts, begin = [], 0
        while begin < rows:
            self._want(rows - begin)
            size = self._size(rows - begin)
            count = min(size, rows - begin)
            chunk = [_padded(a[begin : begin + count], size) for a in inputs]
            parts.append([output[:count] for output in self._run(size, chunk)])
            begin += count
        return [np.concatenate(column) for column in zip(*parts, strict=True)]

    def _want(self, rows: int) -> None:
        """Have the size for so many rows warmed up beside the calls, if it is not."""
        size = next((size for size in self.sizes if size >= rows), self.sizes[-1])
        if self._warm and size not in self._warm and size not in self._wanted:
            self._wanted.add(size)
            threading.Thread(target=self.warm_up, args=([size],), name=f"warm-{size}").start()

    def _size(self, rows: int) -> int:
        usable = self._warm or self.sizes[:1]
        return next((size for size in usable if size >= rows), usable[-1])

    def _run(self, size: int, inputs: list[Float32]) -> list[Float32]:
        if size not in self._calls:
            self._calls[size] = self._compiled(size)
        return [output.numpy() for output in self._calls[size](*(tf.constant(a) for a in inputs))]

    def _compiled(self, size: int) -> Callable[..., list[Any]]:
        """One graph for one batch size; with XLA it is compiled at its first call."""
        signature = [tf.TensorSpec((size, *shape), tf.float32) for shape in self._shapes]

        def call(*inputs: Any) -> list[Any]:
            outputs = self._model(list(inputs) if len(inputs) > 1 else inputs[0], training=False)
            return list(outputs) if isinstance(outputs, list | tuple) else [outputs]

        graph = tf.function(call, input_signature=signature, jit_compile=size in self._xla)
        return graph.get_concrete_function()  # type: ignore[no-any-return]


def _padded(rows: NDArray[Any], size: int) -> Float32:
    if len(rows) == size:
        return np.asarray(rows, np.float32)
    padded = np.zeros((size, *rows.shape[1:]), np.float32)
    padded[: len(rows)] = rows
    return padded
