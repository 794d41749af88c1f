"""Two real servers, each alone on loopback in a folder of its own: Apache Kafka (KRaft, one node) and InfluxDB 2.

The builds come from ``deploy/kafka/build.sh`` and ``deploy/influxd/build.sh``; nothing here builds or downloads.
A server keeps port and folder when it is stopped or killed, so that it comes back with its data; leaving the ``with``
(or ``close``) removes the folder.
"""

from __future__ import annotations

import http.client
import json
import os
import re
import secrets
import shutil
import socket
import struct
import subprocess
import tempfile
import time
from abc import ABC, abstractmethod
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Any, Final, NoReturn, Self

from touchline.embedded import die_with_parent

DEPLOY: Final = Path(__file__).resolve().parent.parent / "deploy"
READY_S: Final = 120.0  # Kafka takes 6 s alone, 30 s on two cores that eight others want
STOP_S: Final = 15.0
POLL_S: Final = 0.05
LOG_TAIL_LINES: Final = 30

# Linux ends a child with the *thread* that started it. This one lives as long as the interpreter, so a server may be
# started from a short-lived thread (asyncio.to_thread) too.
_STARTER: Final = ThreadPoolExecutor(max_workers=1, thread_name_prefix="servers")


class ServerFailed(RuntimeError):
    """A server ended or did not answer in time; the message carries the end of its log."""


def cache_dir() -> Path:
    """Where the build scripts put what they build."""
    return Path(os.environ.get("TOUCHLINE_CACHE") or Path.home() / ".cache/touchline")


def kafka_libs() -> Path | None:
    """The folder of jars of the Kafka version that ``deploy/kafka/pom.xml`` names; None where it is not built."""
    version = _version("kafka/pom.xml", r"<kafka\.version>(.+)</kafka\.version>")
    libs = cache_dir() / "kafka" / version / "libs"
    return libs if libs.is_dir() else None


def influxd_binary() -> Path | None:
    """The influxd of the version that ``deploy/influxd/go.mod`` names; None where it is not built."""
    version = _version("influxd/go.mod", r"github\.com/influxdata/influxdb/v2 (v\S+)")
    binary = cache_dir() / "influxd" / version / "influxd"
    return binary if binary.is_file() else None


def _version(file: str, pattern: str) -> str:
    found = re.search(pattern, (DEPLOY / file).read_text())
    if found is None:
        raise ValueError(f"deploy/{file} names no version ({pattern})")
    return found[1]


