"""Which answers may be believed: percentiles, abstentions, and what the networks are told."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from stream.infer import (
    ABSTENTIONS,
    ANSWER_S,
    CARRY_S,
    LEAST_RESERVE,
    OUTPUT_S,
    OUTPUTS,
    PERSONAL,
    SEEN_S,
    Person,
    effort,
    held,
    infer,
    output,
    percentile_of,
    personal,
)
from stream.normalise import CHANNELS, LENGTH, PRIOR, Normalised, own_terms
from tests.fakes import FakeEngine

Floats = NDArray[np.float64]
LEVELS = (0.1, 0.5, 0.9)


def windows(**channels: list[float] | float) -> Normalised:
    """One window whose newest seconds are given; a number stands for all of the two minutes."""
    raw = np.full((1, LENGTH, len(CHANNELS)), np.nan, dtype=np.float32)
    for name, values in channels.items():
        known = [values] * LENGTH if isinstance(values, float | int) else values
        raw[0, LENGTH - len(known) :, CHANNELS.index(name)] = known
    centre = np.arange(1.0, 1 + len(CHANNELS))[None]
    x = own_terms(raw, centre, np.ones_like(centre))
    earlier = np.zeros((1, 24, 6), np.float32)
    return Normalised(raw, x, np.array([[150, 3, 0]], np.float32), earlier)


def person(
    efficiency: tuple[float, float, float] = (1, 1, 1), known: tuple[float, ...] = (0, 0, 0)
) -> Person:
    """Somebody with a reserve of 140 bpm."""
    own = np.array([efficiency], np.float64), np.array([known], np.float64)
    return Person(np.array([50.0]), np.array([190.0]), np.zeros((1, 7), np.float32), *own, np.array([False]))


PERSON = person()
HARD = 160.0  # bpm, 79 % of reserve


def reason(given: Normalised) -> str | None:
    return ABSTENTIONS[int(infer(given, PERSON, FakeEngine()).abstains[0])]


def quantiles(*values: float) -> NDArray[np.float32]:
    return np.array([values], dtype=np.float32)


@pytest.mark.parametrize(
    ("actual", "percentile"),
    [(10, 0.1), (20, 0.5), (30, 0.9), (15, 0.3), (25, 0.7), (32, 0.98), (7.5, 0.0), (99, 1.0), (-99, 0.0)],
)
def test_percentiles_are_linear_between_quantiles_and_go_on_beyond(actual: float, percentile: float) -> None:
    found = percentile_of(np.array([float(actual)]), quantiles(10, 20, 30), LEVELS)
    assert found == pytest.approx([percentile], abs=1e-6)


def test_an_unknown_output_has_no_percentile() -> None:
    assert np.isnan(percentile_of(np.array([np.nan]), quantiles(10, 20, 30), LEVELS)).all()


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.floats(0, 10, width=32), min_size=3, max_size=3).map(sorted),
    st.floats(-5, 15),
    st.floats(0, 3),
)
def test_more_output_is_never_a_lower_percentile(ordered: list[float], actual: float, more: float) -> None:
    low, high = percentile_of(
        np.array([actual, actual + more]), np.repeat(quantiles(*ordered), 2, axis=0), LEVELS
    )
    assert 0 <= low <= high <= 1


def test_power_is_the_output_where_measured_else_metabolic_power_else_speed() -> None:
    everything = {"power": 300.0, "metabolic_power": 12.0, "speed": 4.0}
    for names in (("power", "metabolic_power", "speed"), ("metabolic_power", "speed"), ("speed",)):
        given = windows(heart_rate=HARD, **{name: everything[name] for name in names})
        found = output(given.raw, PERSON)
        assert OUTPUTS[int(found.kind[0])] == names[0]
        assert found.over_own[0] == pytest.approx(everything[names[0]] / PRIOR[names[0]][0])


def test_output_is_the_mean_of_a_minute_that_the_heart_has_answered() -> None:
    speeds = [9.0] * 30 + [2.0] * 30 + [4.0] * 30 + [9.0] * ANSWER_S
    found = output(windows(heart_rate=HARD, speed=speeds).raw, PERSON)
    assert found.over_own[0] * PRIOR["speed"][0] == pytest.approx(3.0)


def test_output_is_over_the_efficiency_of_its_kind_and_the_network_told_how_well_that_is_known() -> None:
    somebody = person(efficiency=(7.0, 1.25, 9.0), known=(0.1, 0.6, 0.2))
    found = output(windows(heart_rate=HARD, metabolic_power=9.0, speed=4.0).raw, somebody)
    assert found.over_own[0] == pytest.approx(9.0 / PRIOR["metabolic_power"][0] / 1.25)
    told = dict(zip(PERSONAL, personal(somebody, found.kind)[0].tolist(), strict=True))
    assert told["efficiency_known"] == pytest.approx(0.6)
    assert [told[f"output_is_{kind}"] for kind in OUTPUTS] == [0, 1, 0]


def test_what_is_over_the_expected_is_output_over_the_median() -> None:
    """The stand-in expects the share of heart-rate reserve."""
    found = infer(windows(heart_rate=HARD, speed=4.0), PERSON, FakeEngine())
    assert found.over_expected[0] == pytest.approx(4.0 / PRIOR["speed"][0] / (110 / 140), rel=1e-6)
    assert np.isnan(infer(windows(speed=4.0), PERSON, FakeEngine()).over_expected).all()


HALF = OUTPUT_S // 2
ABSTAINING = {
    "nothing at all": ({}, "no heart rate"),
    "no heart rate": ({"speed": 4.0}, "no heart rate"),
    "a heart rate that ended a minute ago": (
        {"speed": 4.0, "heart_rate": [HARD] * 30 + [np.nan] * OUTPUT_S},
        "no heart rate",
    ),
    "no output": ({"heart_rate": HARD}, "no output"),
    "output that the heart has not answered": (
        {"heart_rate": HARD, "speed": [4.0] * ANSWER_S},
        "too little seen",
    ),
    "too little output": ({"heart_rate": HARD, "speed": [4.0] * (ANSWER_S + HALF - 1)}, "too little seen"),
    "too little heart rate": ({"heart_rate": [HARD] * (HALF - 1), "speed": 4.0}, "too little seen"),
    "just enough": ({"heart_rate": [HARD] * HALF, "speed": [4.0] * (ANSWER_S + HALF)}, None),
    "resting": ({"heart_rate": 100.0, "speed": 4.0}, "effort below 40 % of heart-rate reserve"),
    "at the limit": ({"heart_rate": 50 + 140 * LEAST_RESERVE, "speed": 4.0}, None),
}


@pytest.mark.parametrize(("channels", "expected"), ABSTAINING.values(), ids=ABSTAINING)
def test_performance_abstains_with_a_reason(channels: dict[str, float], expected: str | None) -> None:
    assert reason(windows(**channels)) == expected


def test_performance_abstains_in_a_break_whatever_is_there() -> None:
    resting = replace(PERSON, in_break=np.array([True]))
    for channels in ({"heart_rate": HARD, "speed": 4.0}, {}):
        found = infer(windows(**channels), resting, FakeEngine())
        assert ABSTENTIONS[found.abstains[0]] == "break"
        assert np.isnan(found.percentile).all()
        assert np.isnan(found.over_expected).all(), "a break says nothing of the athlete's efficiency"


def test_where_it_abstains_there_is_no_percentile() -> None:
    assert np.isnan(infer(windows(speed=4.0), PERSON, FakeEngine()).percentile).all()


@pytest.mark.parametrize(("seconds", "answers"), [(SEEN_S - 1, False), (SEEN_S, True)])
def test_a_forecast_abstains_until_thirty_seconds_were_seen(seconds: int, answers: bool) -> None:
    found = infer(windows(heart_rate=[150.0] * seconds, speed=[3.0] * seconds), PERSON, FakeEngine())
    for values in (found.median, found.bands, found.acceleration):
        assert np.isfinite(values).all() == answers
        assert np.isnan(values).all() != answers


def test_heads_abstain_each_for_itself() -> None:
    """Turning is unknown whenever somebody walks, so speed is enough for it."""
    found = infer(windows(heart_rate=150.0), PERSON, FakeEngine())
    assert np.isnan(found.median[0]).all(axis=1).tolist() == [False, True, True]
    assert np.isnan(found.acceleration).all()
    found = infer(windows(speed=3.0), PERSON, FakeEngine())
    assert np.isnan(found.median[0]).all(axis=1).tolist() == [True, False, False]


def test_effort_is_the_share_of_reserve_and_the_heat_with_what_is_known() -> None:
    told = effort(windows(heart_rate=[120.0, np.nan, 190.0], wbgt=[28.0]).raw, PERSON)
    assert told.shape == (1, LENGTH, 4)
    expected = np.array([[0, 0, 0, 0], [0.5, 0, 1, 0], [0.5, 0, 1, 0], [1, 0.7, 1, 1]])
    assert np.allclose(told[0, -4:], expected)


def test_a_heart_rate_stands_for_the_seconds_after_it_and_no_longer() -> None:
    told = effort(windows(heart_rate=[120.0, *[np.nan] * (CARRY_S + 2)]).raw, PERSON)[0, -CARRY_S - 3 :]
    assert told[:, 2].tolist() == [1.0] * (CARRY_S + 1) + [0.0, 0.0]
    assert told[:, 0].tolist() == [0.5] * (CARRY_S + 1) + [0.0, 0.0]


@given(
    st.lists(st.one_of(st.none(), st.floats(40, 220, width=32)), min_size=1, max_size=20), st.integers(0, 6)
)
def test_what_is_carried_is_the_newest_value_of_a_while(values: list[float | None], longest: int) -> None:
    found = held(np.array([values], np.float32), longest)[0]
    for step, value in enumerate(found):
        recent = [v for v in values[max(0, step - longest) : step + 1] if v is not None]
        assert np.isnan(value) if not recent else value == np.float32(recent[-1])


def test_no_rows_are_no_question() -> None:
    none = windows()
    empty = Normalised(none.raw[:0], none.x[:0], none.anchor[:0], none.earlier[:0])
    found = infer(empty, PERSON, FakeEngine())
    assert found.median.shape == (0, 3, 60)
    assert found.bands.shape == (0, 3, 6, 2)
    assert len(found.abstains) == len(found.percentile) == 0
