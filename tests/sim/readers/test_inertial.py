"""Inertial sets against plain computations on their files."""

from __future__ import annotations

from io import BytesIO
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.readers import read
from sim.readers.inertial import on_grid
from sim.recording import deliveries
from stream.errors import UnreadableFile
from tests.sim.readers.expand import column, expand, received


def npz(folder: Path, **arrays: Any) -> Path:
    path = folder / "made.npz"
    out = BytesIO()
    np.savez(out, **arrays)
    path.write_bytes(out.getvalue())
    return path


@pytest.mark.slow
def test_player_load_of_the_hip_is_that_of_the_check_file(data_dir: Path) -> None:
    (recording,) = read(data_dir / "imu_running_adeptdata_100hz" / "acc_running.parquet")
    samples = expand(recording.frames)
    assert [device for _, device, _ in samples] == ["left_hip", "left_ankle"]
    hip = samples["acc_running", "left_hip", "imu"]
    assert (np.diff(hip.t_us) == 10_000).all()
    change = np.diff(np.stack([hip.columns[axis] for axis in ("ax", "ay", "az")]), axis=1)
    assert np.linalg.norm(change, axis=0).sum() / 100 == pytest.approx(513.6, abs=0.05)
    first, second = list(recording.frames)[:2]
    assert (first.device, second.device) == ("left_hip", "left_ankle")
    assert first.t0_us == second.t0_us
    assert len(list(recording.frames)) == 2 * 1500
    assert received([recording]).rejected == []
    assert recording.session["activity"] == "run"


@pytest.mark.slow
def test_esports_players_have_heart_and_hand_in_the_units_of_the_contract(data_dir: Path) -> None:
    path = data_dir / "esports_hr_imu" / "hr_imu_right_hand_1hz_2of2.parquet"
    recordings = read(path)
    raw = pq.read_table(path).to_pydict()
    assert sum(len(track.t_us) for r in recordings for track in r.tracks) == len(raw["time"])
    mine = [m == "match_12" and p == "player_1" for m, p in zip(raw["match"], raw["player"], strict=True)]
    (track,) = (t for r in recordings for t in r.tracks if t.athlete == "match_12-player_1")
    gravity, linear = (np.array(raw[name], dtype=float)[mine] for name in ("gravity_z", "linaccel_z"))
    np.testing.assert_allclose(track.channels["az"], (gravity + linear) / 9.80665, rtol=1e-6)
    np.testing.assert_allclose(
        track.channels["gx"], np.degrees(np.array(raw["gyro_x"], dtype=float)[mine]), rtol=1e-6
    )
    np.testing.assert_array_equal(track.channels["hr"], np.array(raw["heart_rate"], dtype=float)[mine])
    match = next(r for r in recordings if r.session["session"] == "esports-match_12")
    assert received([match]).rejected == []


def test_both_files_of_the_esports_matches_can_be_replayed_together(data_dir: Path) -> None:
    folder = data_dir / "esports_hr_imu"
    recordings = [
        r for part in ("1of2", "2of2") for r in read(folder / f"hr_imu_right_hand_1hz_{part}.parquet")
    ]
    assert len(deliveries(recordings).athletes) == 97


@pytest.mark.slow
def test_every_recording_of_the_watch_is_a_session(data_dir: Path) -> None:
    path = data_dir / "movement_watch_50hz" / "watch.npz"
    raw = np.load(path)
    recordings = read(path)
    assert [len(r.tracks[0].t_us) for r in recordings] == raw["length"].tolist()
    assert {r.athletes[0]["athlete"] for r in recordings} == {f"subject-{k:02d}" for k in range(1, 11)}
    decoded = received(recordings)
    assert decoded.rejected == []
    np.testing.assert_allclose(
        np.sort(column(decoded, "ax")), np.sort(raw["accel_mg"][:, 0] / 1000), atol=1e-6
    )
    gyro = np.degrees(raw["gyro"][:, 2].astype(np.float64))
    np.testing.assert_allclose(np.sort(column(decoded, "gz")), np.sort(gyro), rtol=1e-6)


def test_basic_motions_are_sessions_of_ten_seconds(data_dir: Path) -> None:
    path = data_dir / "movement_basicmotions_10hz" / "train.npz"
    samples = np.load(path)["samples"]
    recordings = read(path)
    assert len(recordings) == 40
    assert [len(list(r.frames)) for r in recordings] == [10] * 40
    one = recordings[7].tracks[0].channels
    np.testing.assert_allclose(one["ay"] * 9.80665, samples[7, 1], rtol=1e-5)
    np.testing.assert_allclose(np.radians(one["gx"]), samples[7, 3], rtol=1e-5)
    starts = [r.span_us for r in recordings]
    assert all(end < start for (_, end), (start, _) in pairwise(starts))


@given(st.integers(2, 300), st.sampled_from([25.0, 50.0, 100.0]), st.integers(0, 2**31))
def test_stamps_that_jitter_are_put_on_the_grid(n: int, rate: float, seed: int) -> None:
    step = 1e6 / rate
    place = np.cumsum(np.random.default_rng(seed).integers(1, 3, n)) - 1
    grid = 10**15 + np.rint(place * step).astype(np.int64)
    jitter = np.random.default_rng(seed).integers(-int(0.1 * step), int(0.1 * step), n)
    jitter[0] = 0
    np.testing.assert_array_equal(on_grid(grid + jitter, rate) - grid[0], grid - grid[0])


def test_stamps_of_another_rate_are_left_as_they_are() -> None:
    t_us = 10**15 + np.arange(500, dtype=np.int64) * 10_300
    np.testing.assert_array_equal(on_grid(t_us, 100.0), t_us)


def test_a_watch_without_subjects_is_worn_by_one_athlete_named_after_the_file(tmp_path: Path) -> None:
    path = npz(
        tmp_path,
        accel_mg=np.array([[1000, 0, -500]] * 60, dtype=np.int16),
        gyro=np.zeros((60, 3), dtype=np.float16),
        length=np.array([50, 10], dtype=np.int32),
    )
    recordings = read(path)
    assert [(r.session["session"], r.tracks[0].athlete) for r in recordings] == [
        ("made-000", "made"),
        ("made-001", "made"),
    ]
    assert recordings[0].tracks[0].channels["az"][0] == -0.5
    assert received(recordings).rejected == []


@pytest.mark.parametrize(
    "arrays",
    [
        {"a": np.zeros(3)},
        {"samples": np.zeros((2, 5, 10))},
        {"samples": np.zeros((0, 6, 10))},
        {"accel_mg": np.zeros((9, 3)), "gyro": np.zeros((9, 3)), "length": np.array([5, 5])},
        {"samples": np.array([{"a": 1}], dtype=object)},
    ],
)
def test_an_archive_of_something_else_is_refused_by_name(tmp_path: Path, arrays: dict[str, Any]) -> None:
    with pytest.raises(UnreadableFile, match=r"made\.npz"):
        read(npz(tmp_path, **arrays))


def test_an_archive_that_is_cut_off_is_refused_by_name(tmp_path: Path) -> None:
    path = npz(tmp_path, samples=np.zeros((2, 6, 100)))
    path.write_bytes(path.read_bytes()[:-300])
    with pytest.raises(UnreadableFile, match=r"made\.npz: no readable npz archive"):
        read(path)
