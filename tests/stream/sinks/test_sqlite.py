"""What only the SQLite store must show: where it cannot write, and what a crash or a full disk leaves."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest

from stream.errors import StoreUnavailable
from stream.sinks.sqlite import SqliteStore
from stream.sinks.store import MAX_TIME_US, HistoryQuery
from tests.stream.sinks.examples import NOON, SECOND, alert, score


@pytest.mark.parametrize("path", ["missing/store.sqlite", ".", "text.sqlite/store.sqlite", "text.sqlite"])
def test_a_path_that_cannot_be_written_says_what_to_do(tmp_path: Path, path: str) -> None:
    (tmp_path / "text.sqlite").write_text(
        "not a database, but long enough to be read as the head of one\n" * 9
    )
    with pytest.raises(StoreUnavailable, match="TOUCHLINE_STORE") as caught:
        SqliteStore(tmp_path / path)
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 3


def test_a_full_disk_is_unavailable_and_keeps_what_was_there(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "store.sqlite", max_pages=40)
    store.write([score("ann", 0)], [alert()])
    with pytest.raises(StoreUnavailable, match="full"):
        store.write([score("ann", second) for second in range(1, 2_000)], [alert(1)])
    assert store.count_scores() == 1
    assert store.alerts(None, 0, MAX_TIME_US) == [alert()]
    store.write([score("ann", 1)], [])
    assert store.count_scores() == 2
    store.close()


def test_a_locked_file_is_unavailable(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "store.sqlite", busy_s=0.05)
    with closing(sqlite3.connect(tmp_path / "store.sqlite", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreUnavailable, match="locked"):
            store.write([score()], [])
        other.execute("ROLLBACK")
    store.write([score()], [])
    assert store.count_scores() == 1
    store.close()


def test_every_commit_is_synced(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "store.sqlite")
    full = store._writer.execute("PRAGMA synchronous").fetchone()[0]  # noqa: SLF001 (the setting is the point)
    mode = store._writer.execute("PRAGMA journal_mode").fetchone()[0]  # noqa: SLF001 (the setting is the point)
    assert (full, mode) == (2, "wal")
    store.close()


def test_closing_leaves_one_file_with_everything_in_it(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "store.sqlite")
    store.write([score("ann", second) for second in range(50)], [])
    store.close()
    assert [path.name for path in tmp_path.iterdir()] == ["store.sqlite"]
    again = SqliteStore(tmp_path / "store.sqlite")
    assert again.count_scores() == 50
    again.close()


def test_another_process_reads_while_the_sink_writes(tmp_path: Path) -> None:
    sink = SqliteStore(tmp_path / "store.sqlite")
    web = SqliteStore(tmp_path / "store.sqlite")
    done = threading.Event()

    def write() -> None:
        for second in range(100):
            sink.write([score("ann", second)], [])
        done.set()

    writing = threading.Thread(target=write)
    writing.start()
    seen = [0]
    while not done.is_set():
        seen.append(web.count_scores())
    writing.join()
    assert seen == sorted(seen)
    assert web.count_scores() == 100
    sink.close()
    web.close()


def test_a_file_of_an_older_version_gets_the_fields_that_came_since(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "store.sqlite")) as old:
        old.execute(
            "CREATE TABLE scores (athlete TEXT NOT NULL, time_us INTEGER NOT NULL, session TEXT NOT NULL,"
            " performance_score REAL, PRIMARY KEY (athlete, time_us))"
        )
        old.execute("INSERT INTO scores VALUES ('ann', ?, 'match', 77.0)", (NOON,))
        old.commit()
    store = SqliteStore(tmp_path / "store.sqlite")
    store.write([score("ann", 1)], [])
    fields = store.history(
        HistoryQuery("ann", NOON, NOON + 9 * SECOND, ("performance_score", "live_speed"))
    ).fields
    assert fields["performance_score"].tolist() == [77.0, 51.0]
    assert fields["live_speed"].tolist()[1] == 4.5
    store.close()
