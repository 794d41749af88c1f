"""The performance network: two minutes of effort to the output this athlete gives at it when fresh, as quantiles.

LSTM (Hochreiter & Schmidhuber 1997, doi 10.1162/neco.1997.9.8.1735); quantiles by pinball loss (Koenker & Bassett
1978, doi 10.2307/1913643), rising by construction: each is the one below plus a softplus. Effort only: recent
output, time into the session and accumulated load are no inputs, or the network would learn the fade and hide it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import keras
import numpy as np
from numpy.typing import NDArray

from models.encoders import ENCODERS, OWN, without

HISTORY: Final = 120


@dataclass(frozen=True, slots=True)
class PerformanceConfig:
    """Sizes, and the ``levels`` of the quantiles, rising.

    ``calibration``: the levels at which what was learnt is read for each of ``levels``, as bodies not trained on ask.
    ``network``: another encoder of the patches than the own one, see models/encoders.py; ``masked``: columns of
    ``effort`` taken as missing.
    """

    channels: int = 4
    static: int = 8
    patch: int = 4
    units: int = 32
    hidden: int = 32
    dropout: float = 0.1
    levels: tuple[float, ...] = (0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98)
    calibration: tuple[float, ...] = ()
    network: str = OWN
    masked: tuple[int, ...] = ()


def build(config: PerformanceConfig) -> keras.Model:
    """Inputs ``effort (B, 120, E)``, ``static (B, S)``; output ``quantiles (B, Q)`` of output over own centre.

    Calibrated it also gives ``usual (B, 1)``, the median as it was learnt: efficiencies are counted from that, or
    they would take back what calibration moves.
    """
    layer, steps = keras.layers, len(config.levels)
    effort = keras.Input((HISTORY, config.channels), name="effort")  # (B, 120, E)
    static = keras.Input((config.static,), name="static")  # (B, S)
    patches = layer.Conv1D(
        config.units, config.patch, strides=config.patch, activation="relu", name="patches"
    )(without(effort, config.masked))  # (B, 120 / patch, units)
    if config.network == OWN:
        state = layer.LSTM(config.units, name="lstm")(patches)  # (B, units)
    else:
        state = ENCODERS[config.network](patches, config.units, "")  # (B, units)
    joined = layer.Concatenate()([state, static])  # (B, units + S)
    joined = layer.Dropout(config.dropout)(joined)
    joined = layer.Dense(config.hidden, activation="relu", name="hidden")(joined)  # (B, hidden)
    lowest = layer.Dense(1, name="lowest")(joined)  # (B, 1)
    rises = layer.Dense(steps - 1, activation="softplus", name="rises")(joined)  # (B, Q - 1)
    summed = keras.ops.matmul(rises, np.triu(np.ones((steps - 1, steps - 1), np.float32)))  # (B, Q - 1)
    learnt = layer.Concatenate(name="quantiles" if not config.calibration else "learnt")(
        [lowest, lowest + summed]
    )  # (B, Q)
    if not config.calibration:
        return keras.Model([effort, static], learnt, name="performance")
    quantiles = layer.Identity(name="quantiles")(keras.ops.matmul(learnt, _read_at(config)))  # (B, Q)
    median = config.levels.index(0.5)
    usual = layer.Identity(name="usual")(learnt[:, median : median + 1])  # (B, 1)
    return keras.Model([effort, static], [quantiles, usual], name="performance")


def _read_at(config: PerformanceConfig) -> NDArray[np.float32]:
    """``(Q, Q)``: columns mix the learnt quantiles to those at the levels of the calibration, linear in between."""
    levels = np.asarray(config.levels)
    mix = [np.interp(config.calibration, levels, row) for row in np.eye(len(levels))]
    return np.asarray(mix, np.float32)
