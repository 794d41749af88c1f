"""What the accelerometer says: PlayerLoad and impacts, per second."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from stream.chain import Chain, chain, fields, summed
from stream.window import Table

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

#: The variant of PlayerLoad, named because vendors differ: sum of the length of the change of acceleration
#: between samples over 100, at the device's own rate (100 Hz usual), a in g (PMC7052708).
PLAYER_LOAD_VARIANT: Final = "sum |Δa| / 100 at the device's rate"
IMPACT_G: Final = 5.0  # Catapult One
FIELDS: Final = fields("imu", 6)


def measure_impact(state: Any, samples: tuple[Ints, Table], rows: int) -> tuple[Floats, Floats, Floats]:
    """Per second: PlayerLoad (AU), peak of the acceleration vector (g, NaN without samples), impacts (count)."""
    row, table = samples
    chained = chain("imu", state, row, replace(table, values=table.values[:, :3]))
    change = _length(chained.values - chained.before)
    load = summed(chained.row, np.where(chained.adjoining, change, 0.0) / 100, rows)
    size = _length(chained.values)
    return load, _peak(chained, size, rows), summed(chained.row, _rises(chained, size), rows)


def _length(vectors: Floats) -> Floats:
    """Of each row of ``(N, 3)``; column by column, four times as fast as numpy's norm and equal to it."""
    x, y, z = vectors.T
    return np.asarray(np.sqrt(x * x + y * y + z * z))


def _peak(chained: Chain, size: Floats, rows: int) -> Floats:
    peak = np.full(rows, -np.inf)
    np.maximum.at(peak, chained.row, np.where(np.isnan(size), -np.inf, size))
    return np.where(np.isfinite(peak), peak, np.nan)


def _rises(chained: Chain, size: Floats) -> Floats:
    """1 where the vector rises above the threshold: one impact counts once, however long it lasts."""
    before = _length(chained.before)
    return np.asarray((size > IMPACT_G) & ~((before > IMPACT_G) & chained.adjoining), dtype=np.float64)
