"""Records of the two topics: whole ones are read, others refused with a reason."""

from __future__ import annotations

import json
from typing import Any

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.sinks.decode import MAX_RECORD_BYTES, decode_alert, decode_score
from stream.sinks.store import StoredAlert
from tests.stream.sinks.examples import alert, as_event, packed, score


def test_a_score_is_read_as_it_was_published() -> None:
    assert decode_score(packed(score())) == score()


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"v": 2}, "version"),
        ({"athlete": ""}, "athlete"),
        ({"athlete": 7}, "athlete"),
        ({"athlete": "x" * 129}, "athlete"),
        ({"session": None}, "session"),
        ({"window_end_us": 1.5}, "window_end_us"),
        ({"window_end_us": True}, "window_end_us"),
        ({"window_end_us": -1}, "window_end_us"),
        ({"window_end_us": 2**53}, "window_end_us"),
    ],
)
def test_a_score_that_cannot_be_placed_is_refused(changed: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        decode_score(packed(score(**changed)))


@pytest.mark.parametrize(
    "value", [None, b"", b"\xc1", packed(score())[:40], b"\x93\x01\x02\x03", b"\x00" * (MAX_RECORD_BYTES + 1)]
)
def test_bytes_that_are_no_score_are_refused(value: bytes | None) -> None:
    with pytest.raises(ValueError, match=r".*"):
        decode_score(value)


@given(st.binary(max_size=60))
def test_no_bytes_raise_anything_but_value_error(value: bytes) -> None:
    for read in (decode_score, lambda v: decode_alert({"ce_id": v}, v)):
        try:
            read(value)
        except ValueError:
            continue


@pytest.mark.parametrize("headers", [{}, {"ce_id": b""}, {"ce_id": None}])
def test_an_alert_without_an_id_is_refused(headers: dict[str, bytes | None]) -> None:
    _, value = as_event(alert())
    with pytest.raises(ValueError, match="no ce_id header"):
        decode_alert(headers, value)


def test_an_alert_is_read_from_its_event() -> None:
    headers, value = as_event(alert())
    assert decode_alert(dict(headers), value) == alert()


def test_an_alert_may_lack_what_does_not_apply() -> None:
    bare = alert(value=None, threshold=None, unit=None, inputs=())
    headers, value = as_event(bare)
    assert decode_alert(dict(headers), value) == bare


def changed_event(**data: Any) -> bytes:
    _, value = as_event(alert())
    return json.dumps(json.loads(value) | data).encode()


def read(value: bytes) -> StoredAlert:
    return decode_alert({"ce_id": b"one"}, value)


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"rule": None}, "rule"),
        ({"state": ""}, "state"),
        ({"event_us": "now"}, "event_us"),
        ({"value": "high"}, "value"),
        ({"value": 10**400}, "value"),
        ({"inputs": 3}, "inputs"),
        ({"inputs": ["heart"]}, "inputs"),
        ({"message": "\ud800"}, "surrogates"),
    ],
)
def test_an_event_that_is_not_as_written_is_refused(changed: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        read(changed_event(**changed))


def test_a_value_that_is_not_a_number_is_null() -> None:
    assert read(changed_event(value=float("nan"))).value is None


def test_an_event_without_an_id_is_refused() -> None:
    _, value = as_event(alert())
    with pytest.raises(ValueError, match="ce_id"):
        decode_alert({}, value)


def test_json_nested_without_end_is_refused() -> None:
    with pytest.raises(ValueError, match="deep"):
        read(b"[" * 60_000)


def test_a_map_with_odd_keys_is_refused() -> None:
    with pytest.raises(ValueError, match="version"):
        decode_score(bytes(msgpack.packb({b"\xff": 1})))
