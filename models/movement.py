"""The movement network: ten seconds of a wrist's inertial signal to the class of movement, one head per label set.

A small convolutional network over the log-power spectrogram, the time-frequency image of Ravi et al. 2016
(doi 10.1109/BSN.2016.7516235), beside one over the signal itself: power knows no sign, and the direction of gravity
tells one exercise from another. The spectrogram is made inside, with constants, so that nothing outside can differ.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import keras
import numpy as np
from numpy.typing import NDArray

from models.encoders import ENCODERS, OWN
from models.missing import without

ops = keras.ops

#: Samples a second, samples of a window, and accelerometer x, y, z then gyroscope x, y, z.
RATE_HZ: Final = 10.0
SAMPLES: Final = 100
CHANNELS: Final = 6
#: Power below which a cell of the image tells nothing, in scaled units squared.
FLOOR: Final = 1e-3


@dataclass(frozen=True, slots=True)
class MovementConfig:
    """``heads``: classes of each label set, ``names`` of those. ``frame``, ``hop`` of the spectrogram in samples.

    ``network``: another encoder of the signal than the own one, of size 2 ``signal``, see models/encoders.py;
    ``masked``: columns of ``imu`` taken as missing.
    """

    heads: tuple[int, ...] = (7, 4)
    names: tuple[str, ...] = ("watch", "basicmotions")
    frame: int = 32
    hop: int = 4
    image: int = 12
    signal: int = 24
    dropout: float = 0.4
    network: str = OWN
    masked: tuple[int, ...] = ()

    def starts(self) -> NDArray[np.int64]:
        """First sample of every frame, ``(F,)``."""
        return np.arange(0, SAMPLES - self.frame + 1, self.hop)


def build(config: MovementConfig) -> keras.Model:
    """Input ``imu (B, 100, 6)``, scaled; output for each head probabilities ``(B, C)``."""
    layer = keras.layers
    imu = keras.Input((SAMPLES, CHANNELS), name="imu")  # (B, 100, 6)
    given = without(imu, config.masked)
    if config.network == OWN:
        image = spectrogram(given, config)  # (B, F, K, 6)
        state = layer.concatenate([_of_image(image, config), _of_signal(given, config)])  # (B, D)
    else:
        state = ENCODERS[config.network](given, 2 * config.signal, "")  # (B, D)
    state = layer.Dropout(config.dropout)(state)
    heads = [
        layer.Dense(classes, activation="softmax", name=name)(state)  # (B, C)
        for name, classes in zip(config.names, config.heads, strict=True)
    ]
    return keras.Model(imu, heads, name="movement")


def spectrogram(imu: Any, config: MovementConfig) -> Any:
    """Log power ``(B, F, frame / 2, 6)`` of the short-time Fourier transform, without the mean's bin."""
    index = config.starts()[:, None] + np.arange(config.frame)  # (F, frame)
    cosine, sine = fourier(config.frame)  # (frame, K) each
    frames = ops.take(imu, index, axis=1)  # (B, F, frame, 6)
    real = ops.einsum("bfsc,sk->bfkc", frames, cosine)
    imaginary = ops.einsum("bfsc,sk->bfkc", frames, sine)
    return ops.log(ops.square(real) + ops.square(imaginary) + FLOOR)


def fourier(frame: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Cosines and sines ``(frame, frame / 2)`` under a Hann window; a sine of height 1 has power 1 in its bin."""
    at = np.arange(frame)
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * at / frame)
    angle = 2 * np.pi * at[:, None] * np.arange(1, frame // 2 + 1) / frame
    window = (2 * hann / hann.sum())[:, None]
    # Without its mean a frame has no gravity to leak from bin 0 into bin 1.
    bases = [window * np.cos(angle), window * np.sin(angle)]
    cosine, sine = (basis - basis.mean(axis=0) for basis in bases)
    return cosine.astype(np.float32), sine.astype(np.float32)


def _of_image(image: Any, config: MovementConfig) -> Any:
    """``(B, F, K, 6)`` to ``(B, D)``: the mean over time, by frequency."""
    layer = keras.layers
    x = layer.Conv2D(config.image, 3, padding="same", activation="relu", name="image_1")(image)
    x = layer.MaxPooling2D((2, 2))(x)  # (B, F / 2, K / 2, image)
    x = layer.Conv2D(config.image, 3, padding="same", activation="relu", name="image_2")(x)
    return layer.Flatten()(ops.mean(x, axis=1))  # (B, K / 2 * image)


def _of_signal(imu: Any, config: MovementConfig) -> Any:
    """``(B, 100, 6)`` to ``(B, 2 signal)``: mean and greatest over time."""
    layer = keras.layers
    x = layer.Conv1D(config.signal, 9, strides=2, activation="relu", name="signal_1")(imu)  # (B, 46, signal)
    x = layer.Conv1D(config.signal, 7, strides=2, activation="relu", name="signal_2")(x)  # (B, 20, signal)
    return layer.concatenate([ops.mean(x, axis=1), ops.max(x, axis=1)])
