"""Readings in file order become samples in time order."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.readers.activity import (
    About,
    Readings,
    activity_in,
    activity_recording,
    nominal_rate,
    path_length,
    readings_of,
    settle,
    unbroken,
)
from sim.readers.source import Source
from stream.errors import UnreadableFile

START_US = 1_600_000_000_000_000


def readings(seconds: list[float], **channels: list[float]) -> Readings:
    t_us = [START_US + round(s * 1e6) for s in seconds]
    rows = [{name: values[k] for name, values in channels.items()} for k in range(len(seconds))]
    return readings_of(t_us, rows, [0] * len(seconds))


def test_readings_are_put_in_the_order_of_time() -> None:
    settled, notes = settle(readings([0, 2, 1, 3], hr=[60, 62, 61, 63]))
    assert settled.channels["hr"].tolist() == [60, 61, 62, 63]
    assert notes == ()


def test_readings_of_one_moment_become_one_with_all_that_was_measured() -> None:
    nan = np.nan
    settled, _ = settle(readings([0, 1, 1, 1, 2], hr=[60, 61, nan, nan, 62], power=[nan, nan, 200, 210, nan]))
    assert ((settled.t_us - START_US) / 1e6).tolist() == [0, 1, 2]
    assert settled.channels["hr"].tolist() == [60, 61, 62]
    np.testing.assert_array_equal(settled.channels["power"], [nan, 210, nan])


def test_distance_runs_on_where_a_device_starts_again_from_zero() -> None:
    #                 swim        | bike                | run
    legs = np.array([0, 800, 1500, 0, 20_000, 40_000, 3, 5000, 10_000], dtype=float)
    assert unbroken(legs).tolist() == [0, 800, 1500, 1500, 21_500, 41_500, 41_503, 46_500, 51_500]


@pytest.mark.parametrize("slip", [[0], [0, 0, 0], [4990], [np.nan, 0]])
def test_a_slip_of_the_sensor_adds_nothing(slip: list[float]) -> None:
    there = [4980.0, 4990.0, 5000.0]
    settled, _ = settle(readings(list(range(len(slip) + 5)), distance=[*there, *slip, 5010, 5020]))
    distance = settled.channels["distance"]
    assert np.nanmax(distance) == 5020
    assert (np.diff(distance[np.isfinite(distance)]) >= 0).all()


@given(
    st.lists(
        st.lists(st.floats(0, 50), min_size=1, max_size=40).filter(lambda leg: sum(leg) > 101), min_size=1
    )
)
def test_the_whole_is_the_sum_of_legs_that_each_start_from_zero(legs: list[list[float]]) -> None:
    each = [np.cumsum([0.0, *steps]) for steps in legs]
    whole = unbroken(np.concatenate(each))
    np.testing.assert_allclose(whole[-1], sum(leg[-1] for leg in each))
    assert (np.diff(whole) >= 0).all()


def test_distance_of_fixes_is_the_path_within_parts() -> None:
    lat = np.array([0.0, 0.001, 0.002, 0.502, 0.503])
    length = path_length(lat, np.zeros(5), np.array([0, 0, 0, 1, 1]))
    metre = np.radians(0.001) * 6_371_008.8
    np.testing.assert_allclose(length, metre * np.array([0, 1, 2, 2, 3]), rtol=1e-9)


def test_a_fix_that_is_missing_does_not_break_a_path() -> None:
    lat = np.array([0.0, np.nan, 0.002])
    length = path_length(lat, np.zeros(3), np.zeros(3, dtype=np.int64))
    assert np.isnan(length[1])
    np.testing.assert_allclose(length[2], np.radians(0.002) * 6_371_008.8)


def test_the_devices_distance_is_never_replaced_by_the_path() -> None:
    settled, _ = settle(readings([0, 1, 2], lat=[0, 1, 2], lon=[0, 0, 0], distance=[5, 6, 7]))
    assert settled.channels["distance"].tolist() == [5, 6, 7]


def test_damaged_stamps_are_left_out_and_counted() -> None:
    far = 400 * 86_400
    settled, notes = settle(readings([0, 1, far, 2, -far, 3], hr=[60, 61, 99, 62, 99, 63]))
    assert settled.channels["hr"].tolist() == [60, 61, 62, 63]
    assert notes == ("2 readings have an impossible stamp",)


def test_activities_days_apart_in_one_file_are_all_kept() -> None:
    days = 30 * 86_400
    settled, notes = settle(readings([0, 1, 2, days, days + 1, days + 2], hr=[60, 61, 62, 63, 64, 65]))
    assert len(settled.t_us) == 6
    assert notes == ()


def test_stamps_of_a_clock_that_was_never_set_are_refused(tmp_path: Path) -> None:
    undated = Readings(np.array([0, 10**6]), {"hr": np.array([60.0, 61])}, np.array([0, 0]))
    with pytest.raises(UnreadableFile, match=r"old\.fit: 2 readings have an impossible stamp"):
        activity_recording(Source(tmp_path / "old.fit", b"x"), undated, About())


@pytest.mark.parametrize(
    ("steps_s", "rate"),
    [
        ([1, 1, 1], 1.0),
        ([5, 1, 6], 1.0),
        ([0.1, 0.1, 0.1, 7], 10.0),
        ([0.0101, 0.0099, 0.01], 100.0),
        ([0.4, 0.4], 2.5),
    ],
)
def test_the_rate_is_that_of_most_steps(steps_s: list[float], rate: float) -> None:
    t_us = np.cumsum([0, *(round(s * 1e6) for s in steps_s)])
    assert nominal_rate(t_us) == pytest.approx(rate)


@pytest.mark.parametrize(
    ("text", "activity"),
    [
        ("RUN_2021-03-25-10-40-55", "run"),
        ("trail_running", "run"),
        ("mountain biking", "ride"),
        ("open water swim", "swim"),
        ("trunk strength", "other"),
        ("", "other"),
    ],
)
def test_an_activity_is_recognised_by_the_beginning_of_a_word(text: str, activity: str) -> None:
    assert activity_in(text) == activity
