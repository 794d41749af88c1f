"""The broker of ``docker-compose.yml``, on the real one: its settings start it and our topics can be made."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator

import pytest

from stream.admin import check_topics, create_topics
from tests.deploy.documents import ours, services, without_defaults
from tests.servers import KafkaServer, fixed_port, kafka_libs

pytestmark = [pytest.mark.kafka, pytest.mark.slow]


class ComposeKafka(KafkaServer):
    """Apache Kafka with the settings of compose, on loopback, free ports and a folder of its own."""

    def _prepare(self) -> None:
        environment = services()["kafka"]["environment"]
        entries = {
            name.removeprefix("KAFKA_").lower().replace("_", "."): value
            for name, value in environment.items()
            if name.startswith("KAFKA_")
        }
        text = "".join(f"{name}={value}\n" for name, value in entries.items())
        text = text.replace(environment["KAFKA_LOG_DIRS"], str(self.folder / "data"))
        ports = {"19092": self.port, "9092": fixed_port(), "29093": fixed_port()}
        text = re.sub(r"(?<=:)(19092|9092|29093)\b", lambda match: str(ports[match[1]]), text)
        self._settings.write_text(text.replace("kafka:", "127.0.0.1:").replace("//:", "//127.0.0.1:"))
        format_it = ["kafka.tools.StorageTool", "format", "-t", environment["CLUSTER_ID"]]
        subprocess.run(self._java(*format_it, "-c", str(self._settings)), check=True, capture_output=True)


@pytest.fixture(scope="module")
def broker(kafka_server: KafkaServer) -> Iterator[str]:
    """Address of a broker as compose would start it."""
    assert kafka_server.running, "it is built, then"
    libs = kafka_libs()
    assert libs is not None
    with ComposeKafka(libs) as server:
        yield server.bootstrap


async def test_the_topics_service_finds_what_it_needs(broker: str) -> None:
    wanted = without_defaults(ours()["topics"]["environment"])
    partitions, replication = int(wanted["TOUCHLINE_PARTITIONS"]), int(wanted["TOUCHLINE_REPLICATION"])
    assert len(await create_topics(broker, partitions, replication)) == 9
    assert await check_topics(broker) == (partitions, [])
    assert await create_topics(broker, partitions, replication) == []
