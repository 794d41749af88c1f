"""Quantised weights: smaller ones that stand for the weights of a network, and back to float32. Pure numpy.

``int8`` is symmetric and per channel: a matrix or kernel becomes whole numbers from -127 to 127 and one float32 scale
for each entry of its last axis, the output channels (Krishnamoorthi, "Quantizing deep convolutional networks for
efficient inference", 2018, section 2). Vectors, which are biases, stay float32. ``float16`` rounds every number to
IEEE half precision.
"""

from __future__ import annotations

from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from models.artefact import Arrays

Kind = Literal["int8", "float16"]

#: What follows the name of a variable in the name of its scales.
SCALE: Final = ":scale"
STEPS: Final = 127


def quantise(weights: Arrays, kind: Kind) -> dict[str, NDArray[Any]]:
    """Weights by variable as they are stored. Raises ``ValueError`` for one that is not finite or out of range."""
    stored: dict[str, NDArray[Any]] = {}
    for name, weight in weights.items():
        if not np.isfinite(weight).all():
            raise ValueError(f"{name}: not finite")
        stored |= _half(name, weight) if kind == "float16" else _whole(name, weight)
    return stored


def dequantise(stored: Arrays) -> dict[str, NDArray[np.float32]]:
    """Weights by variable as a network takes them; those never quantised stay as they are.

    Raises ``ValueError`` for whole numbers without their scales.
    """
    return {name: _scaled(name, array, stored) for name, array in stored.items() if not name.endswith(SCALE)}


def _half(name: str, weight: NDArray[Any]) -> dict[str, NDArray[Any]]:
    if np.abs(weight).max(initial=0) > np.finfo(np.float16).max:
        raise ValueError(f"{name}: beyond the range of float16")
    return {name: weight.astype(np.float16)}


def _whole(name: str, weight: NDArray[Any]) -> dict[str, NDArray[Any]]:
    if weight.ndim < 2:
        return {name: weight.astype(np.float32)}
    largest = np.abs(weight).max(axis=tuple(range(weight.ndim - 1)), initial=0)
    scale = (largest / STEPS).astype(np.float32)
    steps = np.rint(weight / np.where(scale > 0, scale, 1))
    return {name: np.clip(steps, -STEPS, STEPS).astype(np.int8), name + SCALE: scale}


def _scaled(name: str, array: NDArray[Any], stored: Arrays) -> NDArray[np.float32]:
    if array.dtype != np.int8:
        return array.astype(np.float32)
    scale = stored.get(name + SCALE)
    if scale is None or scale.shape != array.shape[-1:]:
        raise ValueError(f"{name}: whole numbers without a scale for each channel")
    return np.asarray(array * scale, np.float32)
