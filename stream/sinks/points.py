"""Scores and alerts as InfluxDB points, and alerts back from rows of an answer. Pure; sends nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from stream.sinks.flatten import flatten
from stream.sinks.line import id_of, line, tag_of
from stream.sinks.store import AlertInput, StoredAlert

SCORES: Final = "scores"
ALERTS: Final = "alerts"
SECOND_US: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Point:
    """A line of line protocol and the id it is known by in the log."""

    id: str
    line: str


def score_points(scores: Sequence[Mapping[str, Any]]) -> tuple[list[Point], str]:
    """Points at the ends of the windows, and the coarsest precision that is true for all: ``s`` or ``us``."""
    whole = all(score["window_end_us"] % SECOND_US == 0 for score in scores)
    unit_us, precision = (SECOND_US, "s") if whole else (1, "us")
    return [_score_point(score, unit_us) for score in scores], precision


def _score_point(score: Mapping[str, Any], unit_us: int) -> Point:
    athlete, end_us = score["athlete"], score["window_end_us"]
    tags = {"athlete": athlete, "session": score["session"]}
    return Point(f"{athlete} {end_us}", line(SCORES, tags, flatten(score), end_us // unit_us))


def alert_point(alert: StoredAlert) -> Point:
    """A point at the event's µs. ``from`` is a tag too: two transitions at one instant stay two points."""
    tags = {
        "athlete": alert.athlete, "session": alert.session, "rule": alert.rule, "from": alert.from_state,
        "state": alert.state,
    }  # fmt: skip
    fields = {
        "id": tag_of(alert.id), "reason": alert.reason, "message": alert.message, "unit": alert.unit,
        "value": alert.value, "threshold": alert.threshold,
        "inputs": json.dumps([(i.name, i.value, i.unit, i.push) for i in alert.inputs]),
    }  # fmt: skip
    there = {name: value for name, value in fields.items() if value is not None}
    return Point(alert.id, line(ALERTS, tags, there, alert.event_us))


def alert_of(row: Mapping[str, str], event_us: int) -> StoredAlert:
    """The alert of one row of the answer to :func:`stream.sinks.flux.alerts`."""
    return StoredAlert(
        id=id_of(row["id"]),
        athlete=id_of(row["athlete"]),
        session=id_of(row.get("session", "")),
        rule=id_of(row["rule"]),
        from_state=id_of(row["from"]),
        state=id_of(row["state"]),
        reason=row["reason"],
        message=row["message"],
        event_us=event_us,
        value=_number(row.get("value")),
        threshold=_number(row.get("threshold")),
        unit=row.get("unit") or None,
        inputs=tuple(AlertInput(*entry) for entry in json.loads(row["inputs"])),
    )


def _number(text: str | None) -> float | None:
    return float(text) if text else None
