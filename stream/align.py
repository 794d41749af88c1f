"""Align: who sent it, was it seen before, which second is it for, and which seconds does it close.

Event time only. An athlete's watermark is the highest event time over the athlete's devices minus the
lateness; a second closes when the watermark passes its end. Whether a frame is late is decided against the
frames *before it in the log*, never against how the log was cut into chunks.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from stream.clock import CARRY_S, SECOND_US, Clock, settled_us
from stream.decode import Decoded, Header
from stream.ordinary import Ordinary, ordinary
from stream.records import VENUE, Rejected
from stream.slots import Device, Field, Slots

FIELDS: Final = (
    Field("opened_us", "i8", blank=-1),  # t0 of the frame that opened the session
    Field("newest_us", "i8", blank=-1),  # highest sample stamp of the session
    Field("next_s", "i8", blank=-1),  # the next second to close, since 1970; -1 before the first sample
    Field("floor_s", "i8", blank=-1),  # seconds before it were scored in the session before
    Field("ingest_us", "i8", blank=-1),  # record timestamp of the newest frame
    Field("closed", "?"),  # every device has ended the session
    Field("silent", "?"),  # silence was reported and has not ended
    Field("restarts", "i4"),  # gaps longer than CARRY_S
    # a snapshot newer than the point a new owner goes on from: what it covers is skipped
    Field("covered_wearable", "i8", blank=-1),
    Field("covered_venue", "i8", blank=-1),
)


@dataclass(frozen=True, slots=True)
class Closing:
    """Seconds ``begin_s`` to ``end_s`` (exclusive) of a slot; the frame that closed them came at ``at_us``.

    ``newest_us``: newest device stamp by then. ``final``: the session ends with them; then the range may be empty.
    """

    slot: int
    begin_s: int
    end_s: int
    at_us: int
    newest_us: int
    final: bool = False


@dataclass(frozen=True, slots=True)
class Silence:
    """A slot was silent from ``since_us`` to ``until_us``, both ingest time.

    ``newest_us``: newest device stamp before it; ``after``: closings before it.
    """

    slot: int
    since_us: int
    until_us: int
    newest_us: int
    after: int


@dataclass(slots=True)
class Aligned:
    """What a run of frames means. Arrays are per header of the chunk, slot -1 where a frame was not taken.

    ``frontier_s`` is the first open second when the frame came: samples before it are late. ``shift_us`` is
    what clamping added to its stamps. ``home_us``: its last sample, or the newest of its time where it has none.
    ``touched``: slots whose state may have changed. ``stop``: the first header not handled, where a session changed
    or one begins that starts from what ended here.
    """

    slot: NDArray[np.int64]
    device: NDArray[np.int64]
    frontier_s: NDArray[np.int64]
    shift_us: NDArray[np.int64]
    home_us: NDArray[np.int64]
    closings: list[Closing] = field(default_factory=list)
    silences: list[Silence] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)
    started: list[int] = field(default_factory=list)
    touched: set[int] = field(default_factory=set)
    stop: int = 0


def align(decoded: Decoded, start: int, slots: Slots, clock: Clock) -> Aligned:
    """Align frames from ``start`` on, up to the end or to a frame that needs the earlier ones finished."""
    headers = decoded.headers
    every = np.arange(start, len(headers))
    plain = ordinary(headers, every, slots, clock)
    run = _Run(slots, clock, _nothing(len(headers)))
    for index in np.setdiff1d(every, plain.index, assume_unique=True).tolist():
        header = headers[index]
        if header.athlete != VENUE and not run.frame(index, header):
            run.out.stop = index
            plain = ordinary(headers, np.sort(plain.index[plain.index < index]), slots, clock)
            break
    else:
        run.out.stop = len(headers)
    run.take(plain)
    return run.out


def _nothing(count: int) -> Aligned:
    none = np.full(count, -1, dtype=np.int64)
    return Aligned(none, none.copy(), none.copy(), np.zeros(count, dtype=np.int64), none.copy())


class _Run:
    """One pass over frames in log order. Python per frame, never per sample."""

    def __init__(self, slots: Slots, clock: Clock, out: Aligned) -> None:
        self.slots = slots
        self.clock = clock
        self.out = out
        self._oldest_us: int | None = None  # when the oldest session that ends in this run was opened

    def take(self, plain: Ordinary) -> None:
        """Take ordinary frames."""
        self.out.slot[plain.index] = plain.slot
        self.out.device[plain.index] = plain.device
        self.out.frontier_s[plain.index] = plain.before_s
        self.out.home_us[plain.index] = plain.last_us
        self.out.touched.update(plain.slot.tolist())
        closes = plain.after_s > plain.before_s
        columns = (plain.slot, plain.before_s, plain.after_s, plain.at_us, plain.newest_us)
        closed = zip(*(column[closes].tolist() for column in columns), strict=True)
        self.out.closings += [Closing(*values) for values in closed]
        plain.take_effect(self.slots)

    def frame(self, index: int, header: Header) -> bool:
        """Align one frame; False when it starts a session while the one before it is not finished."""
        slot = self.slots.slot(header.athlete, header.record.partition)
        if self._is_covered(slot, header):
            return True
        refusal = self._refusal(slot, header)
        if refusal is not None:
            self.out.rejected.append(Rejected(header.record, *refusal))
            return True
        if header.session != self.slots.of(slot).session and not self._open_session(slot, header):
            return False
        self._take(index, slot, header)
        return True

    def _is_covered(self, slot: int, header: Header) -> bool:
        """Whether the snapshot that the athlete was restored from has the frame in it."""
        log = "covered_venue" if header.record.venue else "covered_wearable"
        mine = header.record.partition == self.slots.of(slot).partition
        return mine and header.record.offset < self._get(log, slot)

    def _refusal(self, slot: int, header: Header) -> tuple[str, str] | None:
        """Reason and detail of a frame that is not for the athlete's session, now or any more."""
        athlete = self.slots.of(slot)
        if header.record.partition != athlete.partition:
            return "wrong_key", f"this athlete's frames come on partition {athlete.partition}"
        number = athlete.find(header.device)
        if number is not None and athlete.devices[number].seen(header.boot, header.seq):
            return "duplicate", ""
        if header.session != athlete.session and self._of_an_older_session(slot, header):
            return "late", f"session {athlete.session} has begun since"
        return None

    def _take(self, index: int, slot: int, header: Header) -> None:
        """A frame of the athlete's session, seen for the first time."""
        athlete = self.slots.of(slot)
        number = athlete.device(header.device, venue=header.record.venue)
        athlete.devices[number].remember(header.boot, header.seq)
        sender = (header.athlete, header.device, header.session, header.boot, header.record.partition)
        self.slots.note_sender(slot, sender, number)
        self._hear(slot, header.record.at_us)
        self._place(index, slot, number, header)
        if header.end:
            self._end(slot, athlete.devices[number], header.record.at_us)

    def _reject(self, header: Header, reason: str, detail: str = "") -> None:
        self.out.rejected.append(Rejected(header.record, reason, detail))

    def _get(self, name: str, slot: int) -> int:
        return int(self.slots.state[name][slot])

    def _of_an_older_session(self, slot: int, header: Header) -> bool:
        last_us = header.t0_us if header.last_us is None else header.last_us
        begun_us = max(self._get("newest_us", slot), self._get("floor_s", slot) * SECOND_US)
        return bool(self.slots.of(slot).session) and last_us + self._shift(header) < begun_us

    def _shift(self, header: Header) -> int:
        """Clamping: a frame whose last sample lies in the future is moved so that it is now, µs."""
        last_us, at_us = header.last_us, header.record.at_us
        return 0 if last_us is None or last_us <= at_us + self.clock.future_us else at_us - last_us

    def _open_session(self, slot: int, header: Header) -> bool:
        athlete = self.slots.of(slot)
        if athlete.session and not self.slots.state["closed"][slot]:
            self._hear(slot, header.record.at_us)
            self._finish(slot, header.record.at_us)
            return False
        if slot in self.out.touched or self._is_told_something(header):
            return False
        self._begin_session(slot, header)
        return True

    def _is_told_something(self, header: Header) -> bool:
        """Whether a session that ends in this run leaves what one that is opened now starts from."""
        opened_us = header.t0_us + self._shift(header)
        return self._oldest_us is not None and self._oldest_us < settled_us(opened_us)

    def _begin_session(self, slot: int, header: Header) -> None:
        """Blank the slot. The second in which sessions change was scored in the older one."""
        athlete, floor_s = self.slots.of(slot), max(self._get("next_s", slot), self._get("floor_s", slot))
        self.slots.blank(slot, self.slots.dtype.names or ())
        self.slots.forget_senders(slot)
        self.slots.state["floor_s"][slot] = floor_s
        self.slots.state["opened_us"][slot] = header.t0_us + self._shift(header)
        athlete.session = header.session
        for device in athlete.devices:
            device.ended = device.here = False
        self.out.started.append(slot)

    def _hear(self, slot: int, at_us: int) -> None:
        """The athlete was heard of. A silence before is reported here, whether or not a tick saw it."""
        self.out.touched.add(slot)
        state, heard = self.slots.state, self._get("ingest_us", slot)
        quiet = heard >= 0 and not state["closed"][slot] and at_us - heard >= self.clock.silent_us
        if quiet or state["silent"][slot]:
            since_us, newest_us = heard + self.clock.silent_us, self._get("newest_us", slot)
            self.out.silences.append(Silence(slot, since_us, at_us, newest_us, len(self.out.closings)))
            state["silent"][slot] = False
        state["ingest_us"][slot] = max(heard, at_us)

    def _place(self, index: int, slot: int, device: int, header: Header) -> None:
        """Judge the frame against the frontier, then move the watermark by it."""
        frontier, shift = self._frontier(slot), self._shift(header)
        if header.last_us is None:
            if self._get("next_s", slot) < 0:
                self._reject(header, "no_groups", "an end, but nothing of this session was seen")
                return
            if self._get("newest_us", slot) < frontier * SECOND_US:
                self._reject(header, "late", "the session is closed")
                return
            home_us = self._get("newest_us", slot)
        else:
            home_us = header.last_us + shift
            if home_us < frontier * SECOND_US:
                self._reject(header, "late", f"second {home_us // SECOND_US} is closed")
                return
            frontier = self._advance(slot, header, shift)
        self.out.slot[index], self.out.device[index], self.out.shift_us[index] = slot, device, shift
        self.out.frontier_s[index], self.out.home_us[index] = frontier, home_us

    def _frontier(self, slot: int) -> int:
        """The first second that is open, or may be opened."""
        return max(self._get("next_s", slot), self._get("floor_s", slot))

    def _advance(self, slot: int, header: Header, shift: int) -> int:
        """Move the watermark and close what it passed. Gives the frontier before, s."""
        state = self.slots.state
        assert header.last_us is not None
        first_us, last_us = header.t0_us + shift, header.last_us + shift
        if state["next_s"][slot] < 0:
            state["next_s"][slot] = max(first_us // SECOND_US, self._frontier(slot))
        state["closed"][slot] = False
        if last_us // SECOND_US - self._get("next_s", slot) > CARRY_S:
            self._restart(slot, first_us // SECOND_US, header.record.at_us)
        frontier = self._get("next_s", slot)
        state["newest_us"][slot] = max(self._get("newest_us", slot), last_us)
        self._close(
            slot, (self._get("newest_us", slot) - self.clock.lateness_us) // SECOND_US, header.record.at_us
        )
        return frontier

    def _restart(self, slot: int, second: int, at_us: int) -> None:
        """After a gap too long to carry: close what is open, go on at ``second``."""
        self._close(slot, self._get("newest_us", slot) // SECOND_US + 1, at_us)
        state = self.slots.state
        state["next_s"][slot] = max(second, self._get("next_s", slot))
        state["restarts"][slot] += 1

    def _close(self, slot: int, end_s: int, at_us: int, *, final: bool = False) -> None:
        begin_s, newest_us = self._get("next_s", slot), self._get("newest_us", slot)
        if end_s > begin_s or final:
            self.out.closings.append(
                Closing(slot, begin_s, max(begin_s, end_s), at_us, newest_us, final=final)
            )
            self.slots.state["next_s"][slot] = max(begin_s, end_s)

    def _end(self, slot: int, device: Device, at_us: int) -> None:
        """A device has ended; when it was the last of the athlete's devices, the session's windows close."""
        device.ended = True
        of_session = [d for d in self.slots.of(slot).devices if d.here]
        if all(d.ended for d in of_session) and not self.slots.state["closed"][slot]:
            self._finish(slot, at_us)

    def _finish(self, slot: int, at_us: int) -> None:
        if self._get("next_s", slot) >= 0:
            self._close(slot, self._get("newest_us", slot) // SECOND_US + 1, at_us, final=True)
            opened_us = self._get("opened_us", slot)
            self._oldest_us = opened_us if self._oldest_us is None else min(self._oldest_us, opened_us)
        self.slots.state["closed"][slot] = True


def notice_silence(ticks: Mapping[int, int], slots: Slots, clock: Clock) -> list[tuple[int, int]]:
    """Athletes that went silent by the partition's ticks: (slot, silent since µs), each once per silence.

    A frame that ends the silence reports the same moment, so whether a tick saw it first changes nothing.
    """
    found: list[tuple[int, int]] = []
    for partition, now_us in ticks.items():
        held = np.asarray(slots.occupied(partition), dtype=np.int64)
        rows: NDArray[Any] = slots.state[held]
        due = (rows["ingest_us"] >= 0) & ~rows["closed"] & ~rows["silent"]
        due &= now_us - rows["ingest_us"] >= clock.silent_us
        slots.state["silent"][held[due]] = True
        found += [(int(s), int(slots.state["ingest_us"][s]) + clock.silent_us) for s in held[due]]
    return found
