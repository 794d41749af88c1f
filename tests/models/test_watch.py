"""When a canary has left its band: seldom without cause however long one looks, soon with one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.watch import Band, CanaryWatch, Capital, Tally

ALPHA = 0.05
RUNS, WINDOWS = 1000, 2000


@pytest.mark.parametrize(("rate", "tolerance"), [(0.5, 0.0), (0.1, 0.0), (0.1, 0.05)])
def test_a_canary_within_its_band_is_seldom_rolled_back_however_long_one_looks(
    rate: float, tolerance: float
) -> None:
    rng = np.random.default_rng(7)
    capital, ever = Capital(tolerance, (RUNS,)), np.zeros(RUNS, bool)
    for _ in range(WINDOWS):
        stable, canary = rng.binomial(20, rate, RUNS) / 20, rng.binomial(2, rate + tolerance, RUNS) / 2
        ever |= capital.bet(canary - stable) >= np.log(1 / ALPHA)
    assert ever.mean() <= ALPHA + 3 * np.sqrt(ALPHA / RUNS)
    assert ever.any() or tolerance > 0, "or the test would be one that cannot fail"


def windows(rng: np.random.Generator, rate: float, scores: int, measure: str) -> Tally:
    """A window in which one measure has this rate."""
    return Tally(scores, known=scores, **{measure: int(rng.binomial(scores, rate))})


@pytest.mark.parametrize(
    ("measure", "stable", "canary"),
    [("errors", 0.0, 0.5), ("alerts", 0.1, 0.7), ("alerts", 0.6, 0.0), ("slow", 0.0, 0.6), ("outside", 0.2, 0.8)],
)  # fmt: skip
def test_a_clearly_worse_canary_is_rolled_back_soon_and_told_why(
    measure: str, stable: float, canary: float
) -> None:
    rng, watch = np.random.default_rng(3), CanaryWatch()
    for _ in range(60):
        verdict = watch.add(windows(rng, stable, 20, measure), windows(rng, canary, 4, measure))
    assert verdict is not None
    assert (verdict.measure, verdict.window <= 40) == (measure, True)
    assert verdict.difference == pytest.approx(canary - stable, abs=0.2)


def test_equal_arms_stay_over_a_long_run() -> None:
    rng, rolled = np.random.default_rng(5), 0
    for _ in range(40):
        watch = CanaryWatch(ALPHA)
        for _ in range(300):
            watch.add(windows(rng, 0.3, 20, "alerts"), windows(rng, 0.3, 2, "alerts"))
        rolled += watch.verdict is not None
    assert rolled <= 4


@settings(max_examples=50, deadline=None)
@given(rates=st.lists(st.floats(-1, 1), min_size=1, max_size=40), tolerance=st.floats(0, 0.5))
def test_capital_is_the_mean_product_and_never_below_zero(rates: list[float], tolerance: float) -> None:
    capital = Capital(tolerance)
    logs = [float(capital.bet(rate)) for rate in rates]
    bets = np.geomspace(1e-3, 0.99, 12) / (1 + tolerance)
    product = np.prod(1 + bets * (np.array(rates)[:, None] - tolerance), axis=0).mean()
    assert np.exp(logs[-1]) == pytest.approx(product)
    assert np.isfinite(logs).all()


def test_a_verdict_stays_and_windows_without_counts_say_nothing() -> None:
    watch = CanaryWatch(bands=[Band("errors", "scores", 0.0)], least=5)
    for _ in range(100):
        assert watch.add(Tally(20), Tally(4, errors=4)) is None
    for _ in range(100):
        watch.add(Tally(20), Tally(5, errors=5))
    first = watch.verdict
    assert first is not None
    assert 100 < first.window < 120
    assert watch.add(Tally(20), Tally(5)) == first


def test_what_is_no_rate_is_refused() -> None:
    with pytest.raises(ValueError, match="no rate"):
        CanaryWatch().add(Tally(1, errors=2), Tally(1))
