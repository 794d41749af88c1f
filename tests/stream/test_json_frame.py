"""A frame in JSON is the frame in msgpack, and what JSON can get wrong has a reason."""

from __future__ import annotations

import base64
import json
from typing import Any

import msgpack
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.decode import Decoded, decode
from stream.errors import FrameRejected
from stream.json_frame import from_json
from stream.records import Record

FRAME: dict[str, Any] = {
    "v": 1, "athlete": "a", "device": "d", "session": "s", "boot": 1, "seq": 0, "t0": 1_760_000_000_000_000,
}  # fmt: skip
Cell = st.none() | st.floats(-1000, 1000)


def decoded(frame: dict[str, Any]) -> Decoded:
    """A JSON frame through JSON, msgpack and decode."""
    value = msgpack.packb(from_json(json.loads(json.dumps(frame))))
    return decode([Record(False, 0, 0, 1_760_000_010_000_000, b"a", value)])


def positions(samples: Any, **more: Any) -> dict[str, Any]:
    return FRAME | {"position": {"rate": 10, "channels": ["x", "y"], "samples": samples} | more}


@given(st.lists(st.tuples(Cell, Cell), min_size=1, max_size=20))
def test_rows_of_numbers_are_samples_in_their_unit(rows: list[tuple[float | None, float | None]]) -> None:
    found = decoded(positions([list(row) for row in rows])).samples["position"].values[:, :2]
    wanted = np.array(rows, np.float64)
    np.testing.assert_array_equal(np.isnan(found), np.isnan(wanted))
    np.testing.assert_allclose(found, wanted, rtol=0, atol=2e-4)


def test_degrees_keep_their_precision() -> None:
    frame = FRAME | {
        "position": {
            "rate": 1,
            "channels": ["lat", "lon"],
            "samples": [[51.50012345, 7.4], [51.50012346, 7.4]],
        }
    }
    latitude = decoded(frame).samples["position"].values[:, 2]
    np.testing.assert_allclose(latitude, [51.50012345, 51.50012346], rtol=0, atol=1e-9)


def test_counts_have_their_scale_and_origin() -> None:
    frame = positions([[1, 2], [None, -4]], dtype="i2", scale=[0.5, 0.25], origin=[10, 0])
    found = decoded(frame).samples["position"].values[:, :2]
    np.testing.assert_array_equal(found, [[10.5, 0.5], [np.nan, -1.0]])


def test_bytes_in_base64_are_the_bytes() -> None:
    blob = np.array([[1, 2], [3, 4]], "<i2").tobytes()
    frame = positions(base64.b64encode(blob).decode(), dtype="i2", scale=2.0)
    np.testing.assert_array_equal(decoded(frame).samples["position"].values[:, :2], [[2, 4], [6, 8]])


@pytest.mark.parametrize(
    ("frame", "reason"),
    [
        (positions("no base64!"), "wrong_type"),
        (positions(5), "wrong_type"),
        (positions([]), "wrong_type"),
        (positions([[1, 2], 3]), "wrong_type"),
        (positions([[1, True]]), "wrong_type"),
        (positions([[1, 2], [3]]), "bad_shape"),
        (positions([[1, 2, 3]]), "bad_shape"),
        (positions([[1, 10**400]]), "impossible_value"),
        (positions([[1, 40_000]], dtype="i2", scale=1.0), "impossible_value"),
        (positions([[1, 0.5]], dtype="i2", scale=1.0), "impossible_value"),
        (positions([[1, 2]], dtype="f8"), "wrong_type"),
    ],
)
def test_what_json_gets_wrong_has_a_reason(frame: dict[str, Any], reason: str) -> None:
    with pytest.raises(FrameRejected) as refused:
        from_json(frame)
    assert refused.value.reason == reason


def test_what_is_no_group_is_left_to_decode() -> None:
    assert from_json({"imu": 5, "x": [1]}) == {"imu": 5, "x": [1]}
    assert decoded(FRAME | {"imu": 5}).rejected[0].reason == "wrong_type"
    assert decoded(positions([[1e30, 2.0]])).samples["position"].values[0, 1] == 2
