"""Distance, speed, sprints, accelerations and turns: what streams through is what plain numpy computes in one go."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from stream.records import Group
from tests.stream.feeding import SECOND, Log, Told, agree, make_route, position, speed, told

Floats = NDArray[np.float64]


def track(columns: Mapping[str, Floats], t: Floats, rate: float = 10.0) -> Log:
    """Samples at ``t`` (s) as frames: a new one after every hole, and every seven samples."""
    log = Log()
    holes = np.flatnonzero(np.abs(np.diff(t) - 1 / rate) > 1e-4) + 1
    runs = [run[k : k + 7] for run in np.split(np.arange(len(t)), holes) for k in range(0, len(run), 7)]
    values = np.stack(list(columns.values()), axis=1)
    for run in runs:
        log.send(t[run[0]], position(values[run], tuple(columns), rate), end=run is runs[-1])
    return log


def whole(log: Log) -> Told:
    return told([make_route().push(log.records)])


def total(log: Log, name: str = "distance_m") -> float:
    return float(whole(log).column("totals", name)[-1])


def stepped(n: int, kept: float = 1.0, seed: int = 0) -> tuple[Floats, Floats, Floats]:
    """A random walk at 10 Hz of which a share is kept: x, y (m) and t (s)."""
    rng = np.random.default_rng(seed)
    x, y = np.cumsum(rng.normal(0.3, 0.2, n)), np.cumsum(rng.normal(0, 0.2, n))
    there = rng.random(n) < kept
    there[[0, -1]] = True
    return x[there], y[there], np.arange(n)[there] / 10


# Distance


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 1000), st.sampled_from([1.0, 0.9, 0.5]))
def test_path_length_counts_steps_between_adjoining_fixes_only(seed: int, kept: float) -> None:
    x, y, t = stepped(80, kept, seed)
    near = np.diff(t) <= 1.5 / 10 + 1e-9
    expected = np.hypot(np.diff(x), np.diff(y))[near].sum()
    assert total(track({"x": x, "y": y}, t)) == pytest.approx(expected, abs=2e-4)


def test_the_path_is_the_same_in_any_batching() -> None:
    x, y, t = stepped(60, 0.8)
    agree(track({"x": x, "y": y}, t).records)


def test_a_step_of_one_and_a_half_intervals_counts_and_a_longer_one_does_not() -> None:
    t = np.array([0.0, 0.15, 0.301, 0.4])
    log = Log()
    for at, x in zip(t, (0, 3, 10, 11), strict=True):
        log.send(at, position([[x, 0.0]]), end=at == t[-1])
    assert total(log) == pytest.approx(3 + 1)


def haversine(lat: Floats, lon: Floats) -> Floats:
    """Length of each step on the mean sphere, m."""
    a, b = np.radians(lat), np.radians(lon)
    half = np.sin(np.diff(a) / 2) ** 2 + np.cos(a[:-1]) * np.cos(a[1:]) * np.sin(np.diff(b) / 2) ** 2
    return np.asarray(2 * 6_371_008.8 * np.arcsin(np.sqrt(half)))


@pytest.mark.parametrize(("lat", "lon"), [(59.3, 18.07), (-33.9, 151.2), (0.0, 179.9999), (78.2, 15.6)])
def test_a_path_over_the_globe_is_that_of_haversine(lat: float, lon: float) -> None:
    x, y, t = stepped(60)
    lats, lons = lat + y / 111_195, lon + x / 111_195 / np.cos(np.radians(lat))
    lons = (lons + 180) % 360 - 180
    log = Log()
    for at, place in zip(t, np.stack([lats, lons], axis=1), strict=True):
        log.send(at, position([place], ("lat", "lon")), end=at == t[-1])
    assert total(log) == pytest.approx(haversine(lats, lons).sum(), rel=1e-5)


def test_pitch_coordinates_win_over_the_globe() -> None:
    x, y, t = stepped(40)
    columns = {"x": x, "y": y, "lat": 59 + 3 * y / 111_195, "lon": 18 + 3 * x / 111_195}
    assert total(track(columns, t)) == pytest.approx(np.hypot(np.diff(x), np.diff(y)).sum(), abs=2e-4)


def test_measured_speed_wins_over_the_path() -> None:
    x, y, t = stepped(60)
    v = np.linspace(1, 5, len(t))
    result = whole(track({"x": x, "y": y, "speed": v}, t))
    assert result.column("totals", "distance_m")[-1] == pytest.approx((v / 10).sum(), abs=1e-4)
    assert result.column("live", "speed") == pytest.approx(v.reshape(-1, 10).mean(axis=1), abs=1e-5)


def test_the_integral_of_speed_leaves_out_what_was_not_measured() -> None:
    v = np.full(40, 4.0)
    v[5:9] = np.nan
    v[25:] = np.nan
    assert total(track({"speed": v}, np.arange(40) / 10)) == pytest.approx(4.0 * 21 / 10, abs=1e-4)


def cumulative(readings: list[float], v: list[float] | None = None, t: list[float] | None = None) -> Log:
    """Readings of the device's own distance at 1 Hz, with a speed beside them."""
    columns = {"distance": np.array(readings, dtype=float)}
    if v is not None:
        columns["speed"] = np.array(v, dtype=float)
    return track(columns, np.array(t if t is not None else range(len(readings)), dtype=float), rate=1.0)


