"""Prometheus and Grafana: they look where the processes are, and ask for what there is."""

from __future__ import annotations

import json
import re
import secrets
from typing import Any

import pytest
import yaml
from influxdb_client.client.influxdb_client import InfluxDBClient

from stream.sinks.flatten import FIELDS
from stream.sinks.influx import InfluxStore
from stream.sinks.store import StoredAlert
from tests.deploy.documents import DEPLOY, asked_of_prometheus, compose, series, services
from tests.servers import InfluxServer

DASHBOARDS = {
    path.stem: json.loads(path.read_text()) for path in sorted((DEPLOY / "grafana/dashboards").glob("*.json"))
}
SOURCES = {
    source["uid"]: source
    for source in yaml.safe_load((DEPLOY / "grafana/provisioning/datasources/touchline.yaml").read_text())[
        "datasources"
    ]
}
RULES = yaml.safe_load((DEPLOY / "prometheus/alerts.yml").read_text())["groups"][0]["rules"]
END_US = 1_750_000_000_000_000
ATHLETE = "A01"


def _targets(kind: str) -> list[Any]:
    """Panels' and variables' queries of one kind of source."""
    found = []
    for board in DASHBOARDS.values():
        panels = [panel for panel in board["panels"] if panel["datasource"]["type"] == kind]
        for panel in panels:
            queries = [target.get("query", target.get("expr")) for target in panel["targets"]]
            found += [pytest.param(query, id=f"{panel['title']}-{k}") for k, query in enumerate(queries)]
        variables = [entry for entry in board["templating"]["list"] if entry["datasource"]["type"] == kind]
        found += [pytest.param(entry["query"], id=f"variable-{entry['name']}") for entry in variables]
    return found


#: Page and model service serve their metrics on the port they serve everything on.
METRICS_PORTS = ("TOUCHLINE_METRICS_PORT", "TOUCHLINE_WEB_PORT", "TOUCHLINE_SERVING_PORT")


def test_prometheus_scrapes_every_process_where_it_serves() -> None:
    config = yaml.safe_load((DEPLOY / "prometheus/prometheus.yml").read_text())
    found: dict[str, str] = {}
    for job in config["scrape_configs"]:
        for entry in job.get("static_configs", ()):
            found |= dict(target.split(":") for target in entry["targets"])
        for entry in job.get("dns_sd_configs", ()):
            found |= {name: str(entry["port"]) for name in entry["names"]}
    served = {
        name: next(environment[port] for port in METRICS_PORTS if port in environment)
        for name in ("worker", "sink", "web", "models")
        for environment in [services()[name]["environment"]]
    }
    assert found == served
    assert config["rule_files"] == ["alerts.yml"]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_a_rule_asks_for_series_that_exist(rule: dict[str, Any]) -> None:
    asked = asked_of_prometheus(rule["expr"])
    assert asked
    assert asked <= series()
    assert rule["annotations"]["summary"]


def test_every_rule_is_explained_to_the_operator() -> None:
    page = (DEPLOY.parent / "docs/how-to/operate.md").read_text()
    assert [rule["alert"] for rule in RULES if f"`{rule['alert']}`" not in page] == []


@pytest.mark.parametrize("expression", _targets("prometheus"))
def test_a_panel_asks_prometheus_for_series_that_exist(expression: str) -> None:
    asked = asked_of_prometheus(expression)
    assert asked
    assert asked <= series()


@pytest.mark.parametrize("query", _targets("influxdb"))
def test_a_panel_asks_influxdb_for_fields_that_are_stored(query: str) -> None:
    of_alerts = {"message"} if '"alerts"' in query else set()
    asked = set(re.findall(r'r\._field == "(\w+)"', query))
    asked |= {
        name for found in re.findall(r"set: \[(.*?)\]", query) for name in re.findall(r'"(\w+)"', found)
    }
    assert asked <= set(FIELDS) | of_alerts


def test_panels_name_sources_that_are_provisioned() -> None:
    for board in DASHBOARDS.values():
        for panel in board["panels"]:
            assert SOURCES[panel["datasource"]["uid"]]["type"] == panel["datasource"]["type"]


