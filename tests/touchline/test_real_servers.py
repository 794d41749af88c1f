"""The demo on Apache Kafka and InfluxDB: the same command, the same figures, history read back by Flux."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from stream.settings import load_settings
from stream.sinks.open_store import open_store
from stream.sinks.store import HistoryQuery
from tests.servers import InfluxServer, KafkaServer
from tests.touchline.command import touchline

pytestmark = [pytest.mark.slow, pytest.mark.kafka, pytest.mark.influx, pytest.mark.timeout(400)]


def test_the_demo_runs_on_real_servers_and_its_history_reads_back(
    own_kafka: KafkaServer, own_influx: InfluxServer, tmp_path: Path
) -> None:
    report = tmp_path / "demo.json"
    influx = {
        "TOUCHLINE_INFLUX_TOKEN": own_influx.token,
        "TOUCHLINE_INFLUX_ORG": own_influx.org,
        "TOUCHLINE_INFLUX_BUCKET": own_influx.bucket,
    }
    done = touchline(
        *("demo", "--headless", "--seconds", "30", "--athletes", "5", "--json", report),
        *("--broker", own_kafka.bootstrap, "--influx-url", own_influx.url),
        **influx,
    )
    assert done.code == 0, done.err
    figures = json.loads(report.read_text())
    assert figures["lost"] == 0
    assert figures["scores_stored"] == figures["scores"] >= 5 * 30
    settings = load_settings(
        influx_url=own_influx.url,
        influx_token=own_influx.token,
        influx_org=own_influx.org,
        influx_bucket=own_influx.bucket,
    )
    store = open_store(settings)
    try:
        athletes = store.athletes()
        assert {athlete.athlete for athlete in athletes} == {f"A{k:02d}" for k in range(1, 6)}
        history = store.history(HistoryQuery("A01", 0, 2**52, ("live_heart_rate",)))
        assert len(history.times_us) >= 30
    finally:
        store.close()
