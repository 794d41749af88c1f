"""``deploy/influxdb/setup.py`` against the real InfluxDB: bucket, retention, and a token that can do no more."""

from __future__ import annotations

import json
import secrets
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from stream.sinks.influx import InfluxStore
from tests.deploy.documents import DEPLOY
from tests.servers import InfluxServer

SCORE = {"athlete": "A01", "session": "s", "window_end_us": 1_750_000_000_000_000, "final": True}


def _setup(server: InfluxServer, folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    token = folder / "admin.txt"
    token.write_text(server.token + "\n")
    command: list[str | Path] = [
        sys.executable,
        DEPLOY / "influxdb/setup.py",
        "--url",
        server.url,
        "--org",
        server.org,
    ]
    return subprocess.run(
        [*command, "--admin-token-file", token, *options], capture_output=True, text=True, check=False
    )


def _buckets(server: InfluxServer, token: str) -> dict[str, Any]:
    request = urllib.request.Request(
        f"{server.url}/api/v2/buckets?limit=100", headers={"Authorization": f"Token {token}"}
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        return {bucket["name"]: bucket for bucket in json.load(answer)["buckets"]}


@pytest.mark.influx
def test_the_bucket_is_made_and_its_retention_changed_with_its_points_kept(
    influx_server: InfluxServer, tmp_path: Path
) -> None:
    name = f"setup-{secrets.token_hex(4)}"
    first = _setup(influx_server, tmp_path, "--bucket", name)
    assert first.returncode == 0, first.stderr
    token = first.stdout.strip()
    store = InfluxStore(influx_server.url, token, influx_server.org, name)
    store.write([SCORE], [])
    second = _setup(influx_server, tmp_path, "--bucket", name, "--retention-days", "3650")
    assert (second.returncode, second.stdout.strip()) == (0, token)
    assert store.count_scores() == 1
    store.close()
    (rule,) = _buckets(influx_server, influx_server.token)[name]["retentionRules"]
    assert rule["everySeconds"] == 3650 * 86400


@pytest.mark.influx
def test_the_token_sees_its_own_bucket_only(influx_server: InfluxServer, tmp_path: Path) -> None:
    name = f"setup-{secrets.token_hex(4)}"
    token = _setup(influx_server, tmp_path, "--bucket", name).stdout.strip()
    assert set(_buckets(influx_server, token)) == {name}


@pytest.mark.influx
def test_an_unknown_organisation_is_one_line_and_exit_3(influx_server: InfluxServer, tmp_path: Path) -> None:
    done = _setup(influx_server, tmp_path, "--org", "nobody")
    assert done.returncode == 3
    assert done.stdout == ""
    assert len(done.stderr.strip().splitlines()) == 1


def test_no_influxdb_is_one_line_and_exit_3(tmp_path: Path) -> None:
    token = tmp_path / "admin.txt"
    token.write_text("x")
    done = subprocess.run(
        [sys.executable, DEPLOY / "influxdb/setup.py", "--url", "http://127.0.0.1:9", "--admin-token-file", token],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 3
    assert done.stderr.startswith("InfluxDB at http://127.0.0.1:9: ")
