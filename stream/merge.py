"""Put the two telemetry logs of a partition into one order: by record timestamp, the venue first on ties.

``telemetry.wearable`` and ``telemetry.venue`` are separate logs, and a worker that catches up reads minutes
of one before the other. Everything behind this stage sees one sequence that depends on the logs alone, so a
replay, another batching or a crash gives the same scores. It decides order only; it decodes nothing.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

from stream.records import Record


@dataclass(slots=True)
class _Log:
    """One log of one partition. ``seen``: running maximum of timestamps, µs; ``next``: the next offset."""

    next: int
    seen: int = -1
    drained: bool = False
    waiting: deque[tuple[int, Record]] = field(default_factory=deque)

    def take(self, record: Record) -> bool:
        """Queue a record; False when it was taken before (a redelivery after a rebalance)."""
        if record.offset < self.next:
            return False
        self.next = record.offset + 1
        self.seen = max(self.seen, record.at_us)
        self.drained = False
        self.waiting.append((self.seen, record))
        return True

    def beyond(self, stamp: int) -> bool:
        """Whether nothing stamped at or before ``stamp`` can come: it was passed, or the log is at its end."""
        return self.seen > stamp or self.drained


class PartitionMerge:
    """The merge of one partition. ``wearable`` and ``venue`` are the offsets to go on from."""

    def __init__(self, wearable: int, venue: int) -> None:
        self._logs = {False: _Log(wearable), True: _Log(venue)}
        self.released = {False: wearable, True: venue}

    def push(self, records: Iterable[Record]) -> list[Record]:
        """Take records of this partition in offset order per log; give what may go on, in merged order."""
        for record in records:
            self._logs[record.venue].take(record)
        return self._release()

    def drained(self, *, venue: bool, end: int) -> list[Record]:
        """Tell that the log's end offset was ``end`` after everything given so far was received."""
        log = self._logs[venue]
        log.drained = log.next >= end
        return self._release()

    def blocked_on(self) -> bool | None:
        """Which log the other one waits for (``True`` the venue's), or None when nothing waits."""
        for venue in (False, True):
            if self._logs[not venue].waiting:
                return venue
        return None

    def _release(self) -> list[Record]:
        wearable, venue = self._logs[False], self._logs[True]
        out: list[Record] = []
        while wearable.waiting or venue.waiting:
            if _venue_first(wearable, venue):
                if not wearable.waiting and not wearable.beyond(venue.waiting[0][0] - 1):
                    break
                out.append(venue.waiting.popleft()[1])
            else:
                if not venue.waiting and not venue.beyond(wearable.waiting[0][0]):
                    break
                out.append(wearable.waiting.popleft()[1])
        for record in out:
            self.released[record.venue] = record.offset + 1
        return out


def _venue_first(wearable: _Log, venue: _Log) -> bool:
    if wearable.waiting and venue.waiting:
        return venue.waiting[0][0] <= wearable.waiting[0][0]
    return bool(venue.waiting)
