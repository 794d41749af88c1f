"""Window: hold samples until their second closes, then hand closed seconds on as one table.

A window is one second of one athlete. Samples wait in flat tables, one per channel group, whatever their
rate; closing cuts out the due ones and sorts them by (row, stamp). With two devices for one group the
wearable wins over the venue and the first seen over the later, second by second.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from stream.align import Aligned, Closing
from stream.clock import SECOND_US
from stream.decode import Decoded
from stream.records import CHANNELS
from stream.slots import Slots

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

#: The table of frames is held beside the sample tables under this name; its columns: late, clamped.
FRAMES: Final = "frames"
COLUMNS: Final = {name: len(channels) for name, channels in CHANNELS.items()} | {FRAMES: 2}


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of one group, any order: ``slot device t_us step_us (N,)``, ``values (N, channels)``."""

    slot: Ints
    device: Ints
    t_us: Ints
    step_us: Ints
    values: Floats

    def __len__(self) -> int:
        """Number of rows."""
        return len(self.slot)

    def take(self, index: NDArray[Any]) -> Table:
        """The rows of an index or mask."""
        rows = np.flatnonzero(index) if index.dtype == bool else index  # four times as fast as taking by mask
        return Table(*(column.take(rows, axis=0) for column in self.columns()))

    def columns(self) -> tuple[NDArray[Any], ...]:
        """All columns in order."""
        return self.slot, self.device, self.t_us, self.step_us, self.values


def empty(group: str) -> Table:
    """A table of a group without rows."""
    none = np.zeros(0, dtype=np.int64)
    return Table(none, none, none, none, np.zeros((0, COLUMNS[group])))


def join(tables: Sequence[Table]) -> Table:
    """Several tables of one group as one."""
    if len(tables) == 1:
        return tables[0]
    return Table(*(np.concatenate(parts) for parts in zip(*(t.columns() for t in tables), strict=True)))


@dataclass(frozen=True, slots=True)
class Seconds:
    """Closed seconds, R rows sorted by (slot, second).

    ``wave (R,)`` is a row's number among its slot's rows here: rows of one wave belong to different
    athletes and can be worked on at once, waves in order. ``at_us``: record timestamp of the frame that closed
    it, ``newest_us`` the newest device stamp by then. ``samples``: per group the table sorted by (row, stamp)
    and ``row`` of each sample. ``frames late clamped (R,)`` count frames whose last sample lies in the second.
    """

    slot: Ints
    second: Ints
    wave: Ints
    at_us: Ints
    newest_us: Ints
    final: NDArray[np.bool_]
    samples: dict[str, tuple[Ints, Table]]
    frames: Ints
    late: Ints
    clamped: Ints

    def __len__(self) -> int:
        """Number of rows."""
        return len(self.slot)

    def waves(self) -> Iterator[Ints]:
        """Row numbers of each wave, in order."""
        for wave in range(int(self.wave.max(initial=-1)) + 1):
            yield np.flatnonzero(self.wave == wave)


class Windows:
    """The samples of open seconds of all slots."""

    def __init__(self) -> None:
        self._parts: dict[str, list[Table]] = {group: [] for group in COLUMNS}

    def add(self, decoded: Decoded, aligned: Aligned) -> None:
        """Take the samples of aligned frames; those before their frame's frontier are late and left out."""
        taken = np.flatnonzero(aligned.slot >= 0)
        if not len(taken):
            return
        t0 = np.array([h.t0_us for h in decoded.headers], dtype=np.int64) + aligned.shift_us
        partly_late = np.zeros(len(t0), dtype=bool)
        for group, samples in decoded.samples.items():
            frame = samples.frame
            t_us = t0[frame] + samples.offset_us
            mine = aligned.slot[frame] >= 0
            open_ = t_us >= aligned.frontier_s[frame] * SECOND_US
            np.logical_or.at(partly_late, frame[mine & ~open_], True)
            keep = mine & open_ & _any_finite(samples.values)
            table = Table(aligned.slot[frame], aligned.device[frame], t_us, samples.step_us, samples.values)
            self.put(group, table if keep.all() else table.take(keep))
        self._count(aligned, partly_late, taken)

    def _count(self, aligned: Aligned, partly_late: NDArray[np.bool_], taken: Ints) -> None:
        slot = aligned.slot[taken]
        flags = np.stack([partly_late[taken], aligned.shift_us[taken] != 0], axis=1).astype(np.float64)
        self.put(
            FRAMES, Table(slot, aligned.device[taken], aligned.home_us[taken], np.zeros_like(slot), flags)
        )

    def put(self, group: str, table: Table) -> None:
        """Hold rows of a group."""
        if len(table):
            self._parts[group].append(table)

    def held(self, group: str) -> Table:
        """All rows of a group that wait."""
        parts = self._parts[group]
        table = join(parts) if parts else empty(group)
        self._parts[group] = [table] if len(table) else []
        return table

    def drop(self, slots: Iterable[int]) -> None:
        """Forget what waits for slots that are given up."""
        gone = np.fromiter(slots, dtype=np.int64)
        for group in COLUMNS:
            table = self.held(group)
            self._parts[group] = [table.take(~np.isin(table.slot, gone))] if len(table) else []

    def close(self, closings: Sequence[Closing], slots: Slots) -> Seconds:
        """Cut out the seconds that ``closings`` close (the state's ``next_s`` is past them already)."""
        rows = _rows(closings)
        key = _key(rows.slot, rows.second)
        next_s = slots.state["next_s"]
        samples: dict[str, tuple[Ints, Table]] = {}
        for group in COLUMNS:
            table = self.held(group)
            due = table.t_us // SECOND_US < next_s[table.slot]
            if due.any():
                self._parts[group] = [table.take(~due)]
                samples[group] = _place(table.take(due), key)
        counts = _frame_counts(samples.pop(FRAMES, None), len(key))
        for group, (row, table) in samples.items():
            samples[group] = _one_source(row, table, slots)
        return Seconds(*rows, samples, *counts)


