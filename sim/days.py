"""Four weeks of daily rows before a session: load from RPE and minutes, wellness with gaps, a rare injury report.

Rows are those of the athlete record in ``docs/reference/encodings.md``. One match a week; the rest of the week is
counted from it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

DAYS: Final = 28
#: Rate of perceived exertion (0-10) and minutes by days since the last match; day 2 is off.
WEEK_RPE: Final = np.array([7.5, 2.5, 0.0, 5.5, 6.5, 5.0, 3.0])
WEEK_MINUTES: Final = np.array([92, 35, 0, 80, 90, 75, 50])
INJURY_PER_DAY: Final = 0.004
MISSED_REPORT: Final = 0.15
WELLNESS: Final = ("fatigue", "mood", "sleep_quality", "soreness", "stress")


@dataclass(frozen=True, slots=True)
class _Table:
    """All rows, arrays ``(athletes, days)``; ``freshness`` is 0 tired to 1 rested."""

    load: NDArray[np.float64]
    load_known: NDArray[np.bool_]
    freshness: NDArray[np.float64]
    answered: NDArray[np.bool_]
    injured: NDArray[np.bool_]


def _injuries(athletes: int, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Spells of reports, ``(athletes, DAYS)``: an onset now and then, then 3 to 9 days."""
    onset = rng.random((athletes, DAYS)) < INJURY_PER_DAY
    length = rng.integers(3, 10, (athletes, DAYS))
    day = np.arange(DAYS)
    since = day[None, None, :] - day[None, :, None]
    spells = onset[:, :, None] & (since >= 0) & (since < length[:, :, None])
    return np.asarray(spells.any(axis=1))


def _freshness(load: NDArray[np.float64]) -> NDArray[np.float64]:
    """One minus a seven-day exponential mean of load, in units of a hard week."""
    tired = np.zeros(load.shape[0])
    rows = np.empty_like(load)
    for day in range(load.shape[1]):
        rows[:, day] = 1 - tired
        tired = np.clip(0.78 * tired + 0.22 * load[:, day] / 600, 0, 1)
    return rows


def _draw(athletes: int, rng: np.random.Generator) -> _Table:
    since_match = (np.arange(DAYS) + rng.integers(0, 7)) % 7
    shape = (athletes, DAYS)
    rpe = np.clip(np.rint(2 * (WEEK_RPE[since_match] + rng.normal(0, 0.8, shape))) / 2, 1, 10)
    minutes = np.clip(WEEK_MINUTES[since_match] * rng.normal(1, 0.1, shape), 10, 130)
    injured = _injuries(athletes, rng)
    away = injured | (WEEK_MINUTES[since_match] == 0)[None, :] | (rng.random(shape) < 0.06)
    load = np.where(away, 0.0, np.rint(rpe * minutes))
    return _Table(
        load=load,
        load_known=rng.random(shape) > 0.06,
        freshness=_freshness(load),
        answered=rng.random(shape) > MISSED_REPORT,
        injured=injured,
    )


def _scores(freshness: NDArray[np.float64], rng: np.random.Generator) -> dict[str, NDArray[np.int64]]:
    """Each wellness item 1 (worst) to 5 (best), with the athlete's own level and daily noise."""
    shape = freshness.shape
    return {
        item: np.clip(
            np.rint(1.8 + 2.4 * freshness + rng.normal(0, 0.4, (shape[0], 1)) + rng.normal(0, 0.5, shape)), 1, 5
        ).astype(np.int64)
        for item in WELLNESS
    }  # fmt: skip


def days_before(day: date, athletes: int, rng: np.random.Generator) -> list[list[dict[str, Any]]]:
    """Each athlete's :data:`DAYS` rows up to the day before ``day``, oldest first."""
    table = _draw(athletes, rng)
    scores = _scores(table.freshness, rng)
    shape = table.freshness.shape
    readiness = np.clip(np.rint(3.5 + 4.5 * table.freshness + rng.normal(0, 0.8, shape)), 1, 10)
    sleep = np.clip(np.rint(2 * rng.normal(7.6, 0.8, shape)) / 2, 4, 11)
    dates = [(day - timedelta(days=DAYS - i)).isoformat() for i in range(DAYS)]

    def row(athlete: int, i: int) -> dict[str, Any]:
        known, answered = bool(table.load_known[athlete, i]), bool(table.answered[athlete, i])
        wellness: dict[str, Any] = {k: int(v[athlete, i]) if answered else None for k, v in scores.items()}
        return {
            "date": dates[i],
            "load": float(table.load[athlete, i]) if known else None,
            "load_source": "reported" if known else "none",
            **wellness,
            "readiness": int(readiness[athlete, i]) if answered else None,
            "sleep_duration": float(sleep[athlete, i]) if answered else None,
            "injury_report": bool(table.injured[athlete, i]),
        }

    return [[row(athlete, i) for i in range(DAYS)] for athlete in range(athletes)]
