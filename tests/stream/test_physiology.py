"""Heart and power metrics against plain loops over the same seconds."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from stream.physiology import DRIFT_BINS, FADE, FIRST_PART_S, HOLD_S, SMOOTH, heart_rate_reserve, trimp_rate
from stream.roster import Roster
from tests.stream.feeding import Log, Told, agree, heart, make_route, motion, speed, told

REST, MOST = 50.0, 190.0
PROFILE = {"heart_rate_rest": REST, "heart_rate_max": MOST, "critical_power_w": 250.0, "w_prime_j": 20_000.0}


def people(**profile: Any) -> Roster:
    return Roster(athletes={"a": {"profile": PROFILE | profile}})


def sent(log: Log, roster: Roster) -> Told:
    return told([make_route(people=roster).push(log.records)])


def beats(rates: list[float | None], *, step: float = 1.0) -> Log:
    """One heart rate after another; None sends nothing. An end closes the last."""
    log = Log()
    for k, rate in enumerate(rates):
        if rate is not None:
            log.send(k * step, heart(rate, rate=1 / step))
    log.send((len(rates) - 1) * step, {}, end=True)
    return log


rates = st.lists(st.none() | st.integers(60, 200).map(float), min_size=1, max_size=40).map(
    lambda found: [100.0, *found, 100.0]
)


def loops(found: list[float | None], sex: str | None) -> tuple[float, list[float]]:
    """TRIMP and seconds per zone, second by second."""
    trimp, zones, newest = 0.0, [0.0] * 5, None
    for second, rate in enumerate(found):
        if rate is None:
            continue
        stands = 1 if newest is None else min(second - newest, HOLD_S)
        newest = second
        x = max(0.0, (rate - REST) / (MOST - REST))
        men, women = 0.64 * math.exp(1.92 * x), 0.86 * math.exp(1.67 * x)
        trimp += stands / 60 * x * {"male": men, "female": women, None: (men + women) / 2}[sex]
        share = rate / MOST
        zone = 4 if share >= 0.9 else math.floor(share * 10 + 1e-12) - 5
        if zone >= 0:
            zones[zone] += stands
    return trimp, zones


@settings(max_examples=25, deadline=None)
@given(rates, st.sampled_from(["male", "female", None]))
def test_trimp_and_zones_are_those_of_a_loop(found: list[float | None], sex: str | None) -> None:
    result = sent(beats(found), people(sex=sex))
    trimp, zones = loops(found, sex)
    totals = result.column("totals")[-1]
    assert totals["trimp"] == pytest.approx(trimp, abs=1e-4)
    assert [totals[f"zone{k}_s"] for k in range(1, 6)] == zones
    known = [rate for rate in found if rate is not None]
    assert totals["heart_samples"] == len(known)
    assert totals["heart_sum_bpm"] == sum(known)
    assert totals["heart_max_bpm"] == max(known)


def test_heart_metrics_in_any_batching() -> None:
    agree(
        beats([100, 120, None, 130, None, None, 150, 170, 180]).records, lambda: make_route(people=people())
    )


def test_a_heart_rate_stands_for_the_time_since_the_one_before_at_most_ten_seconds() -> None:
    result = sent(beats([150, *[None] * 3, 150, *[None] * 29, 150]), people())
    assert result.column("totals", "zone3_s")[-1] == 1 + 4 + HOLD_S


def test_several_readings_of_a_second_are_its_mean_and_each_a_sample() -> None:
    log = Log()
    log.send(0, heart(100, 110, 120, 130, rate=4.0), end=True)
    (score,) = sent(log, people()).of()
    assert score["live"]["heart_rate"] == 115
    assert score["totals"]["heart_samples"] == 4
    assert score["totals"]["heart_sum_bpm"] == 460
    assert score["totals"]["heart_max_bpm"] == 130


def test_the_share_of_reserve() -> None:
    values = heart_rate_reserve(np.array([50.0, 120.0, 190.0, 40.0, 204.0]), np.array(REST), np.array(MOST))
    assert values == pytest.approx([0, 0.5, 1, 0, 1.1])


def test_trimp_of_a_minute_by_sex() -> None:
    half = np.array([0.5, 0.5, 0.5])
    men, women = 0.5 * 0.64 * math.exp(0.96), 0.5 * 0.86 * math.exp(0.835)
    expected = [men, women, (men + women) / 2]
    assert trimp_rate(half, np.array([1.0, 0.0, np.nan])) == pytest.approx(expected)


def test_without_a_profile_the_maximum_follows_age_and_a_resting_rate_is_assumed() -> None:
    log = beats([125.0])
    assert sent(log, Roster()).column("live", "heart_rate_reserve") == [0.5]
    roster = Roster(athletes={"a": {"profile": {"birth_year": None, "heart_rate_rest": None}}})
    assert sent(log, roster).column("live", "heart_rate_reserve") == [0.5]


# W'bal

powers = st.lists(st.none() | st.integers(0, 600).map(float), min_size=1, max_size=40)


def ridden(found: list[float | None]) -> Log:
    log = Log()
    log.send(0, heart(100))
    for k, power in enumerate(found):
        if power is not None:
            log.send(k, motion(cadence=[90], power=[power]))
    log.send(len(found), heart(100), end=True)
    return log


def balance(
    found: list[float | None], critical: float = 250.0, whole: float = 20_000.0
) -> list[float | None]:
    """W'bal after each second: drained above critical power, refilled in proportion to what is missing below."""
    out: list[float | None] = []
    left: float | None = None
    for power in found:
        if power is not None:
            left = whole if left is None else left
            if power < critical:
                left += (critical - power) * (whole - left) / whole
            else:
                left -= power - critical
        out.append(left)
    return out


