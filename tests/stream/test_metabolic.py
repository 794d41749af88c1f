"""Metabolic power against floodlight, which computes the same published formulas on its own."""

from __future__ import annotations

import numpy as np
import pytest
from floodlight.models.kinetics import MetabolicPowerModel as Oracle
from numpy.typing import NDArray

from stream.metabolic import DRAG, G, metabolic_power

Floats = NDArray[np.float64]


@pytest.fixture(scope="module")
def grid() -> tuple[Floats, Floats]:
    """Speeds (m/s) over accelerations (m/s²)."""
    speed, acceleration = np.meshgrid(np.arange(0, 10, 0.0713), np.arange(-8, 8, 0.1117), indexing="ij")
    return speed, acceleration


def oracle(speed: Floats, slope: Floats) -> Floats:
    power: Floats = Oracle._calc_metabolic_power(slope, speed, Oracle._calc_em(slope), 1)  # noqa: SLF001
    return power


def test_power_is_floodlights_at_the_same_equivalent_slope(grid: tuple[Floats, Floats]) -> None:
    speed, acceleration = grid
    slope = acceleration / G + DRAG * speed**2 / G
    assert np.allclose(metabolic_power(speed, acceleration), oracle(speed, slope), rtol=1e-9, atol=1e-9)


def test_power_is_floodlights_from_speed_and_acceleration(grid: tuple[Floats, Floats]) -> None:
    """Its g is 9.80665, ours 9.81: within two thousandths, but for the few points whose gait that changes."""
    speed, acceleration = grid
    slope = Oracle._calc_es(speed, acceleration)  # noqa: SLF001
    near = np.isclose(metabolic_power(speed, acceleration), oracle(speed, slope), rtol=2e-3, atol=0.01)
    assert near.mean() > 0.999


def test_a_grid_has_both_gaits_and_every_slope_of_the_table(grid: tuple[Floats, Floats]) -> None:
    speed, acceleration = grid
    slope = acceleration / G + DRAG * speed**2 / G
    running = Oracle._is_running(speed, slope)  # noqa: SLF001
    assert 0.1 < running.mean() < 0.9
    assert slope[~running].min() < -0.3
    assert slope[~running].max() > 0.15


def test_standing_still_costs_nothing_above_rest() -> None:
    assert metabolic_power(np.zeros(3), np.array([-1.0, 0.0, 1.0])).tolist() == [0, 0, 0]


def test_unknown_speed_or_acceleration_gives_unknown_power() -> None:
    power = metabolic_power(np.array([np.nan, 3.0, np.nan]), np.array([0.0, np.nan, np.nan]))
    assert np.isnan(power).all()


def test_of_what_nobody_runs_the_power_is_unknown() -> None:
    """Tracking that jumps ten metres in a tenth of a second would give a hundred kilowatts per kilogram."""
    power = metabolic_power(np.array([100.0, 5.0, 5.0, 12.0]), np.array([0.0, 50.0, -50.0, 1.0]))
    assert np.isnan(power).tolist() == [True, True, True, False]


def test_any_shape_of_columns() -> None:
    speed = np.linspace(0, 8, 24).reshape(2, 3, 4)
    acceleration = np.linspace(-4, 4, 24).reshape(2, 3, 4)
    flat = metabolic_power(speed.ravel(), acceleration.ravel())
    assert np.array_equal(metabolic_power(speed, acceleration).ravel(), flat)
