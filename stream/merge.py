"""Put the two telemetry logs of a partition into one order: by record timestamp, the venue first on ties.

``telemetry.wearable`` and ``telemetry.venue`` are separate logs, and a worker that catches up reads minutes
of one before the other. Everything behind this stage sees one sequence that depends on the logs alone, so a
replay, another batching or a crash gives the same scores. A stamp that goes back is lifted to the highest before
it: partition time. It decides order only; it decodes nothing.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import accumulate, groupby
from operator import attrgetter

from stream.records import Record


@dataclass(slots=True)
class _Log:
    """One log of one partition. ``seen``: running maximum of timestamps, µs; ``next``: the next offset.

    ``lost``: records that the broker had deleted before they were read; ``stamps``: of those ``waiting``, rising.
    """

    next: int
    seen: int = -1
    drained: bool = False
    lost: int = 0
    waiting: list[Record] = field(default_factory=list)
    stamps: list[int] = field(default_factory=list)

    def take(self, records: Iterable[Record]) -> bool:
        """Queue records; False when all were taken before (a redelivery after a rebalance)."""
        new, following = [], self.next
        for record in records:
            if record.offset >= following:
                new.append(record)
                following = record.offset + 1
        if not new:
            return False
        self.lost += following - self.next - len(new)
        self.next = following
        stamps = list(accumulate((record.at_us for record in new), max, initial=self.seen))[1:]
        self.seen = stamps[-1]
        self.stamps += stamps
        self.waiting += [
            record if record.at_us == stamp else record._replace(at_us=stamp)
            for record, stamp in zip(new, stamps, strict=True)
        ]
        return True

    def before(self, stamp: int) -> int:
        """How many of those waiting are stamped before ``stamp``."""
        return bisect_left(self.stamps, stamp)

    def give(self, count: int) -> list[Record]:
        """The first of those waiting."""
        given = self.waiting[:count]
        del self.waiting[:count], self.stamps[:count]
        return given

    def skip_to(self, offset: int) -> None:
        """Go on from an offset further on: what lies before it will not come."""
        self.lost += max(0, offset - self.next)
        self.next = max(self.next, offset)


class PartitionMerge:
    """The merge of one partition, from offsets (and highest timestamps, µs) of ``wearable`` and ``venue`` on.

    ``released`` and ``released_us`` say how far each log has been handed on (by key: whether the venue's).
    """

    def __init__(self, wearable: tuple[int, int], venue: tuple[int, int]) -> None:
        self._logs = {False: _Log(*wearable), True: _Log(*venue)}
        self.released = {False: wearable[0], True: venue[0]}
        self.released_us = {False: wearable[1], True: venue[1]}

    def received(self, *, venue: bool) -> int:
        """The next offset of a log that was not given yet."""
        return self._logs[venue].next

    def take_lost(self, *, venue: bool) -> int:
        """How many records of a log will never come, since last asked: Kafka deletes by age, read or not."""
        log = self._logs[venue]
        lost, log.lost = log.lost, 0
        return lost

    @property
    def waiting(self) -> int:
        """Records held back."""
        return sum(len(log.waiting) for log in self._logs.values())

    def push(self, records: Iterable[Record]) -> list[Record]:
        """Take records of this partition in offset order per log; give what may go on, in merged order."""
        took = [self._logs[venue].take(run) for venue, run in groupby(records, attrgetter("venue"))]
        if any(took):
            self._forget_ends()
        return self._release()

    def drained(self, *, venue: bool, end: int) -> list[Record]:
        """Tell that the log's end offset was ``end`` after everything given so far was received."""
        return self._at_end(self._logs[venue], end)

    def kept(self, *, venue: bool, begin: int, end: int) -> list[Record]:
        """Tell what the broker still keeps of a log: nobody waits for what it has deleted."""
        log = self._logs[venue]
        log.skip_to(begin)
        return self._at_end(log, end)

    def _at_end(self, log: _Log, end: int) -> list[Record]:
        log.drained = log.next >= end
        return self._release()

    def blocked_on(self) -> bool | None:
        """Which log the other one waits for (``True`` the venue's), or None when nothing waits."""
        for venue in (False, True):
            if self._logs[not venue].waiting:
                return venue
        return None

    def _forget_ends(self) -> None:
        """That a log was at its end said nothing of what has been written since, beside newer records."""
        for log in self._logs.values():
            log.drained = False

    def _release(self) -> list[Record]:
        wearable, venue = self._logs[False], self._logs[True]
        out: list[Record] = []
        while wearable.waiting and venue.waiting:
            out += self._hand_on(wearable, wearable.before(venue.stamps[0]))
            if wearable.waiting:
                out += self._hand_on(venue, venue.before(wearable.stamps[0] + 1))
        # Of one log alone those go on that nothing of the other can come before any more.
        if wearable.waiting:
            known = len(wearable.waiting) if venue.drained else wearable.before(venue.seen)
            out += self._hand_on(wearable, known)
        if venue.waiting:
            known = len(venue.waiting) if wearable.drained else venue.before(wearable.seen + 1)
            out += self._hand_on(venue, known)
        return out

    def _hand_on(self, log: _Log, count: int) -> list[Record]:
        given = log.give(count)
        if given:
            last = given[-1]
            self.released[last.venue], self.released_us[last.venue] = last.offset + 1, last.at_us
        return given
