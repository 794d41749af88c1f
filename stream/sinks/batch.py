"""Records of the two topics as one batch for a store. Pure but for the counting of what cannot be read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import structlog

from stream.sinks.decode import decode_alert, decode_score
from stream.sinks.metrics import ERRORS
from stream.sinks.store import StoredAlert
from stream.topics import ALERTS

log = structlog.get_logger(__name__)


class Record(Protocol):
    """What of a Kafka record is read here."""

    @property
    def topic(self) -> str:
        """Of its two topics."""

    @property
    def partition(self) -> int:
        """Of its topic."""

    @property
    def offset(self) -> int:
        """In its partition."""

    @property
    def headers(self) -> Any:
        """Pairs of name and bytes, or None."""

    @property
    def value(self) -> bytes | None:
        """None for a tombstone."""


@dataclass(slots=True)
class Batch:
    """What one write of a store takes."""

    scores: list[Mapping[str, Any]] = field(default_factory=list)
    alerts: list[StoredAlert] = field(default_factory=list)

    def __len__(self) -> int:
        """Scores and alerts together."""
        return len(self.scores) + len(self.alerts)


def read_batch(records: Iterable[Record], store: str) -> Batch:
    """Decode records in order. One that cannot be read is counted and logged, and never stops the others."""
    batch = Batch()
    for record in records:
        try:
            _take(batch, record)
        except ValueError as error:
            ERRORS.labels(store, "malformed").inc()
            log.error("unreadable record", **_where(record), reason=str(error))  # noqa: TRY400 (expected, no trace)
    return batch


def _take(batch: Batch, record: Record) -> None:
    if record.topic == ALERTS:
        batch.alerts.append(decode_alert(dict(record.headers or ()), record.value))
    else:
        batch.scores.append(decode_score(record.value))


def _where(record: Record) -> dict[str, Any]:
    return {"topic": record.topic, "partition": record.partition, "offset": record.offset}
