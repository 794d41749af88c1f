"""Moments: written times as integer microseconds since 1970 UTC. Reads no clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

ORIGIN: Final = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND: Final = timedelta(microseconds=1)


def since_1970(moment: datetime) -> int:
    """A moment as µs; without a zone it is UTC."""
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return (moment - ORIGIN) // MICROSECOND


def microseconds(text: str) -> int | None:
    """A time in ISO 8601 as µs; None where it is none."""
    try:
        return since_1970(datetime.fromisoformat(text.strip()))
    except ValueError:
        return None
