"""Features joined: real recordings against plain numpy, any subset of channel groups, and what the models get."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from numpy.typing import NDArray

from sim.readers import read
from sim.recording import Recording, deliveries
from stream import topics
from stream.cut import CutSession, cut
from stream.features import GROUPS, HISTORY
from stream.records import Group, Record
from stream.roster import Roster
from tests.stream.feeding import Log, Told, agree, heart, imu, make_route, motion, position, told, weather

Floats = NDArray[np.float64]


def as_records(recordings: list[Recording]) -> list[Record]:
    """A file's deliveries as one partition's log."""
    return [
        Record(d.topic == topics.VENUE, 0, offset, d.at_us, d.key, d.value)
        for offset, d in enumerate(deliveries(recordings).deliveries)
    ]


def cut_file(path: Path) -> dict[str, CutSession]:
    return {session.athlete: session for session in cut(as_records(read(path)), Roster())}


@pytest.mark.slow
def test_player_load_of_the_check_file(data_dir: Path) -> None:
    """Left hip, whole file: 513.6 AU (SCIENCE.md)."""
    path = data_dir / "imu_running_adeptdata_100hz/acc_running.parquet"
    (session,) = cut_file(path).values()
    assert session.totals["player_load_au"] == pytest.approx(513.6, rel=0.005)
    table = pq.read_table(path).to_pydict()
    hip = np.array(table["loc_id"]) == "left_hip"
    axes = np.stack([np.array(table[axis])[hip] for axis in "xyz"], axis=1)
    batch = np.linalg.norm(np.diff(axes, axis=0), axis=1).sum() / 100
    assert session.totals["player_load_au"] == pytest.approx(batch, rel=1e-4)


@pytest.mark.slow
def test_distances_of_a_half_are_those_of_plain_numpy(data_dir: Path) -> None:
    """Every player's steps of at most 0.15 s."""
    path = data_dir / "football_skillcorner_2417/tracking_half1_10hz.parquet"
    recordings = read(path)
    sessions = {s.athlete: s for s in cut(as_records(recordings), Roster())}
    table = pq.read_table(path)
    objects, t, x, y = (
        table[name].to_numpy().astype(float) for name in ("trackable_object", "t_s", "x_m", "y_m")
    )
    lengths = sorted(
        step_lengths(t[objects == number], x[objects == number], y[objects == number])
        for number in np.unique(objects)
    )
    found = sorted(session.totals["distance_m"] for session in sessions.values())
    assert len(found) == sum(len(recording.athletes) for recording in recordings)
    for distance in found:
        nearest = min(lengths, key=lambda length: abs(length - distance))
        assert distance == pytest.approx(nearest, abs=0.05)
    assert found[-1] > 3000


def step_lengths(t: Floats, x: Floats, y: Floats) -> float:
    """Path length over steps of at most 0.15 s, plain numpy."""
    t, first = np.unique(t, return_index=True)
    x, y = x[first], y[first]
    near = np.diff(t) <= 0.15 + 1e-6
    return float(np.hypot(np.diff(x), np.diff(y))[near].sum())


@pytest.mark.slow
def test_a_watchs_own_distance_duration_and_heart_rate(data_dir: Path) -> None:
    recordings = read(data_dir / "workouts_fit/run_garmin_53min.fit")
    (session,) = cut(as_records(recordings), Roster())
    track = recordings[0].tracks[0]
    device = np.asarray(track.channels["distance"])
    device = device[np.isfinite(device)]
    beats = np.asarray(track.channels["hr"])
    beats = beats[(beats >= 25) & (beats <= 240)]
    totals = session.totals
    assert totals["distance_m"] == pytest.approx(device[-1] - device[0], rel=0.001)
    assert totals["duration_s"] == pytest.approx((track.t_us[-1] - track.t_us[0]) / 1e6, abs=0.001)
    assert totals["heart_sum_bpm"] / totals["heart_samples"] == pytest.approx(beats.mean())
    assert totals["heart_max_bpm"] == beats.max()


# Any subset of channel groups

SECONDS = 3
RUN = np.stack([np.linspace(0, 9, 30), np.zeros(30)], axis=1)
SUBSETS: Mapping[str, frozenset[str]] = {
    "heart": frozenset({"heart"}),
    "position": frozenset({"position"}),
    "imu": frozenset({"imu"}),
    "motion": frozenset({"motion"}),
    "all": frozenset(GROUPS),
}


def second_of(k: int) -> dict[str, Group]:
    """All groups of one second."""
    return (
        heart(120)
        | position(RUN[10 * k : 10 * k + 10])
        | imu(np.tile([[0.0, 0.0, 1.0], [0.0, 0.0, 1.5]], (50, 1)))
        | motion(cadence=[170], power=[260])
    )


def subset(names: frozenset[str]) -> Log:
    log = Log()
    for k in range(SECONDS):
        sent = {name: group for name, group in second_of(k).items() if name in names}
        log.send(k, sent, end=k == SECONDS - 1)
    return log


