"""What is not exactly an input is refused by name; what is comes out as it went in."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from stream.serving.network import Float32
from stream.serving.refusals import BadInput, NotFinite
from stream.serving.values import finite, flat, nested, parse

FINITE = st.floats(allow_nan=False, allow_infinity=False, width=32)


@given(arrays(np.float32, st.tuples(st.integers(1, 4), st.just(3), st.just(2)), elements=FINITE))
def test_arrays_go_through_json_and_back(values: Float32) -> None:
    sent = parse(json.dumps({"v": values.tolist()}).encode())["v"]
    np.testing.assert_array_equal(nested("x", sent, (3, 2)), values)
    np.testing.assert_array_equal(flat("x", sent, values.shape, (3, 2)), values)
    np.testing.assert_array_equal(flat("x", values.ravel().tolist(), values.shape, (3, 2)), values)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (5, "depth 1"),
        ([], "empty"),
        ([[]], "empty"),
        ([1.0, 2.0], "depth 2"),
        ([[1.0, 2.0], [3.0]], "differ in length"),
        ([[1.0, 2.0, 3.0]], r"it is \[1, 3\]"),
        ([[1.0, True]], "true or false"),
        ([["1", None]], "null and text"),
        ([[[1.0], 2.0]], "a list"),
        ([[{}, 2.0]], "an object"),
        ([[float("nan"), 2.0]], "number 0 is nan"),
        ([[1.0, float("inf")]], "number 1 is inf"),
        ([[1.0, 1e39]], "number 1 is 1e"),
        ([[10**400, 1.0]], "too large"),
    ],
)
def test_what_is_no_input_is_refused_by_name(value: object, said: str) -> None:
    with pytest.raises(BadInput, match=f"input 'x'.*{said}"):
        nested("x", value, (2,))


@pytest.mark.parametrize(
    ("data", "shape", "said"),
    [
        ([1.0, 2.0], [2], "stated as"),
        ([1.0, 2.0], [1, 3], "stated as"),
        ([], [0, 2], "stated as"),
        ([1.0, 2.0], [-1, 2], "stated as"),
        ([1.0, 2.0, 3.0], [1, 2], "needs 2 numbers, data has 3"),
        ([1.0, 2.0], [10**18, 2], "data has 2"),
        ([[1.0, 2.0]], [2, 2], "2 rows are stated, data has 1"),
        ("12", [1, 2], "must be a list"),
        (None, [1, 2], "must be a list"),
        ([1.0, [2.0]], [1, 2], "a list"),
    ],
)
def test_data_that_is_not_of_its_shape_is_refused_by_name(data: object, shape: list[int], said: str) -> None:
    with pytest.raises(BadInput, match=f"input 'x'.*{said}"):
        flat("x", data, shape, (2,))


@pytest.mark.parametrize(
    "body", [b"", b"{", b"\xff", b"[1]", b"null", b"[" * 100_000, b'{"a": ' + b"9" * 5_000 + b"}"]
)
def test_what_is_no_json_object_is_refused(body: bytes) -> None:
    with pytest.raises(BadInput, match="body"):
        parse(body)


def test_an_answer_that_is_no_number_is_refused_and_its_row_named() -> None:
    outputs = {"m": np.array([[1.0, 2.0], [np.nan, 1.0]], np.float32)}
    with pytest.raises(NotFinite, match="'m' of row 1"):
        finite(outputs)
    assert finite({"m": outputs["m"][:1]})["m"].tolist() == [[1.0, 2.0]]
