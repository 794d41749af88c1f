"""Devices: a second of the whole squad's readings becomes frames on the wire, encoded in blocks.

Arrays are turned to counts once for all athletes; per frame there is only joining of ready bytes. What comes out is,
decoded, what ``stream.records.encode_frame`` makes of the same values (a test holds the two together).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from sim.delivery import Delivery
from sim.layout import ENVIRONMENT_SCALE, FRAMES_PER_S, Layout, map_header, pack
from sim.sensors import Readings
from sim.weather import EVERY_S, Air
from stream import topics
from stream.records import FRAME_VERSION, VENUE, Frame, Group, encode_frame

SECOND_US: Final = 1_000_000
HEAD_ENTRIES: Final = 7
T0: Final = pack("t0")
END: Final = pack("end") + pack(True)


@dataclass(slots=True)
class _Device:
    """One wearable: its constant bytes, and the ``seq`` it has come to."""

    key: bytes
    head: bytes
    carried: frozenset[str]
    seq: int = 0


@dataclass(frozen=True, slots=True)
class _Second:
    """Sample bytes of the whole squad's second by group, in the order athlete, frame."""

    t0_us: int
    blocks: dict[str, bytes]
    last: bool


class Wearables:
    """The squad's wearables for one session.

    ``carried`` names each athlete's channel groups; each sends ``frames_per_s``, a divisor of ten.
    """

    def __init__(
        self,
        session: str,
        carried: Mapping[str, frozenset[str]],
        layouts: Mapping[str, Layout],
        rng: np.random.Generator,
        frames_per_s: int = FRAMES_PER_S,
    ) -> None:
        self._rng = rng
        self._layouts = {name: layout.gathered(frames_per_s) for name, layout in layouts.items()}
        self._frames_per_s, self._frame_us = frames_per_s, SECOND_US // frames_per_s
        self._fixed = [
            (name, layout.prefix(name), layout.row_bytes, layout.per_s)
            for name, layout in self._layouts.items()
        ]
        boots = rng.integers(0, 2**32, len(carried))
        self._devices = [
            _Device(athlete.encode(), _head(athlete, session, int(boot)), groups)
            for (athlete, groups), boot in zip(carried.items(), boots, strict=True)
        ]

    def second(self, t0_us: int, readings: Readings, *, last: bool) -> list[Delivery]:
        """The frames of the second that starts at ``t0_us``, in the order of their arrival."""
        second = _Second(t0_us, self._blocks(readings), last)
        values = [
            self._frame(device, index, frame, second)
            for index, device in enumerate(self._devices)
            for frame in range(self._frames_per_s)
        ]
        at = self._arrivals(t0_us)
        return [
            Delivery(at[i], topics.WEARABLE, self._devices[i // self._frames_per_s].key, value)
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
        """Arrival (µs) of each frame, in the order athlete, frame: its end plus 2 to 60 ms of network.

        A tenth of a second is drawn for however many a frame holds, so that the noise of sensors is the same.
        """
        shape = (len(self._devices), self._frames_per_s, FRAMES_PER_S // self._frames_per_s)
        delay = np.clip(self._rng.gamma(4.0, 3000.0, shape)[:, :, -1], 2_000, 60_000).astype(np.int64)
        ends = t0_us + self._frame_us * np.arange(1, self._frames_per_s + 1)
        return list((ends + delay).ravel().tolist())

    def _frame(self, device: _Device, index: int, frame: int, second: _Second) -> bytes | None:
        """One frame's bytes; None where the device has nothing to say in it."""
        groups: list[bytes] = []
        for name, prefix, size, per_s in self._fixed:
            if name in device.carried and frame < per_s:
                at = (index * per_s + frame) * size
                groups += prefix, second.blocks[name][at : at + size]
        end = second.last and frame == self._frames_per_s - 1
        if not groups and not end:
            return None
        header = map_header(HEAD_ENTRIES + len(groups) // 2 + end)
        seq, device.seq = device.seq, device.seq + 1
        t0 = pack(second.t0_us + frame * self._frame_us)
        return b"".join((header, device.head, pack(seq), T0, t0, END if end else b"", *groups))


def _head(athlete: str, session: str, boot: int) -> bytes:
    """The entries that stay through a session, up to and with the key ``seq``."""
    entries = {
        "v": FRAME_VERSION,
        "athlete": athlete,
        "device": f"wearable-{athlete}",
        "session": session,
        "boot": boot,
    }
    return b"".join(pack(key) + pack(value) for key, value in entries.items()) + pack("seq")


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
