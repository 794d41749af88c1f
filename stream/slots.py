"""The worker's state: one row of one structured array per athlete, and the few ragged things beside it.

Every stage declares the fields it keeps (``FIELDS``) and works on them as columns indexed by slot. A slot
is found by athlete, written to a snapshot as one row of bytes, and blanked before it is used again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

FIRST_CAPACITY: Final = 32
#: How far below a device's newest sequence number a repeat is still recognised.
SEQ_WINDOW: Final = 1024
SEQ_MASK: Final = (1 << SEQ_WINDOW) - 1
#: Boots remembered per device.
BOOTS: Final = 8


@dataclass(frozen=True, slots=True)
class Field:
    """One column of state: ``shape`` per athlete, ``blank`` the value before anything was seen."""

    name: str
    dtype: str
    shape: tuple[int, ...] = ()
    blank: float = 0.0


@dataclass(slots=True)
class Device:
    """What is remembered of one device of one athlete.

    ``boots``: boot to (highest seq, bitmap of the seqs below it); ``here`` and ``ended``
    tell whether it was seen in the current session and has ended it.
    """

    name: str
    venue: bool
    boots: dict[int, tuple[int, int]] = field(default_factory=dict)
    here: bool = False
    ended: bool = False

    def seen(self, boot: int, seq: int) -> bool:
        """Whether (boot, seq) was taken before. Below the window it counts as seen."""
        if boot not in self.boots:
            return False
        newest, seen = self.boots[boot]
        return seq <= newest and (newest - seq >= SEQ_WINDOW or bool(seen >> (newest - seq) & 1))

    def remember(self, boot: int, seq: int) -> None:
        """Take note of a (boot, seq) that was not seen."""
        self.here = True
        newest, seen = self.boots.get(boot, (seq, 0))
        if boot not in self.boots and len(self.boots) >= BOOTS:
            del self.boots[next(iter(self.boots))]
        if seq > newest:
            newest, seen = seq, (seen << min(seq - newest, SEQ_WINDOW)) & SEQ_MASK
        self.boots[boot] = (newest, seen | 1 << (newest - seq))

    def remember_run(self, boot: int, seqs: Sequence[int]) -> None:
        """Take note of counters of a known boot that rise, all above those seen; usually one by one."""
        newest, seen = self.boots[boot]
        count = len(seqs)
        if seqs[-1] - newest == count:
            self.boots[boot] = (seqs[-1], (seen << count | (1 << count) - 1) & SEQ_MASK)
        else:
            for seq in seqs:
                self.remember(boot, seq)


#: Athlete, device, session, boot and partition, as a frame names them.
Sender = tuple[str, str, str, int, int]


class Track(NamedTuple):
    """What is known of a sender whose frames were taken before: the slot and, there, the number of its device."""

    serial: int
    slot: int
    number: int
    device: Device
    boot: int


@dataclass(slots=True)
class Athlete:
    """The ragged part of a slot; ``context`` is what the roster said of the athlete at session start."""

    name: str
    partition: int
    session: str = ""
    devices: list[Device] = field(default_factory=list)
    context: dict[str, Any] = field(default_factory=dict)
    senders: list[Sender] = field(default_factory=list)

    def find(self, name: str) -> int | None:
        """Index of a device, None where it was never seen."""
        return next((index for index, device in enumerate(self.devices) if device.name == name), None)

    def device(self, name: str, *, venue: bool) -> int:
        """Index of a device, registered on first sight."""
        found = self.find(name)
        if found is None:
            self.devices.append(Device(name, venue))
        return len(self.devices) - 1 if found is None else found


class Slots:
    """All athletes of one worker. ``state[slot]`` is an athlete's row; ``athletes[slot]`` the ragged part."""

    def __init__(self, fields: Sequence[Field]) -> None:
        self.dtype = np.dtype([(f.name, f.dtype, f.shape) for f in fields])
        self._blank = np.zeros((), self.dtype)
        for f in fields:
            self._blank[f.name] = f.blank
        self.state: NDArray[Any] = np.full(FIRST_CAPACITY, self._blank, self.dtype)
        self.athletes: list[Athlete | None] = [None] * FIRST_CAPACITY
        self._slot: dict[str, int] = {}
        self._free = list(range(FIRST_CAPACITY - 1, -1, -1))
        self._serial = 0
        self.tracks: dict[Sender, Track] = {}

    def __len__(self) -> int:
        """How many athletes are held."""
        return len(self._slot)

    def __contains__(self, athlete: str) -> bool:
        """Whether the athlete has a slot."""
        return athlete in self._slot

    def slot(self, athlete: str, partition: int) -> int:
        """The athlete's slot, a blank one on first sight."""
        found = self._slot.get(athlete)
        return self._claim(athlete, partition) if found is None else found

    def note_sender(self, slot: int, sender: Sender, number: int) -> None:
        """A frame of this sender was taken, from the device of that number: what comes of it can be told at once."""
        if sender not in self.tracks:
            athlete = self.of(slot)
            self._serial += 1
            self.tracks[sender] = Track(self._serial, slot, number, athlete.devices[number], sender[3])
            athlete.senders.append(sender)

    def forget_senders(self, slot: int) -> None:
        """Another session begins: nothing can be told at once of frames of the one before."""
        senders = self.of(slot).senders
        for sender in senders:
            del self.tracks[sender]
        senders.clear()

    def of(self, slot: int) -> Athlete:
        """The ragged part of an occupied slot."""
        athlete = self.athletes[slot]
        assert athlete is not None, f"slot {slot} is free"
        return athlete

    def occupied(self, partition: int | None = None) -> list[int]:
        """Slots in use, of one partition or of all, in order of first sight."""
        return [s for s in self._slot.values() if partition is None or self.of(s).partition == partition]

    def release(self, slots: Iterable[int]) -> None:
        """Blank slots and give them back."""
        for slot in slots:
            self.forget_senders(slot)
            del self._slot[self.of(slot).name]
            self.state[slot] = self._blank
            self.athletes[slot] = None
            self._free.append(slot)

    def blank(self, slot: int, names: Iterable[str]) -> None:
        """Set some of a slot's fields back to what they are before anything was seen."""
        for name in names:
            self.state[name][slot] = self._blank[name]

    def row(self, slot: int) -> bytes:
        """A slot's state as bytes, to be read back by :meth:`restore` with the same ``dtype.descr``."""
        return bytes(self.state[slot].tobytes())

    def restore(self, slot: int, row: bytes, descr: Sequence[Any]) -> None:
        """Fill a slot from bytes. Fields this version does not have are dropped, new ones stay blank."""
        old = np.frombuffer(row, dtype=np.dtype([_entry(e) for e in descr]))[0]
        for name in set(self.dtype.names or ()) & set(old.dtype.names or ()):
            if self.dtype[name] == old.dtype[name]:
                self.state[name][slot] = old[name]

    def _claim(self, athlete: str, partition: int) -> int:
        if not self._free:
            self._grow()
        slot = self._free.pop()
        self._slot[athlete] = slot
        self.athletes[slot] = Athlete(athlete, partition)
        return slot

    def _grow(self) -> None:
        held = len(self.state)
        self.state = np.concatenate([self.state, np.full(held, self._blank, self.dtype)])
        self.athletes += [None] * held
        self._free = list(range(2 * held - 1, held - 1, -1))


def _entry(entry: Sequence[Any]) -> tuple[Any, ...]:
    """A dtype description as it comes back from msgpack, lists for tuples."""
    name, kind, *shape = entry
    return (name, kind, tuple(shape[0])) if shape else (name, kind)
