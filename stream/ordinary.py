"""Ordinary frames: those of a session under way that nothing is wrong with, all athletes at once.

Most frames are: their device is known, their counter is the next one up, they are neither late nor of the future, and
nobody was silent before. What they mean is arithmetic on columns. An athlete with any other frame in a chunk goes the
way of :mod:`stream.align` with all of them, one by one, where every case is told apart; the outcome is the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from stream.clock import CARRY_S, SECOND_US, Clock
from stream.decode import Header
from stream.records import VENUE
from stream.slots import Slots, Track

Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

#: What is read of an athlete's state.
_READ: Final = (
    "next_s", "newest_us", "ingest_us", "floor_s", "closed", "silent", "covered_wearable", "covered_venue",
)  # fmt: skip
#: Room for each athlete on one running maximum, µs: nothing ordinary lies further ahead.
_ROOM: Final = 40
_FURTHEST: Final = 2**_ROOM - 1


@dataclass(frozen=True, slots=True)
class Ordinary:
    """Ordinary frames sorted by athlete, in the order of the log: columns ``(N,)``.

    ``index`` of the header; ``before_s`` the first open second before the frame, ``after_s`` after it; ``newest_us``
    the newest stamp of the session after it.
    """

    index: Ints
    slot: Ints
    device: Ints
    at_us: Ints
    last_us: Ints
    before_s: Ints
    after_s: Ints
    newest_us: Ints
    tracks: Sequence[Track]
    seq: Ints

    def take_effect(self, slots: Slots) -> None:
        """Move the athletes' state past these frames."""
        state = slots.state
        last = np.flatnonzero(np.diff(self.slot, append=-1))
        slot = self.slot[last]
        heard = np.maximum.reduceat(self.at_us, np.append(0, last[:-1] + 1)) if len(last) else self.at_us
        state["ingest_us"][slot] = np.maximum(state["ingest_us"][slot], heard)
        state["newest_us"][slot] = self.newest_us[last]
        state["next_s"][slot] = self.after_s[last]
        by_track: dict[int, list[int]] = {}
        for track, seq in zip(self.tracks, self.seq.tolist(), strict=True):
            by_track.setdefault(track.serial, []).append(seq)
        known = {track.serial: track for track in self.tracks}
        for serial, seqs in by_track.items():
            known[serial].device.remember_run(known[serial].boot, seqs)


def ordinary(headers: Sequence[Header], among: Ints, slots: Slots, clock: Clock) -> Ordinary:
    """The ordinary ones of the frames ``among`` (indices that rise) of ``headers``. Changes nothing."""
    rows, index, tracks, slow = _tracked(headers, among, slots)
    slot, serial, at_us, last_us, seq, offset, venue, end = rows
    order = np.argsort(slot, kind="stable")
    slot, at_us, last_us, serial, seq = (a[order] for a in (slot, at_us, last_us, serial, seq))
    first = np.flatnonzero(np.diff(slot, prepend=-1))
    athlete = np.repeat(np.arange(len(first)), np.diff(first, append=len(slot)))
    was = {name: slots.state[name][slot[first]] for name in _READ}  # (athletes,) each
    next_s, newest_us = was["next_s"], was["newest_us"]
    odd = (was["closed"] | was["silent"] | (next_s < 0) | (was["ingest_us"] < 0))[athlete]
    covered = np.where(venue[order] > 0, was["covered_venue"][athlete], was["covered_wearable"][athlete])
    odd |= (offset[order] < covered) | (end[order] > 0) | (last_us < 0) | (last_us > at_us + clock.future_us)
    odd |= last_us // SECOND_US - next_s[athlete] > CARRY_S

    heard = _running(at_us, was["ingest_us"], athlete)
    odd |= at_us - _before(heard, was["ingest_us"], first) >= clock.silent_us
    newest = _running(last_us, newest_us, athlete)
    after_s = np.maximum(next_s[athlete], (newest - clock.lateness_us) // SECOND_US)
    before_s = _before(after_s, next_s, first)
    odd |= last_us < np.maximum(before_s, was["floor_s"][athlete]) * SECOND_US
    odd |= _repeated(serial, seq, tracks)

    bad = np.zeros(len(first), np.bool_)
    bad[athlete[odd]] = True
    bad |= np.isin(slot[first], slow)
    keep = ~bad[athlete]
    kept = index[order[keep]]
    mine = [tracks[number] for number in serial[keep].tolist()]
    return Ordinary(
        index=kept,
        slot=slot[keep],
        device=np.array([track.number for track in mine], np.int64),
        at_us=at_us[keep],
        last_us=last_us[keep],
        before_s=before_s[keep],
        after_s=after_s[keep],
        newest_us=newest[keep],
        tracks=mine,
        seq=seq[keep],
    )


def _tracked(
    headers: Sequence[Header], among: Ints, slots: Slots
) -> tuple[NDArray[Any], Ints, dict[int, Track], Ints]:
    """Columns ``(8, N)`` of the frames with a track, their index, tracks by serial, and slots of other frames."""
    rows, index, tracks, slow = [], [], {}, set()
    known = slots.tracks
    for i in among.tolist():
        record, athlete, device, session, boot, seq, _, last_us, end = headers[i]
        track = known.get((athlete, device, session, boot, record.partition))
        if track is not None and boot in track.device.boots:
            serial = track.serial
            tracks[serial] = track
            index.append(i)
            rows.append((
                track.slot, serial, record.at_us, -1 if last_us is None else last_us, seq, record.offset,
                record.venue, end,
            ))  # fmt: skip
        elif athlete != VENUE and athlete in slots:
            slow.add(slots.slot(athlete, record.partition))
    table = np.array(rows, np.int64).reshape(-1, 8).T
    return table, np.array(index, np.int64), tracks, np.array(sorted(slow), np.int64)


def _running(values: Ints, least: Ints, athlete: Ints) -> Ints:
    """Highest of ``values (N,)`` so far and ``least (athletes,)``, each athlete apart."""
    above = np.clip(values - least[athlete], 0, _FURTHEST)
    room = athlete << (_ROOM + 1)
    return np.asarray(np.maximum.accumulate(above + room) - room + least[athlete])


def _before(values: Ints, least: Ints, first: Ints) -> Ints:
    """``values (N,)`` one frame earlier, ``least (athletes,)`` before each athlete's first."""
    found = np.roll(values, 1)
    found[first] = least
    return found


def _repeated(serial: Ints, seq: Ints, tracks: dict[int, Track]) -> Flags:
    """Which frames' counters do not rise."""
    order = np.argsort(serial, kind="stable")
    of, count = serial[order], seq[order]
    before = np.roll(count, 1)
    first = np.flatnonzero(np.diff(of, prepend=-1))
    before[first] = [tracks[s].device.boots[tracks[s].boot][0] for s in of[first].tolist()]
    found = np.zeros(len(seq), np.bool_)
    found[order] = count <= before
    return found
