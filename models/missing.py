"""Missing: what a network makes of channels that are not always there, from their presence beside them.

Not told from the outside but taken from the flags of presence, so that it cannot differ between training and serving:
how long ago a channel was last seen (Che et al. 2018, doi 10.1038/s41598-018-24271-9), and its newest value.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

ops = keras.ops


def without(x: Any, masked: Sequence[int]) -> Any:
    """``(B, T, C)`` with some columns as if they were missing: 0."""
    if not masked:
        return x
    keep = np.ones(x.shape[-1], np.float32)
    keep[list(masked)] = 0
    return x * keep


def since_seen(there: Any, every: int) -> Any:
    """``(B, T, C)`` presence, 0 or 1, to ``(B, T / every, C)``: time since a channel was last there, 1 being T steps.

    At the end of each ``every`` steps. One that was never there counts from before the first step.
    """
    steps, channels = there.shape[1:]
    parts = steps // every
    number = np.arange(1, steps + 1, dtype=np.float32)[:, None]  # (T, 1)
    last = ops.max(
        ops.reshape(there * number, (-1, parts, every, channels)), axis=2
    )  # (B, P, C), 0: not there
    so_far = np.tril(np.ones((parts, parts), np.float32))[:, :, None]  # (P, P, 1)
    last = ops.max(last[:, None] * so_far, axis=2)  # (B, P, C)
    return ops.subtract(number[every - 1 :: every], last) / steps


def newest(values: Any, there: Any) -> tuple[Any, Any]:
    """``(B, T, C)`` and their presence, 0 or 1, to the newest value, 0 where there is none, and whether there is one.

    ``(B, 1, C)`` each.
    """
    number = np.arange(1, values.shape[1] + 1, dtype=np.float32)[:, None]  # (T, 1)
    at = there * number  # (B, T, C)
    last = ops.max(at, axis=1, keepdims=True)  # (B, 1, C), 0: never
    here = there * ops.cast(ops.equal(at, last), there.dtype)  # (B, T, C), 1 at the newest
    return ops.sum(values * here, axis=1, keepdims=True), ops.max(there, axis=1, keepdims=True)
