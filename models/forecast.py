"""The forecast network: two minutes of an athlete to the next one, as quantiles.

LSTM (Hochreiter & Schmidhuber 1997, doi 10.1162/neco.1997.9.8.1735) over patches of seconds, with attention over
time (Bahdanau et al. 2015, arXiv 1409.0473), heads trained together. Gives changes relative to the last value
seen, so that knowing nothing gives the last-value forecast. Non-crossing by construction: the band hangs on the
median by a softplus on either side.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import keras
import numpy as np
from numpy.typing import NDArray

#: Seconds of history, seconds ahead, and the horizons that get a band.
HISTORY: Final = 120
AHEAD: Final = 60
HORIZONS: Final = (5, 10, 20, 30, 40, 60)
#: Targets in order, with units.
TARGETS: Final = ("heart_rate", "speed", "yaw_rate")


@dataclass(frozen=True, slots=True)
class ForecastConfig:
    """Sizes, and the size of a typical change: ``scale`` (bpm, m/s, deg/s) at 60 s, times (h / 60) ^ ``growth``.

    The last ``recent`` seconds also go straight to the heads. ``gain`` lifts the change of heart rate and speed since
    then, which is small in own terms, to the size of the other inputs. ``width (3, 6)`` widens the bands by what
    sessions not trained on ask for.
    """

    channels: int = 10
    patch: int = 4
    units: int = 64
    hidden: int = 96
    recent: int = 10
    gain: float = 4.0
    dropout: float = 0.1
    scale: tuple[float, ...] = (8.0, 1.5, 30.0)
    growth: tuple[float, ...] = (0.75, 0.25, 0.0)
    width: tuple[tuple[float, ...], ...] = ((1.0,) * len(HORIZONS),) * len(TARGETS)

    def scales(self) -> NDArray[np.float32]:
        """Typical change of each target at each second ahead, ``(3, 60)``."""
        share = (np.arange(1, AHEAD + 1) / AHEAD)[None, :]
        growth = np.asarray(self.growth)[:, None]
        return np.asarray(np.asarray(self.scale)[:, None] * share**growth, dtype=np.float32)


def build(config: ForecastConfig) -> keras.Model:
    """Inputs ``x (B, 120, 2C)``, ``anchor (B, 3)``.

    Outputs ``median (B, 3, 60)`` in bpm, m/s, deg/s, ``acceleration (B, 60)`` in m/s², ``bands (B, 3, 6, 2)``.
    """
    layer, scales = keras.layers, config.scales()
    picked = [h - 1 for h in HORIZONS]
    x = keras.Input((HISTORY, 2 * config.channels), name="x")  # (B, 120, 2C)
    anchor = keras.Input((len(TARGETS),), name="anchor")  # (B, 3)

    since = (x[:, :, :2] - x[:, -1:, :2]) * x[:, :, config.channels : config.channels + 2]  # (B, 120, 2)
    since = (
        since * x[:, -1:, config.channels : config.channels + 2] * config.gain
    )  # 0 where either is missing
    seen = layer.Concatenate(name="seen")([x, since])  # (B, 120, 2C + 2)
    patches = layer.Conv1D(
        config.units, config.patch, strides=config.patch, activation="relu", name="patches"
    )(seen)  # (B, 120 / patch, units)
    states = layer.LSTM(config.units, return_sequences=True, name="lstm")(patches)  # (B, 120 / patch, units)
    energy = layer.Dense(16, activation="tanh", name="energy")(states)  # (B, 120 / patch, 16)
    weight = layer.Softmax(axis=1, name="weight")(
        layer.Dense(1, name="attention")(energy)
    )  # (B, 120 / patch, 1)
    context = layer.Flatten()(layer.Dot(axes=1, name="context")([weight, states]))  # (B, units)
    recent = layer.Flatten()(seen[:, -config.recent :])  # (B, recent * (2C + 2))
    joined = layer.Concatenate()([states[:, -1], context, recent])  # (B, 2 units + recent * (2C + 2))
    joined = layer.Dropout(config.dropout)(joined)
    joined = layer.Dense(config.hidden, activation="relu", name="hidden")(joined)  # (B, hidden)
    joined = layer.Dropout(config.dropout)(joined)
    joined = layer.Concatenate()([joined, recent])  # (B, hidden + recent * (2C + 2)), a straight way past

    change = layer.Dense(len(TARGETS) * AHEAD, name="change")(joined)  # (B, 180)
    change = layer.Reshape((len(TARGETS), AHEAD))(change) * scales  # (B, 3, 60)
    median = layer.Identity(name="median")(anchor[:, :, None] + change)  # (B, 3, 60)
    acceleration = layer.Dense(AHEAD, name="acceleration")(joined)  # (B, 60)

    width = layer.Dense(len(TARGETS) * len(HORIZONS) * 2, name="width")(joined)  # (B, 36)
    width = layer.Reshape((len(TARGETS), len(HORIZONS), 2))(width)  # (B, 3, 6, 2)
    calibrated = scales[:, picked, None] * np.asarray(config.width, np.float32)[:, :, None]  # (3, 6, 1)
    width = keras.ops.softplus(width) * calibrated  # (B, 3, 6, 2)
    middle = keras.ops.stack([median[:, :, h] for h in picked], axis=2)[..., None]  # (B, 3, 6, 1)
    bands = layer.Identity(name="bands")(middle + width * np.array([-1.0, 1.0], np.float32))  # (B, 3, 6, 2)
    return keras.Model([x, anchor], [median, acceleration, bands], name="forecast")
