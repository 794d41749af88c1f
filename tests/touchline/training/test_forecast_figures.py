"""Figures of forecasts, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from models.forecast import HORIZONS
from touchline.training.forecast_figures import Answers, judge_part, widths

ROWS = 4000
PICKED = [h - 1 for h in HORIZONS]


def answers(seed: int = 0, spread: float = 1.0) -> Answers:
    """Outcomes around a median of 0 by a normal spread; bands one wide on either side."""
    rng = np.random.default_rng(seed)
    ahead = rng.normal(0, spread, (ROWS, 4, 60)).astype(np.float32)
    median = np.zeros((ROWS, 3, 60), np.float32)
    bands = np.broadcast_to(np.array([-1, 1], np.float32), (ROWS, 3, 6, 2))
    last = np.array([[2.0, 0.0, 0.0, 0.0]], np.float32).repeat(ROWS, axis=0)
    return Answers(ahead, last, median, np.zeros((ROWS, 60), np.float32), bands)


def test_a_width_makes_the_band_hold_eighty_percent() -> None:
    found = widths({"one": answers(spread=2.0)})
    expected = 2.0 * 1.2816  # the normal's 90th percentile
    np.testing.assert_allclose(found, np.full((3, 6), expected), rtol=0.08)


def test_sets_of_sessions_count_alike_and_too_few_outcomes_not_at_all() -> None:
    one, other = answers(spread=1.0), answers(spread=3.0)
    both = np.array(widths({"one": one, "other": other}))
    np.testing.assert_allclose(both, (np.array(widths({"a": one})) + np.array(widths({"b": other}))) / 2)
    empty = Answers(np.full_like(one.ahead, np.nan), one.last, one.median, one.acceleration, one.bands)
    np.testing.assert_array_equal(widths({"empty": empty}), np.ones((3, 6)))


def test_errors_are_of_the_horizons_and_missing_outcomes_are_left_out() -> None:
    found = answers()
    found.ahead[:, 0, 4] = 3.0
    found.ahead[: ROWS // 2, 0, 4] = np.nan
    found.ahead[:, 2] = np.nan
    figures = judge_part(found)
    assert figures["heart_rate"]["mae"][0] == pytest.approx(3.0)
    assert figures["heart_rate"]["last_value"][0] == pytest.approx(1.0)
    assert figures["heart_rate"]["zero"][0] == pytest.approx(3.0)
    assert figures["heart_rate"]["coverage_80"][0] == 0.0
    assert figures["speed"]["coverage_80"] == [pytest.approx(0.683, abs=0.03)] * 6
    assert figures["yaw_rate"]["mae"] == [None] * 6
    assert figures["inconsistency"] == 0.0


def test_the_inconsistency_is_what_the_speed_head_does_not_say() -> None:
    found = answers()
    found.median[:, 1] = np.arange(60)
    assert judge_part(found)["inconsistency"] == pytest.approx(1.0)
    found.acceleration[:] = 1.0
    assert judge_part(found)["inconsistency"] == pytest.approx(0.0)
