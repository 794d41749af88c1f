"""The store of the embedded default: one SQLite file. One connection writes, every read opens its own.

``synchronous=FULL``: with NORMAL a write-ahead log is not synced at a commit, so a power cut could take back
scores whose offsets Kafka already holds as done, and they would be lost. One sync a batch is cheap.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import astuple
from pathlib import Path
from typing import Any, Final

import numpy as np

from stream.errors import StoreUnavailable
from stream.sinks.flatten import FIELDS, flatten
from stream.sinks.store import AlertInput, History, HistoryQuery, StoredAlert, StoredAthlete

BUSY_S: Final = 5.0
COLUMNS: Final = ("athlete", "time_us", "session", *FIELDS)
ALERT_COLUMNS: Final = (
    "id", "athlete", "session", "rule", "from_state", "state", "reason", "message", "event_us", "value",
    "threshold", "unit", "inputs",
)  # fmt: skip

_SCHEMA: Final = (
    f"""
    CREATE TABLE IF NOT EXISTS scores (
        athlete TEXT NOT NULL, time_us INTEGER NOT NULL, session TEXT NOT NULL,
        {", ".join(f"{field} REAL" for field in FIELDS)},
        PRIMARY KEY (athlete, time_us)
    )""",
    """
    CREATE TABLE IF NOT EXISTS alerts (
        id TEXT PRIMARY KEY, athlete TEXT NOT NULL, session TEXT NOT NULL, rule TEXT NOT NULL,
        from_state TEXT NOT NULL, state TEXT NOT NULL, reason TEXT NOT NULL, message TEXT NOT NULL,
        event_us INTEGER NOT NULL, value REAL, threshold REAL, unit TEXT, inputs TEXT NOT NULL
    )""",
    "CREATE INDEX IF NOT EXISTS alerts_by_time ON alerts (event_us)",
)
_PUT_SCORE: Final = (
    f"INSERT INTO scores ({', '.join(COLUMNS)}) VALUES ({', '.join('?' * len(COLUMNS))})"  # noqa: S608
    " ON CONFLICT (athlete, time_us) DO UPDATE SET session = excluded.session, "
    + ", ".join(f"{field} = coalesce(excluded.{field}, {field})" for field in FIELDS)
)
_PUT_ALERT: Final = (
    f"INSERT OR REPLACE INTO alerts ({', '.join(ALERT_COLUMNS)})"  # noqa: S608
    f" VALUES ({', '.join('?' * len(ALERT_COLUMNS))})"
)
#: Walks the index from athlete to athlete, so its cost goes by athletes and not by scores.
_ATHLETES: Final = """
WITH RECURSIVE known (athlete) AS (
    SELECT min(athlete) FROM scores
    UNION ALL
    SELECT (SELECT min(athlete) FROM scores WHERE athlete > known.athlete)
    FROM known WHERE known.athlete IS NOT NULL
)
SELECT scores.athlete, scores.session, scores.time_us FROM known JOIN scores
ON scores.athlete = known.athlete
AND scores.time_us = (SELECT max(time_us) FROM scores WHERE athlete = known.athlete)
ORDER BY scores.athlete
"""


class SqliteStore:
    """Keeps the contract of :class:`stream.sinks.store.Store` in the file at ``path``.

    ``max_pages`` caps the file (4 KiB pages); a full file is StoreUnavailable like a full disk. A file that another
    process holds is waited for ``busy_s``.
    Raises StoreUnavailable with what to do when the file cannot be opened for writing.
    """

    name = "sqlite"

    def __init__(self, path: Path, max_pages: int | None = None, busy_s: float = BUSY_S) -> None:
        self._path = path
        self._busy_s = busy_s
        self._lock = threading.Lock()
        try:
            self._writer = _open_writer(path, busy_s)
            if max_pages is not None:
                self._writer.execute(f"PRAGMA max_page_count = {max_pages:d}")
        except sqlite3.DatabaseError as error:
            raise StoreUnavailable(
                f"cannot write the store {path} ({error}): name a writable file in TOUCHLINE_STORE"
            ) from None

    def write(self, scores: Sequence[Mapping[str, Any]], alerts: Sequence[StoredAlert]) -> None:
        """One transaction: all of it or nothing."""
        score_rows = [_score_row(score) for score in scores]
        alert_rows = [_alert_row(alert) for alert in alerts]
        with self._lock, self._unavailable(), self._writer:
            self._writer.executemany(_PUT_SCORE, score_rows)
            self._writer.executemany(_PUT_ALERT, alert_rows)

    def history(self, query: HistoryQuery) -> History:
        """See :class:`stream.sinks.store.Store`."""
        start_us, end_us = query.bounds_us
        rows = self._read(_history_sql(query), (query.athlete, start_us, end_us))
        times = np.array([row[0] for row in rows], dtype=np.int64)
        values = np.array([row[1:] for row in rows], dtype=np.float64).reshape(len(rows), len(query.fields))
        return History(times, {field: values[:, i].copy() for i, field in enumerate(query.fields)})

    def alerts(self, athlete: str | None, start_us: int, end_us: int) -> list[StoredAlert]:
        """See :class:`stream.sinks.store.Store`."""
        rows = self._read(
            f"SELECT {', '.join(ALERT_COLUMNS)} FROM alerts WHERE event_us >= ? AND event_us < ?"  # noqa: S608
            " AND coalesce(athlete = ?, true) ORDER BY event_us, id",
            (start_us, end_us, athlete),
        )
        return [_alert(row) for row in rows]

    def athletes(self) -> list[StoredAthlete]:
        """See :class:`stream.sinks.store.Store`."""
        return [StoredAthlete(*row) for row in self._read(_ATHLETES)]

    def count_scores(self) -> int:
        """See :class:`stream.sinks.store.Store`."""
        return int(self._read("SELECT count(*) FROM scores")[0][0])

    def close(self) -> None:
        """Fold the write-ahead log into the file and close."""
        with self._lock:
            self._writer.close()

    def _read(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        with self._unavailable(), closing(_connect(self._path, self._busy_s)) as reader:
            reader.execute("PRAGMA query_only = true")
            return reader.execute(sql, parameters).fetchall()

    @contextmanager
    def _unavailable(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.OperationalError as error:
            raise StoreUnavailable(f"the store {self._path}: {error}") from error


def _connect(path: Path, busy_s: float) -> sqlite3.Connection:
    return sqlite3.connect(path, timeout=busy_s, check_same_thread=False)


def _open_writer(path: Path, busy_s: float) -> sqlite3.Connection:
    writer = _connect(path, busy_s)
    try:
        writer.execute("PRAGMA journal_mode = WAL")
        writer.execute("PRAGMA synchronous = FULL")
        with writer:
            writer.execute("BEGIN IMMEDIATE")
            for statement in _SCHEMA:
                writer.execute(statement)
            _add_new_columns(writer)
    except sqlite3.DatabaseError:
        writer.close()
        raise
    return writer


def _add_new_columns(writer: sqlite3.Connection) -> None:
    """A file of an older version lacks the fields that came since."""
    there = {row[1] for row in writer.execute("PRAGMA table_info(scores)")}
    for field in FIELDS:
        if field not in there:
            writer.execute(f"ALTER TABLE scores ADD COLUMN {field} REAL")


def _score_row(score: Mapping[str, Any]) -> list[Any]:
    row = flatten(score)
    return [score["athlete"], score["window_end_us"], score["session"], *map(row.get, FIELDS)]


def _alert_row(alert: StoredAlert) -> tuple[Any, ...]:
    *columns, inputs = astuple(alert)
    return (*columns, json.dumps(inputs))


def _alert(row: tuple[Any, ...]) -> StoredAlert:
    inputs = tuple(AlertInput(*entry) for entry in json.loads(row[-1]))
    columns = (*row[:-1], inputs)
    return StoredAlert(*columns)


def _history_sql(query: HistoryQuery) -> str:
    """Field names are of the closed set :data:`FIELDS`, which the query has checked."""
    where = "FROM scores WHERE athlete = ? AND time_us >= ? AND time_us < ?"
    if query.every_s is None:
        return f"SELECT time_us, {', '.join(query.fields)} {where} ORDER BY time_us"
    every_us = query.every_s * 1_000_000
    means = ", ".join(f"avg({field})" for field in query.fields)
    bucket = f"time_us / {every_us:d} * {every_us:d}"
    return f"SELECT {bucket} AS bucket, {means} {where} GROUP BY bucket ORDER BY bucket"
