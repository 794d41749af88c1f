"""One empty store of every kind."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from influxdb_client.client.influxdb_client import InfluxDBClient

from stream.sinks.influx import InfluxStore
from stream.sinks.sqlite import SqliteStore
from stream.sinks.store import Store
from tests.servers import InfluxServer


@pytest.fixture(params=["sqlite", pytest.param("influx", marks=pytest.mark.influx)])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """An empty store; the contract's tests run once over each."""
    opened: Store
    if request.param == "sqlite":
        opened = SqliteStore(tmp_path / "store.sqlite")
    else:
        opened = request.getfixturevalue("influx_store")
    yield opened
    if request.param == "sqlite":
        opened.close()


@pytest.fixture
def influx_bucket(influx_server: InfluxServer) -> str:
    """The name of a bucket that was made just now."""
    name = f"bucket-{secrets.token_hex(8)}"
    client: Any = InfluxDBClient(influx_server.url, influx_server.token, org=influx_server.org)
    client.buckets_api().create_bucket(bucket_name=name, org=influx_server.org)
    client.close()
    return name


@pytest.fixture
def influx_store(influx_server: InfluxServer, influx_bucket: str) -> Iterator[InfluxStore]:
    """An InfluxDB store in an empty bucket."""
    opened = InfluxStore(influx_server.url, influx_server.token, influx_server.org, influx_bucket)
    yield opened
    opened.close()
