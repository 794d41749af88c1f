"""Whole sessions."""

from __future__ import annotations

import itertools
import tracemalloc
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from sim.faults import parse_faults
from sim.schedule import KINDS, Kind
from sim.sessions import Second, SessionConfig, simulate_session
from stream import topics
from stream.decode import decode
from stream.errors import UsageError
from stream.records import CHANNELS, Record
from tests.sim.sessions import SECOND_US, START_US, frame, simulate, truth, wearable


def _everything(
    seed: int, **config: Any
) -> tuple[list[tuple[int, str, bytes | None, bytes]], list[dict[str, Any]]]:
    session = simulate(seed, **config)
    return [(d.at_us, d.topic, d.key, d.value) for d in session.deliveries], session.athletes


@pytest.mark.parametrize("kind", KINDS)
def test_a_seed_gives_the_same_bytes_and_another_seed_others(kind: Kind) -> None:
    assert _everything(7, kind=kind) == _everything(7, kind=kind)
    assert _everything(7, kind=kind) != _everything(8, kind=kind)


def test_a_squad_plays_more_than_one_session() -> None:
    played, people = zip(*(_everything(seed, squad=5) for seed in (7, 8)), strict=True)
    assert [a["profile"] for a in people[0]] == [a["profile"] for a in people[1]]
    assert played[0] != played[1]
    assert _everything(7, squad=6)[1][0]["profile"] != people[0][0]["profile"]


def test_faults_do_not_change_the_bodies() -> None:
    faulty = simulate(faults=parse_faults(["late:0.5:0.2"]))
    assert sorted(d.value for d in faulty.deliveries) == sorted(d.value for d in simulate().deliveries)


def test_a_session_is_named_and_described() -> None:
    session = simulate(seed=4, kind="run")
    assert session.sessions[0] == {
        "v": 1, "session": "sim-run-4-1760000000", "activity": "run", "venue": None, "start_us": START_US,
        "source": "simulate",
    }  # fmt: skip
    assert [athlete["athlete"] for athlete in session.athletes] == ["A01", "A02"]
    assert {len(athlete["days"]) for athlete in session.athletes} == {28}
    assert session.athletes[0]["days"][-1]["date"] == "2025-10-08"  # the day before the start


def test_every_athlete_sends_ten_frames_a_second_and_ends() -> None:
    deliveries = list(simulate(athletes=22, seconds=12).deliveries)
    frames = [frame(delivery) for delivery in wearable(deliveries)]
    assert len(frames) == 22 * 120
    for athlete in (f"A{i:02d}" for i in range(1, 23)):
        own = [f for f in frames if f["athlete"] == athlete]
        assert [f["seq"] for f in own] == list(range(120))
        assert [f["t0"] for f in own] == [START_US + 100_000 * i for i in range(120)]
        assert [i for i, f in enumerate(own) if "heart" in f] == list(range(0, 120, 10))
        assert [i for i, f in enumerate(own) if f.get("end")] == [119]


