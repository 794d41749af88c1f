"""Losses: missing targets weigh nothing, and what they pull towards is what they say."""

from __future__ import annotations

import numpy as np
import pytest

from models.forecast import HORIZONS, ForecastConfig
from models.losses import (
    ACCELERATION,
    HEAD,
    ForecastLoss,
    LikenessLoss,
    LogLoss,
    QuantileLoss,
    SameLoss,
    masked_mean,
    pinball,
)

CONFIG = ForecastConfig()


def test_the_pinball_loss_is_least_at_the_quantile() -> None:
    sample = np.random.default_rng(0).exponential(size=4000).astype(np.float32)
    grid = np.linspace(0, 4, 161, dtype=np.float32)
    losses = [float(np.mean(np.asarray(pinball(sample - g, np.float32(0.9))))) for g in grid]
    assert grid[int(np.argmin(losses))] == pytest.approx(np.quantile(sample, 0.9), abs=0.05)


def test_a_mean_over_nothing_is_nothing() -> None:
    assert float(masked_mean(np.ones(3, np.float32), np.zeros(3, np.float32))) == 0.0


def forecast_case() -> tuple[list[np.ndarray], list[np.ndarray]]:
    rng = np.random.default_rng(1)
    actual = rng.normal(size=(2, 3, 60)).astype(np.float32)
    median = rng.normal(size=(2, 3, 60)).astype(np.float32)
    acceleration = rng.normal(size=(2, 60)).astype(np.float32)
    bands = np.stack([median[:, :, [h - 1 for h in HORIZONS]] + d for d in (-1, 1)], axis=-1).astype(
        np.float32
    )
    targets = [actual, acceleration, np.ones_like(actual), np.ones_like(acceleration)]
    return targets, [median, acceleration.copy(), bands]


def test_missing_targets_weigh_nothing() -> None:
    targets, outputs = forecast_case()
    targets[2][:, 0, 10:] = 0.0
    before = float(ForecastLoss(CONFIG)(targets, outputs))
    targets[0][:, 0, 10:] = 1e6
    assert float(ForecastLoss(CONFIG)(targets, outputs)) == pytest.approx(before)


def test_the_acceleration_head_is_held_to_the_median_speed() -> None:
    targets, outputs = forecast_case()
    targets[3][:] = 0.0
    loss = ForecastLoss(CONFIG)
    apart = float(loss(targets, outputs))
    outputs[1][:, 1:] = np.diff(outputs[0][:, 1], axis=1)
    assert float(loss(targets, outputs)) < apart
    targets[3][:] = 1.0
    targets[1][:] = outputs[1] + 2.0
    consistent = float(loss([*targets[:3], np.zeros_like(targets[3])], outputs))
    assert float(loss(targets, outputs)) == pytest.approx(consistent + 2.0 * ACCELERATION, rel=1e-4)


def test_answers_like_the_teachers_cost_nothing_and_every_head_counts() -> None:
    _, taught = forecast_case()
    loss = LikenessLoss(CONFIG)
    assert float(loss(taught, taught)) == 0.0
    for head in range(len(taught)):
        off = [answer + 0.1 * (k == head) for k, answer in enumerate(taught)]
        assert float(loss(taught, off)) > 0.0


def test_a_head_off_by_a_typical_change_costs_its_weight() -> None:
    _, taught = forecast_case()
    loss = LikenessLoss(CONFIG)
    for head, weight in enumerate(HEAD):
        off = taught[0].copy()
        off[:, head] += CONFIG.scales()[head]
        assert float(loss(taught, [off, *taught[1:]])) == pytest.approx(weight / len(HEAD), rel=1e-4)


def test_a_perfect_median_costs_only_its_bands() -> None:
    targets, outputs = forecast_case()
    outputs[0] = targets[0].copy()
    better = float(ForecastLoss(CONFIG)(targets, outputs))
    assert better < float(ForecastLoss(CONFIG)(targets, forecast_case()[1]))


def test_the_quantile_loss_of_a_hit_is_zero() -> None:
    loss = QuantileLoss((0.1, 0.5, 0.9))
    assert float(loss([np.ones((4, 1), np.float32)], [np.ones((4, 3), np.float32)])) == 0.0
    assert float(loss([np.ones((4, 1), np.float32)], [np.zeros((4, 3), np.float32)])) == pytest.approx(0.5)


def test_the_same_answers_cost_nothing_and_others_their_distance() -> None:
    quantiles, usual = np.ones((4, 3), np.float32), np.ones((4, 1), np.float32)
    loss = SameLoss()
    assert float(loss([quantiles, usual], [quantiles, usual])) == 0.0
    assert float(loss([quantiles, usual], [quantiles - 0.25, usual])) == pytest.approx(0.25)
    assert float(loss([quantiles, usual], [quantiles, usual + 0.5])) == pytest.approx(0.5)


def test_the_log_loss_weighs_rows() -> None:
    label = np.array([[1.0], [0.0]], np.float32)
    p = np.array([[0.5], [0.9]], np.float32)
    only_first = LogLoss()([label, np.array([[1.0], [0.0]], np.float32)], [p])
    assert float(only_first) == pytest.approx(np.log(2), rel=1e-5)
