"""Devices: a second of the whole squad's readings becomes frames on the wire, encoded in blocks.

Arrays are turned to counts once for all athletes; per frame there is only joining of ready bytes. What comes out is,
decoded, what ``stream.records.encode_frame`` makes of the same values (a test holds the two together).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgpack
import numpy as np
from numpy.typing import NDArray

from sim.delivery import Delivery
from sim.sensors import Readings
from sim.weather import EVERY_S, Air
from stream import topics
from stream.records import FRAME_VERSION, INT16_MISSING, VENUE, Frame, Group, encode_frame

FRAMES_PER_S: Final = 10
FRAME_US: Final = 1_000_000 // FRAMES_PER_S
#: Where a run on roads begins, degrees; metres become degrees by the length of a meridian degree.
ROAD_ORIGIN: Final = (50.0, 8.0)
METRES_PER_DEGREE: Final = 111_320.0
_packer = msgpack.Packer()


def _pack(value: Any) -> bytes:
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
        entries |= (
            {"dtype": "f4", "scale": 1.0}
            if self.scale is None
            else {"dtype": "i2", "scale": list(self.scale)}
        )
        body = b"".join(_pack(key) + _pack(value) for key, value in entries.items())
        return (
            _pack(name)
            + _map_header(len(entries) + 1)
            + body
            + _pack("samples")
            + b"\xc4"
            + bytes([self.row_bytes])
        )

    def encode(self, values: NDArray[np.floating[Any]]) -> bytes:
        """Samples in units, channels last, as the wire has them; NaN goes out as "not measured"."""
        if self.scale is None:
            shifted = values if self.origin is None else values - np.asarray(self.origin)
            return shifted.astype("<f4").tobytes()
        counts = np.rint(values / np.asarray(self.scale, dtype=values.dtype))
        if not np.isfinite(counts).all():
            counts = np.where(np.isfinite(counts), counts, INT16_MISSING)
        return np.clip(counts, INT16_MISSING, 32767).astype("<i2").tobytes()


IMU: Final = Layout(
    100.0, ("ax", "ay", "az", "gx", "gy", "gz"), 10, FRAMES_PER_S, scale=(0.0005,) * 3 + (0.0625,) * 3
)
PITCH: Final = Layout(10.0, ("x", "y", "speed"), 1, FRAMES_PER_S, scale=(0.01, 0.01, 0.001))
ROAD: Final = Layout(10.0, ("lat", "lon", "speed"), 1, FRAMES_PER_S, origin=(*ROAD_ORIGIN, 0.0))
HEART: Final = Layout(1.0, ("hr",), 1, 1, scale=(1.0,))
MOTION: Final = Layout(1.0, ("cadence", "power"), 1, 1, scale=(0.1, 1.0))
ENVIRONMENT_SCALE: Final = (0.01, 0.01, 0.01)


def _map_header(entries: int) -> bytes:
    return bytes([0x80 | entries])  # fixmap: up to 15 entries


def on_road(position: NDArray[np.float64]) -> NDArray[np.float64]:
    """x, y in metres from :data:`ROAD_ORIGIN` as latitude and longitude in degrees; speed stays."""
    degrees = position.copy()
    degrees[..., 0] = ROAD_ORIGIN[0] + position[..., 1] / METRES_PER_DEGREE
    degrees[..., 1] = ROAD_ORIGIN[1] + position[..., 0] / (
        METRES_PER_DEGREE * np.cos(np.radians(ROAD_ORIGIN[0]))
    )
    return degrees


@dataclass(slots=True)
class _Device:
    """One wearable: its constant bytes, and the ``seq`` it has come to."""

    key: bytes
    head: bytes
    carried: frozenset[str]
    seq: int = 0


class Wearables:
    """The squad's wearables for one session. ``carried`` names each athlete's channel groups."""

    def __init__(
        self,
        session: str,
        carried: Mapping[str, frozenset[str]],
        layouts: Mapping[str, Layout],
        rng: np.random.Generator,
    ) -> None:
        self._rng = rng
        self._layouts = layouts
        self._prefixes = {name: layout.prefix(name) for name, layout in layouts.items()}
        boots = rng.integers(0, 2**32, len(carried))
        self._devices = [
            _Device(athlete.encode(), _head(athlete, session, int(boot)), groups)
            for (athlete, groups), boot in zip(carried.items(), boots, strict=True)
        ]

    def second(self, t0_us: int, readings: Readings, *, last: bool) -> list[Delivery]:
        """The frames of the second that starts at ``t0_us``, in the order of their arrival."""
        blocks = self._blocks(readings)
        values = [
            self._frame(device, index, frame, t0_us, blocks, end=last and frame == FRAMES_PER_S - 1)
            for index, device in enumerate(self._devices)
            for frame in range(FRAMES_PER_S)
        ]
        at = self._arrivals(t0_us)
        return [
            Delivery(at[i], topics.WEARABLE, self._devices[i // FRAMES_PER_S].key, value)
            for i in np.argsort(at, kind="stable").tolist()
            if (value := values[i]) is not None
        ]

    def _blocks(self, readings: Readings) -> dict[str, bytes]:
        """Sample bytes of the whole squad's second, by group, in the order athlete, frame."""
        arrays: dict[str, NDArray[np.floating[Any]]] = {
            "imu": readings.imu,
            "position": readings.position,
            "heart": readings.heart,
            "motion": readings.motion,
        }
        return {name: layout.encode(arrays[name]) for name, layout in self._layouts.items()}

    def _arrivals(self, t0_us: int) -> list[int]:
        """Arrival (µs) of each frame, in the order athlete, frame: its end plus 2 to 60 ms of network."""
        shape = (len(self._devices), FRAMES_PER_S)
        delay = np.clip(self._rng.gamma(4.0, 3000.0, shape), 2_000, 60_000).astype(np.int64)
        ends = t0_us + FRAME_US * np.arange(1, FRAMES_PER_S + 1)
        return list((ends + delay).ravel().tolist())

    def _frame(  # noqa: PLR0913 (hot: one call a frame, a record per call would double its cost)
        self, device: _Device, index: int, frame: int, t0_us: int, blocks: dict[str, bytes], *, end: bool
    ) -> bytes | None:
        """One frame's bytes; None where the device has nothing to say in this tenth of a second."""
        groups = [b""]
        for name, layout in self._layouts.items():
            if name in device.carried and frame < layout.per_s:
                size = layout.row_bytes
                at = (index * layout.per_s + frame) * size
                groups += self._prefixes[name], blocks[name][at : at + size]
        entries = len(groups) // 2
        if not entries and not end:
            return None
        seq, device.seq = device.seq, device.seq + 1
        t0 = _pack(t0_us + frame * FRAME_US)
        closing = END if end else b""
        return b"".join(
            (_map_header(HEAD_ENTRIES + entries + end), device.head, _pack(seq), T0, t0, closing, *groups)
        )


