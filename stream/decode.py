"""Decode: records to columns. Validates every frame; a refused one gets a named reason, no exception.

Python touches each frame once (msgpack, header); samples are only ever handled as whole arrays.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import msgpack
import numpy as np
from numpy.typing import NDArray

from stream.errors import FrameRejected
from stream.records import (
    CHANNELS,
    FRAME_VERSION,
    INT16_MISSING,
    MAX_FRAME_BYTES,
    VALID,
    VENUE,
    Record,
    Rejected,
)

EARLIEST_US: Final = 946_684_800_000_000  # 2000-01-01
LATEST_US: Final = 4_102_444_800_000_000  # 2100-01-01
MAX_SPAN_S: Final = 60.0
RATES: Final = (0.001, 2000.0)
MAX_ID: Final = 128
COLUMN: Final = {group: {name: i for i, name in enumerate(channels)} for group, channels in CHANNELS.items()}
WIDTH: Final = {"i2": 2, "f4": 4}


@dataclass(frozen=True, slots=True)
class Header:
    """One accepted frame, without its samples. ``last_us``: stamp of its last sample, None without any."""

    record: Record
    athlete: str
    device: str
    session: str
    boot: int
    seq: int
    t0_us: int
    last_us: int | None
    end: bool


@dataclass(frozen=True, slots=True)
class Samples:
    """Samples of one group from many frames.

    ``frame (N,)`` index into ``Decoded.headers``; ``offset_us (N,)`` after the frame's ``t0``;
    ``step_us (N,)`` one over the rate; ``values (N, channels)`` float64, NaN where not measured.
    """

    frame: NDArray[np.int64]
    offset_us: NDArray[np.int64]
    step_us: NDArray[np.int64]
    values: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Decoded:
    """A chunk of records as columns. ``ticks``: highest tick's record timestamp per partition, µs."""

    headers: list[Header]
    samples: dict[str, Samples]
    ticks: dict[int, int]
    rejected: list[Rejected]


@dataclass(slots=True)
class _Bucket:
    """Groups of one layout (dtype and channels), to be decoded in one go."""

    frame: list[int] = field(default_factory=list)
    count: list[int] = field(default_factory=list)
    rate: list[float] = field(default_factory=list)
    scale: list[list[float]] = field(default_factory=list)
    origin: list[list[float]] = field(default_factory=list)
    blobs: list[bytes] = field(default_factory=list)


_Layout = tuple[str, str, tuple[str, ...]]


def decode(records: Sequence[Record]) -> Decoded:
    """Decode and validate a chunk, in order."""
    headers: list[Header] = []
    buckets: dict[_Layout, _Bucket] = {}
    ticks: dict[int, int] = {}
    rejected: list[Rejected] = []
    for record in records:
        try:
            packed = _unpack(record.value)
            _check_time(record)
            if "tick" in packed and "athlete" not in packed:
                _check_tick(record, packed)
                ticks[record.partition] = max(record.at_us, ticks.get(record.partition, 0))
            else:
                headers.append(_take(record, packed, buckets, len(headers)))
        except FrameRejected as error:
            rejected.append(Rejected(record, error.reason, error.detail))
    return Decoded(headers, _gather(buckets), ticks, rejected)


def _unpack(value: bytes) -> dict[str, Any]:
    if len(value) > MAX_FRAME_BYTES:
        raise FrameRejected("oversized", f"{len(value)} bytes")
    try:
        packed = msgpack.unpackb(value, strict_map_key=True)
    except ValueError as error:  # every msgpack error is one, invalid UTF-8 too
        raise FrameRejected("malformed", str(error)) from None
    if not isinstance(packed, dict):
        raise FrameRejected("malformed", "not a map")
    version = packed.get("v")
    if type(version) is not int or version != FRAME_VERSION:
        raise FrameRejected("wrong_version", _shown(version))
    return packed


def _shown(value: Any) -> str:
    """A value for people; of anything that could be deep only the type."""
    return repr(value)[:40] if isinstance(value, str | int | float) else type(value).__name__


def _check_time(record: Record) -> None:
    if not EARLIEST_US <= record.at_us <= LATEST_US:
        raise FrameRejected("impossible_value", f"record timestamp {record.at_us}")


def _check_tick(record: Record, packed: dict[str, Any]) -> None:
    if not record.venue:
        raise FrameRejected("wrong_key", "a tick outside telemetry.venue")
    _integer(packed, "tick", EARLIEST_US, LATEST_US)


