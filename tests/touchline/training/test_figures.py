"""Figures of probabilities, against scikit-learn and by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from touchline.training.figures import (
    athlete_weights,
    auc_within,
    brier_skill,
    calibration_error,
    calibration_slope,
    classifier_figures,
    interval,
    logit,
    platt,
    ranking,
    sigmoid,
)


@given(rows=st.lists(st.tuples(st.integers(0, 5), st.booleans(), st.integers(1, 3)), min_size=2, max_size=40))
def test_the_auc_is_scikit_learns_with_ties_and_weights(rows: list[tuple[int, bool, int]]) -> None:
    score, label, weight = (np.array(column, dtype=float) for column in zip(*rows, strict=True))
    found = ranking(score, label).auc(weight)
    if label.min() == label.max():
        assert found is None
    else:
        assert found == pytest.approx(roc_auc_score(label, score, sample_weight=weight))


def test_within_athletes_nothing_is_gained_by_telling_them_apart() -> None:
    athlete = np.repeat(["a", "b"], 4)
    label = np.array([1, 1, 1, 0, 0, 0, 0, 1], dtype=float)
    score = np.repeat([0.9, 0.1], 4)
    assert ranking(score, label).auc() == pytest.approx(0.75)
    assert auc_within(score, label, athlete) == pytest.approx(0.5)
    assert auc_within(score, np.zeros(8), athlete) is None


def test_a_bootstrap_draws_whole_athletes() -> None:
    athlete = np.array(["a", "b", "a", "c", "b"])
    draws = list(athlete_weights(athlete, draws=200, seed=1))
    for weight in draws:
        assert weight[0] == weight[2]
        assert weight[1] == weight[4]
        assert weight[0] + weight[1] + weight[3] == 3
    assert np.mean([w[0] for w in draws]) == pytest.approx(1, abs=0.2)


def test_an_interval_leaves_out_what_is_undefined() -> None:
    assert interval([None, None]) is None
    assert interval([0.0, None, 1.0], share=1.0) == [0.0, 1.0]


def test_the_base_rate_has_no_skill_and_certainty_has_all() -> None:
    label = np.array([1, 0, 0, 0], dtype=float)
    assert brier_skill(np.full(4, 0.25), label) == pytest.approx(0)
    assert brier_skill(label, label) == pytest.approx(1)
    assert brier_skill(label, np.zeros(4)) is None


def test_a_calibrated_forecast_has_slope_one_and_a_bold_one_less() -> None:
    rng = np.random.default_rng(0)
    p = rng.uniform(0.05, 0.95, 20_000)
    label = (rng.random(20_000) < p).astype(float)
    bold = sigmoid(2 * logit(p))
    assert calibration_slope(p, label) == pytest.approx(1, abs=0.05)
    assert calibration_slope(bold, label) == pytest.approx(0.5, abs=0.05)
    assert calibration_error(p, label) < 0.02 < calibration_error(bold, label)
    slope, offset = platt(logit(bold), label)
    assert slope == pytest.approx(0.5, abs=0.05)
    assert offset == pytest.approx(0, abs=0.05)


def test_with_one_class_only_the_figures_are_none_where_they_are_not_defined() -> None:
    found = classifier_figures(np.full(10, 0.1), np.zeros(10), np.full(10, "a"))
    assert found["auc"] is found["ap"] is found["calibration_slope"] is found["brier_skill"] is None
    assert found["brier"] == pytest.approx(0.01)
