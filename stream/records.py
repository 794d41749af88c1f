"""The nouns on the wire: frames, ticks, and the names of channels. Encoding only; validation is ``decode``.

The written schema of every topic is ``docs/reference/encodings.md``; a test holds the two together.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, NamedTuple

import msgpack
import numpy as np
from numpy.typing import NDArray

FRAME_VERSION: Final = 1
MAX_FRAME_BYTES: Final = 64 * 1024
VENUE: Final = "*"
INT16_MISSING: Final = -32768

#: Channels of each group in canonical order, with their unit.
CHANNELS: Final[Mapping[str, Mapping[str, str]]] = {
    "imu": {
        "ax": "g", "ay": "g", "az": "g", "gx": "deg/s", "gy": "deg/s", "gz": "deg/s",
    },
    "position": {
        "x": "m", "y": "m", "lat": "deg", "lon": "deg", "speed": "m/s", "altitude": "m",
        "distance": "m",
    },
    "heart": {"hr": "bpm", "rr": "ms"},
    "motion": {"cadence": "1/min", "power": "W"},
    "environment": {"air": "degC", "globe": "degC", "humidity": "%"},
}  # fmt: skip

#: What a body or its sensor can have; anything outside is a fault of the sensor and counts as not measured.
VALID: Final[Mapping[str, Mapping[str, tuple[float, float]]]] = {
    "imu": {"ax": (-200, 200), "ay": (-200, 200), "az": (-200, 200),
            "gx": (-1e4, 1e4), "gy": (-1e4, 1e4), "gz": (-1e4, 1e4)},
    "position": {"x": (-1e5, 1e5), "y": (-1e5, 1e5), "lat": (-90, 90), "lon": (-180, 180),
                 "speed": (0, 40), "altitude": (-500, 9000), "distance": (0, 1e7)},
    "heart": {"hr": (25, 240), "rr": (200, 2500)},
    "motion": {"cadence": (0, 400), "power": (0, 3000)},
    "environment": {"air": (-40, 60), "globe": (-40, 90), "humidity": (0, 100)},
}  # fmt: skip

#: Every reason a frame can be refused with, and what it means.
REJECT_REASONS: Final[Mapping[str, str]] = {
    "oversized": "longer than 64 KiB",
    "malformed": "not msgpack, or cut off",
    "wrong_version": "an unknown schema version",
    "missing_field": "a required field is absent",
    "wrong_type": "a field is of the wrong type",
    "impossible_value": "a stamp, boot, seq, rate or scale outside what can be",
    "bad_shape": "sample bytes are not a whole number of rows, or none",
    "unknown_channel": "a channel name its group does not have",
    "no_groups": "neither a channel group nor end",
    "wrong_key": "the record's key is not the frame's athlete, or was put on another partition than before",
    "backfill": "recorded out of range: kept here, the live window does not take it",
    "late": "all its windows were closed when it came",
    "duplicate": "this (device, boot, seq) was taken before",
}

Dtype = Literal["i2", "f4"]


@dataclass(frozen=True, slots=True)
class Group:
    """Samples of one channel group.

    ``rate`` hertz; ``samples`` float array ``(n, len(channels))`` in the units of
    :data:`CHANNELS`, NaN where not measured; sample ``i`` is at ``t0 + i / rate``.
    ``scale`` (unit per count, one per channel) makes the group go out as int16,
    ``None`` as float32. ``origin`` (one per channel) is taken off before encoding, so
    that latitude and longitude survive float32.
    """

    rate: float
    channels: tuple[str, ...]
    samples: NDArray[np.floating[Any]]
    scale: tuple[float, ...] | None = None
    origin: tuple[float, ...] | None = None


@dataclass(frozen=True, slots=True)
class Frame:
    """One message of one device. ``t0_us`` is device time (event time), integer µs since 1970 UTC."""

    athlete: str
    device: str
    session: str
    boot: int
    seq: int
    t0_us: int
    groups: Mapping[str, Group] = field(default_factory=dict)
    end: bool = False
    backfill: bool = False


def _encode_group(group: Group) -> dict[str, Any]:
    values = np.asarray(group.samples, dtype=np.float64)
    packed: dict[str, Any] = {"rate": float(group.rate), "channels": list(group.channels)}
    if group.origin is not None:
        packed["origin"] = [float(o) for o in group.origin]
        values = values - np.asarray(group.origin)
    if group.scale is None:
        return packed | {"dtype": "f4", "scale": 1.0, "samples": values.astype("<f4").tobytes()}
    counts = np.rint(values / np.asarray(group.scale))
    counts = np.where(np.isfinite(counts), np.clip(counts, -32767, 32767), INT16_MISSING)
    scale = [float(s) for s in group.scale]
    return packed | {"dtype": "i2", "scale": scale, "samples": counts.astype("<i2").tobytes()}


def encode_frame(frame: Frame) -> bytes:
    """Frame to msgpack bytes, as ``telemetry.wearable`` and ``telemetry.venue`` carry it."""
    packed: dict[str, Any] = {
        "v": FRAME_VERSION,
        "athlete": frame.athlete,
        "device": frame.device,
        "session": frame.session,
        "boot": frame.boot,
        "seq": frame.seq,
        "t0": frame.t0_us,
    }
    if frame.end:
        packed["end"] = True
    if frame.backfill:
        packed["backfill"] = True
    for name, group in frame.groups.items():
        packed[name] = _encode_group(group)
    return msgpack.packb(packed)  # type: ignore[no-any-return]


def encode_tick(t_us: int) -> bytes:
    """The door's once-a-second sign of life for one partition of ``telemetry.venue``."""
    return msgpack.packb({"v": FRAME_VERSION, "tick": t_us})  # type: ignore[no-any-return]


class Record(NamedTuple):
    """One Kafka record of a telemetry topic. ``at_us`` is its timestamp (ingest time, event of the door)."""

    venue: bool
    partition: int
    offset: int
    at_us: int
    key: bytes | None
    value: bytes


@dataclass(frozen=True, slots=True)
class Rejected:
    """A record that is in no score, and why; goes to ``telemetry.rejected`` with the original bytes."""

    record: Record
    reason: str
    detail: str = ""
