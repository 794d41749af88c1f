"""Days: an athlete's daily rows to the input of the injury network.

Load stands in the athlete's own terms, wellness on its scale (levels carry what little there is; own deviations
did not). The live worker and training both come through here. Causal: a day is seen with nothing later than
itself, and the own load is that of the 28 days that end with the last day. No clock: the last day is given, or
the rows' own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

#: Days an athlete's own means are taken over, days the network sees, days a wellness answer is carried on.
HISTORY: Final = 28
WINDOW: Final = 14
CARRY: Final = 7
#: A report in this many last days: the athlete is injured already and the question does not arise.
CLEAR: Final = 7

LOAD: Final = "load"
#: Prior centre and spread of each wellness answer on its scale (SoccerMon, rounded).
WELLNESS: Final[Mapping[str, tuple[float, float]]] = {
    "fatigue": (3.0, 0.8),
    "mood": (3.4, 0.8),
    "sleep_quality": (3.3, 0.8),
    "soreness": (2.9, 0.8),
    "stress": (3.3, 0.8),
    "readiness": (6.7, 1.7),
    "sleep_duration": (7.9, 1.2),
}
#: Units for people.
UNITS: Final[Mapping[str, str]] = {
    "load": "AU",
    "fatigue": "of 5",
    "mood": "of 5",
    "sleep_quality": "of 5",
    "soreness": "of 5",
    "stress": "of 5",
    "readiness": "of 10",
    "sleep_duration": "h",
}
#: Columns of a table of days.
COLUMNS: Final = (LOAD, *WELLNESS)
#: Channels of the network's input: values, how fresh each is (0 missing, 1 of the day), share of the last day known.
CHANNELS: Final = (*COLUMNS, *(f"{name}_present" for name in COLUMNS), "fraction_known")
#: Prior centre of a day's load (AU) and how many days it counts for in an athlete's own mean.
LOAD_PRIOR: Final = 300.0
PRIOR_DAYS: Final = 7.0
#: Values beyond this many spreads say no more.
CLIP: Final = 4.0

_CENTRE: Final = np.array([centre for centre, _ in WELLNESS.values()])
_SPREAD: Final = np.array([spread for _, spread in WELLNESS.values()])


@dataclass(frozen=True, slots=True)
class Days:
    """Consecutive days of one athlete: ``values (T, 8)`` by :data:`COLUMNS`, NaN unknown; ``report (T,)``."""

    values: Floats
    report: Flags


@dataclass(frozen=True, slots=True)
class DayInput:
    """``window (14, 17)`` float32 by :data:`CHANNELS`; ``abstains`` names why no risk may be given, or None."""

    window: NDArray[np.float32]
    abstains: str | None


def calendar(rows: Sequence[Mapping[str, Any]], last: date, days: int = HISTORY) -> Days:
    """The ``days`` days that end with ``last``; days without a row are unknown, rows outside are left out."""
    values = np.full((days, len(COLUMNS)), np.nan)
    report = np.zeros(days, dtype=np.bool_)
    for row in rows:
        index = days - 1 - (last - date.fromisoformat(row["date"])).days
        if 0 <= index < days:
            values[index] = [_number(row.get(name)) for name in COLUMNS]
            report[index] = bool(row.get("injury_report"))
    return Days(values, report)


def day_input(
    rows: Sequence[Mapping[str, Any]], last: date | None = None, fraction_known: float = 1.0
) -> DayInput:
    """Daily rows of an athlete record to network input.

    ``last`` is the day the window ends with, without it the newest row's; ``fraction_known`` is the share of
    that day's load that is in (0 in the morning).
    """
    if not rows:
        return DayInput(np.zeros((WINDOW, len(CHANNELS)), dtype=np.float32), "no daily rows")
    days = calendar(rows, last or max(date.fromisoformat(row["date"]) for row in rows))
    window = day_features(days.values[None], np.array([fraction_known]))[0]
    return DayInput(window, abstains(days))


def morning_input(rows: Sequence[Mapping[str, Any]], day: date) -> DayInput:
    """Daily rows to what is known on the morning of ``day``."""
    known = until(rows, day)
    today = any(row["date"] == day.isoformat() for row in known)
    return day_input(known, fraction_known=0.0 if today else 1.0)


def until(rows: Sequence[Mapping[str, Any]], day: date) -> list[Mapping[str, Any]]:
    """The rows up to a day. Of the day itself what was said in the morning; its load is not known then."""
    last = day.isoformat()
    today = [{**row, "load": None} for row in rows if row["date"] == last and _said(row)]
    return [row for row in rows if row["date"] < last] + today


def _said(row: Mapping[str, Any]) -> bool:
    return bool(row.get("injury_report")) or any(row.get(name) is not None for name in WELLNESS)


def abstains(days: Days) -> str | None:
    """Why the injury head gives no risk for the last of these days, or None."""
    if days.report[-CLEAR:].any():
        return "injury reported in the last 7 days"
    recent = days.values[-WINDOW:]
    if not np.isfinite(recent[:, COLUMNS.index("fatigue")]).any():
        return "no wellness report in the last 14 days"
    if not (recent[:, 0] > 0).any():
        return "no load in the last 14 days"
    return None


def histories(days: Days) -> Floats:
    """The 28 days ending with each day, ``(T, 28, 8)``; before the record begins, unknown."""
    before = np.full((HISTORY - 1, len(COLUMNS)), np.nan)
    windows = sliding_window_view(np.concatenate([before, days.values]), HISTORY, axis=0)
    return windows.swapaxes(1, 2)


def day_features(values: Floats, fraction_known: Floats) -> NDArray[np.float32]:
    """``(N, 28, 8)`` days and ``(N,)`` share of the last day's load to ``(N, 14, 17)`` by :data:`CHANNELS`."""
    carried, present = _carry(values)
    own = _own_load(values)
    z = np.concatenate([(carried[..., :1] - own) / own, (carried[..., 1:] - _CENTRE) / _SPREAD], axis=2)
    known = np.ones((*values.shape[:2], 1))
    known[:, -1, 0] = fraction_known
    present[:, -1, 0] *= fraction_known > 0
    z = np.where(present > 0, np.clip(z, -CLIP, CLIP), 0.0)
    return np.concatenate([z, present, known], axis=2)[:, -WINDOW:].astype(np.float32)


