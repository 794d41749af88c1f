"""Hearts and capacity."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from sim.bodies import FATIGUE_MODES, LEAST_CAPACITY, Bodies, Fatigue
from sim.squad import draw_squad

COOL = 15.0


class Lab:
    """A squad on treadmills: powers in, heart rates and capacities ``(seconds, athletes)`` out."""

    def __init__(self, fatigue: Fatigue, seconds: int) -> None:
        self.squad = draw_squad(12, np.random.default_rng(0))
        self.bodies = Bodies(self.squad, fatigue, seconds, np.random.default_rng(1))
        self.heart: NDArray[np.float64] = np.empty((0, 12))
        self.capacity: NDArray[np.float64] = np.empty((0, 12))

    def work(self, share: float, seconds: int, wbgt: float = COOL) -> None:
        """``share`` of everybody's aerobic power for some seconds."""
        heart, capacity = [], []
        for _ in range(seconds):
            self.bodies.step(share * self.squad.aerobic_w_kg, wbgt)
            heart.append(self.bodies.heart_rate)
            capacity.append(self.bodies.capacity)
        self.heart, self.capacity = np.array(heart), np.array(capacity)


@settings(max_examples=20, deadline=None)
@given(shares=st.lists(st.floats(0, 3), min_size=1, max_size=6), fatigue=st.sampled_from(FATIGUE_MODES))
def test_heart_rate_and_capacity_keep_to_what_a_body_can(shares: list[float], fatigue: Fatigue) -> None:
    lab = Lab(fatigue, 60 * len(shares))
    for share in shares:
        lab.work(share, 60, wbgt=32)
        assert np.all((lab.heart >= 35) & (lab.heart <= lab.squad.max_bpm))
        assert np.all((lab.capacity >= LEAST_CAPACITY) & (lab.capacity <= 1))


def test_harder_work_means_a_faster_heart() -> None:
    lab = Lab("none", 1200)
    means = []
    for share in (0.2, 0.5, 0.8):
        lab.work(share, 400)
        means.append(lab.heart[-60:].mean(axis=0))
    assert np.all(means[0] < means[1] - 10)
    assert np.all(means[1] < means[2] - 10)


def _crossing_s(heart: NDArray[np.float64]) -> float:
    """Seconds until the squad's mean heart rate has done 63 % of its change."""
    curve = heart.mean(axis=1)
    level = curve[0] + 0.63 * (curve[-1] - curve[0])
    passed = curve >= level if curve[-1] > curve[0] else curve <= level
    return float(np.argmax(passed))


def test_the_heart_lags_work_and_comes_down_more_slowly_than_it_goes_up() -> None:
    lab = Lab("none", 1200)
    lab.work(0.1, 300)
    lab.work(0.7, 300)
    up = _crossing_s(lab.heart)
    lab.work(0.1, 300)
    down = _crossing_s(lab.heart)
    assert 12 < up < 40
    assert 1.3 * up < down < 90


def test_without_fatigue_nothing_changes_with_time() -> None:
    lab = Lab("none", 7200)
    lab.work(1.2, 300)
    lab.work(0.6, 2400)
    early = lab.heart[-300:].mean(axis=0)
    lab.work(0.6, 3600)
    assert lab.heart[-300:].mean(axis=0) == pytest.approx(early, abs=1.5)
    assert np.all(lab.capacity == 1)


def test_the_heart_drifts_up_at_constant_work_and_more_so_in_heat() -> None:
    gains = []
    for wbgt in (15.0, 30.0):
        lab = Lab("natural", 3600)
        lab.work(0.6, 3600, wbgt)
        gains.append(lab.heart[-300:].mean() - lab.heart[300:600].mean())
    assert 2 < gains[0] < 15
    assert gains[1] > 1.4 * gains[0]


def test_heat_alone_raises_the_heart_rate() -> None:
    cool, hot = Lab("none", 600), Lab("none", 600)
    cool.work(0.5, 600, wbgt=15)
    hot.work(0.5, 600, wbgt=30)
    assert 3 < (hot.heart - cool.heart)[-300:].mean() < 15


def test_capacity_falls_above_critical_power_and_partly_comes_back() -> None:
    lab = Lab("natural", 2000)
    lab.work(0.6, 300)
    assert np.all(lab.capacity == 1)
    lab.work(1.2, 180)
    tired = lab.capacity[-1]
    assert np.all(tired < 0.97)
    lab.work(0.3, 1200)
    assert np.all((lab.capacity[-1] > tired + 0.01) & (lab.capacity[-1] < 1))


def test_an_injected_fade_sets_in_where_it_should_and_is_as_deep_as_it_should() -> None:
    lab = Lab("fade", 1000)
    lab.work(0.5, 1000)
    before = (lab.squad.fade_from * 1000).astype(int) - 2
    assert np.all(lab.capacity[before, np.arange(12)] == 1)
    assert lab.capacity[-1] == pytest.approx(1 - lab.squad.fade_depth)
    assert np.all(np.diff(lab.capacity, axis=0) <= 1e-12)


def test_at_equal_work_a_faded_athlete_strains_more() -> None:
    fresh, faded = Lab("none", 600), Lab("fade", 600)
    fresh.work(0.5, 600)
    faded.work(0.5, 600)
    assert np.all((faded.heart - fresh.heart)[-60:].mean(axis=0) > 5)