def test_weather_comes_every_ten_seconds() -> None:
    deliveries = list(simulate(seconds=25).deliveries)
    weather = [frame(delivery) for delivery in deliveries if delivery.topic == topics.VENUE]
    assert [(f["t0"] - START_US) // SECOND_US for f in weather] == [0, 10, 20]


@pytest.mark.parametrize("kind", KINDS)
def test_deliveries_are_in_the_order_of_arrival(kind: Kind) -> None:
    arrivals = [delivery.at_us for delivery in simulate(athletes=8, seconds=30, kind=kind).deliveries]
    assert all(a <= b for a, b in itertools.pairwise(arrivals))


@pytest.mark.parametrize("kind", KINDS)
def test_the_worker_accepts_every_frame(kind: Kind) -> None:
    deliveries = list(simulate(athletes=5, seconds=12, kind=kind).deliveries)
    records = [
        Record(d.topic == topics.VENUE, 0, offset, d.at_us, d.key, d.value)
        for offset, d in enumerate(deliveries)
    ]
    decoded = decode(records)
    assert decoded.rejected == []
    assert len(decoded.headers) == len(deliveries)
    heart = decoded.samples["heart"].values[:, list(CHANNELS["heart"]).index("hr")]
    assert np.all((heart >= 25) & (heart <= 240))
    position = decoded.samples["position"].values
    x, lat = position[:, 0], position[:, list(CHANNELS["position"]).index("lat")]
    assert np.isnan(x).all() == (kind == "run")
    assert np.isfinite(lat).all() == (kind == "run")
    assert ("motion" in decoded.samples) == (kind == "run")


def test_single_athletes_may_carry_less() -> None:
    session = simulate(
        athletes=3, seconds=2, carried={"A01": frozenset({"heart"}), "A02": frozenset({"position"})}
    )
    frames = [frame(delivery) for delivery in wearable(list(session.deliveries))]
    groups = {athlete: set() for athlete in ("A01", "A02", "A03")}  # type: dict[str, set[str]]
    for packed in frames:
        groups[packed["athlete"]] |= set(packed) & set(CHANNELS)
    assert groups == {"A01": {"heart"}, "A02": {"position"}, "A03": {"imu", "position", "heart"}}


@pytest.mark.parametrize(
    ("config", "says"),
    [
        ({"athletes": 0}, "at least 1 athlete"),
        ({"seconds": 0}, "1 second"),
        ({"kind": "swim"}, "match, training, run"),
        ({"fatigue": "much"}, "none, natural, fade"),
        ({"intensity": 0}, "intensity"),
        ({"frames_per_s": 3}, "1, 2, 5 or 10 frames"),
        ({"frames_per_s": 0}, "1, 2, 5 or 10 frames"),
        ({"faults": parse_faults(["skew:A09:3"])}, "A09"),
        ({"carried": {"B01": frozenset({"heart"})}}, "B01"),
        ({"carried": {"A01": frozenset({"hart"})}}, "hart"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(config: dict[str, Any], says: str) -> None:
    with pytest.raises(UsageError, match=says) as refused:
        simulate(**config)
    assert "\n" not in str(refused.value)


def test_seconds_are_simulated_as_they_are_read() -> None:
    session = simulate(athletes=2, seconds=10**9)
    assert len(list(itertools.islice(session.deliveries, 100))) == 100


@pytest.mark.slow
def test_memory_does_not_grow_with_the_length_of_a_session() -> None:
    session = simulate(athletes=5, seconds=10_000)
    tracemalloc.start()
    try:
        peaks = []
        for _ in range(3):
            tracemalloc.reset_peak()
            for _delivery in itertools.islice(session.deliveries, 5 * 10 * 60):
                pass
            peaks.append(tracemalloc.get_traced_memory()[1])
    finally:
        tracemalloc.stop()
    assert peaks[2] < 1.2 * peaks[1] + 50_000


def _column(seconds: list[Second], name: str) -> NDArray[np.float64]:
    """``(seconds, athletes)`` of one truth."""
    return np.array([getattr(second, name) for second in seconds])


@pytest.mark.slow
def test_a_half_of_a_match_looks_like_one() -> None:
    seconds = truth(athletes=22, seconds=2700)
    speed = np.concatenate([second.motion.speed for second in seconds], axis=1)
    km = speed.sum(axis=1) / 10 / 1000 * 2
    outfield = np.arange(22) % 11 != 0
    assert np.all((km[outfield] > 8) & (km[outfield] < 14))
    assert np.all(km[~outfield] < km[outfield].min())
    assert 7 < speed.max() < 10
    beats = _column(seconds, "heart_rate")[300:]
    assert 125 < beats[:, outfield].mean() < 175
    assert np.all((beats > 50) & (beats < 213))


@pytest.mark.slow
def test_heart_rate_lags_intensity_by_tens_of_seconds() -> None:
    seconds = truth(athletes=11, seconds=3000, kind="training", fatigue="none")[600:1200]  # the intervals
    power, beats = _column(seconds, "power").mean(axis=1), _column(seconds, "heart_rate").mean(axis=1)
    lags = np.arange(0, 60)
    alike = [np.corrcoef(power[: len(power) - lag], beats[lag:])[0, 1] for lag in lags]
    assert 8 <= lags[int(np.argmax(alike))] <= 45
    assert max(alike) > 0.8
    assert max(alike) > alike[0] + 0.2


def _halves(fatigue: str) -> list[NDArray[np.float64]]:
    """Power, heart rate and capacity: five-minute means over both halves of a match, each ``(16, athletes)``."""
    seconds = truth(3, athletes=22, seconds=6300, fatigue=fatigue)
    play = seconds[300:2700] + seconds[3900:6300]
    return [
        _column(play, name).reshape(-1, 300, 22).mean(axis=1) for name in ("power", "heart_rate", "capacity")
    ]


@pytest.mark.slow
def test_output_at_effort_stays_without_fatigue_and_follows_capacity_in_a_fade() -> None:
    power, beats, capacity = _halves("none")
    faded = _halves("fade")
    expected = [np.polynomial.Polynomial.fit(beats[:, i], power[:, i], 1) for i in range(22)]

    def given(power: NDArray[np.float64], beats: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.stack([power[:, i] / expected[i](beats[:, i]) for i in range(22)], axis=1)

    fresh = given(power, beats)
    assert np.all(capacity == 1)
    assert fresh[8:].mean() == pytest.approx(fresh[:8].mean(), abs=0.02)
    together = [np.corrcoef(given(*faded[:2])[:, i], faded[2][:, i])[0, 1] for i in range(22)]
    assert min(together) > 0.8


def test_whoever_observes_sees_each_second_before_its_frames() -> None:
    seen: list[Second] = []
    config = SessionConfig(athletes=3, seconds=4, start_us=START_US)
    session = simulate_session(config, np.random.default_rng(0), observe=seen.append)
    for delivery in wearable(list(session.deliveries)):
        assert seen
        packed = frame(delivery)
        if "heart" in packed:
            (beats,) = np.frombuffer(packed["heart"]["samples"], "<i2")
            second = seen[(packed["t0"] - START_US) // SECOND_US]
            athlete = int(packed["athlete"][1:]) - 1
            assert beats == np.rint(second.heart_rate[athlete])
    assert [second.index for second in seen] == [0, 1, 2, 3]


def test_halved_intensity_halves_the_ground_covered_and_lowers_the_heart() -> None:
    full, half = truth(athletes=11, seconds=400), truth(athletes=11, seconds=400, intensity=0.5)
    covered = [sum(second.motion.speed.sum() for second in session) for session in (full, half)]
    assert covered[1] == pytest.approx(covered[0] / 2, rel=0.05)
    assert _column(half, "heart_rate")[200:].mean() < _column(full, "heart_rate")[200:].mean() - 15
    assert np.all(_column(half, "capacity") >= _column(full, "capacity") - 1e-9)