@settings(max_examples=20, deadline=None)
@given(st.lists(st.floats(0, 9), min_size=2, max_size=30))
def test_the_devices_own_distance_counts_from_its_first_to_its_last_reading(steps: list[float]) -> None:
    readings = (500 + np.cumsum(steps)).round(2).tolist()
    assert total(cumulative(readings, v=[1.0] * len(readings))) == pytest.approx(
        readings[-1] - readings[0], abs=1e-3
    )


def test_a_reset_of_the_devices_distance_counts_as_nothing() -> None:
    assert total(cumulative([100, 110, 0, 5, 12])) == pytest.approx(10 + 5 + 7)


def test_between_readings_of_the_devices_distance_no_other_source_counts() -> None:
    nan = float("nan")
    result = whole(cumulative([100, nan, nan, 130, nan], v=[9.0] * 5))
    assert result.column("live", "distance") == [0, 0, 0, 30, 0]


def test_the_devices_distance_is_counted_over_a_pause_of_it() -> None:
    """Nothing at all was received for five minutes; the device went on counting."""
    assert total(cumulative([100, 110, 900, 910], t=[0, 1, 300, 301])) == pytest.approx(810)


def test_what_speed_counted_while_the_devices_distance_was_away_is_not_counted_again() -> None:
    """After a minute without readings speed counts; the reading that comes then covers the same way."""
    n = 130
    readings = np.full(n + 2, np.nan)
    readings[[0, 1, -1]] = [1000, 1003, 1003 + 3 * n]
    result = whole(cumulative(readings.tolist(), v=[3.0] * (n + 2)))
    assert last(result, "distance_m") == pytest.approx(3 * (n + 1), abs=0.01)
    live = result.column("live", "distance")
    assert live[2:61] == [0] * 59
    assert live[70:100] == [3] * 30


def test_the_devices_distance_in_any_batching() -> None:
    readings = np.full(90, np.nan)
    readings[[0, 1, 75, 89]] = [10, 13, 250, 390]
    agree(cumulative(readings.tolist(), v=[3.0] * 90).records)


# Speed zones


def at_speeds(v: Floats | list[float], rate: float = 10.0) -> Told:
    v = np.asarray(v, dtype=float)
    log = Log()
    per = max(1, round(rate))
    for k in range(0, len(v), per):
        log.send(k / rate, speed(*v[k : k + per], rate=rate), end=k + per >= len(v))
    return whole(log)


def last(result: Told, name: str) -> float:
    return float(result.column("totals", name)[-1])


