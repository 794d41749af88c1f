"""Messages as they go out: scores, CloudEvents, refused frames."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgpack
import pytest
from cloudevents.kafka import KafkaMessage, from_binary
from hypothesis import given, settings
from hypothesis import strategies as st

from stream import topics
from stream.alert import Rule, Transition
from stream.because import Pushed
from stream.decode import decode
from stream.publish import SOURCE, Message, alert_data, alert_message, rejected_message, score_message
from stream.records import REJECT_REASONS, Frame, Record, Rejected, encode_frame
from tests.stream.feeding import Log, heart, make_route, us

PAGE = (Path(__file__).parents[2] / "docs/reference/encodings.md").read_text()
RULE = Rule("heart_rate_high", "heart_rate_share", "% of maximal heart rate", raise_at=92, clear_below=88)
AT_US = us(0)
FIRED = Transition(
    rule=RULE,
    athlete="åsa",
    session="s",
    partition=3,
    before="pending",
    state="firing",
    reason="held",
    event_us=1_760_000_012_345_678,
    value=93.5,
    inputs=(Pushed("heart_rate", 187.0, "bpm"),),
)


def headers(message: Message) -> dict[str, str]:
    return {name: value.decode() for name, value in message.headers}


def data(transition: Transition) -> dict[str, Any]:
    message = alert_message(transition)
    assert message.value is not None
    return dict(json.loads(message.value))


def test_a_score_goes_to_its_partition_with_the_time_of_publishing() -> None:
    log = Log()
    log.send(0, heart(100), athlete="åsa", end=True)
    ((partition, record),) = make_route().push(log.records).scores
    message = score_message(partition, record, 123)
    assert (message.topic, message.partition, message.key) == (topics.SCORES, 0, "åsa".encode())
    assert message.value is not None
    unpacked = msgpack.unpackb(message.value)
    assert msgpack.packb(unpacked) == message.value
    assert unpacked["lineage"].pop("scored_us") == 123
    assert unpacked == record
    assert "scored_us" not in record["lineage"]


def test_an_alert_is_a_cloud_event_in_binary_mode() -> None:
    message = alert_message(FIRED)
    assert (message.topic, message.partition, message.key) == (topics.ALERTS, 3, "åsa".encode())
    found = headers(message)
    assert found["ce_specversion"] == "1.0"
    assert found["ce_type"] == "touchline.alert.firing"
    assert found["ce_source"] == SOURCE == "touchline/worker"
    assert found["ce_time"] == "2025-10-09T08:53:32.345678+00:00"
    assert found["content-type"] == "application/json"
    assert found["ce_id"] == "heart_rate_high:åsa:pending-firing:1760000012345678"


def test_the_headers_are_those_written_down() -> None:
    body = PAGE.split("## Alert (CloudEvents", 1)[1].split("## ", 1)[0]
    sentence = body.split("Headers ", 1)[1].split("Data:", 1)[0]
    written = set(re.findall(r"`(ce_[a-z]+)`", sentence)) | {"content-type"}
    assert written <= set(headers(alert_message(FIRED)))


def test_the_library_reads_the_event_back() -> None:
    message = alert_message(FIRED)
    assert message.value is not None
    event = from_binary(KafkaMessage(dict(message.headers), message.key, message.value))
    assert event["subject"] == "åsa"
    assert event.data["rule"] == "heart_rate_high"


def test_its_data_has_the_keys_that_are_written_down() -> None:
    body = PAGE.split("## Alert (CloudEvents", 1)[1].split("\n## ", 1)[0]
    rows = [line.split("|")[1] for line in body.splitlines() if line.startswith("| `")]
    assert set(data(FIRED)) == {name for row in rows for name in re.findall(r"`([^`]+)`", row)}


def test_its_data_says_what_happened_in_words_and_numbers() -> None:
    found = data(FIRED)
    assert found["from"] == "pending"
    assert found["state"] == "firing"
    assert found["value"] == 93.5
    assert found["threshold"] == 92
    assert found["unit"] == "% of maximal heart rate"
    assert found["inputs"] == [{"name": "heart_rate", "value": 187.0, "unit": "bpm", "push": None}]
    words = "åsa: heart rate high firing (held): 93.5 against 92 % of maximal heart rate"
    assert found["message"] == words


def test_of_a_models_score_the_words_say_what_pushed_it() -> None:
    risk = Rule("injury_risk", "injury_risk", "probability", raise_at=0.05, clear_below=0.04)
    why = (Pushed("load", 912.34, "AU", 0.0123), Pushed("sleep_quality", 4.0, "of 5", -0.002))
    found = alert_data(replace(FIRED, rule=risk, value=0.0612, inputs=why))
    assert found["message"].endswith(
        ": 0.0612 against 0.05 probability; pushed by load 912.3 AU (+0.012), sleep quality 4 of 5 (-0.002)"
    )
    assert found["inputs"][0] == {"name": "load", "value": 912.34, "unit": "AU", "push": 0.0123}


def test_a_silence_has_no_value_and_no_threshold() -> None:
    silence = replace(
        FIRED, rule=Rule("sensor_silent", "silence", "s without a frame"), value=None, inputs=()
    )
    found = alert_data(silence)
    assert found["value"] is None
    assert found["threshold"] is None
    assert found["message"] == "åsa: sensor silent firing (held)"


def test_what_is_cleared_is_compared_with_the_lower_level() -> None:
    cleared = replace(FIRED, before="firing", state="resolved", reason="cleared", value=80.0)
    assert cleared.message.endswith("80 against 88 % of maximal heart rate")


@pytest.mark.parametrize(
    "other",
    [
        {"athlete": "b"}, {"event_us": 1}, {"before": "stale"}, {"state": "stale"},
        {"rule": replace(RULE, name="other")},
    ],
)  # fmt: skip
def test_an_id_is_made_of_rule_athlete_transition_and_event_time(other: dict[str, Any]) -> None:
    first, again = headers(alert_message(FIRED)), headers(alert_message(replace(FIRED)))
    assert first["ce_id"] == again["ce_id"]
    assert headers(alert_message(replace(FIRED, **other)))["ce_id"] != first["ce_id"]


def test_what_was_compared_and_when_it_was_published_is_no_part_of_the_id() -> None:
    assert (
        headers(alert_message(replace(FIRED, value=1.0)))["ce_id"] == headers(alert_message(FIRED))["ce_id"]
    )


@settings(max_examples=50, deadline=None)
@given(st.integers(946_684_800_000_000, 4_102_444_799_999_999))
def test_event_time_keeps_its_microseconds(event_us: int) -> None:
    text = headers(alert_message(replace(FIRED, event_us=event_us)))["ce_time"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?\+00:00", text)
    fraction = text.split(".")[1][:6] if "." in text else "000000"
    assert int(fraction) == event_us % 1_000_000


@pytest.mark.parametrize(("venue", "topic"), [(False, topics.WEARABLE), (True, topics.VENUE)])
def test_a_refused_frame_keeps_its_bytes_and_says_why_and_whence(venue: bool, topic: str) -> None:
    record = Record(venue, 2, 77, 0, b"\xff", b"\x00\xff")
    message = rejected_message(Rejected(record, "malformed", "cut off: ü"))
    assert (message.topic, message.partition) == (topics.REJECTED, 2)
    assert (message.key, message.value) == (b"\xff", b"\x00\xff")
    expected = {
        "reason": "malformed",
        "detail": "cut off: ü",
        "topic": topic,
        "partition": "2",
        "offset": "77",
    }
    assert headers(message) == expected


def test_a_refused_frame_without_a_key_has_none() -> None:
    message = rejected_message(Rejected(Record(True, 0, 0, 0, None, b""), "oversized"))
    assert message.key is None
    assert headers(message)["detail"] == ""


def test_the_headers_of_a_refused_frame_are_those_written_down() -> None:
    body = PAGE.split("## Rejected frame", 1)[1].split("\n## ", 1)[0]
    written = set(re.findall(r"`([a-z]+)`", body.split(" of the original record", 1)[0]))
    found = headers(rejected_message(Rejected(Record(True, 0, 0, 0, None, b""), "oversized")))
    assert written == set(found)
    assert found["reason"] in REJECT_REASONS


def test_a_record_as_big_as_a_broker_takes_goes_out_again() -> None:
    """Whatever its parts: with its headers it stays below a mebibyte."""
    for key, value in ((b"a", bytes(2**20)), (b"k" * 2**20, b"v"), (None, b"v" * (2**20 - 1))):
        record = Record(False, 0, 0, AT_US, key, value)
        (rejected,) = decode([record]).rejected
        message = rejected_message(rejected)
        size = (
            len(message.key or b"")
            + len(message.value or b"")
            + sum(len(n) + len(v) for n, v in message.headers)
        )
        assert size < 2**20 - 1000
        assert message.value is not None
        assert value.startswith(message.value)


def test_an_oversized_frame_keeps_all_its_bytes_up_to_half_a_mebibyte() -> None:
    value = bytes(range(256)) * 1024
    (rejected,) = decode([Record(False, 0, 0, AT_US, b"a", value)]).rejected
    assert rejected.reason == "oversized"
    assert rejected_message(rejected).value == value


def test_a_key_that_is_wrong_does_not_fill_the_detail() -> None:
    frame = encode_frame(Frame("a", "d", "s", 1, 0, AT_US, heart(100)))
    (rejected,) = decode([Record(False, 0, 0, AT_US, b"\xff" * 100_000, frame)]).rejected
    assert rejected.reason == "wrong_key"
    assert len(headers(rejected_message(rejected))["detail"]) <= 300
