"""Committing by hand: what is committed, and what a rebalance in between does."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import CommitFailedError, KafkaConnectionError
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from stream.offsets import commit, offsets_after

ONE, TWO = TopicPartition("scores.live", 1), TopicPartition("scores.live", 2)


@dataclass
class Consumer:
    """aiokafka's consumer with an assignment; ``fault`` is raised by a commit."""

    held: set[TopicPartition]
    fault: Exception | None = None
    commits: list[Mapping[TopicPartition, int]] = field(default_factory=list)

    def assignment(self) -> set[TopicPartition]:
        return self.held

    async def commit(self, offsets: Mapping[TopicPartition, int]) -> None:
        if self.fault is not None:
            raise self.fault
        self.commits.append(offsets)


def app_with(consumer: Consumer) -> Any:
    """As much of a Faust app as is reached into."""

    async def call_thread(function: Callable[..., Awaitable[Any]], *arguments: Any) -> Any:
        return await function(*arguments)

    thread = SimpleNamespace(_consumer=consumer, call_thread=call_thread)
    return SimpleNamespace(consumer=SimpleNamespace(_thread=thread))


@given(st.lists(st.integers(0, 3), max_size=40))
def test_a_partition_goes_on_after_the_last_of_its_records(partitions: list[int]) -> None:
    seen = dict.fromkeys(range(4), 0)
    messages = []
    for partition in partitions:
        messages.append(SimpleNamespace(topic="scores.live", partition=partition, offset=seen[partition]))
        seen[partition] += 1
    expected = {TopicPartition("scores.live", p): count for p, count in seen.items() if count}
    assert offsets_after(messages) == expected


async def test_only_partitions_that_are_still_held_are_committed() -> None:
    consumer = Consumer({ONE})
    await commit(app_with(consumer), {ONE: 5, TWO: 9})
    assert consumer.commits == [{ONE: 5}]


async def test_without_any_partition_nothing_is_asked_of_kafka() -> None:
    consumer = Consumer(set())
    await commit(app_with(consumer), {ONE: 5})
    assert consumer.commits == []


async def test_a_commit_that_a_rebalance_overtook_is_no_fault() -> None:
    with capture_logs() as logs:
        await commit(app_with(Consumer({ONE}, fault=CommitFailedError())), {ONE: 5})
    assert len(logs) == 1


async def test_any_other_error_of_kafka_leaves() -> None:
    with pytest.raises(KafkaConnectionError):
        await commit(app_with(Consumer({ONE}, fault=KafkaConnectionError())), {ONE: 5})