#: What each group lets us know of a second in the middle of a session.
KNOWN: Mapping[str, frozenset[str]] = {
    "heart": frozenset({"heart_rate", "heart_rate_reserve"}),
    "position": frozenset({"speed", "acceleration", "yaw_rate", "metabolic_power", "distance"}),
    "imu": frozenset({"player_load", "impact_peak"}),
    "motion": frozenset({"cadence", "power"}),
}


@pytest.mark.parametrize("names", SUBSETS.values(), ids=SUBSETS)
def test_any_subset_of_groups_gives_scores_with_what_it_allows(names: frozenset[str]) -> None:
    result = agree(subset(names).records)
    assert len(result.of()) == SECONDS
    live = result.column("live")[-1]
    known = {name for name, value in live.items() if value is not None}
    assert known == frozenset().union(*(KNOWN[name] for name in names))
    missing = result.column("quality", "missing")[-1]
    assert missing == {name: 0.0 if name in names else 1.0 for name in GROUPS}
    assert result.column("quality", "stale") == [False] * SECONDS


#: Of a minute and a bit at a hard effort: why performance abstains, which forecasts there are.
HEADS: Mapping[str, tuple[str | None, set[str]]] = {
    "heart": ("no output", {"heart_rate"}),
    "position": ("no heart rate", {"speed", "yaw_rate", "acceleration"}),
    "imu": ("no heart rate", set()),
    "motion": ("no heart rate", set()),
    "all": (None, {"heart_rate", "speed", "yaw_rate", "acceleration"}),
}


@pytest.mark.parametrize("name", HEADS)
def test_each_head_answers_or_abstains_by_what_it_needs(name: str) -> None:
    abstains, forecasts = HEADS[name]
    seconds, log = 80, Log()
    for k in range(0, seconds, 8):
        xs = np.stack([np.linspace(3 * k, 3 * k + 23.7, 80), np.zeros(80)], axis=1)
        everything = (
            heart(*[170] * 8)
            | position(xs)
            | imu(np.ones((80, 3)), rate=10)
            | motion(cadence=[170] * 8, power=[260] * 8)
        )
        log.send(k, {g: s for g, s in everything.items() if g in SUBSETS[name]}, end=k == seconds - 8)
    score = told([make_route().push(log.records)]).of()[-1]
    assert score["performance"]["abstains"] == abstains
    assert (score["performance"]["score"] is None) == (abstains is not None)
    answered = {
        head for head, values in score["forecast"].items() if head != "abstains" and values is not None
    }
    assert answered == forecasts
    assert score["forecast"]["abstains"] == (None if forecasts else "fewer than 30 s seen")
    assert score["injury"]["abstains"] == "no daily rows"


def test_totals_only_ever_grow() -> None:
    rng = np.random.default_rng(4)
    log = Log()
    for k in range(20):
        if rng.random() < 0.8:
            sent = {name: group for name, group in second_of(k % 3).items() if rng.random() < 0.7}
            log.send(k, sent or heart(100), end=k == 19)
    totals = told([make_route().push(log.records)]).column("totals")
    for name in totals[0]:
        values = [t[name] for t in totals if t[name] is not None]
        assert values == sorted(values), name


def test_history_holds_the_live_metrics_the_models_see() -> None:
    (session,) = cut(subset(frozenset(GROUPS)).records, Roster())
    assert session.history.shape == (SECONDS, len(HISTORY))
    seen = dict(zip(HISTORY, session.history[-1], strict=True))
    assert seen["heart_rate"] == 120
    assert seen["cadence"] == 170
    assert seen["power"] == 260
    assert seen["speed"] == pytest.approx(RUN[1, 0] * 10, rel=1e-3)
    assert np.isnan(seen["climb"])
    assert np.isnan(seen["wbgt"])


def test_the_athletes_own_thermometer_wins_over_the_venues() -> None:
    log = Log()
    log.send(0, weather(30, 40, 50), athlete="*", venue=True)
    for k in range(5):
        log.send(k + 1, heart(100), at=k + 5)
    log.send(6, weather(10, 10, 50) | heart(100), at=11)
    log.send(7, heart(100), at=12, end=True)
    heat = told([make_route().push(log.records)]).column("live", "wbgt")
    assert heat[4] == pytest.approx(0.7 * 22.3 + 0.2 * 40 + 0.1 * 30, abs=0.1)
    assert heat[5] < 12


def duration(log: Log) -> Told:
    return told([make_route().push(log.records)])


def test_duration_is_last_minus_first_stamp_of_any_group() -> None:
    log = Log()
    log.send(0.25, imu(np.ones((10, 3))), device="pod")
    log.send(0.5, heart(100))
    log.send(3.0, imu(np.ones((10, 3))), device="pod", end=True)
    log.send(3.2, {}, end=True)
    assert duration(log).column("totals", "duration_s")[-1] == pytest.approx(3.09 - 0.25)


def test_a_sample_that_was_not_measured_is_no_stamp() -> None:
    log = Log()
    log.send(0.0, heart(float("nan"), 100, 110, float("nan")), end=True)
    assert duration(log).column("totals", "duration_s")[-1] == 1.0
