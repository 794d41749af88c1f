"""A worker in its group, on Apache Kafka: it stays a member however long it takes to be ready."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from stream.admin import create_topics
from stream.app import create_worker
from stream.infer import Engine
from stream.labels import Labels
from stream.settings import load_settings
from tests.servers import KafkaServer
from tests.stream.test_follow import FakeFleet

pytestmark = [pytest.mark.slow, pytest.mark.kafka]

#: Longer than a member may be silent before its group goes on without it (10 s).
LOADS_S = 14.0


class SlowFleet(FakeFleet):
    """A registry whose networks take long to load."""

    def start(self) -> tuple[Engine, Mapping[str, Labels]]:
        time.sleep(LOADS_S)
        return super().start()


async def test_a_worker_that_takes_long_to_be_ready_is_in_its_group_all_the_while(
    own_kafka: KafkaServer, tmp_path: Path
) -> None:
    await create_topics(own_kafka.bootstrap, 4)
    ready, assigned = tmp_path / "ready", []
    settings = load_settings(broker=own_kafka.bootstrap)
    app: Any = create_worker(settings, SlowFleet(), ready)

    async def note(_: Any, partitions: Any, **_kwargs: Any) -> None:
        assigned.append(len(partitions))

    app.on_partitions_assigned.connect(note)
    app.finalize()
    await app.start()
    try:
        await asyncio.sleep(2 * LOADS_S)  # long enough to be put out and come back, if it were
        assert ready.exists()
    finally:
        await app.stop()
    assert assigned == [8], "both logs of four partitions, once"
