"""Descent: the plan's rates, a loss that falls, and the same numbers from the same seed."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from models.descent import Descent, Plan, seed_everything
from models.injury import InjuryConfig, build
from models.losses import LogLoss

CONFIG = InjuryConfig(channels=3, units=2, dropout=0.0, l2=0.0)


def test_the_rate_rises_and_then_falls_to_nothing() -> None:
    plan = Plan(steps=100, rate=1.0, warm=10)
    rates = [plan.rate_at(step) for step in range(101)]
    assert rates[0] == pytest.approx(0.1)
    assert max(rates) == pytest.approx(rates[9], abs=0.03)
    assert rates[100] == pytest.approx(0.0, abs=1e-9)
    assert all(b <= a for a, b in pairwise(rates[10:]))


def learned(seed: int, steps: int = 60) -> tuple[list[float], dict[str, np.ndarray]]:
    seed_everything(seed)
    rng = np.random.default_rng(seed)
    descent = Descent(build(CONFIG), LogLoss(), Plan(steps=steps, rate=0.05, warm=5, average=0.9))
    losses = []
    for _ in range(steps):
        days = rng.normal(size=(64, 14, 3)).astype(np.float32)
        label = (days[:, :, 0].mean(axis=1, keepdims=True) > 0).astype(np.float32)
        losses.append(descent.step([days], [label, np.ones((64, 1))]))
    return losses, descent.averaged()


@pytest.mark.slow
def test_a_network_learns_and_the_same_seed_learns_the_same() -> None:
    losses, weights = learned(1)
    assert np.mean(losses[-10:]) < 0.75 * np.mean(losses[:10])
    again = learned(1)[1]
    assert all(np.array_equal(weights[path], again[path]) for path in weights)
    other = learned(2)[1]
    assert any(not np.array_equal(weights[path], other[path]) for path in weights)
