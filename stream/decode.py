"""Decode: records to columns. Validates every frame; a refused one gets a named reason, no exception.

Frames of a make that is known (:mod:`stream.mould`) are read as rows of one array; the others one by one, to learn
their make or to say what is wrong with them. Samples are only ever handled as whole arrays.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from operator import eq
from typing import Any, Final, NamedTuple

import msgpack
import numpy as np
from numpy.typing import NDArray

from stream.errors import FrameRejected
from stream.mould import NUMBERS, TEXTS, WORTH, Mould, Moulds, cut
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
MAX_BOOT: Final = 2**32 - 1
MAX_SEQ: Final = 2**62
COLUMN: Final = {group: {name: i for i, name in enumerate(channels)} for group, channels in CHANNELS.items()}
WIDTH: Final = {"i2": 2, "f4": 4}


class Header(NamedTuple):
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


_Layout = tuple[str, tuple[str, ...]]
_Group = tuple[_Layout, float, list[float], list[float], bytes]


class _Part(NamedTuple):
    """A group of some frames, one layout: ``frame (F,)``, ``counts (F,)`` samples of each, ``rate (F,)``.

    ``scale`` and ``origin`` ``(F, channels)``, or one row for all; ``raw (N, channels)`` numbers on the wire.
    """

    layout: _Layout
    frame: NDArray[np.int64]
    counts: NDArray[np.int64]
    rate: NDArray[np.float64]
    scale: NDArray[np.float64]
    origin: NDArray[np.float64]
    raw: NDArray[Any]


@dataclass(slots=True)
class _Bucket:
    """Groups of one layout that were read one by one, to be decoded in one go."""

    frame: list[int] = field(default_factory=list)
    count: list[int] = field(default_factory=list)
    rate: list[float] = field(default_factory=list)
    scale: list[list[float]] = field(default_factory=list)
    origin: list[list[float]] = field(default_factory=list)
    blobs: list[bytes] = field(default_factory=list)

    def part(self, layout: _Layout) -> _Part:
        dtype, channels = layout
        return _Part(
            layout,
            np.asarray(self.frame, np.int64),
            np.asarray(self.count, np.int64),
            np.asarray(self.rate),
            np.asarray(self.scale),
            np.asarray(self.origin),
            np.frombuffer(b"".join(self.blobs), dtype=f"<{dtype}").reshape(-1, len(channels)),
        )


def decode(records: Sequence[Record], moulds: Moulds | None = None) -> Decoded:
    """Decode and validate a chunk, in order; ``moulds`` of earlier chunks make it fast, and are added to."""
    run = _Run(records, Moulds() if moulds is None else moulds)
    run.by_moulds()
    run.one_by_one()
    return run.decoded()


class _Run:
    """One pass over a chunk. Frames are numbered as the records are, until those that were refused are known."""

    def __init__(self, records: Sequence[Record], moulds: Moulds) -> None:
        self._records = records
        self._moulds = moulds
        self._headers: list[Header | None] = [None] * len(records)
        self._parts: dict[str, list[_Part]] = {}
        self._buckets: dict[str, dict[_Layout, _Bucket]] = {}
        self._ticks: dict[int, int] = {}
        self._rejected: list[Rejected] = []

    def by_moulds(self) -> None:
        """Read the frames that fit a mould."""
        values = [record.value for record in self._records]
        lengths = np.fromiter(map(len, values), np.int64, len(values))
        for length in np.unique(lengths).tolist():
            moulds = self._moulds.of(length)
            if not moulds:
                continue
            left = np.flatnonzero(lengths == length)
            rows = np.frombuffer(b"".join([values[i] for i in left.tolist()]), np.uint8)
            rows = rows.reshape(len(left), length)
            for mould in moulds:
                fits = mould.fits(rows)
                if fits.any():
                    self._by_mould(mould, left[fits], rows[fits])
                    left, rows = left[~fits], rows[~fits]

    def _by_mould(self, mould: Mould, index: NDArray[np.int64], rows: NDArray[np.uint8]) -> None:
        """Read frames that fit; those that differ in what must not be are left to be read one by one."""
        records = [self._records[i] for i in index.tolist()]
        boot, seq, t0_us = (mould.number(name, rows) for name in NUMBERS)
        at_us = np.array([record.at_us for record in records])
        fine = (seq <= MAX_SEQ) & (boot <= MAX_BOOT) & (t0_us >= EARLIEST_US) & (t0_us <= LATEST_US)
        fine &= (at_us >= EARLIEST_US) & (at_us <= LATEST_US)
        names = [mould.text(name, rows) for name in TEXTS]
        texts = [self._moulds.texts(column) for column in names]
        fine &= np.fromiter(map(eq, [record.key for record in records], names[0]), np.bool_, len(records))
        for read in texts:
            if None in read:
                fine &= [text is not None for text in read]
        if mould.texts["athlete"][1] - mould.texts["athlete"][0] == len(VENUE):
            fine[:] = False  # it may be venue-wide
        if not fine.all():
            index, rows, t0_us = index[fine], rows[fine], t0_us[fine]
            boot, seq = boot[fine], seq[fine]
            kept = np.flatnonzero(fine).tolist()
            records, texts = [records[i] for i in kept], [[column[i] for i in kept] for column in texts]
        if not len(index):
            return
        stamps = t0_us.astype(np.int64)
        span_us = self._take_groups(mould, index, rows)
        last_us = [None] * len(index) if span_us is None else (stamps + span_us).tolist()
        columns = zip(
            records, *texts, boot.tolist(), seq.tolist(), stamps.tolist(), last_us,
            [mould.end] * len(index), strict=True,
        )  # fmt: skip
        for i, column in zip(index.tolist(), columns, strict=True):
            self._headers[i] = Header._make(column)

    def _take_groups(self, mould: Mould, index: NDArray[np.int64], rows: NDArray[np.uint8]) -> int | None:
        """Put the groups of some frames by; how long after ``t0`` the last sample of each is, µs."""
        spans_us = []
        for group in mould.groups:
            raw = mould.samples(group, rows)
            count = len(raw) // len(index)
            part = _Part(
                (group.dtype, group.channels),
                index,
                np.full(len(index), count),
                np.full(len(index), group.rate),
                np.asarray([group.scale]),
                np.asarray([group.origin]),
                raw,
            )
            self._parts.setdefault(group.name, []).append(part)
            spans_us.append(_span_us(count, group.rate))
        return max(spans_us, default=None)

    def one_by_one(self) -> None:
        """Read the others in order; where many were of one length, learn what they have in common."""
        lengths: dict[int, int] = {}
        for index, record in enumerate(self._records):
            if self._headers[index] is not None:
                continue
            try:
                packed = _unpack(record.value)
                _check_time(record)
                if "tick" in packed and "athlete" not in packed:
                    _check_tick(record, packed)
                    self._ticks[record.partition] = max(record.at_us, self._ticks.get(record.partition, 0))
                    continue
                groups = self._take(index, record, packed)
            except FrameRejected as error:
                self._rejected.append(Rejected(record, error.reason, error.detail))
                continue
            length = len(record.value)
            lengths[length] = lengths.get(length, 0) + 1
            if lengths[length] == WORTH and (mould := cut(record.value, packed, groups)) is not None:
                self._moulds.learn(mould)

    def _take(self, index: int, record: Record, packed: dict[str, Any]) -> Sequence[tuple[str, _Group]]:
        """Validate one frame whole, then put its groups by: a refused frame leaves nothing behind."""
        header, groups = _frame(record, packed)
        self._headers[index] = header
        for name, (layout, rate, scale, origin, blob) in groups:
            bucket = self._buckets.setdefault(name, {}).setdefault(layout, _Bucket())
            bucket.frame.append(index)
            bucket.count.append(_count(layout, blob))
            bucket.rate.append(rate)
            bucket.scale.append(scale)
            bucket.origin.append(origin)
            bucket.blobs.append(blob)
        return groups

    def decoded(self) -> Decoded:
        """What was read, frames numbered without those that were refused and ticks."""
        there = np.array([header is not None for header in self._headers], np.bool_)
        number = np.cumsum(there) - 1
        for name, buckets in self._buckets.items():
            self._parts.setdefault(name, []).extend(b.part(layout) for layout, b in buckets.items())
        samples = {
            name: _join(
                [_columns(name, part._replace(frame=number[part.frame])) for part in self._parts[name]]
            )
            for name in CHANNELS
            if name in self._parts
        }
        headers = [header for header in self._headers if header is not None]
        return Decoded(headers, samples, self._ticks, self._rejected)


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


def _frame(record: Record, packed: dict[str, Any]) -> tuple[Header, list[tuple[str, _Group]]]:
    """Validate one frame."""
    athlete, device, session = (_id(packed, name) for name in TEXTS)
    _check_key(record, athlete)
    boot = _integer(packed, "boot", 0, MAX_BOOT)
    seq = _integer(packed, "seq", 0, MAX_SEQ)
    t0_us = _integer(packed, "t0", EARLIEST_US, LATEST_US)
    end = _flag(packed, "end")
    if _flag(packed, "backfill"):
        raise FrameRejected("backfill")
    groups = [(name, _group(name, packed[name])) for name in CHANNELS if name in packed]
    if not groups and not end:
        raise FrameRejected("no_groups")
    if groups and athlete == VENUE and "environment" not in packed:
        raise FrameRejected("no_groups", "a venue-wide frame without environment")
    spans_us = [_span_us(_count(layout, blob), rate) for _, (layout, rate, _, _, blob) in groups]
    last_us = t0_us + max(spans_us) if spans_us else None
    return Header(record, athlete, device, session, boot, seq, t0_us, last_us, end), groups


def _count(layout: _Layout, blob: bytes) -> int:
    """Samples in a group."""
    return len(blob) // (WIDTH[layout[0]] * len(layout[1]))


def _span_us(count: int, rate: float) -> int:
    """From the first sample of a group to the last."""
    return round((count - 1) * (1e6 / rate))


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


def _columns(name: str, part: _Part) -> Samples:
    """The samples of a layout. Stamps round as ``Header.last_us`` does."""
    (dtype, channels), count, raw = part.layout, part.counts, part.raw
    measured = raw != INT16_MISSING if dtype == "i2" else np.isfinite(raw)
    scale, origin = part.scale, part.origin
    if len(scale) == len(count) > 1:
        scale, origin = np.repeat(scale, count, axis=0), np.repeat(origin, count, axis=0)
    columns = [COLUMN[name][channel] for channel in channels]
    known = np.where(measured, np.where(measured, raw, 0) * scale + origin, np.nan)
    low, high = (np.array([VALID[name][c][side] for c in channels], dtype=float) for side in (0, 1))
    known[~((known >= low) & (known <= high))] = np.nan
    values = np.full((len(raw), len(CHANNELS[name])), np.nan)
    values[:, columns] = known
    index = np.arange(len(raw)) - np.repeat(np.cumsum(count) - count, count)
    step = 1e6 / np.repeat(part.rate, count)
    return Samples(
        frame=np.repeat(part.frame, count),
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