HEAD_ENTRIES: Final = 7
T0: Final = _pack("t0")
END: Final = _pack("end") + _pack(True)


def _head(athlete: str, session: str, boot: int) -> bytes:
    """The entries that stay through a session, up to and with the key ``seq``."""
    entries = {
        "v": FRAME_VERSION,
        "athlete": athlete,
        "device": f"wearable-{athlete}",
        "session": session,
        "boot": boot,
    }
    return b"".join(_pack(key) + _pack(value) for key, value in entries.items()) + _pack("seq")


class VenueStation:
    """The weather station: one venue-wide frame every ten seconds."""

    def __init__(self, session: str, rng: np.random.Generator) -> None:
        self._session = session
        self._boot = int(rng.integers(0, 2**32))
        self._seq = 0

    def frame(self, t0_us: int, air: Air) -> Delivery:
        """The reading taken at ``t0_us``, on its way 15 ms later."""
        samples = np.array([[air.air, air.globe, air.humidity]])
        group = Group(1 / EVERY_S, ("air", "globe", "humidity"), samples, scale=ENVIRONMENT_SCALE)
        frame = Frame(
            VENUE, "station-1", self._session, self._boot, self._seq, t0_us, groups={"environment": group}
        )  # fmt: skip
        self._seq += 1
        return Delivery(t0_us + 15_000, topics.VENUE, None, encode_frame(frame))
