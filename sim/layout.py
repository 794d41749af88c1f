"""How channel groups go out: rates, channels, scales, and blocks of samples turned to bytes at once."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final

import msgpack
import numpy as np
from numpy.typing import NDArray

from stream.records import INT16_MISSING

FRAMES_PER_S: Final = 10
#: Where a run on roads begins, degrees; metres become degrees by the length of a meridian degree.
ROAD_ORIGIN: Final = (50.0, 8.0)
METRES_PER_DEGREE: Final = 111_320.0
_packer = msgpack.Packer()


def pack(value: Any) -> bytes:
    """One value as msgpack."""
    return bytes(_packer.pack(value))


@dataclass(frozen=True, slots=True)
class Layout:
    """How one channel group goes out: ``rows`` samples a frame, in ``per_s`` frames a second.

    ``scale`` (unit per count) means int16, None float32 relative to ``origin``.
    """

    rate: float
    channels: tuple[str, ...]
    rows: int
    per_s: int
    scale: tuple[float, ...] | None = None
    origin: tuple[float, ...] | None = None

    @property
    def row_bytes(self) -> int:
        """Bytes of one frame's samples."""
        return self.rows * len(self.channels) * (4 if self.scale is None else 2)

    def prefix(self, name: str) -> bytes:
        """Everything of the group's map entry before the sample bytes, the same in every frame."""
        entries: dict[str, Any] = {"rate": self.rate, "channels": list(self.channels)}
        if self.origin is not None:
            entries["origin"] = list(self.origin)
        if self.scale is None:
            entries |= {"dtype": "f4", "scale": 1.0}
        else:
            entries |= {"dtype": "i2", "scale": list(self.scale)}
        body = b"".join(pack(key) + pack(value) for key, value in entries.items())
        binary = pack(bytes(self.row_bytes))[: -self.row_bytes]
        return pack(name) + map_header(len(entries) + 1) + body + pack("samples") + binary

    def gathered(self, frames_per_s: int) -> Layout:
        """The same samples in so many frames a second, or fewer where there are fewer samples."""
        per_s = min(self.per_s, frames_per_s)
        return replace(self, rows=self.rows * self.per_s // per_s, per_s=per_s)

    def encode(self, values: NDArray[np.floating[Any]]) -> bytes:
        """Samples in units, channels last, as the wire has them; NaN goes out as "not measured"."""
        if self.scale is None:
            shifted = values if self.origin is None else values - np.asarray(self.origin)
            return shifted.astype("<f4").tobytes()
        counts = np.rint(values / np.asarray(self.scale))
        clipped = np.clip(counts, -32767, 32767)
        measured = np.isfinite(counts)
        if not measured.all():
            clipped[~measured] = INT16_MISSING
        return bytes(clipped.astype("<i2").tobytes())


IMU: Final = Layout(
    100.0, ("ax", "ay", "az", "gx", "gy", "gz"), 10, FRAMES_PER_S, scale=(0.0005,) * 3 + (0.0625,) * 3
)
PITCH: Final = Layout(10.0, ("x", "y", "speed"), 1, FRAMES_PER_S, scale=(0.01, 0.01, 0.001))
ROAD: Final = Layout(10.0, ("lat", "lon", "speed"), 1, FRAMES_PER_S, origin=(*ROAD_ORIGIN, 0.0))
HEART: Final = Layout(1.0, ("hr",), 1, 1, scale=(1.0,))
MOTION: Final = Layout(1.0, ("cadence", "power"), 1, 1, scale=(0.1, 1.0))
ENVIRONMENT_SCALE: Final = (0.01, 0.01, 0.01)


def map_header(entries: int) -> bytes:
    """The byte that opens a msgpack map of up to 15 entries."""
    return bytes([0x80 | entries])


def on_road(position: NDArray[np.float64]) -> NDArray[np.float64]:
    """x, y in metres from :data:`ROAD_ORIGIN` as latitude and longitude in degrees; speed stays."""
    degrees = position.copy()
    degrees[..., 0] = ROAD_ORIGIN[0] + position[..., 1] / METRES_PER_DEGREE
    degrees[..., 1] = ROAD_ORIGIN[1] + position[..., 0] / (
        METRES_PER_DEGREE * np.cos(np.radians(ROAD_ORIGIN[0]))
    )
    return degrees