def test_high_speed_and_sprint_distance_are_metres_above_their_speeds() -> None:
    v = np.repeat([3.0, 6.0, 8.0], 100)
    result = at_speeds(v)
    assert last(result, "distance_m") == pytest.approx(170, abs=1e-3)
    assert last(result, "hsr_distance_m") == pytest.approx(140, abs=3)
    assert last(result, "sprint_distance_m") == pytest.approx(80, abs=4)
    assert result.column("live", "speed")[15] == 6


def test_distance_at_a_steady_speed_of_once_a_second_goes_to_its_zone_whole() -> None:
    result = at_speeds([6.0] * 30, rate=1.0)
    assert last(result, "hsr_distance_m") == last(result, "hmld_m") == last(result, "distance_m") == 180
    assert last(result, "sprint_distance_m") == 0


PROFILES = {
    "never above": ([6.9] * 60, 0),
    "one and a half seconds": ([5.0] * 20 + [8.0] * 15 + [5.0] * 20, 1),
    "too short": ([5.0] * 20 + [8.0] * 5 + [5.0] * 20, 0),
    "dips below entry but not below leaving": (
        [5.0] * 20 + [7.5] * 10 + [6.6] * 10 + [7.5] * 10 + [5.0] * 9,
        1,
    ),
    "dips below leaving": ([5.0] * 20 + [8.0] * 20 + [5.0] * 20 + [8.0] * 20 + [5.0] * 20, 2),
    "for a minute": ([5.0] * 20 + [8.0] * 600 + [5.0] * 20, 1),
    "a hole in it": ([8.0] * 20 + [np.nan] * 10 + [8.0] * 20, 2),
    "until the end": ([5.0] * 10 + [8.0] * 20, 1),
}


@pytest.mark.parametrize(("profile", "sprints"), PROFILES.values(), ids=PROFILES)
def test_a_sprint_is_entered_held_for_a_second_and_left(profile: list[float], sprints: int) -> None:
    assert last(at_speeds(profile), "sprints") == sprints


def ramp(start: float, rate: float, seconds: float) -> list[float]:
    return [start + rate * k / 10 for k in range(round(10 * seconds))]


RAMPS = {
    "steady": ([5.0] * 100, 0, 0),
    "hard start": ([0.5] * 20 + ramp(0.5, 4.0, 1.5) + [6.5] * 20, 1, 0),
    "soft start": ([0.5] * 20 + ramp(0.5, 2.5, 2.0) + [5.5] * 20, 0, 0),
    "too short": ([2.0] * 20 + ramp(2.0, 4.0, 0.3) + [3.2] * 20, 0, 0),
    "hard stop": ([7.0] * 20 + ramp(7.0, -4.0, 1.5) + [1.0] * 20, 0, 1),
    "start and stop": ([0.5] * 20 + ramp(0.5, 4, 1.5) + [6.5] * 20 + ramp(6.5, -4, 1.5) + [0.5] * 20, 1, 1),
}


@pytest.mark.parametrize(("profile", "up", "down"), RAMPS.values(), ids=RAMPS)
def test_accelerations_beyond_three_for_half_a_second_count_once(
    profile: list[float], up: int, down: int
) -> None:
    result = at_speeds(profile)
    assert (last(result, "accelerations"), last(result, "decelerations")) == (up, down)


def test_demanding_distance_is_run_fast_or_while_accelerating() -> None:
    slow = at_speeds([3.0] * 50)
    starting = at_speeds(ramp(0.5, 2.5, 2.0))
    assert last(slow, "hmld_m") == 0
    assert last(starting, "hmld_m") > 0.6 * last(starting, "distance_m")


def test_acceleration_is_the_change_of_mean_speed_from_second_to_second() -> None:
    result = at_speeds([1.0] * 10 + [2.0] * 10 + [np.nan] * 10 + [5.0] * 10 + [4.0] * 10)
    assert result.column("live", "acceleration") == [None, 1.0, None, None, -1.0]