def test_sources_point_at_services_and_their_ports() -> None:
    for source in SOURCES.values():
        name, port = re.fullmatch(r"http://([\w-]+):(\d+)", source["url"]).groups()  # type: ignore[union-attr]
        assert any(published.endswith(f":{port}") for published in services()[name]["ports"])
    influx = SOURCES["touchline-influxdb"]
    assert influx["jsonData"]["version"] == "Flux"
    assert influx["jsonData"]["defaultBucket"] == services()["sink"]["environment"]["TOUCHLINE_INFLUX_BUCKET"]
    assert influx["secureJsonData"]["token"].removeprefix("$") in services()["grafana"]["environment"]


def test_dashboards_lie_where_grafana_looks() -> None:
    (provider,) = yaml.safe_load((DEPLOY / "grafana/provisioning/dashboards/touchline.yaml").read_text())[
        "providers"
    ]
    mounts = dict(volume.split(":")[:2] for volume in services()["grafana"]["volumes"])
    assert mounts["./deploy/grafana/dashboards"] == provider["options"]["path"]
    assert set(compose()["volumes"]) >= {"grafana", "prometheus"}


def test_dashboards_refresh_no_faster_than_grafana_lets_them() -> None:
    least = services()["grafana"]["environment"]["GF_DASHBOARDS_MIN_REFRESH_INTERVAL"]
    assert all(
        int(board["refresh"].removesuffix("s")) >= int(least.removesuffix("s"))
        for board in DASHBOARDS.values()
    )


def test_ids_are_unique_and_panels_do_not_overlap() -> None:
    assert len({board["uid"] for board in DASHBOARDS.values()}) == len(DASHBOARDS)
    for board in DASHBOARDS.values():
        assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])
        cells = [
            (x, y)
            for place in (panel["gridPos"] for panel in board["panels"])
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        ]
        assert len(set(cells)) == len(cells)
        assert max(x for x, _ in cells) < 24


@pytest.fixture(scope="module")
def history(influx_server: InfluxServer) -> tuple[InfluxServer, str]:
    """A bucket with a minute of one athlete and an alert."""
    bucket = f"grafana-{secrets.token_hex(4)}"
    client: Any = InfluxDBClient(influx_server.url, influx_server.token, org=influx_server.org)
    client.buckets_api().create_bucket(bucket_name=bucket, org=influx_server.org)
    client.close()
    store = InfluxStore(influx_server.url, influx_server.token, influx_server.org, bucket)
    alert = StoredAlert(
        "x", ATHLETE, "s", "sensor_silent", "inactive", "firing", "no frames", "A01: silent", END_US
    )
    store.write([_score(END_US - 1_000_000 * k) for k in range(60)], [alert])
    store.close()
    return influx_server, bucket


def _score(end_us: int) -> dict[str, Any]:
    names: dict[str, Any] = {
        name: {} for name in ("performance", "injury", "live", "totals", "quality", "position", "lineage")
    }
    score: dict[str, Any] = {
        "athlete": ATHLETE,
        "session": "s",
        "window_end_us": end_us,
        "final": False,
        **names,
    }
    for field in FIELDS:
        group, _, name = field.partition("_")
        if group in names:
            score[group][name] = 1.0
    return score


@pytest.mark.influx
@pytest.mark.parametrize("query", _targets("influxdb"))
def test_influxdb_answers_a_panel(query: str, history: tuple[InfluxServer, str]) -> None:
    """What Grafana puts in for its variables is put in here."""
    server, bucket = history
    told = {
        "v.defaultBucket": f'"{bucket}"',
        "v.timeRangeStart": "2025-06-15T14:00:00Z",
        "v.timeRangeStop": "2025-06-15T16:00:00Z",
        "v.windowPeriod": "5s",
        "${athlete:regex}": ATHLETE,
    }
    for name, value in told.items():
        query = query.replace(name, value)
    client: Any = InfluxDBClient(server.url, server.token, org=server.org)
    try:
        rows = [record.values for table in client.query_api().query(query) for record in table.records]
    finally:
        client.close()
    assert rows
    assert any(ATHLETE in row.values() for row in rows)
