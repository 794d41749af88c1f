"""Records become a batch; what cannot be read is counted, logged and passed over."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from stream.sinks.batch import read_batch
from stream.topics import ALERTS, SCORES
from tests.stream.sinks.examples import alert, as_event, packed, score


@dataclass
class Message:
    """A Kafka record."""

    value: bytes | None
    topic: str = SCORES
    headers: Sequence[tuple[str, bytes]] | None = None
    partition: int = 2
    offset: int = 7


def an_event(number: int) -> Message:
    headers, value = as_event(alert(number))
    return Message(value, ALERTS, headers)


def malformed() -> float:
    return (
        REGISTRY.get_sample_value("touchline_store_errors_total", {"store": "test", "reason": "malformed"})
        or 0.0
    )


def test_scores_and_alerts_are_told_apart_by_their_topic() -> None:
    batch = read_batch([Message(packed(score())), an_event(1), Message(packed(score("bea")))], "test")
    assert batch.scores == [score(), score("bea")]
    assert batch.alerts == [alert(1)]
    assert len(batch) == 3


def test_an_unreadable_record_is_counted_and_logged_and_the_others_are_read() -> None:
    before = malformed()
    records = [Message(b"\xc1"), Message(packed(score())), Message(None), Message(b"{}", ALERTS, None)]
    with capture_logs() as logs:
        batch = read_batch(records, "test")
    assert batch.scores == [score()]
    assert malformed() - before == 3
    assert [entry["event"] for entry in logs] == ["unreadable record"] * 3
    assert (logs[0]["topic"], logs[0]["partition"], logs[0]["offset"]) == (SCORES, 2, 7)
