"""Air over the venue."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from sim.weather import Air, Weather


def test_a_given_temperature_is_kept_to() -> None:
    weather = Weather(np.random.default_rng(0), air_c=33.0)
    readings = [weather.step() for _ in range(600)]
    assert np.mean([air.air for air in readings]) == pytest.approx(33.0, abs=1.0)


def test_readings_change_slowly_and_stay_possible() -> None:
    weather = Weather(np.random.default_rng(1))
    readings = [weather.step() for _ in range(2000)]
    assert max(abs(b.air - a.air) for a, b in pairwise(readings)) < 0.5
    assert all(air.globe >= air.air and 5 <= air.humidity <= 100 for air in readings)


def test_wbgt_grows_with_each_of_heat_sun_and_humidity() -> None:
    mild = Air(20, 27, 50)
    assert 15 < mild.wbgt < 22
    assert min(Air(30, 37, 50).wbgt, Air(20, 40, 50).wbgt, Air(20, 27, 90).wbgt) > mild.wbgt
