"""Speeds meant."""

from __future__ import annotations

import numpy as np
import pytest

from sim.intent import MATCH_SHARES, SPEEDS, Intent
from sim.schedule import Phase
from sim.squad import ROLES, draw_squad


def _meant(phase: Phase, seconds: int) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    squad = draw_squad(22, np.random.default_rng(0))
    intent = Intent(squad, np.random.default_rng(1))
    return np.stack([intent.step(phase, second) for second in range(seconds)])


def test_shares_of_every_position_add_up_to_one() -> None:
    assert set(MATCH_SHARES) == set(ROLES)
    for shares in MATCH_SHARES.values():
        assert sum(shares) == pytest.approx(1)


def test_time_in_each_activity_follows_the_shares() -> None:
    shares = (0.1, 0.5, 0.3, 0.1, 0.0, 0.0)
    meant = _meant(Phase("play", 1e9, shares=shares), 6000)
    nearest = np.argmin(np.abs(meant[..., None] - SPEEDS), axis=-1)
    found = np.bincount(nearest.ravel(), minlength=6) / nearest.size
    assert found == pytest.approx(shares, abs=0.02)


def test_bouts_last_for_seconds() -> None:
    meant = _meant(Phase("play", 1e9), 3000)
    changes = np.mean(np.diff(meant, axis=0) != 0)
    assert 0.08 < changes < 0.25


def test_wings_sprint_more_than_keepers() -> None:
    fast = np.mean(_meant(Phase("play", 1e9), 5000) > 6.5, axis=0)
    roles = np.array([ROLES[i % 11] for i in range(22)])
    assert fast[roles == "wing"].mean() > 3 * fast[roles == "keeper"].mean()


def test_a_set_pace_is_a_share_of_the_aerobic_speed_with_rests_between() -> None:
    squad = draw_squad(22, np.random.default_rng(0))
    meant = _meant(Phase("intervals", 1e9, pace=1.0, work_s=60, rest_s=60, rest_pace=0.3), 1200)
    working = (np.arange(1200) % 120) < 60
    assert np.mean(meant[working] / squad.aerobic_speed) == pytest.approx(1.0, abs=0.02)
    assert np.mean(meant[~working] / squad.aerobic_speed) == pytest.approx(0.3, abs=0.02)