def test_nothing_is_carried_over_a_gap_too_long_to_carry() -> None:
    log = Log()
    log.send(0.5, speed(*[8.0] * 5))
    log.send(2000, speed(*[8.0] * 5))
    log.send(2001, speed(1.0, rate=1.0), end=True)
    result = whole(log)
    assert last(result, "sprints") == 0
    assert result.column("live", "acceleration")[1] is None


# Turns and climbs


def test_the_yaw_rate_is_the_turn_between_two_seconds_of_movement() -> None:
    """East, then north, then west at 3 m/s: left turns are positive; standing has no direction."""
    legs = np.repeat([[0.3, 0.0], [0.0, 0.3], [-0.3, 0.0], [0.0, 0.0], [0.3, 0.0]], 10, axis=0)
    places = np.cumsum(legs, axis=0)
    result = whole(track({"x": places[:, 0], "y": places[:, 1]}, np.arange(50) / 10))
    yaw = result.column("live", "yaw_rate")
    assert yaw[0] is None
    assert yaw[1:3] == pytest.approx(
        [90, 90], abs=8
    )  # the step over the border belongs to the second it ends in
    assert yaw[3:] == [None, None]


def test_a_turn_through_north_is_a_small_one_on_the_globe_too() -> None:
    angle = np.radians(np.repeat([175.0, -175.0], 10))
    east, north = np.cumsum(0.4 * np.cos(angle)), np.cumsum(0.4 * np.sin(angle))
    columns = {"lat": 59 + north / 111_195, "lon": 18 + east / 111_195 / np.cos(np.radians(59))}
    log = Log()
    for k in range(20):
        log.send(k / 10, position([[c[k] for c in columns.values()]], tuple(columns)), end=k == 19)
    assert whole(log).column("live", "yaw_rate")[1] == pytest.approx(10, abs=1.5)


def test_place_is_the_last_fix_of_the_second() -> None:
    x, y, t = stepped(20)
    places = whole(track({"x": x, "y": y}, t)).column("position")
    assert [place["x"] for place in places] == pytest.approx(x[[9, 19]], abs=1e-5)
    assert places[0]["lat"] is None


def test_altitude_is_the_mean_of_the_second() -> None:
    values = np.stack([np.full(20, 3.0), np.repeat([100.0, 101.5], 10)], axis=1)
    log = Log()
    for k in (0, 10):
        log.send(k / 10, position(values[k : k + 10], ("speed", "altitude")), end=k == 10)
    route = make_route()
    result = told([route.push(log.records)])
    assert result.column("live", "altitude") == [100.0, 101.5]


def test_metabolic_power_and_energy_at_a_steady_run() -> None:
    """5 m/s on grass: only drag adds to the flat cost of running."""
    result = at_speeds([5.0] * 100)
    slope = 0.0037 * 25 / 9.81
    power = np.sqrt(slope**2 + 1) * (39.5 * slope + 3.6 * np.exp(-4 * slope)) * 5
    assert result.column("live", "metabolic_power") == pytest.approx([power] * 10, abs=1e-4)
    assert last(result, "energy_j_per_kg") == pytest.approx(10 * power, abs=1e-3)


def test_group_samples_of_a_second_are_taken_in_the_order_of_their_stamps() -> None:
    """Two frames of one second, the later one first."""
    first, second = position([[0.0, 0.0], [1.0, 0.0]]), position([[2.0, 0.0], [3.0, 0.0]])
    log = Log()
    log.send(0.2, second, at=0.3)
    log.send(0.0, first, at=0.35)
    log.send(0.4, position([[4.0, 0.0]]), end=True)
    assert total(log) == pytest.approx(4.0)
    agree(log.records)


def test_the_device_clock_is_kept_to_the_microsecond() -> None:
    log = Log()
    log.send(0.000001, position([[0.0, 0.0]]), end=True)
    (score,) = whole(log).of()
    assert score["lineage"]["device_us"] % SECOND == 1


def test_a_group_of_another_rate_is_its_own_path() -> None:
    samples: dict[str, Group] = position([[0, 0], [1, 0], [2, 0]], rate=1.0)
    log = Log()
    log.send(0, samples, end=True)
    assert total(log) == 2
