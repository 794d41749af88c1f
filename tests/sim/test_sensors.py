"""What wearables measure."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from sim.motion import Motion, Movement
from sim.sensors import Sensors
from sim.squad import draw_squad

SIZE = 11


def _measured(speed: float, seconds: int) -> tuple[list[Motion], NDArray[np.float64]]:
    squad = draw_squad(SIZE, np.random.default_rng(0))
    movement = Movement(squad, np.random.default_rng(1))
    sensors = Sensors(squad, np.random.default_rng(2))
    motions = [movement.step(np.full(SIZE, speed)) for _ in range(seconds)]
    return motions, np.concatenate([sensors.position(motion) for motion in motions], axis=1)


def test_place_is_off_by_decimetres_but_the_path_keeps_its_length() -> None:
    motions, position = _measured(2.0, 900)
    true = np.concatenate([motion.xy for motion in motions], axis=1)
    error = position[..., :2] - true
    assert 0.1 < error.std() < 0.4
    path = np.linalg.norm(np.diff(position[..., :2], axis=1), axis=-1).sum(axis=1)
    length = np.linalg.norm(np.diff(true, axis=1), axis=-1).sum(axis=1)
    assert path == pytest.approx(length, rel=0.02)


def test_somebody_standing_does_not_run_up_distance() -> None:
    _, position = _measured(0.0, 600)
    path = np.linalg.norm(np.diff(position[..., :2], axis=1), axis=-1).sum(axis=1)
    assert np.all(path / 600 < 0.1)


def test_speed_is_close_and_never_negative() -> None:
    motions, position = _measured(0.05, 300)
    true = np.concatenate([motion.speed for motion in motions], axis=1)
    assert position[..., 2].min() == 0
    assert np.abs(position[..., 2] - true).mean() < 0.05


def test_cadence_and_power_of_a_run_are_those_of_runners() -> None:
    squad = draw_squad(SIZE, np.random.default_rng(0))
    movement = Movement(squad, np.random.default_rng(1), on_pitch=False)
    sensors = Sensors(squad, np.random.default_rng(2))
    motion = [movement.step(np.full(SIZE, 3.3)) for _ in range(10)][-1]
    cadence, watts = sensors.motion(motion, np.full(SIZE, 12.0)).T
    assert np.all((cadence > 155) & (cadence < 185))
    assert np.all((watts / squad.mass_kg > 2.8) & (watts / squad.mass_kg < 4))
