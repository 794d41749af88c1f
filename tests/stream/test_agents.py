"""What comes from Kafka, as the route takes it."""

from __future__ import annotations

from aiokafka import TopicPartition

from stream import topics
from stream.agents import as_record
from stream.decode import decode
from stream.delivery import Fetched
from stream.records import Record


def fetched(value: bytes | None, topic: str = topics.WEARABLE) -> Record:
    return as_record(TopicPartition(topic, 3), Fetched(topic, 3, 7, 1_790_000_000_123, b"ann", value, []))


def test_a_record_keeps_its_place_and_is_stamped_in_microseconds() -> None:
    assert fetched(b"x") == Record(False, 3, 7, 1_790_000_000_123_000, b"ann", b"x")
    assert fetched(b"x", topics.VENUE).venue


def test_a_tombstone_among_telemetry_is_refused_like_any_frame_that_cannot_be_read() -> None:
    decoded = decode([fetched(None)])
    assert [(r.reason, r.record.value) for r in decoded.rejected] == [("malformed", b"")]
