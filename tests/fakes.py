"""Stand-ins with real behaviour: an engine without networks, and records without a broker."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stream.infer import Performed
from stream.records import Frame, Record, encode_frame

Float32 = NDArray[np.float32]


@dataclass(frozen=True)
class FakeForecast:
    """Last values held; the band is five wide on either side."""

    heart_rate: Float32
    speed: Float32
    yaw_rate: Float32
    acceleration: Float32
    bands: Float32


class FakeEngine:
    """Answers that are plain functions of the input, so that tests know them, and the same in any batch."""

    versions: Mapping[str, str] = {"forecast": "0", "performance": "0", "injury": "0"}
    quantile_levels: tuple[float, ...] = (0.1, 0.5, 0.9)
    today_helps: bool = False

    def forecast(self, x: Float32, anchor: Float32, earlier: Float32) -> FakeForecast:  # noqa: ARG002 (the protocol's)
        held = np.repeat(anchor[:, :, None], 60, axis=2)
        picked = held[:, :, [4, 9, 19, 29, 39, 59]]
        bands = np.stack([picked - 5, picked + 5], axis=-1)
        return FakeForecast(held[:, 0], held[:, 1], held[:, 2], held[:, 1] * 0, bands)

    def performance(
        self,
        effort: Float32,
        static: Float32,  # noqa: ARG002 (the protocol's)
    ) -> tuple[Float32, Float32]:
        """Expected output rises with the reserve of the newest second."""
        reserve = effort[:, -1:, 0]
        quantiles: Float32 = reserve * np.array([0.5, 1.0, 1.5], dtype=np.float32)
        return quantiles, quantiles[:, 1]

    def injury(self, days: Float32) -> Float32:
        return np.tile(np.linspace(0.01, 0.02, 5, dtype=np.float32), (len(days), 1))

    def injury_pushes(self, days: Float32, ordinary: Float32) -> Float32:
        """As if every entry counted alike."""
        return (days - ordinary) * np.float32(0.001)

    def performance_pushes(self, given: Performed, ordinary: Performed) -> tuple[Float32, ...]:
        """As if every entry counted alike."""
        return tuple(
            (a - b).astype(np.float32) * np.float32(0.001) for a, b in zip(given, ordinary, strict=True)
        )


def record(frame: Frame, offset: int, at_us: int | None = None, *, venue: bool = False) -> Record:
    """A frame as the Kafka record a door would have written when its last sample was in."""
    if at_us is None:
        spans = [round((len(g.samples) - 1) * 1e6 / g.rate) for g in frame.groups.values()]
        at_us = frame.t0_us + max(spans, default=0)
    key = None if frame.athlete == "*" else frame.athlete.encode()
    return Record(venue, 0, offset, at_us, key, encode_frame(frame))
