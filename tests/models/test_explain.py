"""Pushes add up to the difference of the answers, for nets of any weights and for the shipped ones."""

from __future__ import annotations

import numpy as np
import pytest

from models.artefact import SHIPPED, find_artefact, load_artefact
from models.engine import Engine
from models.explain import output_of, percentile_of
from models.lean import keras
from models.restore import build, plain_config, restore, set_weights
from stream import infer
from tests.models.builders import SMALL, random_weights


@pytest.mark.parametrize("name", ["injury", "performance", "forecast"])
def test_pushes_of_small_nets_of_any_weights_add_up(name: str) -> None:
    model = build(name, plain_config(SMALL[name]))
    shape = tuple(model.outputs[0].shape[1:])
    explainer, even = output_of(model, 0), np.full(shape, 1 / np.prod(shape))
    for seed in range(4):
        set_weights(model, random_weights(model, seed))
        rng = np.random.default_rng(seed)
        inputs = [rng.normal(size=(5, *i.shape[1:])).astype(np.float32) for i in model.inputs]
        found = explainer(inputs, [np.zeros((1, *a.shape[1:])) for a in inputs], even)
        assert [push.shape for push in found.inputs] == [a.shape for a in inputs]
        total = sum(push.reshape(5, -1).sum(axis=1) for push in found.inputs)
        difference = found.answer - found.baseline
        np.testing.assert_allclose(total, difference, rtol=0.01, atol=0.001 * np.abs(found.answer).max())


@pytest.mark.parametrize("name", ["injury", "performance", "forecast", "movement"])
def test_pushes_of_the_shipped_models_add_up(name: str) -> None:
    artefact = load_artefact(find_artefact(SHIPPED, name))
    model = restore(artefact)
    inputs = [artefact.golden[f"input_{k}"] for k in range(len(model.inputs))]
    first = tuple(model.outputs[0].shape[1:])
    last = np.zeros(first)
    last[tuple(size - 1 for size in first)] = 1
    found = output_of(model, 0)(inputs, [np.zeros((1, *a.shape[1:])) for a in inputs], last)
    assert np.abs(found.answer - found.baseline).max() > 0
    assert found.complete, (found.gap, found.answer - found.baseline)


def test_an_entry_that_is_as_in_the_baseline_pushes_nothing_and_no_rows_are_no_pushes() -> None:
    model = build("injury", plain_config(SMALL["injury"]))
    set_weights(model, random_weights(model, 3))
    days = np.random.default_rng(0).normal(size=(2, 14, 17)).astype(np.float32)
    baseline = days.copy()
    baseline[:, :, 4] = 0
    explainer, mean = output_of(model, 0), np.full(2, 0.5)
    (push,) = explainer([days], [baseline], mean).inputs
    assert np.flatnonzero(np.abs(push).sum(axis=(0, 1))).tolist() == [4]
    assert explainer([days[:0]], [baseline[:0]], mean).inputs[0].shape == (0, 14, 17)


def test_of_a_weighted_sum_every_push_is_its_weight_times_its_distance() -> None:
    x = keras.Input((3,), name="x")
    model = keras.Model(x, keras.layers.Dense(2, name="dense")(x))
    kernel = np.array([[1, 4], [2, 5], [3, 6]], np.float32)
    set_weights(model, {"dense/kernel": kernel, "dense/bias": np.ones(2, np.float32)})
    given, start = np.array([[1, 1, 2]], np.float32), np.array([[0, 1, 1]], np.float32)
    found = output_of(model, 0)([given], [start], np.array([0, 1]))
    np.testing.assert_allclose(found.inputs[0], [[4, 0, 6]], rtol=1e-5)
    assert (found.answer - found.baseline).tolist() == pytest.approx([10])


def test_the_percentile_that_is_explained_is_the_one_that_is_scored() -> None:
    levels = (0.1, 0.5, 0.9)
    model = build("performance", plain_config(SMALL["performance"]))
    explainer = percentile_of(model, levels)
    rng = np.random.default_rng(1)
    for seed in range(3):
        set_weights(model, random_weights(model, seed))
        inputs = [rng.normal(size=(40, *i.shape[1:])).astype(np.float32) for i in model.inputs]
        quantiles = np.asarray(model(inputs, training=False)[0])
        actual = rng.uniform(quantiles.min() - 1, quantiles.max() + 1, 40)
        expected = quantiles[:, 1]
        found = explainer([*inputs, actual], [*inputs, expected])
        np.testing.assert_allclose(found.answer, infer.percentile_of(actual, quantiles, levels), atol=1e-5)
        np.testing.assert_allclose(found.baseline, 0.5, atol=1e-5)
        assert all((push == 0).all() for push in found.inputs[:2]), "only the output is another"
        assert found.complete


def test_the_engine_explains_injury_and_performance() -> None:
    engine = Engine(batch_sizes=(4,))
    rng = np.random.default_rng(2)
    days = rng.normal(size=(3, 14, 17)).astype(np.float32)
    ordinary = days.copy()
    ordinary[:, :, :8] = 0
    pushes = engine.injury_pushes(days, ordinary)
    assert np.flatnonzero(np.abs(pushes).sum(axis=(0, 1))).tolist() == list(range(8))
    gained = engine.injury(days).mean(axis=1) - engine.injury(ordinary).mean(axis=1)
    np.testing.assert_allclose(pushes.sum(axis=(1, 2)), gained, rtol=0.01, atol=1e-5)
    effort = np.tile(np.array([0.8, 0.4, 1, 1], np.float32), (3, 120, 1))
    static = np.zeros((3, engine.manifests["performance"].config["static"]), np.float32)
    given, calm = (effort, static, np.array([0.5, 1.0, 3.0])), effort * np.array([0.9, 1, 1, 1], np.float32)
    usual = engine.performance(calm, static)[0][:, engine.quantile_levels.index(0.5)]
    of_effort, of_static, of_output = engine.performance_pushes(given, (calm, static, usual))
    told = infer.percentile_of(given[2], engine.performance(effort, static)[0], engine.quantile_levels)
    np.testing.assert_allclose(of_effort.sum(axis=(1, 2)) + of_output, told - 0.5, atol=0.005)
    assert not of_static.any()
    assert np.all(of_effort.sum(axis=(1, 2))[told > 0] < 0), "a higher heart rate asks for more"
