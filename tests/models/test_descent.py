"""Descent: the plan's rates, a loss that falls, and the same numbers from the same seed."""

from __future__ import annotations

import json
import subprocess
import sys
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
    descent = Descent(lambda: build(CONFIG), LogLoss(), Plan(steps=steps, rate=0.05, warm=5, average=0.9))
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


TWO_DEVICES = """
import json, sys
import numpy as np
from models.lean import tf
two = sys.argv[1] == "2"
if two:
    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
from models.descent import Descent, Plan, seed_everything
from models.device import strategy
from models.injury import InjuryConfig, build
from models.losses import LogLoss
assert (strategy() is not None) == two
seed_everything(3)
config = InjuryConfig(channels=3, units=2, dropout=0.0, l2=0.0)
descent = Descent(lambda: build(config), LogLoss(), Plan(steps=20, rate=0.05, warm=5, average=0.9))
rng, losses = np.random.default_rng(3), []
for _ in range(20):
    days = rng.normal(size=(64, 14, 3)).astype(np.float32)
    label = (days[:, :, 0].mean(axis=1, keepdims=True) > 0).astype(np.float32)
    losses.append(descent.step([days], [label, np.ones((64, 1))]))
weights = {name: array.tolist() for name, array in descent.averaged().items()}
state = {name: array.tolist() for name, array in descent.state().items()}
print(json.dumps({"losses": losses, "weights": weights, "state": state}))
"""


@pytest.mark.slow
def test_two_devices_learn_what_one_does() -> None:
    """MirroredStrategy over two logical CPUs; devices are fixed once TensorFlow is used, so in processes."""
    one, two = (
        json.loads(
            subprocess.run(
                [sys.executable, "-c", TWO_DEVICES, devices], capture_output=True, text=True, check=True
            ).stdout.splitlines()[-1]
        )
        for devices in ("1", "2")
    )
    np.testing.assert_allclose(two["losses"], one["losses"], rtol=1e-4)
    for name, weights in one["weights"].items():
        np.testing.assert_allclose(two["weights"][name], weights, atol=2e-3)
    for name, values in one["state"].items():  # with what the optimiser remembers of gradients' sizes
        np.testing.assert_allclose(two["state"][name], values, rtol=2e-2, atol=2e-3)


@pytest.mark.slow
def test_penalties_pull_kernels_towards_nothing() -> None:
    def kernels(l1: float = 0.0, l2: float = 0.0) -> float:
        seed_everything(1)
        plan = Plan(steps=80, rate=0.05, decay=0.0, l1=l1, l2=l2)
        descent = Descent(lambda: build(CONFIG), LogLoss(), plan)
        days, label = np.ones((8, 14, 3), np.float32), np.ones((8, 1))
        for _ in range(80):
            descent.step([days], [label, np.ones((8, 1))])
        return float(sum(np.abs(a).sum() for a in descent.averaged().values() if a.ndim > 1))

    free = kernels()
    assert kernels(l1=0.1) < 0.8 * free
    assert kernels(l2=0.1) < 0.8 * free
