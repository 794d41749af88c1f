"""The contract every store keeps, and the values that cross it. No store stands here, only what one must do.

A score's id is (athlete, ``window_end_us``); an alert's is its CloudEvents id. Times are event time, integer
microseconds since 1970 UTC; a score stands at the end of its window. Ranges are half-open: start ≤ t < end.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from stream.errors import UsageError
from stream.sinks.flatten import FIELDS

#: Past it a float64 no longer holds every microsecond (year 2255).
MAX_TIME_US: Final = 2**53

_KNOWN: Final = frozenset(FIELDS)


@dataclass(frozen=True, slots=True)
class AlertInput:
    """One of the inputs that pushed an alert most: ``value`` in ``unit``, ``push`` in that of the alert's value."""

    name: str
    value: float | None
    unit: str | None
    push: float | None = None


@dataclass(frozen=True, slots=True)
class StoredAlert:
    """One transition of one alert, as ``alerts.risk`` carried it; ``value`` and ``threshold`` in ``unit``."""

    id: str
    athlete: str
    session: str
    rule: str
    from_state: str
    state: str
    reason: str
    message: str
    event_us: int
    value: float | None = None
    threshold: float | None = None
    unit: str | None = None
    inputs: tuple[AlertInput, ...] = ()


@dataclass(frozen=True, slots=True)
class StoredAthlete:
    """An athlete the store has scores of: the session of the newest one and when it ended, µs."""

    athlete: str
    session: str
    last_us: int


@dataclass(frozen=True, slots=True)
class HistoryQuery:
    """Which scores to read back.

    ``fields`` are names of :data:`stream.sinks.flatten.FIELDS`. With ``every_s`` whole seconds the answer has
    one row for each bucket of that length that holds a score: the mean of what is there, at the bucket's
    start. Buckets count from 1970, and the range is widened to whole ones.
    Raises :class:`~stream.errors.UsageError` when it asks for what cannot be.
    """

    athlete: str
    start_us: int
    end_us: int
    fields: tuple[str, ...]
    every_s: int | None = None

    def __post_init__(self) -> None:
        """Refuse unknown fields, an empty range and an empty bucket."""
        unknown = [field for field in self.fields if field not in _KNOWN]
        if unknown or not self.fields:
            raise UsageError(f"no such stored field: {', '.join(unknown) or '(none asked)'}")
        if not 0 <= self.start_us < self.end_us <= MAX_TIME_US:
            raise UsageError(f"history from {self.start_us} to {self.end_us} µs is not a range")
        if self.every_s is not None and self.every_s < 1:
            raise UsageError(f"history every {self.every_s} s: one second is the least")

    @property
    def bounds_us(self) -> tuple[int, int]:
        """First and past-the-last microsecond to read, on whole buckets."""
        every = (self.every_s or 0) * 1_000_000 or 1
        return self.start_us // every * every, -(-self.end_us // every) * every


@dataclass(frozen=True, slots=True)
class History:
    """Columns of equal length, oldest first.

    ``times_us`` int64 ``(rows,)``; ``fields`` name → float64 ``(rows,)``, NaN where the score had no value.
    """

    times_us: NDArray[np.int64]
    fields: Mapping[str, NDArray[np.float64]]


class Store(Protocol):
    """Keeps scores and alerts. One thread writes; any number of threads and processes read.

    Every method raises :class:`~stream.errors.StoreUnavailable` when the store cannot answer now.
    """

    name: str

    def write(self, scores: Sequence[Mapping[str, Any]], alerts: Sequence[StoredAlert]) -> None:
        """Keep decoded scores and alerts; when it returns they are safe.

        The same id overwrites, field by field: a repeat changes what it carries and leaves what it does not.
        After an error any part of the batch may be kept, so the caller writes the whole batch again.
        """

    def history(self, query: HistoryQuery) -> History:
        """Scores of one athlete in a range of time."""

    def alerts(self, athlete: str | None, start_us: int, end_us: int) -> list[StoredAlert]:
        """Alerts in a range of time, of one athlete or of all, oldest first."""

    def athletes(self) -> list[StoredAthlete]:
        """Everybody with a score, by id."""

    def count_scores(self) -> int:
        """How many distinct score ids are kept."""

    def close(self) -> None:
        """Let go of files and connections. The store is not used after this."""