def _take(record: Record, packed: dict[str, Any], buckets: dict[_Layout, _Bucket], frame: int) -> Header:
    """Validate one frame whole, then add its groups to the buckets: a refused frame leaves nothing behind."""
    athlete, device, session = (_id(packed, name) for name in ("athlete", "device", "session"))
    _check_key(record, athlete)
    boot = _integer(packed, "boot", 0, 2**32 - 1)
    seq = _integer(packed, "seq", 0, 2**62)
    t0_us = _integer(packed, "t0", EARLIEST_US, LATEST_US)
    end = _flag(packed, "end")
    if _flag(packed, "backfill"):
        raise FrameRejected("backfill")
    groups = [(name, _group(name, packed[name])) for name in CHANNELS if name in packed]
    if not groups and not end:
        raise FrameRejected("no_groups")
    if groups and athlete == VENUE and "environment" not in packed:
        raise FrameRejected("no_groups", "a venue-wide frame without environment")
    last_us = None
    for name, (layout, rate, scale, origin, blob) in groups:
        count = len(blob) // (WIDTH[layout[0]] * len(layout[1]))
        last_us = max(last_us or t0_us, t0_us + round((count - 1) * (1e6 / rate)))
        bucket = buckets.setdefault((name, *layout), _Bucket())
        bucket.frame.append(frame)
        bucket.count.append(count)
        bucket.rate.append(rate)
        bucket.scale.append(scale)
        bucket.origin.append(origin)
        bucket.blobs.append(blob)
    return Header(record, athlete, device, session, boot, seq, t0_us, last_us, end)


def _check_key(record: Record, athlete: str) -> None:
    if athlete == VENUE:
        if not record.venue:
            raise FrameRejected("wrong_key", "a venue-wide frame outside telemetry.venue")
    elif record.key is None or record.key != athlete.encode():
        raise FrameRejected("wrong_key", f"key {record.key!r} for athlete {athlete!r}")


def _id(packed: dict[str, Any], name: str) -> str:
    value = _required(packed, name)
    if not isinstance(value, str):
        raise FrameRejected("wrong_type", f"{name} is {type(value).__name__}")
    if not 0 < len(value) <= MAX_ID:
        raise FrameRejected("impossible_value", f"{name} has {len(value)} characters")
    return value


def _integer(packed: dict[str, Any], name: str, low: int, high: int) -> int:
    value = _required(packed, name)
    if type(value) is not int:
        raise FrameRejected("wrong_type", f"{name} is {type(value).__name__}")
    if not low <= value <= high:
        raise FrameRejected("impossible_value", f"{name} {value} is not in {low}…{high}")
    return value


def _flag(packed: dict[str, Any], name: str) -> bool:
    value = packed.get(name, False)
    if type(value) is not bool:
        raise FrameRejected("wrong_type", f"{name} is {type(value).__name__}")
    return value


def _required(packed: dict[str, Any], name: str) -> Any:
    if name not in packed:
        raise FrameRejected("missing_field", name)
    return packed[name]


_Group = tuple[tuple[str, tuple[str, ...]], float, list[float], list[float], bytes]


