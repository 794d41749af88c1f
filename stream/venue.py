"""Venue: the heat of a partition's venue, looked up for each second.

A second sees what had come two seconds of ingest time before it closed, so that the two telemetry logs may
run that far apart without changing a score.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from stream.clock import SECOND_US
from stream.decode import Decoded
from stream.heat import wbgt
from stream.records import VENUE

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

MARGIN_US: Final = 2 * SECOND_US
#: Weather older than this says nothing of now, event time.
STANDS_US: Final = 180 * SECOND_US
#: Readings kept from one chunk to the next.
KEPT: Final = 512


class Venue:
    """WBGT readings per partition: ingest time, event time (µs), °C; newest last."""

    def __init__(self) -> None:
        self._readings: dict[int, list[tuple[int, int, float]]] = {}

    def take(self, decoded: Decoded) -> None:
        """Take the venue-wide environment samples of a chunk."""
        samples = decoded.samples.get("environment")
        if samples is None:
            return
        for kept in self._readings.values():
            del kept[:-KEPT]
        celsius = wbgt(*samples.values.T)
        for frame, offset_us, heat in zip(samples.frame, samples.offset_us, celsius, strict=True):
            header = decoded.headers[frame]
            if header.athlete == VENUE and not np.isnan(heat):
                kept = self._readings.setdefault(header.record.partition, [])
                at_us = max(header.record.at_us, kept[-1][0] if kept else 0)
                kept.append((at_us, int(header.t0_us + offset_us), float(heat)))

    def at(self, partition: Ints, at_us: Ints, second: Ints) -> Floats:
        """WBGT (°C) for seconds of athletes of ``partition (R,)`` closed at ``at_us (R,)``; NaN unknown."""
        heat = np.full(len(partition), np.nan)
        for number in np.unique(partition):
            kept = self._readings.get(int(number))
            if not kept:
                continue
            mine = np.flatnonzero(partition == number)
            known, stamp, celsius = (np.array(column) for column in zip(*kept, strict=True))
            found = np.searchsorted(known, at_us[mine] - MARGIN_US, side="right") - 1
            fresh = (found >= 0) & (second[mine] * SECOND_US - stamp[found] <= STANDS_US)
            heat[mine[fresh]] = celsius[found[fresh]]
        return heat

    def packed(self, partition: int) -> list[list[Any]]:
        """A partition's readings for a snapshot."""
        return [list(reading) for reading in self._readings.get(partition, [])[-KEPT:]]

    def restore(self, partition: int, packed: list[list[Any]]) -> None:
        """Readings from a snapshot; an empty list forgets the partition."""
        self._readings[partition] = [(int(a), int(t), float(c)) for a, t, c in packed]