def fixed_port() -> int:
    """A free loopback port below Linux's ephemeral range (32768 and up).

    A server that is away for a while must find its port free again. In the ephemeral range an outgoing connection may
    have taken it, or a client that retries may have connected to itself on it.
    """
    for _ in range(100):
        port = 20_000 + secrets.randbelow(12_000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise ServerFailed("no free loopback port between 20000 and 32000")


class Server(ABC):
    """A child process with a port and a folder. It ends with this process, at the latest."""

    def __init__(self, name: str) -> None:
        self.port = fixed_port()
        self._name = name
        self._temporary = tempfile.TemporaryDirectory(prefix=f"touchline-{name}-")
        self.folder = Path(self._temporary.name)
        self.log = self.folder / "server.log"
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        """Start and wait until it answers."""
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop and remove the folder."""
        self.close()

    @property
    def running(self) -> bool:
        """Whether the process is there."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start and wait until it answers; raises ServerFailed after READY_S. Nothing to do where it runs."""
        if self.running:
            return
        self._prepare()
        with self.log.open("ab") as log:
            self._process = _STARTER.submit(self._spawn, log.fileno()).result()
        deadline = time.monotonic() + READY_S
        while not self._answers():
            if not self.running or time.monotonic() > deadline:
                self._fail()
            time.sleep(POLL_S)
        self._after_start()

    def stop(self) -> None:
        """End it in good order, within STOP_S; the data stay. Harmless when it is not running."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(timeout=STOP_S)
        except subprocess.TimeoutExpired:
            self.kill()
        self._process = None

    def kill(self) -> None:
        """End it at once (SIGKILL), as a crash would; the data stay as they are. Harmless when it is not running."""
        if self._process is None:
            return
        self._process.kill()
        self._process.wait()
        self._process = None

    def restart(self) -> None:
        """Stop it where it runs and start it on the same port with the same data."""
        self.stop()
        self.start()

    def close(self) -> None:
        """Stop and remove the folder; it cannot be started again."""
        self.stop()
        self._temporary.cleanup()

    def log_tail(self) -> str:
        """The last lines that it wrote."""
        text = self.log.read_text(errors="replace") if self.log.exists() else ""
        return "\n".join(text.splitlines()[-LOG_TAIL_LINES:])

    @abstractmethod
    def _command(self) -> list[str]: ...

    @abstractmethod
    def _answers(self) -> bool: ...

    def _prepare(self) -> None:  # noqa: B027 (not every server needs it)
        """Before each start."""

    def _after_start(self) -> None:  # noqa: B027 (as above)
        """Once it answers, at each start."""

    def _spawn(self, log: int) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            self._command(), cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            preexec_fn=die_with_parent,  # noqa: PLW1509 (one prctl)
        )  # fmt: skip

    def _fail(self) -> NoReturn:
        status = None if self._process is None else self._process.poll()
        what = f"did not answer within {READY_S:.0f} s" if status is None else f"ended with status {status}"
        self.kill()
        raise ServerFailed(f"{self._name} on port {self.port} {what}. Its log ends:\n{self.log_tail()}")


class KafkaServer(Server):
    """Apache Kafka: broker and controller in one process. ``libs``: its jars. Topics are made on first use.

    Internal topics have one partition and one replica, and a group is formed without the usual wait.
    """

    HEAP: Final = "-Xmx512m"
    CLUSTER_ID: Final = "dG91Y2hsaW5lLXRlc3RzIQ"  # 16 bytes in base64

    def __init__(self, libs: Path) -> None:
        super().__init__("kafka")
        self.bootstrap = f"127.0.0.1:{self.port}"
        self._libs = libs
        self._settings = self.folder / "server.properties"

    def _java(self, *arguments: str) -> list[str]:
        java = shutil.which("java")
        if java is None:
            raise ServerFailed("kafka needs 'java' (17 or newer)")
        config = f"-Dlog4j2.configurationFile={DEPLOY / 'kafka/log4j2.yaml'}"
        return [java, self.HEAP, config, "-cp", f"{self._libs}/*", *arguments]

    def _command(self) -> list[str]:
        return self._java("kafka.Kafka", str(self._settings))

    def _prepare(self) -> None:
        if self._settings.exists():
            return
        controller = fixed_port()
        settings = {
            "process.roles": "broker,controller",
            "node.id": 1,
            "controller.quorum.voters": f"1@127.0.0.1:{controller}",
            "controller.listener.names": "CONTROLLER",
            "listeners": f"PLAINTEXT://{self.bootstrap},CONTROLLER://127.0.0.1:{controller}",
            "advertised.listeners": f"PLAINTEXT://{self.bootstrap}",
            "log.dirs": self.folder / "data",
            # After a kill the controller takes the broker back only when its old session is over: 9 s by default.
            "broker.session.timeout.ms": 2000,
            "broker.heartbeat.interval.ms": 500,
            "group.initial.rebalance.delay.ms": 0,
            "offsets.topic.num.partitions": 1,
            "offsets.topic.replication.factor": 1,
            "transaction.state.log.num.partitions": 1,
            "transaction.state.log.replication.factor": 1,
            "transaction.state.log.min.isr": 1,
            "share.coordinator.state.topic.num.partitions": 1,
            "share.coordinator.state.topic.replication.factor": 1,
            "share.coordinator.state.topic.min.isr": 1,
        }
        self._settings.write_text("".join(f"{key}={value}\n" for key, value in settings.items()))
        done = subprocess.run(
            self._java("kafka.tools.StorageTool", "format", "-t", self.CLUSTER_ID, "-c", str(self._settings)),
            check=False, capture_output=True, text=True, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        if done.returncode != 0:
            self._settings.unlink()
            raise ServerFailed(f"kafka's storage cannot be formatted:\n{done.stdout}{done.stderr}")

    def _answers(self) -> bool:
        """Whether the cluster counts a live broker: the port alone answers before that."""
        try:
            return _live_brokers(self.port) > 0
        except OSError:
            return False


def _live_brokers(port: int) -> int:
    """Ask for the metadata of no topic (Metadata v1) and read how many brokers there are; raises OSError."""
    client = b"touchline-tests"
    request = struct.pack(f">hhih{len(client)}si", 3, 1, 0, len(client), client, 0)
    with socket.create_connection(("127.0.0.1", port), timeout=2) as connection:
        connection.sendall(struct.pack(">i", len(request)) + request)
        with connection.makefile("rb") as answer:
            head = answer.read(12)  # size, correlation id, number of brokers
    if len(head) < 12:
        raise ConnectionError("the broker hung up")
    brokers: int = struct.unpack(">iii", head)[2]
    return brokers


class InfluxServer(Server):
    """InfluxDB 2 with one organisation, one bucket without retention and a token that may do everything."""

    def __init__(self, binary: Path) -> None:
        super().__init__("influxd")
        self.url = f"http://127.0.0.1:{self.port}"
        self.org = "touchline"
        self.bucket = "tests"
        self.token = "touchline-tests"
        self._binary = binary

    def _command(self) -> list[str]:
        return [
            str(self._binary), "run",
            "--http-bind-address", f"127.0.0.1:{self.port}",
            "--bolt-path", str(self.folder / "influxd.bolt"),
            "--sqlite-path", str(self.folder / "influxd.sqlite"),
            "--engine-path", str(self.folder / "engine"),
            "--reporting-disabled", "--ui-disabled", "--log-level", "error",
        ]  # fmt: skip

    def _answers(self) -> bool:
        try:
            return self._ask("GET", "/health")[0] == http.HTTPStatus.OK
        except (OSError, http.client.HTTPException):
            return False

    def _after_start(self) -> None:
        """Make user, organisation, bucket and token, once."""
        if not self._ask("GET", "/api/v2/setup")[1]["allowed"]:
            return
        wanted = {
            "username": "tests", "password": "touchline-tests", "token": self.token,
            "org": self.org, "bucket": self.bucket, "retentionPeriodSeconds": 0,
        }  # fmt: skip
        status, answer = self._ask("POST", "/api/v2/setup", wanted)
        if status != http.HTTPStatus.CREATED:
            self.kill()
            raise ServerFailed(f"influxd refused its setup: {status} {answer}")

    def _ask(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request(method, path, None if body is None else json.dumps(body))
            answer = connection.getresponse()
            return answer.status, json.load(answer)
        finally:
            connection.close()