class _Rows(NamedTuple):
    slot: Ints
    second: Ints
    wave: Ints
    at_us: Ints
    newest_us: Ints
    final: NDArray[np.bool_]


def _rows(closings: Sequence[Closing]) -> _Rows:
    ordered = sorted((c for c in closings if c.end_s > c.begin_s), key=lambda c: c.slot)  # stable: by time
    of = np.array([(c.slot, c.begin_s, c.end_s, c.at_us, c.newest_us, c.final) for c in ordered], np.int64)
    slot, begin, end, at_us, newest_us, final = of.reshape(-1, 6).T
    count = end - begin
    row = np.repeat(np.arange(len(ordered)), count)
    inside = np.arange(len(row)) - np.repeat(np.cumsum(count) - count, count)
    return _Rows(
        slot=slot[row],
        second=begin[row] + inside,
        wave=np.arange(len(row)) - np.searchsorted(slot[row], slot[row]),
        at_us=at_us[row],
        newest_us=newest_us[row],
        final=(final[row] > 0) & (inside == count[row] - 1),
    )


def _key(slot: Ints, second: Ints) -> Ints:
    return (slot << 36) + second


def _place(table: Table, key: Ints) -> tuple[Ints, Table]:
    """Sort by (row, stamp, device); stable, so equal stamps keep the order of the log."""
    row = np.searchsorted(key, _key(table.slot, table.t_us // SECOND_US))
    order = np.argsort((row << 40) + (table.t_us % SECOND_US << 16) + table.device, kind="stable")
    return row[order], table.take(order)


def _any_finite(values: Floats) -> NDArray[np.bool_]:
    """Of each row of ``(N, channels)``, whether any channel is finite; column by column, for rows are short."""
    return reduce(np.logical_or, np.isfinite(values).T)


def _frame_counts(found: tuple[Ints, Table] | None, rows: int) -> tuple[Ints, Ints, Ints]:
    if found is None:
        zero = np.zeros(rows, dtype=np.int64)
        return zero, zero, zero
    row, table = found
    late, clamped = (np.bincount(row, table.values[:, k], minlength=rows).astype(np.int64) for k in (0, 1))
    return np.bincount(row, minlength=rows), late, clamped


def _venue(slots: Slots, table: Table) -> NDArray[np.bool_]:
    """Whether each sample's device is the venue's."""
    pairs, inverse = np.unique((table.slot << 16) + table.device, return_inverse=True)
    venue = [slots.of(int(p) >> 16).devices[int(p) & 0xFFFF].venue for p in pairs]
    return np.array(venue, dtype=bool)[inverse]


def _one_source(row: Ints, table: Table, slots: Slots) -> tuple[Ints, Table]:
    """Keep one device per row: wearables before the venue, then the first seen. Nearly always there is one only."""
    starts = np.flatnonzero(np.diff(row, prepend=-1))
    if (table.device == np.repeat(table.device[starts], np.diff(starts, append=len(row)))).all():
        return row, table
    rank = (_venue(slots, table).astype(np.int64) << 16) + table.device
    best = np.repeat(np.minimum.reduceat(rank, starts), np.diff(starts, append=len(row)))
    keep = rank == best
    return row[keep], table.take(keep)