def _own_load(values: Floats) -> Floats:
    """Mean load of the known days before the last one, shrunk to the prior, AU, ``(N, 1, 1)``."""
    earlier = values[:, :-1, :1]
    known = np.isfinite(earlier)
    total = np.where(known, earlier, 0.0).sum(axis=1, keepdims=True) + PRIOR_DAYS * LOAD_PRIOR
    return np.asarray(total / (known.sum(axis=1, keepdims=True) + PRIOR_DAYS))


def _carry(values: Floats) -> tuple[Floats, Floats]:
    """Wellness carried forward at most :data:`CARRY` days, and freshness: 1 of the day, falling to 0.

    Load is not carried: a day without one is unknown.
    """
    day = np.arange(values.shape[1])[None, :, None]
    newest = np.maximum.accumulate(np.where(np.isfinite(values), day, -values.shape[1]), axis=1)
    newest[..., 0] = np.where(np.isfinite(values[..., 0]), day[..., 0], -values.shape[1])
    age = day - newest
    present = np.where(age <= CARRY, 1 - age / (CARRY + 1), 0.0)
    return np.take_along_axis(values, np.maximum(newest, 0), axis=1), present


def _number(value: Any) -> float:
    return float("nan") if value is None else float(value)


def ordinary(window: NDArray[np.float32]) -> NDArray[np.float32]:
    """``(…, 14, 17)`` with the own usual load and common wellness in the place of what is known."""
    usual = window.copy()
    usual[..., : len(COLUMNS)] = 0
    return usual


def newest_values(rows: Sequence[Mapping[str, Any]]) -> Floats:
    """What is newest of every column at the last of these days, carried on as the network sees it, ``(8,)``."""
    if not rows:
        return np.full(len(COLUMNS), np.nan)
    values = calendar(rows, max(date.fromisoformat(row["date"]) for row in rows)).values
    carried, present = _carry(values[None])
    # The day's own load may not be in yet: then the newest that is.
    known = np.flatnonzero(np.isfinite(values[:, 0]))
    newest = np.where(present[0, -1] > 0, carried[0, -1], np.nan)
    newest[0] = values[known[-1], 0] if len(known) else np.nan
    return newest
