"""The injury network: two weeks of days to the probability of a new injury within seven, once per ensemble member.

Small LSTMs (Hochreiter & Schmidhuber 1997, doi 10.1162/neco.1997.9.8.1735), states averaged over the days, logits
calibrated (Platt 1999). An ensemble of M nets of u units is *one* LSTM of M u units whose kernels are zero between
members, so all of them cost one call; :func:`fuse` puts them together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import keras
import numpy as np
from numpy.typing import NDArray

from models.encoders import ENCODERS, OWN
from models.missing import without

DAYS: Final = 14

Weights = Mapping[str, NDArray[Any]]


@dataclass(frozen=True, slots=True)
class InjuryConfig:
    """``members`` nets of ``units`` each; ``l2`` on every kernel of the own network.

    ``network``: another encoder than the own one, see models/encoders.py; ``masked``: columns taken as missing.
    """

    channels: int = 17
    members: int = 1
    units: int = 6
    dropout: float = 0.3
    l2: float = 1e-3
    network: str = OWN
    masked: tuple[int, ...] = ()


def build(config: InjuryConfig) -> keras.Model:
    """Input ``days (B, 14, D)``; output ``probability (B, M)``."""
    layer = keras.layers
    days = keras.Input((DAYS, config.channels), name="days")  # (B, 14, D)
    seen = without(days, config.masked)
    seen = layer.SpatialDropout1D(config.dropout)(seen)  # (B, 14, D), a channel goes for all days
    logit = _together(config, seen) if config.network == OWN else _side_by_side(config, seen)  # (B, M)
    return keras.Model(days, layer.Activation("sigmoid", name="probability")(logit), name="injury")


def _together(config: InjuryConfig, seen: Any) -> Any:
    """All members as one LSTM: ``(B, 14, D)`` to ``(B, M)``."""
    layer, penalty = keras.layers, keras.regularizers.L2(config.l2)
    states = layer.LSTM(
        config.members * config.units,
        return_sequences=True,
        kernel_regularizer=penalty,
        recurrent_regularizer=penalty,
        name="lstm",
    )(seen)  # (B, 14, M u)
    state = layer.GlobalAveragePooling1D()(states)  # (B, M u)
    return layer.Dense(config.members, kernel_regularizer=penalty, name="logit")(state)  # (B, M)


def _side_by_side(config: InjuryConfig, seen: Any) -> Any:
    """Members of another network: ``(B, 14, D)`` to ``(B, M)``."""
    layer, encode = keras.layers, ENCODERS[config.network]
    logits = [
        layer.Dense(1, name=f"{k}_logit")(encode(seen, config.units, f"{k}_")) for k in range(config.members)
    ]
    return logits[0] if config.members == 1 else layer.Concatenate()(logits)


def fuse(members: Sequence[Weights], platt: Sequence[tuple[float, float]]) -> dict[str, NDArray[np.float32]]:
    """Weights of M single nets and their calibration (slope, intercept of the logit) to those of the ensemble."""
    if "lstm/lstm_cell/kernel" not in members[0]:
        return _beside_each_other(members, platt)
    units = members[0]["lstm/lstm_cell/recurrent_kernel"].shape[0]
    slope = np.array([a for a, _ in platt])
    offset = np.array([b for _, b in platt])
    kernel = np.stack([m["logit/kernel"][:, 0] for m in members]) * slope[:, None]  # (M, u)
    bias = np.array([m["logit/bias"][0] for m in members]) * slope + offset  # (M,)
    fused = {
        "lstm/lstm_cell/kernel": _beside([m["lstm/lstm_cell/kernel"] for m in members], units),
        "lstm/lstm_cell/recurrent_kernel": _diagonal([m["lstm/lstm_cell/recurrent_kernel"] for m in members]),
        "lstm/lstm_cell/bias": _beside([m["lstm/lstm_cell/bias"][None] for m in members], units)[0],
        "logit/kernel": (np.eye(len(members))[:, None, :] * kernel[:, :, None]).reshape(-1, len(members)),
        "logit/bias": bias,
    }
    return {name: array.astype(np.float32) for name, array in fused.items()}


def _beside_each_other(
    members: Sequence[Weights], platt: Sequence[tuple[float, float]]
) -> dict[str, NDArray[np.float32]]:
    fused = {}
    for k, (weights, (slope, offset)) in enumerate(zip(members, platt, strict=True)):
        for name, array in weights.items():
            calibrated = array * slope if name.startswith("0_logit/") else array
            calibrated = calibrated + offset if name == "0_logit/bias" else calibrated
            fused[f"{k}{name.removeprefix('0')}"] = np.asarray(calibrated, np.float32)
    return fused


def _beside(kernels: Sequence[NDArray[Any]], units: int) -> NDArray[Any]:
    """``(n, 4 u)`` each to ``(n, 4 M u)``: gate by gate, within a gate member by member."""
    gates = [k.reshape(len(k), 4, units) for k in kernels]
    return np.stack(gates, axis=2).reshape(len(kernels[0]), -1)


def _diagonal(kernels: Sequence[NDArray[Any]]) -> NDArray[Any]:
    """``(u, 4 u)`` each to ``(M u, 4 M u)``, zero between members."""
    count, units = len(kernels), len(kernels[0])
    whole = np.zeros((count, units, 4, count, units))
    for member, kernel in enumerate(kernels):
        whole[member, :, :, member] = kernel.reshape(units, 4, units)
    return whole.reshape(count * units, 4 * count * units)
