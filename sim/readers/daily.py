"""Daily rows: load, wellness and injury reports of athletes, one row per athlete and day. No telemetry in them.

Columns are named as in SoccerMon; those of a file that are absent stay absent.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sim.readers.source import Source, open_source
from sim.readers.tables import Table, load_table

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Days = NDArray[np.datetime64]

ATHLETE: Final = ("player", "player.name", "athlete", "athlete_id")
NUMBERS: Final = (
    "daily_load", "atl", "ctl28", "ctl42", "acwr", "monotony", "strain", "fatigue", "mood", "readiness",
    "sleep_duration", "sleep_quality", "soreness", "stress", "injury_report", "injury_onset",
)  # fmt: skip
#: Load metrics without units of the hamstring study; the first stands in for ``daily_load``.
METRICS: Final = ("loadmetric01", "loadmetric02", "loadmetric03")
#: Day 1 of season 1 where a file counts days of seasons instead of naming dates.
SEASON_START: Final = np.datetime64("2000-07-01")
SEASON_DAYS: Final = 365
#: A report is a new injury when there was none in this many days before.
NEW_AFTER_DAYS: Final = 7


@dataclass(frozen=True, slots=True)
class DailyTable:
    """Rows sorted by athlete and date.

    ``athlete (rows,)`` ids; ``squad (rows,)`` or empty texts; ``date (rows,)`` datetime64[D]; ``columns`` name →
    ``(rows,)`` float64, NaN where nothing was reported. ``injury_report`` and ``injury_onset`` are 0 or 1.
    """

    athlete: NDArray[np.str_]
    squad: NDArray[np.str_]
    date: Days
    columns: Mapping[str, Floats]
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        """Number of rows."""
        return len(self.athlete)

    def column(self, name: str) -> Floats:
        """A column ``(rows,)``; all NaN where the file has none of that name."""
        return self.columns.get(name, np.full(len(self), np.nan))


def is_daily(table: Table) -> bool:
    """Whether rows are athletes and days with a load, a wellness answer or an injury report."""
    known = set(table.columns) & {*NUMBERS, *METRICS}
    return table.first(ATHLETE) is not None and "date" in table.columns and bool(known)


def read_daily(path: Path) -> DailyTable:
    """The daily rows of a CSV or parquet file.

    Raises :class:`MissingError` without the file and :class:`UnreadableFile` where it holds no daily rows.
    """
    source = open_source(path)
    table = load_table(source)
    if not is_daily(table):
        raise source.unreadable(
            "no daily rows: it needs an athlete, a date and a load, wellness or injury column"
        )
    return _daily(source, table)


def _daily(source: Source, table: Table) -> DailyTable:
    names, who = table.labels(table.first(ATHLETE) or "")
    day = _seasons(table) if "season" in table.columns else table.days("date")
    dated = ~np.isnat(day) & (np.array(names)[who] != "")
    if not dated.any():
        raise source.unreadable("no row has an athlete and a readable date")
    athlete = np.array(names)[who]
    order = np.lexsort((day, athlete))
    order = order[dated[order]]
    columns = {name: values[order] for name, values in _numbers(table).items()}
    if "injury_report" in columns and "injury_onset" not in columns:
        columns["injury_onset"] = onsets(athlete[order], day[order], columns["injury_report"])
    lost = int((~dated).sum())
    notes = (*table.notes, *((f"{lost} rows have no athlete or date",) if lost else ()))
    return DailyTable(athlete[order], _squads(table)[order], day[order], columns, notes)


def _numbers(table: Table) -> dict[str, Floats]:
    columns = {name: table.numbers(name) for name in (*NUMBERS, *METRICS) if table.has(name)}
    if METRICS[0] in columns:
        columns.setdefault("daily_load", columns[METRICS[0]])
    if table.has("injury.type"):
        kinds, kind = table.labels("injury.type")
        columns.setdefault("injury_report", (np.array(kinds)[kind] != "").astype(np.float64))
    return columns


def _seasons(table: Table) -> Days:
    """Dates of days that are counted within seasons, seasons a year apart."""
    seasons, season = table.labels("season")
    numbers = [int("".join(filter(str.isdigit, name)) or 1) for name in seasons]
    count = table.numbers("date")
    days = np.nan_to_num(count).astype(np.int64) - 1 + (np.array(numbers)[season] - 1) * SEASON_DAYS
    dates = SEASON_START + days.astype("timedelta64[D]")
    return np.where(np.isfinite(count), dates, np.datetime64("NaT"))


def _squads(table: Table) -> NDArray[np.str_]:
    name = table.first(("team", "squad"))
    if name is None:
        return np.full(table.rows, "")
    squads, squad = table.labels(name)
    return np.array(squads)[squad]


def onsets(athlete: NDArray[np.str_], date: Days, report: Floats) -> Floats:
    """New injuries ``(rows,)``: reports with none in the week before, of rows sorted by athlete and date."""
    onset = np.zeros(len(report))
    rows = np.flatnonzero(report == 1)
    if len(rows):
        same = athlete[rows[1:]] == athlete[rows[:-1]]
        close = np.diff(date[rows]) <= np.timedelta64(NEW_AFTER_DAYS, "D")
        onset[rows[np.concatenate([[True], ~(same & close)])]] = 1.0
    return onset
