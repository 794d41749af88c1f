"""The two real servers as fixtures, one of each a test run.

Tests share them: name your own topics, groups and measurements. Where a server is not built the tests are skipped
with the reason; with TOUCHLINE_REQUIRE_SERVERS=1 they fail.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers import InfluxServer, KafkaServer, influxd_binary, kafka_libs


@pytest.fixture(scope="session")
def kafka_server() -> Iterator[KafkaServer]:
    """A running Apache Kafka."""
    with KafkaServer(_built(kafka_libs(), "Apache Kafka", "deploy/kafka/build.sh")) as server:
        yield server


@pytest.fixture
def own_kafka() -> Iterator[KafkaServer]:
    """An Apache Kafka for one test alone, for what must not meet the topics of others."""
    with KafkaServer(_built(kafka_libs(), "Apache Kafka", "deploy/kafka/build.sh")) as server:
        yield server


@pytest.fixture(scope="session")
def influx_server() -> Iterator[InfluxServer]:
    """A running InfluxDB 2."""
    with InfluxServer(_built(influxd_binary(), "InfluxDB", "deploy/influxd/build.sh")) as server:
        yield server


@pytest.fixture
def own_influx() -> Iterator[InfluxServer]:
    """An InfluxDB for one test alone."""
    with InfluxServer(_built(influxd_binary(), "InfluxDB", "deploy/influxd/build.sh")) as server:
        yield server


def _built(build: Path | None, name: str, script: str) -> Path:
    if build is not None:
        return build
    reason = f"{name} is not built: run {script}"
    if os.environ.get("TOUCHLINE_REQUIRE_SERVERS") == "1":
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)
