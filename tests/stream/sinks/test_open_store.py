"""The settings say which store."""

from __future__ import annotations

from pathlib import Path

import pytest

from stream.errors import StoreUnavailable
from stream.settings import load_settings
from stream.sinks.open_store import open_store


def test_without_an_influx_address_the_store_is_sqlite(tmp_path: Path) -> None:
    store = open_store(load_settings(store=tmp_path / "store.sqlite"))
    assert store.name == "sqlite"
    store.close()


def test_with_an_influx_address_the_store_is_influx_even_where_nobody_answers(tmp_path: Path) -> None:
    store = open_store(load_settings(influx_url="http://127.0.0.1:1", store=tmp_path / "store.sqlite"))
    assert store.name == "influx"
    store.close()
    assert list(tmp_path.iterdir()) == []


def test_a_sqlite_file_that_cannot_be_written_is_known_at_once(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable, match="TOUCHLINE_STORE"):
        open_store(load_settings(store=tmp_path / "missing" / "store.sqlite"))
