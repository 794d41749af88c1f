"""Movement over the ground."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.motion import PITCH_M, Motion, Movement
from sim.squad import draw_squad


def _moved(
    targets: np.ndarray[tuple[int, ...], np.dtype[np.float64]], *, on_pitch: bool = True
) -> list[Motion]:
    squad = draw_squad(targets.shape[1], np.random.default_rng(0))
    movement = Movement(squad, np.random.default_rng(1), on_pitch=on_pitch)
    return [movement.step(target) for target in targets]


def _joined(seconds: list[Motion], name: str) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    return np.concatenate([getattr(second, name) for second in seconds], axis=1)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), fastest=st.floats(0.1, 9.5))
def test_nobody_leaves_the_pitch_or_outruns_the_target(seed: int, fastest: float) -> None:
    targets = np.random.default_rng(seed).uniform(0, fastest, (60, 4))
    seconds = _moved(targets)
    xy, speed = _joined(seconds, "xy"), _joined(seconds, "speed")
    assert np.all((xy >= 0) & (xy <= np.array(PITCH_M)))
    assert np.all((speed >= 0) & (speed <= fastest))


def test_the_path_is_as_long_as_speed_says() -> None:
    targets = np.random.default_rng(2).uniform(0, 7, (600, 8))
    seconds = _moved(targets)
    steps = np.linalg.norm(np.diff(_joined(seconds, "xy"), axis=1), axis=-1).sum(axis=1)
    run = _joined(seconds, "speed").sum(axis=1) / 10
    assert steps == pytest.approx(run, rel=0.02)


def test_acceleration_is_the_slope_of_speed() -> None:
    seconds = _moved(np.repeat([[0.0], [6.0], [6.0], [0.0]], 2, axis=1))
    speed, acceleration = _joined(seconds, "speed"), _joined(seconds, "acceleration")
    slope = np.gradient(speed, 0.1, axis=1)
    inside = np.ones(40, dtype=bool)
    inside[[0, 9, 10, 11, 29, 30, 31, 39]] = False  # kinks at whole seconds
    assert acceleration[:, inside] == pytest.approx(slope[:, inside], abs=0.05)
    assert acceleration.max() == pytest.approx(5, abs=0.1)


def test_headings_are_smooth_and_fast_athletes_turn_slowly() -> None:
    seconds = _moved(np.full((300, 8), 6.0), on_pitch=False)
    heading = np.unwrap(_joined(seconds, "heading"), axis=1)
    assert np.abs(np.diff(heading, axis=1)).max() < 0.12
    fast = np.concatenate([np.abs(s.turn[s.speed > 5]) for s in _moved(np.full((300, 8), 6.0))])
    assert np.percentile(fast, 99) < 1.1  # a slow athlete may turn at 3.5 rad/s


def test_everybody_keeps_near_a_place_of_their_own() -> None:
    seconds = _moved(np.full((1200, 11), 2.0))
    mean = _joined(seconds, "xy").mean(axis=1)
    assert mean[0, 0] < mean[1, 0] < mean[10, 0]  # keeper, back, striker


def test_a_run_on_roads_leaves_the_pitch() -> None:
    seconds = _moved(np.full((600, 3), 3.5), on_pitch=False)
    xy = _joined(seconds, "xy")
    assert np.linalg.norm(xy[:, -1] - xy[:, 0], axis=-1).max() > 200
