"""Chain: each sample with the one before it, across the border of seconds and chunks.

Anything made of differences (path length, PlayerLoad, cumulative distance) works on chains, so it cannot
depend on where a window or a chunk was cut.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stream.slots import Field
from stream.window import Table

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

#: A difference counts as one step of the signal when it spans at most this many sample intervals.
STEP_TOLERANCE = 1.5


@dataclass(frozen=True, slots=True)
class Chain:
    """N samples sorted by (slot, stamp).

    ``row (N,)`` their second; ``dt_us (N,)`` since the sample before of the same device, 0 where there is none;
    ``values``, ``before (N, channels)``, the latter NaN where there is none.
    """

    row: Ints
    slot: Ints
    t_us: Ints
    step_us: Ints
    dt_us: Ints
    values: Floats
    before: Floats

    @property
    def adjoining(self) -> NDArray[np.bool_]:
        """Whether the sample follows the one before within its own rate, so that the path is known."""
        return (self.dt_us > 0) & (self.dt_us <= STEP_TOLERANCE * self.step_us)


def fields(name: str, channels: int) -> tuple[Field, ...]:
    """State a chain needs: stamp, device and values of each athlete's newest sample."""
    return (
        Field(f"{name}_t", "i8", blank=-1),
        Field(f"{name}_device", "i8", blank=-1),
        Field(f"{name}_last", "f8", (channels,), blank=np.nan),
    )


def chain(name: str, state: Any, row: Ints, table: Table) -> Chain:
    """Chain samples sorted by (slot, stamp) to what ``state`` remembers under ``name``, and remember the newest.

    Values may be of the first channels only.
    """
    slot, t_us, device, values = table.slot, table.t_us, table.device, table.values
    first = np.ones(len(slot), dtype=bool)
    first[1:] = slot[1:] != slot[:-1]
    heads = slot[first]
    t_before, device_before, before = np.roll(t_us, 1), np.roll(device, 1), np.roll(values, 1, axis=0)
    t_before[first], device_before[first] = state[f"{name}_t"][heads], state[f"{name}_device"][heads]
    remembered = state[f"{name}_last"][:, : values.shape[1]]
    before[first] = remembered[heads]
    known = (device_before == device) & (t_before >= 0)
    last = np.flatnonzero(np.append(first[1:], True)) if len(slot) else np.zeros(0, dtype=np.int64)
    tails = slot[last]
    state[f"{name}_t"][tails], state[f"{name}_device"][tails] = t_us[last], device[last]
    remembered[tails] = values[last]
    return Chain(
        row,
        slot,
        t_us,
        table.step_us,
        np.where(known, t_us - t_before, 0),
        values,
        np.where(known[:, None], before, np.nan),
    )


def summed(row: Ints, weights: Floats, rows: int) -> Floats:
    """Sum of ``weights (N,)`` per second, NaN counting as nothing; float64 whatever the input."""
    return np.bincount(row, np.nan_to_num(weights), minlength=rows).astype(np.float64)


def mean_per_row(row: Ints, values: Floats, rows: int) -> Floats:
    """Mean of ``values (N,)`` per second over those that are there; NaN without any."""
    there = ~np.isnan(values)
    count = np.bincount(row[there], minlength=rows)
    total = np.bincount(row[there], values[there], minlength=rows)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)
