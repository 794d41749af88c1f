"""The forecast network: two minutes of an athlete, and what was before, to the next minute, as quantiles.

LSTM (Hochreiter & Schmidhuber 1997, doi 10.1162/neco.1997.9.8.1735) over patches of seconds, with attention over
time (Bahdanau et al. 2015, arXiv 1409.0473), beside it the half-minutes before; heads trained together, each with a
hidden layer of its own on what all share, so that none is paid for by another. Gives changes relative to the last
value seen, so that knowing nothing gives the last-value forecast. Non-crossing by construction: the band hangs on the
median by a softplus on either side. Several such nets can be one, their answers averaged (deep ensembles,
Lakshminarayanan et al. 2017, arXiv 1612.01474; :func:`fuse` puts them together): in training they teach the one that
is shipped.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import keras
import numpy as np
from numpy.typing import NDArray

from models.encoders import ENCODERS, OWN
from models.missing import newest, since_seen, without

#: Seconds of history, half-minutes before, seconds ahead, and the horizons that get a band.
HISTORY: Final = 120
BLOCKS: Final = 24
AHEAD: Final = 60
HORIZONS: Final = (5, 10, 20, 30, 40, 60)
#: Targets in order, with units.
TARGETS: Final = ("heart_rate", "speed", "yaw_rate")
#: Means over so many last seconds also go straight to the heads.
SPANS: Final = (20, 30, 60, 120)

Weights = Mapping[str, NDArray[Any]]


@dataclass(frozen=True, slots=True)
class ForecastConfig:
    """Sizes, and the size of a typical change: ``scale`` (bpm, m/s, deg/s) at 60 s, times (h / 60) ^ ``growth``.

    ``members`` nets, each of ``units`` over patches of ``patch`` seconds, ``memory`` for what was earlier, and
    ``hidden`` for each target. The last ``recent`` seconds also go straight to the heads. ``gain`` lifts the distance
    of heart rate and speed from the newest, which is small in own terms, to the size of the other inputs.
    ``width (3, 6)`` widens the bands by what sessions not trained on ask for. ``network``: another encoder of the
    patches than the own one, see models/encoders.py; ``masked``: columns of ``x`` taken as missing. ``since``:
    whether the net is told how long ago channels were last seen, and measures from the newest heart rate and speed
    that were, not from those of now; versions stored before do not.
    """

    channels: int = 10
    earlier: int = 3
    members: int = 1
    patch: int = 8
    units: int = 64
    hidden: int = 96
    memory: int = 48
    recent: int = 10
    gain: float = 4.0
    dropout: float = 0.2
    scale: tuple[float, ...] = (8.0, 1.5, 30.0)
    growth: tuple[float, ...] = (0.75, 0.25, 0.0)
    width: tuple[tuple[float, ...], ...] = ((1.0,) * len(HORIZONS),) * len(TARGETS)
    network: str = OWN
    masked: tuple[int, ...] = ()
    since: bool = False

    def scales(self) -> NDArray[np.float32]:
        """Typical change of each target at each second ahead, ``(3, 60)``."""
        share = (np.arange(1, AHEAD + 1) / AHEAD)[None, :]
        growth = np.asarray(self.growth)[:, None]
        return np.asarray(np.asarray(self.scale)[:, None] * share**growth, dtype=np.float32)


def build(config: ForecastConfig) -> keras.Model:
    """Inputs ``x (B, 120, 2C)``, ``anchor (B, 3)``, ``earlier (B, 24, 2E)``.

    Outputs ``median (B, 3, 60)`` in bpm, m/s, deg/s, ``acceleration (B, 60)`` in m/s², ``bands (B, 3, 6, 2)``.
    """
    layer = keras.layers
    x = keras.Input((HISTORY, 2 * config.channels), name="x")  # (B, 120, 2C)
    anchor = keras.Input((len(TARGETS),), name="anchor")  # (B, 3)
    earlier = keras.Input((BLOCKS, 2 * config.earlier), name="earlier")  # (B, 24, 2E)
    given = without(x, config.masked)
    seen = layer.Concatenate(name="seen")(
        [given, _from_newest(config, given, given, config.channels)]
    )  # (B, 120, 2C + 2)
    before = layer.Concatenate(name="before")(
        [earlier, _from_newest(config, earlier, given, config.earlier)]
    )  # (B, 24, 2E + 2)
    since = (
        since_seen(given[:, :, config.channels :], config.patch) if config.since else None
    )  # (B, 120 / patch, C)
    members = [_member(config, k, (seen, before, since)) for k in range(config.members)]
    change, acceleration, width = (_mean(heads) for heads in zip(*members, strict=True))

    picked, scales = [h - 1 for h in HORIZONS], config.scales()
    median = layer.Identity(name="median", dtype="float32")(
        anchor[:, :, None] + change * scales
    )  # (B, 3, 60)
    calibrated = scales[:, picked, None] * np.asarray(config.width, np.float32)[:, :, None]  # (3, 6, 1)
    middle = keras.ops.stack([median[:, :, h] for h in picked], axis=2)[..., None]  # (B, 3, 6, 1)
    bands = layer.Identity(name="bands", dtype="float32")(
        middle + width * calibrated * np.array([-1.0, 1.0], np.float32)
    )  # (B, 3, 6, 2)
    acceleration = layer.Identity(name="acceleration", dtype="float32")(acceleration)  # (B, 60)
    return keras.Model([x, anchor, earlier], [median, acceleration, bands], name="forecast")


def _from_newest(config: ForecastConfig, values: Any, x: Any, channels: int) -> Any:
    """Heart rate and speed of ``values (B, T, 2K)`` less the newest seen, 0 where one is missing: ``(B, T, 2)``."""
    seen, known = x[:, :, :2], x[:, :, config.channels : config.channels + 2]  # (B, 120, 2) each
    seen, known = newest(seen, known) if config.since else (seen[:, -1:], known[:, -1:])  # (B, 1, 2) each
    return (values[:, :, :2] - seen) * values[:, :, channels : channels + 2] * known * config.gain


def _member(config: ForecastConfig, k: int, given: tuple[Any, Any, Any]) -> tuple[Any, Any, Any]:
    """One net: change ``(B, 3, 60)`` in typical changes, acceleration ``(B, 60)``, half-widths ``(B, 3, 6, 2)``."""
    layer, (seen, before, since) = keras.layers, given
    patches = layer.Conv1D(
        config.units, config.patch, strides=config.patch, activation="relu", name=f"{k}_patches"
    )(seen)  # (B, 120 / patch, units)
    if since is not None:
        patches = layer.Concatenate()([patches, since])  # (B, 120 / patch, units + C)
    if config.network == OWN:
        state = _attentive(config, k, patches)  # (B, 2 units)
    else:
        state = ENCODERS[config.network](patches, config.units, f"{k}_")  # (B, units)
    ago = layer.Flatten()(layer.SpatialDropout1D(config.dropout)(before))  # (B, 24 (2E + 2))
    ago = layer.Dense(config.memory, activation="relu", name=f"{k}_memory")(ago)  # (B, memory)
    last = layer.Flatten()(seen[:, -config.recent :])  # (B, recent (2C + 2))
    spans = [keras.ops.mean(seen[:, -span:], axis=1) for span in SPANS]  # (B, 2C + 2) each
    ages = [] if since is None else [since[:, -1]]  # (B, C)
    recent = layer.Concatenate()([last, *spans, *ages])  # (B, (recent + 4) (2C + 2) + C)
    joined = layer.Concatenate()([state, ago, recent])
    heads = {name: _head(config, f"{k}_{name}", joined, recent) for name in (*TARGETS, "acceleration")}
    changes = [layer.Dense(AHEAD, name=f"{k}_{name}_change")(heads[name]) for name in TARGETS]
    widths = [layer.Dense(2 * len(HORIZONS), name=f"{k}_{name}_width")(heads[name]) for name in TARGETS]
    return (
        keras.ops.stack(changes, axis=1),
        layer.Dense(AHEAD, name=f"{k}_acceleration")(heads["acceleration"]),
        keras.ops.softplus(layer.Reshape((len(TARGETS), len(HORIZONS), 2))(layer.Concatenate()(widths))),
    )


def _head(config: ForecastConfig, name: str, joined: Any, recent: Any) -> Any:
    """What one target makes of what all of them see: ``(B, hidden + recent)``."""
    layer = keras.layers
    own = layer.Dropout(config.dropout)(joined)
    own = layer.Dense(config.hidden, activation="relu", name=f"{name}_hidden")(own)  # (B, hidden)
    own = layer.Dropout(config.dropout)(own)
    return layer.Concatenate()([own, recent])  # a straight way past


def _attentive(config: ForecastConfig, k: int, patches: Any) -> Any:
    """``(B, P, units)`` through an LSTM: its last state, and the mean by attention over time; ``(B, 2 units)``."""
    layer = keras.layers
    states = layer.LSTM(config.units, return_sequences=True, name=f"{k}_lstm")(patches)  # (B, P, units)
    energy = layer.Dense(16, activation="tanh", name=f"{k}_energy")(states)  # (B, P, 16)
    weight = layer.Softmax(axis=1)(layer.Dense(1, name=f"{k}_attention")(energy))  # (B, P, 1)
    context = layer.Flatten()(layer.Dot(axes=1)([weight, states]))  # (B, units)
    return layer.Concatenate()([states[:, -1], context])


def _mean(heads: Sequence[Any]) -> Any:
    return heads[0] if len(heads) == 1 else keras.layers.Average()(list(heads))


def fuse(members: Sequence[Weights]) -> dict[str, NDArray[Any]]:
    """Weights of single nets to those of the net of all of them."""
    return {
        f"{k}{name.removeprefix('0')}": array
        for k, weights in enumerate(members)
        for name, array in weights.items()
    }
