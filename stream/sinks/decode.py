"""Bytes of ``scores.live`` and ``alerts.risk`` to what a store takes. Pure; counts and logs nothing.

Every function raises ValueError with the reason when a record is not as in ``docs/reference/encodings.md``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from math import isfinite
from typing import Any, Final

import msgpack

from stream.sinks.store import MAX_TIME_US, AlertInput, StoredAlert

SCORE_VERSION: Final = 1
MAX_RECORD_BYTES: Final = 64 * 1024
MAX_ID: Final = 128


def decode_score(value: bytes | None) -> dict[str, Any]:
    """A score's map. Checks what its id and place rest on; its numbers are checked when flattened."""
    score = msgpack.unpackb(_sized(value))
    if not isinstance(score, dict):
        raise ValueError("not a map")  # noqa: TRY004 (one kind of error for a bad record)
    if score.get("v") != SCORE_VERSION:
        raise ValueError(f"schema version {score.get('v')!r}")
    _id(score, "athlete")
    _id(score, "session")
    _time_us(score, "window_end_us")
    return score


def decode_alert(headers: Mapping[str, bytes | None], value: bytes | None) -> StoredAlert:
    """An alert from a CloudEvent in Kafka binary mode."""
    data = _json_map(_sized(value))
    event_id = (headers.get("ce_id") or b"").decode()  # Kafka knows headers without a value
    if not event_id:
        raise ValueError("no ce_id header")
    return StoredAlert(
        id=event_id,
        athlete=_id(data, "athlete"),
        session=_text(data, "session") or "",
        rule=_id(data, "rule"),
        from_state=_id(data, "from"),
        state=_id(data, "state"),
        reason=_text(data, "reason") or "",
        message=_text(data, "message") or "",
        event_us=_time_us(data, "event_us"),
        value=_number(data, "value"),
        threshold=_number(data, "threshold"),
        unit=_text(data, "unit"),
        inputs=decode_inputs(data.get("inputs")),
    )


def _sized(value: bytes | None) -> bytes:
    if not value:
        raise ValueError("no value")
    if len(value) > MAX_RECORD_BYTES:
        raise ValueError(f"{len(value)} bytes")
    return value


def _json_map(value: bytes) -> dict[str, Any]:
    try:
        data = json.loads(value)
    except RecursionError:
        raise ValueError("nested too deep") from None
    if not isinstance(data, dict):
        raise ValueError("not a map")  # noqa: TRY004 (one kind of error for a bad record)
    return data


def decode_inputs(entries: Any) -> tuple[AlertInput, ...]:
    """What pushed an alert or a score. Raises ValueError for what is no list of maps."""
    if entries is None:
        return ()
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise ValueError("inputs is not a list of maps")
    return tuple(
        AlertInput(_id(e, "name"), _number(e, "value"), _text(e, "unit"), _number(e, "push")) for e in entries
    )


def _id(record: Mapping[str, Any], key: str) -> str:
    value = _text(record, key)
    if not value or len(value) > MAX_ID:
        raise ValueError(f"{key} is not an id")
    return value


def _text(record: Mapping[str, Any], key: str) -> str | None:
    value = record.get(key)
    if value is None:
        return None
    if not isinstance(value, str):
        raise ValueError(f"{key} is not text")  # noqa: TRY004 (one kind of error for a bad record)
    value.encode()  # a lone surrogate from JSON raises UnicodeEncodeError, a ValueError
    return value


def _time_us(record: Mapping[str, Any], key: str) -> int:
    value = record.get(key)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < MAX_TIME_US:
        raise ValueError(f"{key} is not a time")
    return value


def _number(record: Mapping[str, Any], key: str) -> float | None:
    value = record.get(key)
    if value is None:
        return None
    if not isinstance(value, int | float):
        raise ValueError(f"{key} is not a number")  # noqa: TRY004 (one kind of error for a bad record)
    try:
        return float(value) if isfinite(value) else None
    except OverflowError:
        raise ValueError(f"{key} is out of range") from None
