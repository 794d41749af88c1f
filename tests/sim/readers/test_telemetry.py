"""Tables of telemetry: the runs at 1 Hz as published, and made ones."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from sim.readers import read
from sim.recording import deliveries
from stream.errors import UnreadableFile
from tests.sim.readers.expand import column, one, received


def written(folder: Path, text: str, name: str = "made.csv") -> Path:
    path = folder / name
    path.write_text(text)
    return path


@pytest.mark.slow
def test_every_run_of_the_published_table_is_a_session_of_one_athlete(data_dir: Path) -> None:
    path = data_dir / "hr_forecast_rikluost" / "runs_1hz.parquet"
    table = pq.read_table(path)
    recordings = read(path)
    assert [r.session["session"] for r in recordings] == pc.unique(table["session"]).to_pylist()
    assert {r.athletes[0]["athlete"] for r in recordings} == {"runs_1hz"}
    assert sum(len(r.tracks[0].t_us) for r in recordings) == table.num_rows
    assert len(deliveries(recordings).athletes) == 1
    for recording in recordings[::10]:
        raw = table.filter(pc.equal(table["session"], recording.session["session"]))
        sent = one(recording, "position")
        np.testing.assert_array_equal(sent.t_us, raw["timestamp"].cast("int64").to_numpy())
        np.testing.assert_array_equal(sent.columns["distance"], raw["distance"].to_numpy())
        np.testing.assert_array_equal(sent.columns["speed"], raw["enhanced_speed"].to_numpy())
        beats = one(recording, "heart").columns["hr"]
        np.testing.assert_array_equal(beats, raw["heart_rate"].to_numpy(), "dropouts of 0 are passed on")
        np.testing.assert_array_equal(
            one(recording, "motion").columns["cadence"], 2 * raw["cadence"].to_numpy()
        )


@pytest.mark.slow
def test_a_worker_accepts_a_published_run(data_dir: Path) -> None:
    recording = read(data_dir / "hr_forecast_rikluost" / "runs_1hz.parquet")[5]
    decoded = received([recording])
    assert decoded.rejected == []
    assert column(decoded, "distance")[-1] == pytest.approx(
        recording.tracks[0].channels["distance"][-1], abs=1e-3
    )


def test_a_plain_csv_is_one_session_of_an_athlete_named_after_it(tmp_path: Path) -> None:
    text = "time,hr,speed\n2024-05-01T10:00:00Z,140,3.5\n2024-05-01T10:00:01Z,,3.6\n"
    (recording,) = read(written(tmp_path, text, "berlin.csv"))
    assert recording.session["session"] == "berlin-20240501T100000Z"
    assert recording.athletes[0]["athlete"] == "berlin"
    assert one(recording, "heart").columns["hr"].tolist() == [140]
    assert one(recording, "position").columns["speed"].tolist() == [3.5, 3.6]


def test_columns_of_sessions_and_athletes_split_the_table(tmp_path: Path) -> None:
    text = "session,athlete,time,hr\nA,ben,0,60\nA,ada,0,70\nA,ben,1,61\nB,ada,9000,80\n2,ada,99000,90\n"
    recordings = read(written(tmp_path, text))
    found = [(r.session["session"], r.athletes[0]["athlete"], len(r.tracks[0].t_us)) for r in recordings]
    assert found == [("A", "ben", 2), ("A", "ada", 1), ("B", "ada", 1), ("made-2", "ada", 1)]
    merged = deliveries(recordings)
    assert [s["session"] for s in merged.sessions] == ["A", "B", "made-2"]
    assert received(recordings).rejected == []


@pytest.mark.parametrize(("name", "cadence", "sent"), [("run", 85, 170), ("run", 172, 172), ("ride", 85, 85)])
def test_cadence_is_doubled_where_it_counts_strides(
    tmp_path: Path, name: str, cadence: int, sent: int
) -> None:
    (recording,) = read(written(tmp_path, f"time,cadence\n0,{cadence}\n1,0\n2,{cadence}\n", f"{name}.csv"))
    assert one(recording, "motion").columns["cadence"].tolist() == [sent, 0, sent]
    assert recording.session["activity"] == name


def test_semicircles_become_degrees(tmp_path: Path) -> None:
    (recording,) = read(written(tmp_path, f"time,position_lat,position_long\n0,{2**29},{-(2**29)}\n"))
    place = one(recording, "position").columns
    assert (place["lat"].tolist(), place["lon"].tolist()) == ([45], [-45])


def test_a_fast_inertial_table_is_sent_in_frames_of_a_second(tmp_path: Path) -> None:
    lines = "".join(f"{k / 100},0.1,0.2,{1 + k / 1000}\n" for k in range(250))
    (recording,) = read(written(tmp_path, "t_s,ax,ay,az\n" + lines))
    assert [len(frame.groups["imu"].samples) for frame in recording.frames] == [100, 100, 50]


def test_rows_that_are_broken_are_noted_and_the_rest_is_read(tmp_path: Path) -> None:
    (recording,) = read(written(tmp_path, "time,hr\n1616622055,60\n1616622056\nnever,61\n1616622057,x62\n"))
    assert recording.notes == ("1 lines have another number of fields than the header",)
    assert len(recording.tracks[0].t_us) == 2


@pytest.mark.parametrize(
    "text", ["a,b\n1,2\n", "time,note\n1,2\n", "hr,speed\n60,3\n", "time,hr\nnever,60\n"]
)
def test_a_table_without_telemetry_is_refused_by_name(tmp_path: Path, text: str) -> None:
    with pytest.raises(UnreadableFile, match=r"made\.csv"):
        read(written(tmp_path, text))
