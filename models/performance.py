"""The performance network: two minutes of effort to the output this athlete gives at it when fresh, as quantiles.

LSTM (Hochreiter & Schmidhuber 1997, doi 10.1162/neco.1997.9.8.1735); quantiles by pinball loss (Koenker & Bassett
1978, doi 10.2307/1913643), rising by construction: each is the one below plus a softplus. Effort only: recent
output, time into the session and accumulated load are no inputs, or the network would learn the fade and hide it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import keras
import numpy as np

from models.encoders import ENCODERS, OWN
from models.missing import without

HISTORY: Final = 120
#: The last seconds whose means the answer is also read from directly, each from so long ago until so long ago.
SPANS: Final = ((10, 0), (30, 10), (60, 30), (120, 60))


@dataclass(frozen=True, slots=True)
class PerformanceConfig:
    """Sizes, and the ``levels`` of the quantiles, rising.

    ``known``: column of ``static`` that says how well somebody is known. ``middle`` and ``spread`` of the values of
    ``effort``, which are shares that differ by little.
    ``network``: another encoder of the patches than the own one, see models/encoders.py; ``masked``: columns of
    ``effort`` taken as missing.
    """

    channels: int = 4
    static: int = 8
    known: int = 7
    patch: int = 4
    units: int = 32
    hidden: int = 32
    dropout: float = 0.1
    levels: tuple[float, ...] = (0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98)
    middle: tuple[float, ...] = (0.6, 0.45)
    spread: tuple[float, ...] = (1 / 6, 1 / 8)
    network: str = OWN
    masked: tuple[int, ...] = ()


def build(config: PerformanceConfig) -> keras.Model:
    """Inputs ``effort (B, 120, E)``, ``static (B, S)``; output ``quantiles (B, Q)`` of output over own efficiency.

    And ``usual (B, 1)``, what efficiencies are counted from: the median, as it was learnt, of somebody who is known.
    It does not depend on how well the athlete is known, or a first session would be counted otherwise than a second.
    """
    layer, steps = keras.layers, len(config.levels)
    effort = keras.Input((HISTORY, config.channels), name="effort")  # (B, 120, E)
    static = keras.Input((config.static,), name="static")  # (B, S)
    given = _spread_out(config, without(effort, config.masked))
    patches = layer.Conv1D(
        config.units, config.patch, strides=config.patch, activation="relu", name="patches"
    )(given)  # (B, 120 / patch, units)
    if config.network == OWN:
        state = layer.LSTM(config.units, name="lstm")(patches)  # (B, units)
    else:
        state = ENCODERS[config.network](patches, config.units, "")  # (B, units)
    means = [
        keras.ops.mean(given[:, HISTORY - begin : HISTORY - end], axis=1) for begin, end in SPANS
    ]  # (B, E) each
    seen = layer.Concatenate(name="seen")([layer.Dropout(config.dropout)(state), *means])
    hidden = layer.Dense(config.hidden, activation="relu", name="hidden")
    lowest, rises = layer.Dense(1, name="lowest"), layer.Dense(steps - 1, activation="softplus", name="rises")
    sums = np.triu(np.ones((steps - 1, steps - 1), np.float32))

    def learnt(person: Any) -> Any:
        """``(B, S)`` to quantiles ``(B, Q)``."""
        joined = layer.Concatenate()([seen, person])
        joined = layer.Concatenate()([hidden(joined), person, *means])  # a straight way past
        low = lowest(joined)  # (B, 1)
        return layer.Concatenate()([low, low + keras.ops.matmul(rises(joined), sums)])  # (B, Q)

    is_known = np.eye(config.static, dtype=np.float32)[config.known]  # (S,)
    median = config.levels.index(0.5)
    usual = learnt(static * (1 - is_known) + is_known)[:, median : median + 1]  # (B, 1)
    outputs = [layer.Identity(name="quantiles")(learnt(static)), layer.Identity(name="usual")(usual)]
    return keras.Model([effort, static], outputs, name="performance")


def _spread_out(config: PerformanceConfig, effort: Any) -> Any:
    """``(B, 120, E)`` with values as they differ from the middle ones, 0 where missing."""
    half = config.channels // 2
    values, there = effort[:, :, :half], effort[:, :, half:]
    moved = (values - there * np.asarray(config.middle, np.float32)) / np.asarray(config.spread, np.float32)
    return keras.ops.concatenate([moved, there], axis=2)
