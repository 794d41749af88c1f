"""Gait in the inertial sensor."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from sim.gait import IMU_HZ, Gait, step_rate
from sim.motion import Motion, Movement
from sim.squad import draw_squad

ATHLETES = 8


def _recorded(speed: float, seconds: int, contacts: float = 0.0) -> NDArray[np.float32]:
    """``(athletes, seconds * 100, 6)`` at a constant speed, from the third second on."""
    movement = Movement(
        draw_squad(ATHLETES, np.random.default_rng(0)), np.random.default_rng(1), on_pitch=False
    )
    gait = Gait(ATHLETES, np.random.default_rng(2))
    target = np.full(ATHLETES, speed)
    warm: list[Motion] = [movement.step(target) for _ in range(8)]
    assert warm[-1].speed[:, -1] == pytest.approx(target, abs=0.02)
    return np.concatenate([gait.step(movement.step(target), contacts) for _ in range(seconds)], axis=1)


def _player_load_per_min(imu: NDArray[np.float32]) -> NDArray[np.float64]:
    """PlayerLoad (AU/min) in the variant of SCIENCE.md."""
    jumps = np.linalg.norm(np.diff(imu[..., :3].astype(np.float64), axis=1), axis=-1)
    return np.asarray(jumps.sum(axis=1) / 100 / (imu.shape[1] / IMU_HZ / 60))


def test_at_rest_there_is_gravity_on_the_vertical_axis_and_little_load() -> None:
    imu = _recorded(0.0, 10)
    assert np.linalg.norm(imu[..., :3].mean(axis=1), axis=-1) == pytest.approx(1.0, abs=0.01)
    assert np.all(imu[..., 2].mean(axis=1) > 0.9)
    assert np.all(_player_load_per_min(imu) < 1.5)


@pytest.mark.parametrize(("speed", "low", "high"), [(1.4, 1, 8), (2.8, 8, 22), (3.6, 10, 30)])
def test_player_load_of_walking_and_running_is_plausible(speed: float, low: float, high: float) -> None:
    load = _player_load_per_min(_recorded(speed, 30))
    assert np.all((load > low) & (load < high))


def test_player_load_grows_with_speed() -> None:
    means = [_player_load_per_min(_recorded(speed, 10)).mean() for speed in (0.0, 1.4, 2.6, 3.5, 5.5)]
    assert means == sorted(means)


@pytest.mark.parametrize("speed", [1.4, 3.0, 6.0])
def test_the_vertical_axis_swings_at_the_step_rate(speed: float) -> None:
    imu = _recorded(speed, 40)
    vertical = imu[..., 2] - imu[..., 2].mean(axis=1, keepdims=True)
    spectrum = np.abs(np.fft.rfft(vertical, axis=1))
    peak_hz = np.argmax(spectrum, axis=1) * IMU_HZ / vertical.shape[1]
    assert peak_hz == pytest.approx(np.full(ATHLETES, step_rate(np.array(speed))), abs=0.05)


def test_steps_come_at_the_rate_that_people_have() -> None:
    walk, run, sprint = (60 * float(step_rate(np.array(speed))) for speed in (1.4, 3.0, 8.0))
    assert 100 < walk < 120
    assert 155 < run < 180
    assert 210 < sprint < 260
    assert float(step_rate(np.array(0.0))) == 0


def test_impacts_above_5_g_come_with_contacts_only() -> None:
    quiet, rough = _recorded(3.0, 120), _recorded(3.0, 120, contacts=6.0)
    size = np.linalg.norm(quiet[..., :3], axis=-1)
    assert size.max() < 5
    struck = np.linalg.norm(rough[..., :3], axis=-1) > 5
    assert 40 < np.sum(np.diff(struck.astype(int), axis=1) == 1) < 180  # 8 athletes, 2 min, 6 a minute
