"""The networks give exact numbers with constant weights, and keep their promises with any."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models import forecast, injury, performance
from models.restore import answer, set_weights, weights_of
from tests.models.builders import SMALL, constant, constant_lstm, random_weights, sigmoid

W = 0.05


def test_the_injury_network_with_constant_weights() -> None:
    config = injury.InjuryConfig(channels=3, members=1, units=2, dropout=0.0)
    days = np.tile(np.array([0.5, -1.0, 2.0], np.float32), (1, 14, 1))
    states = constant_lstm([1.5] * 14, units=2, weight=W)
    expected = sigmoid(W * 2 * float(np.mean(states)) + W)
    found = answer(constant(injury.build(config), W), [days])[0]
    assert found.shape == (1, 1)
    assert found[0, 0] == pytest.approx(expected, abs=1e-6)
    assert found[0, 0] == pytest.approx(0.514311, abs=1e-5)


def test_the_performance_network_with_constant_weights() -> None:
    config = performance.PerformanceConfig(
        channels=2, static=1, known=0, patch=4, units=2, hidden=2, dropout=0.0, levels=(0.1, 0.5, 0.9),
        middle=(0.6,), spread=(0.2,),
    )  # fmt: skip
    effort = np.ones((1, 120, 2), np.float32)
    patch = W * 12 + W  # four seconds of (1.0 - 0.6) / 0.2 and presence, and the bias; both filters alike
    state = constant_lstm([2 * patch] * 30, units=2, weight=W)[-1]
    means = 4 * 3.0  # of value and presence over four spans

    def quantiles(static: float) -> list[float]:
        hidden = W * (2 * state + means + static) + W
        lowest = W * (2 * hidden + static + means) + W
        rise = float(np.log1p(np.exp(lowest)))
        return [lowest, lowest + rise, lowest + 2 * rise]

    found, usual = answer(constant(performance.build(config), W), [effort, np.full((1, 1), 0.3, np.float32)])
    np.testing.assert_allclose(found, [quantiles(0.3)], atol=1e-6)
    np.testing.assert_allclose(usual, [[quantiles(1.0)[1]]], atol=1e-6)


@pytest.mark.parametrize("since", [False, True])
def test_the_forecast_network_with_constant_weights(since: bool) -> None:
    """Nothing is missing, so that nothing was last seen long ago."""
    config = forecast.ForecastConfig(
        channels=3, earlier=2, patch=4, units=2, hidden=2, memory=2, recent=2, dropout=0.0, since=since
    )
    x = np.tile(np.array([1, 1, 1, 1, 1, 1], np.float32), (1, 120, 1))  # constant: no change since then
    earlier = np.tile(
        np.array([0.5, 1.5, 1, 1], np.float32), (1, 24, 1)
    )  # changes of -0.5 and 0.5, times the gain
    anchor = np.array([[150.0, 3.0, 0.0]], np.float32)
    patch = W * 24 + W
    states = constant_lstm([2 * patch] * 30, units=2, weight=W)
    energy = [float(np.tanh(W * 2 * s + W)) for s in states]
    score = np.exp([W * 16 * e + W for e in energy])
    context = float((score * states).sum() / score.sum())
    memory = W * 24 * 4.0 + W
    recent = 12.0 + 4 * 6.0  # two seconds of six ones, four means of them; the changes since then are 0
    hidden = W * (2 * states[-1] + 2 * context + 2 * memory + recent) + W
    head = W * (2 * hidden + recent) + W
    found = answer(constant(forecast.build(config), W), [x, anchor, earlier])
    median, acceleration, bands = found
    np.testing.assert_allclose(median, (anchor[:, :, None] + head * config.scales()), rtol=1e-5)
    np.testing.assert_allclose(acceleration, np.full((1, 60), head), rtol=1e-5)
    width = float(np.log1p(np.exp(head))) * config.scales()[0, 59]
    np.testing.assert_allclose(
        bands[0, 0, 5], [median[0, 0, 59] - width, median[0, 0, 59] + width], rtol=1e-5
    )


def test_a_network_that_is_told_tells_a_sensor_lost_long_ago_from_one_lost_just_now() -> None:
    """One heart rate was seen, 35 or 58 s ago: within the same patch, and in the same spans of the last seconds."""

    def answers(since: bool) -> list[float]:
        config = forecast.ForecastConfig(units=3, hidden=4, recent=2, patch=60, dropout=0.0, since=since)
        model = constant(forecast.build(config), W)
        x = np.zeros((2, 120, 20), np.float32)
        x[0, 84, [0, 10]] = x[1, 61, [0, 10]] = 1.0
        given = [x, np.zeros((2, 3), np.float32), np.zeros((2, 24, 6), np.float32)]
        found = answer(model, given)[0][:, 0, 59]
        return [float(value) for value in found]

    told, untold = answers(since=True), answers(since=False)
    assert untold[0] == pytest.approx(untold[1], abs=1e-5)
    assert abs(told[0] - told[1]) > 0.01


def test_a_forecast_network_that_knows_nothing_gives_the_last_value() -> None:
    model = constant(forecast.build(forecast.ForecastConfig(units=2, hidden=2, members=2)), 0.0)
    anchor = np.array([[151.0, 2.5, 0.0], [80.0, 0.0, 0.0]], np.float32)
    rng = np.random.default_rng(0)
    x, earlier = (rng.normal(size=(2, *shape)).astype(np.float32) for shape in ((120, 20), (24, 6)))
    median, acceleration, _ = answer(model, [x, anchor, earlier])
    np.testing.assert_array_equal(median, np.broadcast_to(anchor[:, :, None], (2, 3, 60)))
    np.testing.assert_array_equal(acceleration, np.zeros((2, 60)))


def test_fused_forecast_nets_give_the_mean_of_their_answers() -> None:
    small = SMALL["forecast"]
    assert isinstance(small, forecast.ForecastConfig)
    one, both = forecast.build(small), forecast.build(replace(small, members=2))
    members = [random_weights(one, seed) for seed in (1, 2)]
    rng = np.random.default_rng(0)
    given = [rng.normal(size=(5, *i.shape[1:])).astype(np.float32) for i in one.inputs]
    apart = []
    for weights in members:
        set_weights(one, weights)
        apart.append(answer(one, given))
    set_weights(both, forecast.fuse(members))
    for together, (first, second) in zip(answer(both, given), zip(*apart, strict=True), strict=True):
        np.testing.assert_allclose(together, (first + second) / 2, rtol=1e-4, atol=1e-4)


@pytest.fixture(scope="module")
def performance_model() -> Any:
    return performance.build(SMALL["performance"])  # type: ignore[arg-type]


@settings(deadline=None, max_examples=10)
@given(seed=st.integers(0, 10_000), size=st.floats(0.1, 50))
def test_quantiles_rise_whatever_the_weights(performance_model: Any, seed: int, size: float) -> None:
    set_weights(performance_model, random_weights(performance_model, seed))
    rng = np.random.default_rng(seed)
    effort, static = (rng.normal(size=(4, *i.shape[1:])).astype(np.float32) for i in performance_model.inputs)
    assert (np.diff(answer(performance_model, [size * effort, static])[0], axis=1) >= 0).all()


def test_the_median_lies_within_its_band() -> None:
    model = forecast.build(SMALL["forecast"])  # type: ignore[arg-type]
    set_weights(model, random_weights(model))
    x = np.random.default_rng(0).normal(size=(16, 120, 20)).astype(np.float32)
    median, _, bands = answer(model, [x, np.zeros((16, 3), np.float32), np.zeros((16, 24, 6), np.float32)])
    picked = median[:, :, [h - 1 for h in forecast.HORIZONS]]
    assert (bands[..., 0] <= picked).all()
    assert (picked <= bands[..., 1]).all()


def test_the_width_of_the_config_widens_the_bands() -> None:
    config = forecast.ForecastConfig(units=3, hidden=4)
    wide = replace(config, width=((2.0,) * 6, (3.0,) * 6, (1.0,) * 6))
    one, other = forecast.build(config), forecast.build(wide)
    set_weights(one, random_weights(one))
    set_weights(other, weights_of(one))
    inputs = [np.ones((1, *shape), np.float32) for shape in ((120, 20), (3,), (24, 6))]
    before, after = (np.diff(answer(model, inputs)[2], axis=3)[..., 0] for model in (one, other))
    np.testing.assert_allclose(after / before, np.broadcast_to([[[2], [3], [1]]], (1, 3, 6)), rtol=1e-4)


def test_an_ensemble_answers_as_its_members_do_one_by_one() -> None:
    single = injury.InjuryConfig(units=3)
    members = [random_weights(injury.build(single), seed) for seed in range(4)]
    platt = [(0.5 + k, -1.0 + k / 2) for k in range(4)]
    days = np.random.default_rng(9).normal(size=(5, 14, 17)).astype(np.float32)
    expected = []
    for weights, (slope, offset) in zip(members, platt, strict=True):
        model = injury.build(single)
        set_weights(model, weights)
        p = answer(model, [days])[0][:, 0].astype(np.float64)
        expected.append(1 / (1 + np.exp(-(slope * np.log(p / (1 - p)) + offset))))
    ensemble = injury.build(replace(single, members=4))
    set_weights(ensemble, injury.fuse(members, platt))
    np.testing.assert_allclose(answer(ensemble, [days])[0], np.stack(expected, axis=1), atol=1e-5)


def test_what_efficiencies_count_from_is_the_median_of_somebody_known_however_well_the_athlete_is() -> None:
    config = performance.PerformanceConfig(units=3, hidden=4, dropout=0.0, levels=(0.1, 0.5, 0.9))
    model = performance.build(config)
    set_weights(model, random_weights(model, 4))
    effort, static = (
        np.random.default_rng(0).normal(size=(6, *i.shape[1:])).astype(np.float32) for i in model.inputs
    )
    strangers, known = static.copy(), static.copy()
    strangers[:, config.known], known[:, config.known] = 0.0, 1.0
    usual = [answer(model, [effort, person])[1] for person in (strangers, static, known)]
    np.testing.assert_array_equal(usual[0], usual[1])
    np.testing.assert_array_equal(usual[0], usual[2])
    np.testing.assert_allclose(usual[2][:, 0], answer(model, [effort, known])[0][:, 1], rtol=1e-6)
