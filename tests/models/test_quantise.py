"""Quantised weights."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.quantise import SCALE, dequantise, quantise


@given(seed=st.integers(0, 2**32), spread=st.floats(1e-6, 1e4))
def test_int8_is_off_by_half_a_step_of_its_channel_at_most(seed: int, spread: float) -> None:
    weight = np.random.default_rng(seed).normal(0, spread, (3, 5, 4)).astype(np.float32)
    back = dequantise(quantise({"kernel": weight}, "int8"))["kernel"]
    step = np.abs(weight).max(axis=(0, 1)) / 127
    assert np.all(np.abs(back - weight) <= step * 0.5001)


@given(seed=st.integers(0, 2**32))
def test_float16_is_off_by_its_rounding_at_most(seed: int) -> None:
    weight = np.random.default_rng(seed).normal(0, 1, (6, 4)).astype(np.float32)
    back = dequantise(quantise({"kernel": weight}, "float16"))["kernel"]
    assert np.all(np.abs(back - weight) <= np.abs(weight) * 2.0**-11 + 2.0**-25)


def test_a_channel_of_zeros_stays_and_biases_are_left_alone() -> None:
    weights = {"kernel": np.array([[0, 1], [0, -2]], np.float32), "bias": np.array([0.1, 3], np.float32)}
    stored = quantise(weights, "int8")
    assert stored["kernel"].tolist() == [[0, 64], [0, -127]]
    assert dequantise(stored)["kernel"][:, 0].tolist() == [0, 0]
    assert dequantise(stored)["bias"].tolist() == weights["bias"].tolist()


def test_what_cannot_be_quantised_is_named() -> None:
    with pytest.raises(ValueError, match="kernel: not finite"):
        quantise({"kernel": np.array([[np.nan]], np.float32)}, "int8")
    with pytest.raises(ValueError, match="kernel: beyond"):
        quantise({"kernel": np.array([[1e6]], np.float32)}, "float16")
    stored = quantise({"kernel": np.ones((2, 2), np.float32)}, "int8")
    del stored["kernel" + SCALE]
    with pytest.raises(ValueError, match="without a scale"):
        dequantise(stored)