def _group(name: str, packed: Any) -> _Group:
    """Validate one channel group: layout, rate, scale and origin per channel, bytes."""
    if not isinstance(packed, dict):
        raise FrameRejected("wrong_type", f"{name} is {type(packed).__name__}")
    channels = _channels(name, packed)
    dtype = _required(packed, "dtype")
    if not isinstance(dtype, str) or dtype not in WIDTH:
        raise FrameRejected("wrong_type", f"{name}.dtype {_shown(dtype)}")
    blob = _required(packed, "samples")
    if not isinstance(blob, bytes):
        raise FrameRejected("wrong_type", f"{name}.samples is {type(blob).__name__}")
    row = WIDTH[dtype] * len(channels)
    if not blob or len(blob) % row:
        raise FrameRejected("bad_shape", f"{name}: {len(blob)} bytes in rows of {row}")
    rate = _rate(name, packed, len(blob) // row)
    scale = _per_channel(name, packed, "scale", len(channels), lambda value: value != 0)
    origin = _per_channel(name, packed, "origin", len(channels), lambda _: True) if "origin" in packed else []
    return (dtype, channels), rate, scale, origin or [0.0] * len(channels), blob


def _channels(name: str, packed: dict[str, Any]) -> tuple[str, ...]:
    channels = _required(packed, "channels")
    if not isinstance(channels, list) or not channels:
        raise FrameRejected("wrong_type", f"{name}.channels is not a list of names")
    for channel in channels:
        if not isinstance(channel, str) or channel not in COLUMN[name]:
            raise FrameRejected("unknown_channel", f"{name}: {_shown(channel)}")
    if len(set(channels)) != len(channels):
        raise FrameRejected("unknown_channel", f"{name} names a channel twice")
    return tuple(channels)


def _number(value: Any) -> bool:
    return type(value) in (int, float) and math.isfinite(value)


def _rate(name: str, packed: dict[str, Any], count: int) -> float:
    rate = _required(packed, "rate")
    if type(rate) not in (int, float):
        raise FrameRejected("wrong_type", f"{name}.rate is {type(rate).__name__}")
    if not RATES[0] <= rate <= RATES[1]:  # NaN fails too
        raise FrameRejected("impossible_value", f"{name}.rate {rate} Hz")
    if (count - 1) / rate > MAX_SPAN_S:
        raise FrameRejected("impossible_value", f"{name} spans {(count - 1) / rate:.0f} s")
    return float(rate)


def _per_channel(
    name: str, packed: dict[str, Any], key: str, width: int, allowed: Callable[[float], bool]
) -> list[float]:
    value = _required(packed, key)
    values = value if isinstance(value, list) else [value] * width
    if len(values) != width:
        raise FrameRejected("bad_shape", f"{name}.{key} has {len(values)} entries for {width} channels")
    for entry in values:
        if type(entry) not in (int, float):
            raise FrameRejected("wrong_type", f"{name}.{key} is {type(entry).__name__}")
        if not _number(entry) or abs(entry) > 1e9 or not allowed(entry):
            raise FrameRejected("impossible_value", f"{name}.{key} {entry}")
    return [float(entry) for entry in values]


def _gather(buckets: dict[_Layout, _Bucket]) -> dict[str, Samples]:
    parts: dict[str, list[Samples]] = {}
    for (name, dtype, channels), bucket in buckets.items():
        parts.setdefault(name, []).append(_columns(name, dtype, channels, bucket))
    return {name: _join(tables) for name, tables in parts.items()}


def _columns(name: str, dtype: str, channels: tuple[str, ...], bucket: _Bucket) -> Samples:
    """One frombuffer for all frames of a layout. Stamps round as ``Header.last_us`` does."""
    raw = np.frombuffer(b"".join(bucket.blobs), dtype=f"<{dtype}").reshape(-1, len(channels))
    count = np.asarray(bucket.count)
    measured = raw != INT16_MISSING if dtype == "i2" else np.isfinite(raw)
    scale = np.repeat(np.asarray(bucket.scale), count, axis=0)
    origin = np.repeat(np.asarray(bucket.origin), count, axis=0)
    values = np.full((len(raw), len(CHANNELS[name])), np.nan)
    columns = [COLUMN[name][channel] for channel in channels]
    values[:, columns] = np.where(measured, np.where(measured, raw, 0) * scale + origin, np.nan)
    index = np.arange(len(raw)) - np.repeat(np.cumsum(count) - count, count)
    step = 1e6 / np.repeat(np.asarray(bucket.rate), count)
    low, high = (np.array([VALID[name][c][side] for c in CHANNELS[name]], dtype=float) for side in (0, 1))
    values[~((values >= low) & (values <= high))] = np.nan
    return Samples(
        frame=np.repeat(np.asarray(bucket.frame, dtype=np.int64), count),
        offset_us=np.rint(index * step).astype(np.int64),
        step_us=np.rint(step).astype(np.int64),
        values=values,
    )


def _join(tables: list[Samples]) -> Samples:
    """Layouts of one group together, in the order of the log."""
    if len(tables) == 1:
        return tables[0]
    frame = np.concatenate([t.frame for t in tables])
    order = np.argsort(frame, kind="stable")
    return Samples(
        frame=frame[order],
        offset_us=np.concatenate([t.offset_us for t in tables])[order],
        step_us=np.concatenate([t.step_us for t in tables])[order],
        values=np.concatenate([t.values for t in tables])[order],
    )
