"""``docs/reference/asyncapi.yaml`` against the code: its topics, and records as the worker really makes them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

import msgpack
import numpy as np
import pytest
import yaml
from jsonschema import Draft7Validator  # type: ignore[import-untyped]

from sim.sessions import SessionConfig, simulate_session
from stream.alert import STATES, Rule
from stream.clock import Clock
from stream.publish import Message, alert_message, rejected_message, score_message
from stream.records import CHANNELS, FRAME_VERSION, REJECT_REASONS, Record
from stream.roster import Roster
from stream.route import Outputs, Route
from stream.score import LIVE, TOTALS
from stream.topics import TOPICS, VENUE
from tests.fakes import FakeEngine

DOCUMENT: Final[dict[str, Any]] = yaml.safe_load(
    (Path(__file__).resolve().parent.parent / "docs/reference/asyncapi.yaml").read_text()
)
CHANNEL: Final = {channel["address"]: channel for channel in DOCUMENT["channels"].values()}
SCHEMAS: Final = DOCUMENT["components"]["schemas"]
START_US: Final = 1_760_000_000_000_000
#: Whatever happens, something of it fires.
RULES: Final = (
    Rule("risk", "injury_risk", "probability", raise_at=0.001),
    Rule("heart", "heart_rate_share", "%", raise_at=30, clear_below=20),
    Rule("silent", "silence", "s"),
)


def validator(schema: Mapping[str, Any]) -> Draft7Validator:
    """A schema of the document, with the document's references."""
    return Draft7Validator({**schema, "components": DOCUMENT["components"]})


def written(value: Any) -> Any:
    """A record as the document writes it: bytes as text."""
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, dict):
        return {key: written(inner) for key, inner in value.items()}
    return [written(inner) for inner in value] if isinstance(value, list) else value


def resolved(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """A schema, or the one it refers to."""
    return SCHEMAS[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema


def undocumented(value: Any, schema: Mapping[str, Any], path: str = "") -> Iterator[str]:
    """Keys of a record that the schema does not name."""
    schema = resolved(schema)
    for part in schema.get("allOf", ()):
        schema = {**schema, **resolved(part)} if "properties" not in schema else schema
    if isinstance(value, list) and "items" in schema:
        for inner in value:
            yield from undocumented(inner, schema["items"], path)
    if isinstance(value, dict) and "properties" in schema:
        for key, inner in value.items():
            if key not in schema["properties"]:
                yield f"{path}/{key}"
            yield from undocumented(inner, schema["properties"].get(key, {}), f"{path}/{key}")


def complaints(value: Any, name: str) -> list[str]:
    """What a schema has against a record, and what it does not know of it."""
    wrong = [
        f"{'/'.join(map(str, error.path))}: {error.message[:200]}"
        for error in validator(SCHEMAS[name]).iter_errors(value)
    ]
    return wrong + list(undocumented(value, SCHEMAS[name]))


@cache
def session() -> tuple[list[Record], list[dict[str, Any]], list[dict[str, Any]]]:
    """A simulated minute of two athletes: its records, the athletes', the session's."""
    made = simulate_session(SessionConfig(2, 60, START_US), np.random.default_rng(1))
    records = [
        Record(delivery.topic == VENUE, 0, offset, delivery.at_us, delivery.key, delivery.value)
        for offset, delivery in enumerate(made.deliveries)
    ]
    broken = Record(False, 0, len(records), records[-1].at_us, b"A01", b"\xc1")
    return [*records, broken], made.athletes, made.sessions


@cache
def outputs() -> Outputs:
    """What the route makes of it."""
    records, athletes, sessions = session()
    people = Roster({a["athlete"]: a for a in athletes}, {s["session"]: s for s in sessions})
    return Route(Clock(500_000, 2_000_000, 10_000_000), RULES, FakeEngine(), people).push(records)


def headers(message: Message) -> dict[str, str]:
    """Headers as text."""
    return {name: value.decode() for name, value in message.headers}


def test_its_channels_are_the_topics_with_their_clean_up_and_retention() -> None:
    assert set(CHANNEL) == {spec.name for spec in TOPICS}
    for spec in TOPICS:
        kafka = CHANNEL[spec.name]["bindings"]["kafka"]
        config = {**kafka["topicConfiguration"]}
        config["cleanup.policy"] = ",".join(config["cleanup.policy"])
        assert {key: str(value) for key, value in config.items()} == spec.config
        assert kafka.get("partitions") == (None if spec.partitioned else 1)


def test_every_reference_leads_somewhere() -> None:
    def references(value: Any) -> Iterator[str]:
        inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
        if isinstance(value, dict) and isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for entry in inner:
            yield from references(entry)

    for reference in references(DOCUMENT):
        found = DOCUMENT
        for part in reference.removeprefix("#/").split("/"):
            found = found[part]


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_schema_is_one(name: str) -> None:
    Draft7Validator.check_schema(SCHEMAS[name])


def test_reasons_channels_and_states_are_those_of_the_code() -> None:
    rejected = DOCUMENT["components"]["messages"]["rejected"]["headers"]["properties"]["reason"]
    assert rejected["enum"] == list(REJECT_REASONS)
    for group, channels in CHANNELS.items():
        (items,) = (part["properties"] for part in SCHEMAS["frame"]["properties"][group]["allOf"][1:])
        assert items["channels"]["items"]["enum"] == list(channels)
    assert SCHEMAS["alert"]["properties"]["from"]["enum"] == list(STATES)
    assert SCHEMAS["frame"]["properties"]["v"]["const"] == FRAME_VERSION


def test_metrics_of_a_score_are_those_of_the_code() -> None:
    properties = SCHEMAS["score"]["properties"]
    assert properties["live"]["propertyNames"]["enum"] == list(LIVE)
    assert properties["totals"]["propertyNames"]["enum"] == list(TOTALS)


def test_frames_and_ticks_are_as_documented() -> None:
    seen = set()
    for record in session()[0][:-1]:
        packed = written(msgpack.unpackb(record.value))
        name = "tick" if "tick" in packed else "frame"
        seen |= {name, *packed}
        assert complaints(packed, name) == []
    assert set(CHANNELS) & seen >= {"imu", "position", "heart"}


def test_athletes_and_sessions_are_as_documented() -> None:
    _, athletes, sessions = session()
    for athlete in athletes:
        assert complaints(athlete, "athlete") == []
    for entry in sessions:
        assert complaints(entry, "session") == []


def test_scores_are_as_documented() -> None:
    scores = [score_message(partition, record, START_US) for partition, record in outputs().scores]
    assert len(scores) >= 100
    unpacked = [msgpack.unpackb(message.value) for message in scores]
    assert [complaint for score in unpacked for complaint in complaints(score, "score")] == []
    assert any(score["forecast"]["heart_rate"] for score in unpacked)
    assert any(score["alerts"] for score in unpacked)


def test_alerts_are_as_documented() -> None:
    messages = [alert_message(transition) for transition in outputs().alerts]
    assert {headers(message)["ce_type"].rpartition(".")[2] for message in messages} >= {"firing", "resolved"}
    for message in messages:
        assert message.value is not None
        assert complaints(json.loads(message.value), "alert") == []
        assert complaints(headers(message), "cloudEvent") == []


def test_a_refused_frame_is_as_documented() -> None:
    (message,) = (rejected_message(entry) for entry in outputs().rejected)
    schema = DOCUMENT["components"]["messages"]["rejected"]["headers"]
    found = headers(message)
    assert list(validator(schema).iter_errors(found)) == []
    assert set(found) == set(schema["properties"])
