"""One network for any number of rows: as one graph, or in batches of a few sizes that XLA has compiled."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from models.lean import keras, tf

Float32 = NDArray[np.float32]

#: A compiled batch has to be as full as this, or its padding costs more than compiling gains.
FULL: Final = 0.8
#: Rows of one call of the graph at most: memory.
MOST: Final = 2048


class Batched:
    """Any number of rows goes in; order is kept.

    The graph takes any number and is traced in a tenth of a second. Compiled by XLA for a fixed number it takes a
    tenth less time, but half a second to compile, so each of the sizes ``compiled`` is made in a thread of its own
    once a call has rows for it; no call waits. ``outputs``: the shapes of the outputs without rows; names are in the
    network's order.
    """

    def __init__(self, model: keras.Model, compiled: Sequence[int] = ()) -> None:
        self._shapes = [tuple(i.shape[1:]) for i in model.inputs]
        self.outputs = [tuple(o.shape[1:]) for o in model.outputs]
        self.input_names = [i.name for i in model.inputs]
        self.output_names = list(model.output_names)
        self.sizes = tuple(sorted(compiled))
        self._model = model
        self._graphs: dict[bool, Any] = {}  # by whether XLA compiles it
        self._warm: tuple[int, ...] = ()
        self._wanted: set[int] = set()
        self._warming, self._tracing = threading.Lock(), threading.Lock()

    def _graph(self, *, xla: bool) -> Any:
        """The graph for any number of rows; XLA compiles it anew for each number it is called with."""
        with self._tracing:  # sizes are compiled side by side, of one graph
            if xla not in self._graphs:
                self._graphs[xla] = self._traced(xla=xla)
            return self._graphs[xla]

    def _traced(self, *, xla: bool) -> Any:
        def call(*inputs: Any) -> list[Any]:
            outputs = self._model(list(inputs) if len(inputs) > 1 else inputs[0], training=False)
            return list(outputs) if isinstance(outputs, list | tuple) else [outputs]

        signature = [tf.TensorSpec((None, *shape), tf.float32) for shape in self._shapes]
        return tf.function(call, input_signature=signature, jit_compile=xla).get_concrete_function()

    @property
    def warm(self) -> tuple[int, ...]:
        """Sizes that are compiled, smallest first."""
        return self._warm

    def warm_up(self, sizes: Iterable[int] | None = None) -> dict[int, float]:
        """Trace the graph and compile sizes (all without any); seconds each took, 1 for the graph."""
        took = {1: self._timed(self._graph(xla=False), 1)}
        for size in sorted(self.sizes if sizes is None else sizes):
            took[size] = self._timed(self._graph(xla=True), size)
            with self._warming:
                self._warm = tuple(sorted({*self._warm, size}))
        return took

    def _timed(self, graph: Any, rows: int) -> float:
        begin = time.perf_counter()
        _run(graph, [np.zeros((rows, *shape), np.float32) for shape in self._shapes])
        return time.perf_counter() - begin

    def __call__(self, *inputs: NDArray[Any]) -> list[Float32]:
        """Inputs ``(B, …)`` to outputs ``(B, …)``."""
        rows, parts, begin = len(inputs[0]), [], 0
        while begin < rows:
            size = self._size(rows - begin)
            count = min(size or MOST, rows - begin)
            chunk = [_padded(a[begin : begin + count], size or count) for a in inputs]
            outputs = _run(self._graph(xla=size is not None), chunk)
            parts.append([output[:count] for output in outputs])
            begin += count
        if not parts:
            return [np.zeros((0, *shape), np.float32) for shape in self.outputs]
        return parts[0] if len(parts) == 1 else [np.concatenate(part) for part in zip(*parts, strict=True)]

    def _size(self, rows: int) -> int | None:
        """The compiled size that the next of so many rows are worth, None where that is none (yet)."""
        full = [size for size in self.sizes if FULL * size <= rows <= size or rows > self.sizes[-1] == size]
        if not full:
            return None
        if full[0] not in self._warm and full[0] not in self._wanted:
            self._wanted.add(full[0])
            threading.Thread(target=self.warm_up, args=([full[0]],), name=f"warm-{full[0]}").start()
        return full[0] if full[0] in self._warm else None


def _run(graph: Any, inputs: Sequence[NDArray[Any]]) -> list[Float32]:
    outputs = graph(*(tf.constant(np.asarray(a, np.float32)) for a in inputs))
    return [np.asarray(output, np.float32) for output in outputs]


def _padded(rows: NDArray[Any], size: int) -> NDArray[Any]:
    if len(rows) == size:
        return rows
    padded = np.zeros((size, *rows.shape[1:]), np.float32)
    padded[: len(rows)] = rows
    return padded
