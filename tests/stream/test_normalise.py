"""Two minutes in the athlete's own terms: histories, baselines, missingness."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stream.normalise import CHANNELS, LENGTH, LIMIT, PRIOR, PRIOR_S, own_terms
from stream.roster import Roster
from stream.route import Route
from tests.fakes import FakeEngine, FakeForecast, Float32
from tests.stream.feeding import CLOCK, Log, heart, speed

HEART, SPEED = CHANNELS.index("heart_rate"), CHANNELS.index("speed")


class Seeing(FakeEngine):
    """Keeps what it is asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[Float32, Float32]] = []

    def forecast(self, x: Float32, anchor: Float32, earlier: Float32) -> FakeForecast:
        self.asked.append((x, anchor))
        return super().forecast(x, anchor, earlier)


def seen(log: Log, people: Roster | None = None) -> tuple[Float32, Float32]:
    """What the forecast is asked with for each second."""
    engine = Seeing()
    Route(CLOCK, (), engine, people or Roster()).push(log.records)
    x, anchor = zip(*engine.asked, strict=True)
    return np.concatenate(x), np.concatenate(anchor)


def beating(rates: list[float | None], start: float = 0.0) -> Log:
    log = Log()
    for k, rate in enumerate(rates):
        log.send(start + k, speed(3.0, rate=1.0) | ({} if rate is None else heart(rate)))
    log.send(start + len(rates) - 1, {}, end=True)
    return log


def own(value: float, channel: str = "heart_rate") -> float:
    centre, spread = PRIOR[channel]
    return (value - centre) / spread


def test_the_newest_second_stands_last_and_the_past_before_it() -> None:
    x, _ = seen(beating([100, 110, None, 130]))
    assert x.shape == (4, LENGTH, 2 * len(CHANNELS))
    assert x[3, -4:, HEART] == pytest.approx([own(100), own(110), 0, own(130)])
    assert x[3, -5:, len(CHANNELS) + HEART].tolist() == [0, 1, 1, 0, 1]
    assert x[0, -2:, HEART] == pytest.approx([0, own(100)])


def test_the_history_reaches_two_minutes_back_and_no_further() -> None:
    rates: list[float | None] = [100.0 + k % 50 for k in range(LENGTH + 30)]
    x, _ = seen(beating(rates))
    expected = [own(rate) for rate in rates[-LENGTH:] if rate is not None]
    assert x[-1, :, HEART] == pytest.approx(expected, abs=1e-6)


def test_a_gap_too_long_to_carry_begins_a_new_history() -> None:
    log = beating([100] * 5)
    log.send(5000, heart(150))
    log.send(5001, heart(150), end=True)
    x, anchor = seen(log)
    assert x[-1, :, len(CHANNELS) + HEART].sum() == 2
    assert anchor[-1].tolist() == [150, 3, 0]


def test_anchors_are_the_last_known_values_else_the_athletes_own_centre() -> None:
    _, anchor = seen(beating([None, 110, None]))
    assert anchor[:, 0].tolist() == [PRIOR["heart_rate"][0], 110, 110]
    assert anchor[:, 1].tolist() == [3, 3, 3]
    assert anchor[:, 2].tolist() == [0, 0, 0]


@settings(max_examples=20, deadline=None)
@given(st.floats(100, 180), st.floats(1, 40), st.integers(0, 10**6))
def test_an_own_baseline_weighs_by_the_seconds_behind_it(centre: float, spread: float, known: int) -> None:
    people = Roster(athletes={"a": {"baselines": {"heart_rate": [centre, spread, known]}}})
    x, _ = seen(beating([150.0]), people)
    weight = known / (known + PRIOR_S)
    prior_centre, prior_spread = PRIOR["heart_rate"]
    mixed = prior_centre + weight * (centre - prior_centre), prior_spread + weight * (spread - prior_spread)
    assert x[0, -1, HEART] == pytest.approx(
        np.clip((150 - mixed[0]) / mixed[1], -LIMIT, LIMIT), rel=1e-4, abs=1e-5
    )


def test_a_spread_of_nothing_is_no_division_by_zero() -> None:
    people = Roster(athletes={"a": {"baselines": {"speed": [3.0, -100.0, 10**9]}}})
    x, _ = seen(beating([150.0]), people)
    assert np.isfinite(x).all()


def test_own_terms_against_a_loop() -> None:
    rng = np.random.default_rng(0)
    raw = rng.normal(0, 30, (3, 5, 2)).astype(np.float32)
    raw[rng.random(raw.shape) < 0.3] = np.nan
    centre, spread = rng.normal(0, 5, (3, 2)), rng.uniform(0.5, 4, (3, 2))
    found = own_terms(raw, centre, spread)
    assert found.dtype == np.float32
    for r, t, c in np.ndindex(3, 5, 2):
        value = raw[r, t, c]
        if np.isnan(value):
            assert found[r, t, c] == found[r, t, 2 + c] == 0
        else:
            limited = np.clip((value - centre[r, c]) / spread[r, c], -LIMIT, LIMIT)
            assert found[r, t, c] == pytest.approx(limited, rel=1e-5)
            assert found[r, t, 2 + c] == 1
