"""``docker-compose.yml``: what it starts, with which settings, in which order."""

from __future__ import annotations

import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

from stream.settings import Settings, load_settings
from tests.deploy.documents import (
    ROOT,
    check_command,
    compose,
    ours,
    services,
    unknown_settings,
    without_defaults,
)

SECONDS = re.compile(r"\d+s")


def test_the_whole_path_is_there_with_two_workers() -> None:
    assert set(services()) == {
        "kafka", "influxdb", "topics", "worker", "sink", "web", "models", "prometheus", "grafana",
    }  # fmt: skip
    assert services()["worker"]["scale"] == 2


def test_every_image_is_pinned() -> None:
    for name, service in services().items():
        image, _, tag = service["image"].partition(":")
        assert image, name
        assert re.fullmatch(r"v?\d+(\.\d+)*", tag), f"{name} runs {service['image']}"


def test_ours_is_the_version_of_the_package() -> None:
    package = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert {service["image"] for service in ours().values()} == {f"touchline:{package}"}


def test_kafka_and_influxdb_are_those_that_the_tests_run_against() -> None:
    kafka = re.search(r"<kafka\.version>(.+)</", (ROOT / "deploy/kafka/pom.xml").read_text())
    influx = re.search(r"influxdb/v2 v(\d+\.\d+)\.", (ROOT / "deploy/influxd/go.mod").read_text())
    assert kafka is not None
    assert influx is not None
    assert services()["kafka"]["image"] == f"apache/kafka:{kafka[1]}"
    assert services()["influxdb"]["image"] == f"influxdb:{influx[1]}"


@pytest.mark.parametrize("name", services())
def test_every_name_with_our_prefix_is_a_setting(name: str) -> None:
    assert unknown_settings(services()[name].get("environment", {})) == []


@pytest.mark.parametrize("name", ours())
def test_the_settings_of_a_service_are_accepted(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable, value in without_defaults(ours()[name]["environment"]).items():
        monkeypatch.setenv(variable, value)
    loaded = load_settings()
    assert loaded.broker == "kafka:19092"
    if name in ("worker", "sink"):
        assert (loaded.metrics_host, loaded.metrics_port) == ("0.0.0.0", 9100)
    if name == "models":
        assert services()[name]["ports"] == [f"127.0.0.1:{loaded.serving_port}:{loaded.serving_port}"]
        assert loaded.serving_host == "0.0.0.0"
    if name in ("web", "sink"):
        assert loaded.influx_url == "http://influxdb:8086"


@pytest.mark.parametrize("name", ours())
def test_every_command_is_one_of_ours(name: str) -> None:
    check_command(ours()[name]["command"])


def test_one_process_writes_the_ticks() -> None:
    ticking = [name for name, s in ours().items() if s["environment"].get("TOUCHLINE_WEB_TICKS") == "true"]
    assert ticking == ["web"]


def test_store_and_bootstrap_agree() -> None:
    made, used = (without_defaults(services()[name]["environment"]) for name in ("influxdb", "sink"))
    assert made["DOCKER_INFLUXDB_INIT_ORG"] == used["TOUCHLINE_INFLUX_ORG"]
    assert made["DOCKER_INFLUXDB_INIT_BUCKET"] == used["TOUCHLINE_INFLUX_BUCKET"]
    assert made["DOCKER_INFLUXDB_INIT_ADMIN_TOKEN"] == used["TOUCHLINE_INFLUX_TOKEN"]
    grafana = without_defaults(services()["grafana"]["environment"])
    assert grafana["TOUCHLINE_INFLUX_TOKEN"] == used["TOUCHLINE_INFLUX_TOKEN"]


def test_nothing_listens_beyond_this_machine() -> None:
    published = [port for service in services().values() for port in service.get("ports", ())]
    assert published
    assert all(port.startswith("127.0.0.1:") for port in published)


def test_everything_that_stays_is_restarted_and_watched() -> None:
    for name, service in services().items():
        if name == "topics":
            assert service["restart"] == "on-failure"
            continue
        assert service["restart"] == "unless-stopped", name
        assert SECONDS.fullmatch(service["healthcheck"]["interval"]), name


def test_the_order_is_broker_then_topics_then_processes() -> None:
    waits = {name: service.get("depends_on", {}) for name, service in services().items()}
    assert waits["topics"] == {"kafka": {"condition": "service_healthy"}}
    for name in ("worker", "sink", "web"):
        assert waits[name]["topics"] == {"condition": "service_completed_successfully"}
    for name in ("sink", "web", "grafana"):
        assert waits[name]["influxdb"] == {"condition": "service_healthy"}


def test_the_ready_file_does_not_outlive_a_restart() -> None:
    for name in ("worker", "sink"):
        service = ours()[name]
        ready = service["command"][service["command"].index("--ready") + 1]
        assert service["healthcheck"]["test"] == ["CMD", "test", "-f", ready]
        assert str(Path(ready).parent) in service["tmpfs"]


def test_data_are_on_volumes_that_are_declared() -> None:
    mounted = {
        volume.partition(":")[0]
        for service in services().values()
        for volume in service.get("volumes", ())
        if not volume.startswith(".")
    }
    assert mounted == set(compose()["volumes"])
    assert "kafka:/var/lib/kafka/data" in services()["kafka"]["volumes"]
    assert services()["kafka"]["environment"]["KAFKA_LOG_DIRS"] == "/var/lib/kafka/data"


def test_mounted_files_exist() -> None:
    for service in services().values():
        for volume in service.get("volumes", ()):
            if volume.startswith("."):
                assert (ROOT / volume.partition(":")[0]).exists(), volume


def test_every_variable_of_compose_stands_in_the_example() -> None:
    text = (ROOT / "docker-compose.yml").read_text()
    asked = set(re.findall(r"\$\{(\w+):?-", text))
    lines = (ROOT / "deploy/env.example").read_text().splitlines()
    assert {line.partition("=")[0] for line in lines if line and not line.startswith("#")} == asked


def test_partitions_are_those_of_the_settings_default() -> None:
    topics = without_defaults(ours()["topics"]["environment"])
    assert int(topics["TOUCHLINE_PARTITIONS"]) == Settings.model_fields["partitions"].default


def test_docker_compose_accepts_the_file() -> None:
    binary = shutil.which("docker-compose")
    if binary is None:
        pytest.skip("docker-compose is not installed")
    done = subprocess.run(
        [binary, "-f", "docker-compose.yml", "config", "-q"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
