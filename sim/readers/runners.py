"""Runners' training diaries in both forms of Lövdal et al. 2021 (doi 10.1123/ijspp.2020-0518, data 10.34894/UWU9PV).

A row is an athlete and a day: what was done on each of the seven days before (or in each of three weeks), whether an
injury came, and the day's number. Days stand side by side in columns that end in nothing, ``.1`` to ``.6``. Which end
is the newest is not taken on trust: rows of one athlete a day (a week) apart have the days between in common, and
that tells. Numbers below 0 stand where there was nothing to answer (no session that day) and become NaN.
"""

from __future__ import annotations

import re
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

#: Days and weeks that a row of either form holds, and how many days later the next one is shifted by one.
STEPS: Final[Mapping[int, int]] = {7: 1, 3: 7}
#: The share of common values that have to agree for an order to be told, and that may agree for the other.
AGREE: Final = 0.9
SUFFIXED: Final = re.compile(r"^(?P<name>.*?)(?:\.(?P<step>\d+))?$")


@dataclass(frozen=True, slots=True)
class RunnerTable:
    """``entries (N, T, C)``: T days or weeks, the oldest first, of ``columns``; NaN where nothing was answered.

    ``injury (N,)`` 0 or 1; ``athlete (N,)``; ``day (N,)`` number of the day after the newest.
    """

    entries: Floats
    columns: tuple[str, ...]
    injury: Floats
    athlete: NDArray[np.str_]
    day: Ints

    def __len__(self) -> int:
        """Number of rows."""
        return len(self.injury)


def read_runners(path: Path) -> RunnerTable:
    """The rows of a day or a week file, CSV or parquet, compressed too.

    Raises :class:`MissingError` without the file and :class:`UnreadableFile` where it is of neither form or the
    order of its days cannot be told.
    """
    source = open_source(path)
    table = load_table(source)
    if not table.has("athlete id", "injury", "date"):
        raise source.unreadable("no runners' diary: it needs the columns Athlete ID, injury and Date")
    names, steps = _columns(source, table)
    day, athlete = table.numbers("date"), _athletes(table)
    injury = table.numbers("injury")
    if not np.isin(injury, (0, 1)).all() or not np.isfinite(day).all():
        raise source.unreadable("injury must be 0 or 1 in every row, and Date a number")
    columns = [[table.numbers(f"{name}.{step}" if step else name) for name in names] for step in range(steps)]
    values = np.moveaxis(np.array(columns), 2, 0)  # (N, T, C)
    values = np.where(values < 0, np.nan, values)
    if not _first_is_oldest(source, values, athlete, day.astype(np.int64)):
        values = values[:, ::-1]
    return RunnerTable(np.ascontiguousarray(values), names, injury, athlete, day.astype(np.int64))


def _columns(source: Source, table: Table) -> tuple[tuple[str, ...], int]:
    """Names that stand for every day or week, and how many of these there are."""
    found: dict[str, set[int]] = {}
    for column in table.columns:
        match = SUFFIXED.match(column)
        assert match is not None, "it matches anything"
        found.setdefault(match["name"], set()).add(int(match["step"] or 0))
    steps = max(len(numbers) for numbers in found.values())
    names = tuple(name for name, numbers in found.items() if numbers == set(range(steps)))
    if steps not in STEPS or not names:
        raise source.unreadable(f"no column for each of 7 days or 3 weeks, but for {steps}")
    return names, steps


def _athletes(table: Table) -> NDArray[np.str_]:
    names, who = table.labels("athlete id")
    return np.array(names)[who]


def _first_is_oldest(source: Source, values: Floats, athlete: NDArray[np.str_], day: Ints) -> bool:
    """Whether the columns without a suffix are of the oldest day."""
    order = np.lexsort((day, athlete))
    apart = STEPS[values.shape[1]]
    next_to = (athlete[order][1:] == athlete[order][:-1]) & (np.diff(day[order]) == apart)
    if apart > 1 and not next_to.any():
        next_to, order = _weeks_apart(athlete, day, apart)
    one, other = values[order[:-1][next_to]], values[order[1:][next_to]]
    forwards, backwards = _agreeing(one[:, 1:], other[:, :-1]), _agreeing(one[:, :-1], other[:, 1:])
    if max(forwards, backwards) < AGREE or min(forwards, backwards) >= AGREE:
        raise source.unreadable("which of its days is the newest cannot be told: no rows overlap as days do")
    return forwards > backwards


def _weeks_apart(athlete: NDArray[np.str_], day: Ints, apart: int) -> tuple[NDArray[np.bool_], Ints]:
    """Rows so many days apart that do not stand next to each other: pairs, one after the other."""
    place = {(str(who), int(when)): row for row, (who, when) in enumerate(zip(athlete, day, strict=True))}
    pairs = [
        (row, place[who, when + apart]) for (who, when), row in place.items() if (who, when + apart) in place
    ]
    order = np.array([row for pair in pairs for row in pair], dtype=np.int64)
    return np.arange(max(len(order) - 1, 0)) % 2 == 0, order


def _agreeing(one: Floats, other: Floats) -> float:
    """Share of entries that are equal, of those that are not 0 or nothing in both: 0 without any."""
    busy = (np.nan_to_num(one) != 0) | (np.nan_to_num(other) != 0)
    return float(np.isclose(one, other, equal_nan=True)[busy].mean()) if busy.any() else 0.0
