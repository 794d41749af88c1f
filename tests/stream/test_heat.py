"""Wet bulb and WBGT at values that were published or follow by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from stream.heat import wbgt, wet_bulb


def one(value: float) -> NDArray[np.float64]:
    return np.array([value])


def test_stulls_own_example() -> None:
    """20 °C at 50 % is 13.7 °C (Stull 2011, after eq. 1)."""
    assert wet_bulb(one(20), one(50)) == pytest.approx(13.7, abs=0.05)


@pytest.mark.parametrize("air", [5.0, 20.0, 35.0])
def test_in_saturated_air_the_wet_bulb_is_the_air(air: float) -> None:
    assert wet_bulb(one(air), one(99)) == pytest.approx(air, abs=0.5)


def test_outdoor_weights() -> None:
    wet = wet_bulb(one(30), one(40))
    assert wbgt(one(30), one(45), one(40)) == pytest.approx(0.7 * wet + 0.2 * 45 + 0.1 * 30)


def test_without_a_globe_the_air_stands_for_it() -> None:
    assert wbgt(one(30), one(np.nan), one(40)) == wbgt(one(30), one(30), one(40))


def test_without_air_or_humidity_the_heat_is_unknown() -> None:
    assert np.isnan(wbgt(one(np.nan), one(40), one(40)))
    assert np.isnan(wbgt(one(30), one(40), one(np.nan)))


@settings(max_examples=50, deadline=None)
@given(st.floats(5, 45), st.floats(15, 85), st.floats(0, 60))
def test_more_humid_or_sunnier_is_never_cooler(air: float, humidity: float, sun: float) -> None:
    base = wbgt(one(air), one(air), one(humidity))
    assert wbgt(one(air), one(air + sun), one(humidity)) >= base
    assert wbgt(one(air), one(air), one(humidity + 10)) >= base
