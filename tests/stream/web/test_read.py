"""Tests of stream/web/read.py."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.topics import ALERTS, ATHLETES, SCORES
from stream.web.messages import Named
from stream.web.read import TOPICS, read
from tests.stream.web.scores import make_score

ALERT = {
    "rule": "heart_rate_high", "athlete": "a1", "session": "match", "from": "pending", "state": "firing",
    "reason": "held", "message": "high", "event_us": 5,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class KafkaRecord:
    """What aiokafka gives, as far as it is read."""

    topic: str
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...] = (("ce_id", b"1"),)
    partition: int = 0
    offset: int = 0


def packed(record: dict[str, Any]) -> bytes:
    value: bytes = msgpack.packb(record)
    return value


def test_scores_alerts_and_names_are_sorted_out() -> None:
    batch, unread = read(
        [
            KafkaRecord(SCORES, packed(make_score())),
            KafkaRecord(ALERTS, json.dumps(ALERT).encode()),
            KafkaRecord(ATHLETES, packed({"v": 1, "athlete": "a1", "name": "Ada", "squad": None})),
        ]
    )
    assert [score["athlete"] for score in batch.scores] == ["a1"]
    assert [alert.state for alert in batch.alerts] == ["firing"]
    assert batch.named == [Named("a1", "Ada", None)]
    assert unread == []


def test_an_athlete_taken_out_of_the_topic_is_no_fault() -> None:
    assert read([KafkaRecord(ATHLETES, None)])[1] == []


@pytest.mark.parametrize("topic", TOPICS)
def test_a_bad_record_is_named_and_the_rest_is_read(topic: str) -> None:
    batch, unread = read([KafkaRecord(topic, b"\xc1"), KafkaRecord(SCORES, packed(make_score()))])
    assert [(one.topic, bool(one.reason)) for one in unread] == [(topic, True)]
    assert len(batch.scores) == 1


@given(st.sampled_from(TOPICS), st.binary(min_size=1))
def test_no_bytes_raise(topic: str, value: bytes) -> None:
    _, unread = read([KafkaRecord(topic, value)])
    assert len(unread) <= 1
