"""What is asked of InfluxDB, in Flux, and how its answer is read. Pure text; nothing is sent from here.

Values of a request never enter the text: they go beside it as parameters, which the client sends as a syntax tree,
so that no athlete's id can change a query. Field names come from the closed set of ``flatten``.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final

import numpy as np
from numpy.typing import NDArray

from stream.errors import StoreUnavailable
from stream.sinks.line import tag_of
from stream.sinks.points import ALERTS, SCORES
from stream.sinks.store import MAX_TIME_US, History, HistoryQuery

#: In every score, so a score whose other fields are all null still makes a row.
ALWAYS: Final = "final"

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_RANGE: Final = "from(bucket: bucket_name) |> range(start: from_time, stop: to_time)"
_SCORES: Final = f"""{_RANGE}
  |> filter(fn: (r) => r._measurement == "{SCORES}")"""
_ONE_FIELD: Final = f"""{_SCORES}
  |> filter(fn: (r) => r._field == "{ALWAYS}")"""

COUNT: Final = f"""
{_ONE_FIELD}
  |> keep(columns: ["athlete", "_time", "_value"])
  |> group(columns: ["athlete"])
  |> unique(column: "_time")
  |> count()
  |> group()
  |> sum()
"""
ATHLETES: Final = f"""
{_ONE_FIELD}
  |> last()
  |> keep(columns: ["athlete", "session", "_time"])
  |> group(columns: ["athlete"])
  |> sort(columns: ["_time"])
  |> tail(n: 1)
  |> group()
  |> sort(columns: ["athlete"])
"""

Parameters = dict[str, str | datetime | timedelta]


def everything() -> Parameters:
    """The parameters of a query over all times."""
    return between(0, MAX_TIME_US)


def between(start_us: int, end_us: int) -> Parameters:
    """The parameters of a query over start ≤ t < end."""
    return {"from_time": time_of(start_us), "to_time": time_of(end_us)}


def time_of(time_us: int) -> datetime:
    """Microseconds since 1970 as a datetime, exactly."""
    return _EPOCH + timedelta(microseconds=time_us)


def history(query: HistoryQuery) -> tuple[str, Parameters]:
    """Text and parameters for the scores of one athlete, one row a time, one column a field."""
    parameters = between(*query.bounds_us) | {"athlete_id": tag_of(query.athlete)}
    wanted = " or ".join(f'r._field == "{field}"' for field in dict.fromkeys((ALWAYS, *query.fields)))
    mean = ""
    if query.every_s is not None:
        parameters["every"] = timedelta(seconds=query.every_s)
        mean = '|> aggregateWindow(every: every, fn: mean, timeSrc: "_start", createEmpty: false)'
    text = f"""
{_SCORES}
  |> filter(fn: (r) => r.athlete == athlete_id)
  |> filter(fn: (r) => {wanted})
  |> group(columns: ["_field"])
  {mean}
  |> keep(columns: ["_time", "_field", "_value"])
  |> pivot(rowKey: ["_time"], columnKey: ["_field"], valueColumn: "_value")
  |> sort(columns: ["_time"])
"""
    return text, parameters


def alerts(athlete: str | None, start_us: int, end_us: int) -> tuple[str, Parameters]:
    """Text and parameters for alerts, one row each, of one athlete or of all."""
    parameters = between(start_us, end_us)
    of_athlete = ""
    if athlete is not None:
        parameters["athlete_id"] = tag_of(athlete)
        of_athlete = "|> filter(fn: (r) => r.athlete == athlete_id)"
    text = f"""
{_RANGE}
  |> filter(fn: (r) => r._measurement == "{ALERTS}")
  {of_athlete}
  |> pivot(rowKey: ["_time"], columnKey: ["_field"], valueColumn: "_value")
  |> drop(columns: ["_start", "_stop"])
  |> group()
  |> sort(columns: ["_time", "id"])
"""
    return text, parameters


def rows(answer: str) -> Iterator[dict[str, str]]:
    """The rows of a CSV answer without annotations; what is null is the empty string.

    The server ends every line in CR LF, those within a text too, and leaves out a CR of the text's own.
    Raises StoreUnavailable with the server's words when the query failed on its way.
    """
    header: list[str] = []
    for row in csv.reader(io.StringIO(answer.replace("\r\n", "\n"), newline="")):
        if header[1:2] == ["error"]:
            raise StoreUnavailable(f"InfluxDB broke off a query: {row[1]}")
        if row[1:3] == ["result", "table"] or row[1:2] == ["error"]:
            header = row
        elif row:
            yield dict(zip(header, row, strict=True))


def times_us(stamps: list[str]) -> NDArray[np.int64]:
    """RFC 3339 stamps in UTC as microseconds since 1970."""
    return np.array([stamp.removesuffix("Z") for stamp in stamps], dtype="datetime64[us]").astype(np.int64)


def columns(answer: str, fields: tuple[str, ...]) -> History:
    """The answer to :func:`history`."""
    table = list(rows(answer))
    return History(times_us([row["_time"] for row in table]), {f: _column(table, f) for f in fields})


def _column(table: list[dict[str, str]], field: str) -> NDArray[np.float64]:
    return np.array([row.get(field) or "nan" for row in table], dtype=np.float64)
