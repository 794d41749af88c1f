"""Which numbers of a score the page shows, under the names the store has for them. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any, Final


@dataclass(frozen=True, slots=True)
class Column:
    """One number: its place in a score, and the digits after the point that travel."""

    group: str
    key: str
    digits: int

    @property
    def name(self) -> str:
        """As in :data:`stream.sinks.flatten.FIELDS`, so that live and stored history have one vocabulary."""
        return f"{self.group}_{self.key}"


#: In the order of a row on the wire. Units are those of ``docs/reference/encodings.md``.
COLUMNS: Final = (
    Column("performance", "score", 1),
    Column("performance", "low", 1),
    Column("performance", "high", 1),
    Column("injury", "risk", 4),
    Column("injury", "low", 4),
    Column("injury", "high", 4),
    Column("live", "heart_rate", 0),
    Column("live", "heart_rate_reserve", 3),
    Column("live", "speed", 2),
    Column("totals", "player_load_au", 1),
    Column("totals", "distance_m", 0),
    Column("totals", "hsr_distance_m", 0),
    Column("totals", "sprints", 0),
    Column("totals", "duration_s", 0),
)
NAMES: Final = tuple(column.name for column in COLUMNS)

Row = list[float | None]


def row_of(score: Mapping[str, Any]) -> Row:
    """The score's numbers in the order of :data:`COLUMNS`, rounded; None where there is none."""
    return [_number(score.get(column.group), column) for column in COLUMNS]


def _number(group: Any, column: Column) -> float | None:
    value = group.get(column.key) if isinstance(group, Mapping) else None
    if not isinstance(value, int | float) or not isfinite(value):
        return None
    return rounded(float(value), column.digits)


def rounded(value: float, digits: int) -> float:
    """Rounded, and whole where no digits are kept, so that it travels as ``172`` and not as ``172.0``."""
    return round(value, digits) if digits else round(value)
