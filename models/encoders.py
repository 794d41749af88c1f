"""Encoders: a sequence to one vector, each network one function. What ``--network`` chooses from.

They take the place of a model's own encoder; heads, losses and inputs stay. An LSTM (Hochreiter & Schmidhuber 1997,
doi 10.1162/neco.1997.9.8.1735), a perceptron over all steps, convolutions over time, and the encoder of the
Transformer (Vaswani et al. 2017, arXiv 1706.03762).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import keras
import numpy as np

layer = keras.layers

#: The model's own encoder, whatever that is.
OWN: Final = "own"
#: Attention heads, how much wider the Transformer's inner layer is, and the longest wave of its positions, steps.
HEADS: Final = 4
WIDER: Final = 2
LONGEST: Final = 10_000.0
#: Steps a convolution looks over.
KERNEL: Final = 5


def lstm(x: Any, size: int, name: str) -> Any:
    """``(B, T, C)`` to the last state ``(B, size)``."""
    return layer.LSTM(size, name=f"{name}encoder_lstm")(x)


def mlp(x: Any, size: int, name: str) -> Any:
    """``(B, T, C)`` to ``(B, size)`` through two layers over all steps at once."""
    flat = layer.Flatten()(x)  # (B, T C)
    hidden = layer.Dense(size, activation="relu", name=f"{name}encoder_1")(flat)  # (B, size)
    return layer.Dense(size, activation="relu", name=f"{name}encoder_2")(hidden)  # (B, size)


def cnn(x: Any, size: int, name: str) -> Any:
    """``(B, T, C)`` to ``(B, size)``: two convolutions over time, then mean and greatest over it."""
    for number in (1, 2):
        x = layer.Conv1D(size, KERNEL, padding="same", activation="relu", name=f"{name}encoder_{number}")(
            x
        )  # (B, T, size)
    pooled = layer.Concatenate()(
        [layer.GlobalAveragePooling1D()(x), layer.GlobalMaxPooling1D()(x)]
    )  # (B, 2 size)
    return layer.Dense(size, activation="relu", name=f"{name}encoder_pooled")(pooled)  # (B, size)


def transformer(x: Any, size: int, name: str) -> Any:
    """``(B, T, C)`` to ``(B, size)``: one block of self-attention over steps with their positions, the mean of it."""
    steps = x.shape[1]
    x = layer.Dense(size, name=f"{name}encoder_in")(x) + positions(steps, size)[None]  # (B, T, size)
    seen = layer.MultiHeadAttention(HEADS, max(1, size // HEADS), name=f"{name}encoder_attention")(x, x)
    x = layer.LayerNormalization(name=f"{name}encoder_norm_1")(x + seen)  # (B, T, size)
    inner = layer.Dense(WIDER * size, activation="relu", name=f"{name}encoder_inner")(x)  # (B, T, 2 size)
    inner = layer.Dense(size, name=f"{name}encoder_out")(inner)  # (B, T, size)
    x = layer.LayerNormalization(name=f"{name}encoder_norm_2")(x + inner)  # (B, T, size)
    return layer.GlobalAveragePooling1D()(x)  # (B, size)


def positions(steps: int, size: int) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Sines and cosines of each step, ``(steps, size)``."""
    wave = LONGEST ** (-(np.arange(size) // 2 * 2) / size)
    angle = np.arange(steps)[:, None] * wave
    return np.where(np.arange(size) % 2 == 0, np.sin(angle), np.cos(angle)).astype(np.float32)


ENCODERS: Final[Mapping[str, Callable[[Any, int, str], Any]]] = {
    "lstm": lstm,
    "mlp": mlp,
    "cnn": cnn,
    "transformer": transformer,
}
