"""Kafka records to a batch for the page. Pure; what cannot be read is named to the caller, never raised."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import msgpack

from stream.sinks.decode import MAX_RECORD_BYTES, decode_alert, decode_score
from stream.sinks.store import StoredAlert
from stream.topics import ALERTS, ATHLETES, SCORES
from stream.web.messages import Batch, Named

TOPICS: Final = (SCORES, ALERTS, ATHLETES)


@dataclass(frozen=True, slots=True)
class Unread:
    """A record that is not as in ``docs/reference/encodings.md``, and why."""

    topic: str
    partition: int
    offset: int
    reason: str


@dataclass(slots=True)
class _Sorted:
    scores: list[dict[str, Any]] = field(default_factory=list)
    alerts: list[StoredAlert] = field(default_factory=list)
    named: list[Named] = field(default_factory=list)

    def add(self, record: Any) -> None:
        if record.topic == SCORES:
            self.scores.append(decode_score(record.value))
        elif record.topic == ALERTS:
            self.alerts.append(decode_alert(dict(record.headers), record.value))
        elif record.value:  # an athlete taken out of the compacted topic has none
            self.named.append(decode_named(record.value))


def read(records: Iterable[Any]) -> tuple[Batch, Sequence[Unread]]:
    """Records with ``topic partition offset headers value``, in the order they came."""
    found, unread = _Sorted(), []
    for record in records:
        try:
            found.add(record)
        except ValueError as error:
            unread.append(
                Unread(record.topic, record.partition, record.offset, str(error) or type(error).__name__)
            )
    return Batch(found.scores, found.alerts, found.named), unread


def decode_named(value: bytes) -> Named:
    """Id, name and squad of an athlete record. Raises ValueError."""
    if len(value) > MAX_RECORD_BYTES:
        raise ValueError(f"{len(value)} bytes")
    athlete = msgpack.unpackb(value)
    if not isinstance(athlete, dict) or not isinstance(athlete.get("athlete"), str):
        raise ValueError("not a map with an athlete")  # noqa: TRY004 (one kind of error for a bad record)
    return Named(athlete["athlete"], _text(athlete, "name"), _text(athlete, "squad"))


def _text(record: dict[Any, Any], key: str) -> str | None:
    value = record.get(key)
    return value if isinstance(value, str) and value else None
