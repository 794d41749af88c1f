"""Recordings through the whole path give the device's own figures, and the same ones twice."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import fitdecode
import numpy as np
import pyarrow.parquet as pq
import pytest

from sim.delivery import Session
from sim.recording import athlete_record
from tests.touchline.command import touchline
from touchline.replay import strangers

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


def replayed(*arguments: str | Path) -> dict[str, Any]:
    done = touchline("replay", *arguments, "--json")
    assert done.code == 0, done.err
    result: dict[str, Any] = done.json
    return result


def fit_records(file: Path) -> list[dict[str, Any]]:
    with fitdecode.FitReader(str(file)) as reader:
        return [
            {field.name: field.value for field in message.fields}
            for message in reader
            if isinstance(message, fitdecode.FitDataMessage) and message.name == "record"
        ]


def test_a_fit_run_has_the_devices_distance_duration_and_heart_rate(data_dir: Path) -> None:
    file = data_dir / "workouts_fit/run_garmin_53min.fit"
    records = fit_records(file)
    stamps = [record["timestamp"].timestamp() for record in records]
    beats = [record["heart_rate"] for record in records if record.get("heart_rate")]
    distances = [record["distance"] for record in records if record.get("distance") is not None]
    result = replayed(file)
    (athlete,) = result["athletes"]
    assert result["frames_rejected"] == 0
    assert athlete["distance_m"] == pytest.approx(distances[-1], rel=0.01)
    assert athlete["duration_s"] == pytest.approx(stamps[-1] - stamps[0])
    assert athlete["hr_mean_bpm"] == pytest.approx(np.mean(beats), abs=0.01)
    assert athlete["hr_max_bpm"] == max(beats)
    assert len(result["digest"]) == 64


def test_a_tcx_run_has_the_devices_distance(data_dir: Path) -> None:
    file = next((data_dir / "workouts_tcx_runpandas").glob("2020-12-26*.tcx.gz"))
    (athlete,) = replayed(file)["athletes"]
    import gzip  # noqa: PLC0415
    import re  # noqa: PLC0415

    text = gzip.decompress(file.read_bytes()).decode()
    points = re.findall(r"<Trackpoint>.*?</Trackpoint>", text, re.DOTALL)
    last = [float(found[1]) for point in points if (found := re.search(r"<DistanceMeters>([\d.]+)<", point))]
    beats = [
        int(found[1])
        for point in points
        if (found := re.search(r"<HeartRateBpm[^>]*>\s*<Value>(\d+)<", point))
    ]
    assert athlete["distance_m"] == pytest.approx(last[-1], rel=0.01)
    assert athlete["hr_mean_bpm"] == pytest.approx(np.mean(beats), abs=0.05)


def test_half_a_match_has_the_path_lengths_of_a_plain_computation(data_dir: Path) -> None:
    folder = data_dir / "football_skillcorner_2417"
    file = folder / "tracking_half1_10hz.parquet"
    table = pq.read_table(file)
    who, t, x, y = (table[name].to_numpy() for name in ("trackable_object", "t_s", "x_m", "y_m"))
    players = {
        player["trackable_object"]: player["id"]
        for player in json.loads((folder / "match_data.json").read_text())["players"]
    }
    found = {athlete["id"].split("-")[0]: athlete["distance_m"] for athlete in replayed(file)["athletes"]}
    compared = 0
    for tracked, player in players.items():
        mine = np.flatnonzero(who == tracked)
        if len(mine) == 0:
            continue
        order = mine[np.argsort(t[mine], kind="stable")]
        step = np.hypot(np.diff(x[order].astype(float)), np.diff(y[order].astype(float)))
        expected = step[np.diff(t[order]) <= 0.15].sum()
        assert found[str(player)] == pytest.approx(expected, rel=2e-3, abs=0.5)
        compared += 1
    assert compared >= 22


def test_player_load_of_the_check_file(data_dir: Path) -> None:
    (athlete,) = replayed(data_dir / "imu_running_adeptdata_100hz/acc_running.parquet")["athletes"]
    assert athlete["player_load_au"] == pytest.approx(513.6, rel=0.005)


def test_athletes_of_files_are_strangers_on_a_throwaway_broker_and_keep_the_rest_of_their_records() -> None:
    athlete = athlete_record("a", "Ada", "Reds", {"birth_year": 1999})
    session = Session([], [athlete], 0, iter(()))
    assert strangers(session).athletes == [athlete | {"squad": None}]
    assert athlete["squad"] == "Reds"


def test_one_worker_and_two_with_shuffled_chunks_agree(data_dir: Path) -> None:
    result = replayed(data_dir / "workouts_fit/run_garmin_44min.fit", "--verify")
    assert result["equal"] is True
    assert result["digest_a"] == result["digest_b"]
    assert result["workers"] == [1, 2]
    assert result["scores"] > 2000


def test_fausts_own_delivery_gives_the_same_scores(data_dir: Path) -> None:
    file = data_dir / "workouts_fit/run_garmin_44min.fit"
    done = touchline("replay", file, "--verify", "--json", TOUCHLINE_DELIVERY="stock")
    assert done.code == 0, done.err
    assert done.json["equal"] is True
