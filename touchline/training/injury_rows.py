"""Rows, labels and folds of the injury model, as ``SCIENCE.md`` defines them. Features are the serving stage's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from sim.readers.daily import DailyTable
from stream.days import CLEAR, COLUMNS, LOAD, WELLNESS, WINDOW, Days, histories
from touchline.training.fingerprints import Hashes, hashed, read, whole, written

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

HORIZON: Final = 7
FOLDS: Final = 5
SEEDS: Final = (0, 1, 2)
DAY: Final = np.timedelta64(1, "D")
#: What is known of a day by its fingerprint: the two columns without which a file has no rows, in steps of this.
KNOWN_BY: Final = [COLUMNS.index(LOAD), COLUMNS.index("fatigue")]
STEP: Final = 0.01
#: Digits of a day's fingerprint: many days together tell an athlete; one is too short to be turned back into its day.
DIGITS: Final = 4
#: An athlete is known by this share of the days and this many of them, or all where there are fewer. Others of the
#: same teams share up to 0.17 of them; of strangers with a single such day one in five is taken for somebody known.
SHARE: Final = 1 / 3
LEAST: Final = 3


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


def seen(rows: InjuryRows) -> list[dict[str, Any]]:
    """Each athlete's fingerprints and, by seed, the fold whose net has not seen them, for the manifest.

    By day and not by athlete, so that a part of the days is enough to know somebody by. No names.
    """
    folds = [fold_of(rows, seed) for seed in SEEDS]
    return [
        {"days": written(days, DIGITS), "fold": [int(fold[at[0]]) for fold in folds]}
        for at, days in _by_athlete(rows)
    ]


def owners(rows: InjuryRows, known: Sequence[Mapping[str, Any]]) -> NDArray[np.int64]:
    """Which of the ``known`` each row is of, ``(N,)``, by its athlete's days; -1 for one of whom none is."""
    table = np.zeros((len(known), 16**DIGITS), np.bool_)
    for number, athlete in enumerate(known):
        table[number, read([athlete["days"]])] = True
    found = np.full(len(rows), -1)
    for at, days in _by_athlete(rows):
        hits = table[:, days].sum(axis=1)
        enough = max(min(LEAST, len(days)), SHARE * len(days), 1)
        if len(known) and hits.max() >= enough:
            found[at] = hits.argmax()
    return found


def _by_athlete(rows: InjuryRows) -> list[tuple[NDArray[np.int64], Hashes]]:
    """Rows of each athlete, and hashes of the days in them with a load and a report of fatigue, each once."""
    every = [np.flatnonzero(rows.athlete == name) for name in np.unique(rows.athlete)]
    return [(at, _days_of(rows.values[at], rows.date[at])) for at in every]


def _days_of(values: Floats, last: NDArray[np.datetime64]) -> Hashes:
    """Of ``values (N, 28, 8)`` and each row's last day."""
    day = last.astype("datetime64[D]").astype(np.int64)[:, None] + np.arange(1 - values.shape[1], 1)
    told = (values[..., KNOWN_BY[0]] > 0) & np.isfinite(values[..., KNOWN_BY[1]])
    pieces = np.concatenate([day[told][:, None], whole(values[told][:, KNOWN_BY], STEP)], axis=1)
    return np.unique(hashed(np.unique(pieces, axis=0), DIGITS))
