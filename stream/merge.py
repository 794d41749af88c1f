"""Put the two telemetry logs of a partition into one order: by record timestamp, the venue first on ties.

``telemetry.wearable`` and ``telemetry.venue`` are separate logs, and a worker that catches up reads minutes
of one before the other. Everything behind this stage sees one sequence that depends on the logs alone, so a
replay, another batching or a crash gives the same scores. A stamp that goes back is lifted to the highest before
it: partition time. It decides order only; it decodes nothing.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from stream.records import Record


@dataclass(slots=True)
class _Log:
    """One log of one partition. ``seen``: running maximum of timestamps, µs; ``next``: the next offset.

    ``lost``: records that the broker had deleted before they were read.
    """

    next: int
    seen: int = -1
    drained: bool = False
    lost: int = 0
    waiting: deque[Record] = field(default_factory=deque)

    def take(self, record: Record) -> bool:
        """Queue a record; False when it was taken before (a redelivery after a rebalance)."""
        if record.offset < self.next:
            return False
        self.skip_to(record.offset)
        self.next = record.offset + 1
        if record.at_us < self.seen:
            record = replace(record, at_us=self.seen)
        self.seen = record.at_us
        self.waiting.append(record)
        return True

    def skip_to(self, offset: int) -> None:
        """Go on from an offset further on: what lies before it will not come."""
        self.lost += max(0, offset - self.next)
        self.next = max(self.next, offset)

    def beyond(self, stamp: int) -> bool:
        """Whether nothing stamped at or before ``stamp`` can come: it was passed, or the log is at its end."""
        return self.seen > stamp or self.drained


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
        took = False
        for record in records:
            took |= self._logs[record.venue].take(record)
        if took:
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
        while wearable.waiting or venue.waiting:
            if _venue_first(wearable, venue):
                if not wearable.waiting and not wearable.beyond(venue.waiting[0].at_us - 1):
                    break
                out.append(self._hand_on(venue))
            else:
                if not venue.waiting and not venue.beyond(wearable.waiting[0].at_us):
                    break
                out.append(self._hand_on(wearable))
        return out

    def _hand_on(self, log: _Log) -> Record:
        record = log.waiting.popleft()
        self.released[record.venue], self.released_us[record.venue] = record.offset + 1, record.at_us
        return record


def _venue_first(wearable: _Log, venue: _Log) -> bool:
    if wearable.waiting and venue.waiting:
        return venue.waiting[0].at_us <= wearable.waiting[0].at_us
    return bool(venue.waiting)