@settings(max_examples=25, deadline=None)
@given(powers)
def test_w_balance_is_that_of_a_loop(found: list[float | None]) -> None:
    result = sent(ridden(found), people())
    assert result.column("live", "w_balance")[:-1] == pytest.approx(balance(found), abs=1e-3)


def test_w_balance_needs_critical_power_and_w_prime() -> None:
    for lacking in ("critical_power_w", "w_prime_j"):
        result = sent(ridden([300.0] * 3), people(**{lacking: None}))
        assert result.column("live", "w_balance") == [None] * 4


def test_w_balance_may_fall_below_zero_when_critical_power_is_set_too_low() -> None:
    result = sent(ridden([600.0] * 60), people(w_prime_j=10_000.0))
    assert result.column("live", "w_balance")[59] == pytest.approx(10_000 - 60 * 350)


# Cardiac drift


def drifting(seconds: int, power: float) -> tuple[Log, NDArray[np.float64]]:
    """Steady speed, heart rate rising by 20 bpm over the session."""
    found = np.round(np.linspace(130, 150, seconds))
    log = Log()
    for k in range(0, seconds, 20):
        rates = heart(*found[k : k + 20])
        log.send(k, rates | speed(*[power] * 20, rate=1.0), end=k + 20 >= seconds)
    return log, found


def drift_loop(found: NDArray[np.float64], metabolic: list[float | None]) -> list[float]:
    """Cardiac drift second by second, with the constants of the module."""
    bins = len(DRIFT_BINS) + 1
    first, now = [[0.0, 0.0] for _ in range(bins)], [[0.0, 0.0] for _ in range(bins)]
    smooth, worked, out = math.nan, 0, []
    for rate, power in zip(found, metabolic, strict=True):
        if power is not None:
            smooth = power if math.isnan(smooth) else smooth + SMOOTH * (power - smooth)
            place = int(np.searchsorted(DRIFT_BINS, smooth))
            part = first if worked < FIRST_PART_S else now
            part[place][0] += rate
            part[place][1] += 1
            now = [[a * FADE, b * FADE] for a, b in now]
            worked += 1
        seen = [k for k in range(bins) if first[k][1] >= 30 and now[k][1] >= 30]
        weight = sum(now[k][1] for k in seen)
        ratios = ((now[k][0] / now[k][1]) / (first[k][0] / first[k][1]) * now[k][1] for k in seen)
        out.append(100 * (sum(ratios) / weight - 1) if seen else math.nan)
    return out


def test_cardiac_drift_is_that_of_a_loop_and_about_the_rise_of_heart_rate() -> None:
    log, found = drifting(1000, 3.0)
    result = sent(log, people())
    drift = np.array([np.nan if d is None else d for d in result.column("live", "cardiac_drift")])
    expected = np.array(drift_loop(found, result.column("live", "metabolic_power")))
    assert np.array_equal(np.isnan(drift), np.isnan(expected))
    assert np.nanmax(np.abs(drift - expected)) < 1e-4
    assert np.isnan(drift[: FIRST_PART_S + 29]).all()
    first, now = found[:FIRST_PART_S].mean(), found[-100:].mean()
    assert drift[-1] == pytest.approx(100 * (now / first - 1), abs=1.5)


def test_cardiac_drift_says_nothing_before_the_first_part_is_over_or_without_speed() -> None:
    assert set(sent(beats([120.0] * 60), people()).column("live", "cardiac_drift")) == {None}
