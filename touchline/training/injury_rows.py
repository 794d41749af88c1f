"""Rows, labels and folds of the injury model, as ``SCIENCE.md`` defines them. Features are the serving stage's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from sim.readers.daily import DailyTable
from stream.days import CLEAR, COLUMNS, WELLNESS, WINDOW, Days, histories

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

HORIZON: Final = 7
FOLDS: Final = 5
SEEDS: Final = (0, 1, 2)
DAY: Final = np.timedelta64(1, "D")


@dataclass(frozen=True, slots=True)
class Diary:
    """An athlete's record day by day without holes: ``days``, ``onset (T,)``, the first ``date``."""

    athlete: str
    date: np.datetime64
    days: Days
    onset: Flags


@dataclass(frozen=True, slots=True)
class InjuryRows:
    """N athlete-days: ``values (N, 28, 8)``, ``label (N,)`` 0 or 1, ``athlete (N,)``, ``date (N,)``.

    ``past (N, 2)``: the athlete's new injuries so far and days on record so far, for the past-rate baseline.
    """

    values: Floats
    label: Floats
    athlete: NDArray[np.str_]
    date: NDArray[np.datetime64]
    past: Floats

    def __len__(self) -> int:
        """How many rows."""
        return len(self.label)


def diaries(table: DailyTable) -> list[Diary]:
    """Each athlete's rows on a calendar; a day without a row is unknown and uninjured."""
    return [_diary(table, str(name)) for name in np.unique(table.athlete)]


def _diary(table: DailyTable, athlete: str) -> Diary:
    rows = np.flatnonzero(table.athlete == athlete)
    first = table.date[rows].min()
    index = ((table.date[rows] - first) / DAY).astype(np.int64)
    length = int(index.max()) + 1
    values = np.full((length, len(COLUMNS)), np.nan)
    for column, name in enumerate(("daily_load", *WELLNESS)):
        values[index, column] = table.column(name)[rows]
    report, onset = np.zeros(length, np.bool_), np.zeros(length, np.bool_)
    report[index] = table.column("injury_report")[rows] == 1
    onset[index] = table.column("injury_onset")[rows] == 1
    return Diary(athlete, first, Days(values, report), onset)


def eligible(diary: Diary) -> Flags:
    """Which days ``(T,)`` are rows.

    Day i ≥ 13 with at least one wellness report and some load in days i-13..i, no injury report in days i-6..i,
    and at least 7 days of record after it.
    """
    values, length = diary.days.values, len(diary.onset)
    answered = _any_of_last(np.isfinite(values[:, COLUMNS.index("fatigue")]), WINDOW)
    loaded = _any_of_last(values[:, 0] > 0, WINDOW)
    day = np.arange(length)
    inside = (day >= WINDOW - 1) & (day < length - HORIZON)
    return np.asarray(inside & answered & loaded & ~_any_of_last(diary.days.report, CLEAR))


def _any_of_last(flags: Flags, days: int) -> Flags:
    padded = np.concatenate([np.zeros(days - 1, np.bool_), flags])
    return np.asarray(sliding_window_view(padded, days).any(axis=1))


def labels(diary: Diary) -> Floats:
    """1 where a new injury begins in days i+1..i+7, ``(T,)``; 0 where the record ends before."""
    ahead = np.concatenate([diary.onset, np.zeros(HORIZON, np.bool_)])[1:]
    return np.asarray(sliding_window_view(ahead, HORIZON).any(axis=1), dtype=np.float64)


def injury_rows(table: DailyTable) -> InjuryRows:
    """All rows of a table, athletes in the order of their names."""
    parts = [(diary, np.flatnonzero(eligible(diary))) for diary in diaries(table)]
    return InjuryRows(
        values=np.concatenate([histories(d.days)[at] for d, at in parts]),
        label=np.concatenate([labels(d)[at] for d, at in parts]),
        athlete=np.concatenate([np.full(len(at), d.athlete) for d, at in parts]),
        date=np.concatenate([d.date + at * DAY for d, at in parts]),
        past=np.concatenate([np.stack([np.cumsum(d.onset)[at], at + 1], axis=1) for d, at in parts]),
    )


def fold_of(rows: InjuryRows, seed: int) -> NDArray[np.int64]:
    """Fold of each row, ``(N,)``: whole athletes, those with a positive row and those without dealt out apart."""
    positive = sorted({str(a) for a in rows.athlete[rows.label == 1]})
    negative = sorted({str(a) for a in rows.athlete} - set(positive))
    generator = np.random.RandomState(seed)  # the published folds use it
    generator.shuffle(positive)
    generator.shuffle(negative)
    fold = {athlete: k % FOLDS for group in (positive, negative) for k, athlete in enumerate(group)}
    return np.array([fold[str(a)] for a in rows.athlete])
