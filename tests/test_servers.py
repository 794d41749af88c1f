"""The two real servers of ``tests/servers.py``: each starts, answers, and comes back from a kill with its data."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
import uuid
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from influxdb_client.client.influxdb_client import InfluxDBClient
from influxdb_client.client.write_api import SYNCHRONOUS

from tests.servers import InfluxServer, KafkaServer, Server, ServerFailed, fixed_port

pytestmark = pytest.mark.slow
pytest_plugins = ["tests.servers_fixtures"]


async def produce(server: KafkaServer, topic: str, values: list[bytes]) -> None:
    async with AIOKafkaProducer(
        bootstrap_servers=server.bootstrap, acks="all", enable_idempotence=True
    ) as producer:
        for value in values:
            await producer.send_and_wait(topic, value, partition=0)


async def read(server: KafkaServer, topic: str, count: int) -> list[bytes]:
    async with AIOKafkaConsumer(bootstrap_servers=server.bootstrap, auto_offset_reset="earliest") as consumer:
        consumer.assign([TopicPartition(topic, 0)])
        return [(await asyncio.wait_for(consumer.getone(), 60)).value for _ in range(count)]


@pytest.mark.kafka
async def test_kafka_keeps_records_and_committed_offsets_over_a_kill(kafka_server: KafkaServer) -> None:
    topic = f"servers-{uuid.uuid4().hex}"
    await produce(kafka_server, topic, [b"one", b"two"])
    assert await read(kafka_server, topic, 2) == [b"one", b"two"]

    partition = TopicPartition(topic, 0)
    async with AIOKafkaConsumer(
        bootstrap_servers=kafka_server.bootstrap, group_id=topic, enable_auto_commit=False
    ) as consumer:
        consumer.assign([partition])
        await consumer.commit({partition: 1})

    bootstrap = kafka_server.bootstrap
    kafka_server.kill()
    assert not kafka_server.running
    await asyncio.to_thread(kafka_server.restart)
    assert kafka_server.bootstrap == bootstrap

    await produce(kafka_server, topic, [b"three"])
    assert await read(kafka_server, topic, 3) == [b"one", b"two", b"three"]
    async with AIOKafkaConsumer(
        bootstrap_servers=bootstrap, group_id=topic, enable_auto_commit=False
    ) as consumer:
        consumer.assign([partition])
        assert await consumer.committed(partition) == 1


@pytest.mark.kafka
async def test_kafka_shares_a_topic_among_a_group(kafka_server: KafkaServer) -> None:
    topic = f"servers-{uuid.uuid4().hex}"
    await produce(kafka_server, topic, [b"one"])
    async with AIOKafkaConsumer(
        topic, bootstrap_servers=kafka_server.bootstrap, group_id=topic, auto_offset_reset="earliest"
    ) as consumer:
        assert (await asyncio.wait_for(consumer.getone(), 60)).value == b"one"


def written(server: InfluxServer, measurement: str) -> list[tuple[str, float]]:
    """Every (athlete, value) of the measurement, by Flux."""
    flux = f"""from(bucket: "{server.bucket}") |> range(start: 0)
        |> filter(fn: (r) => r._measurement == "{measurement}") |> group() |> sort(columns: ["athlete"])"""
    with InfluxDBClient(server.url, server.token, org=server.org) as client:
        tables = client.query_api().query(flux)
    return [(record["athlete"], record["_value"]) for table in tables for record in table.records]


@pytest.mark.influx
def test_influxdb_keeps_points_over_a_kill(influx_server: InfluxServer) -> None:
    measurement = f"servers_{uuid.uuid4().hex}"
    with InfluxDBClient(influx_server.url, influx_server.token, org=influx_server.org) as client:
        lines = [
            f"{measurement},athlete=a score=1.5 1700000000",
            f"{measurement},athlete=b score=2.5 1700000000",
        ]
        client.write_api(write_options=SYNCHRONOUS).write(
            influx_server.bucket, record=lines, write_precision="s"
        )
    assert written(influx_server, measurement) == [("a", 1.5), ("b", 2.5)]

    influx_server.kill()
    assert not influx_server.running
    influx_server.restart()
    assert written(influx_server, measurement) == [("a", 1.5), ("b", 2.5)]


class Stub(Server):
    """A server without a server: runs the given shell line."""

    def __init__(self, line: str) -> None:
        super().__init__("stub")
        self._line = line

    def _command(self) -> list[str]:
        return ["sh", "-c", self._line]

    def _answers(self) -> bool:
        return False


def test_a_server_that_ends_at_once_shows_its_log_and_leaves_no_folder() -> None:
    server = Stub("echo no such option; exit 7")
    with pytest.raises(ServerFailed, match=r"status 7.*\n.*no such option"), server:
        pass
    assert not server.folder.exists()


def test_a_server_that_never_answers_is_given_up_and_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.servers.READY_S", 0.2)
    server = Stub("exec sleep 60")
    with pytest.raises(ServerFailed, match="did not answer"), server:
        pass
    assert not server.running


def test_ports_are_outside_the_range_of_outgoing_connections() -> None:
    limits = Path("/proc/sys/net/ipv4/ip_local_port_range")
    lowest = int(limits.read_text().split()[0]) if limits.exists() else 32_768
    assert all(1024 < fixed_port() < lowest for _ in range(20))


@pytest.mark.skipif(sys.platform != "linux", reason="PR_SET_PDEATHSIG is Linux'")
def test_a_server_ends_with_a_parent_that_is_killed(tmp_path: Path) -> None:
    script = """
import os, pathlib, signal, sys
from tests.test_servers import Stub
class Ready(Stub):
    def _answers(self): return True
server = Ready("exec sleep 60")
server.start()
pathlib.Path(sys.argv[1]).write_text(f"{server._process.pid} {server.folder}")
os.kill(os.getpid(), signal.SIGKILL)
"""
    note = tmp_path / "note"
    root = Path(__file__).resolve().parent.parent
    subprocess.run([sys.executable, "-c", script, str(note)], check=False, cwd=root)
    pid, folder = note.read_text().split()
    Path(folder, "server.log").unlink()
    Path(folder).rmdir()
    deadline = time.monotonic() + 20
    while _alive(int(pid)):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def _alive(pid: int) -> bool:
    """Whether the process runs; one that only waits to be reaped does not."""
    try:
        os.kill(pid, 0)
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text()
    except (ProcessLookupError, FileNotFoundError):
        return False
