"""FIT files: real ones against ``fitdecode`` read plainly, written ones for what the real ones do not hold."""

from __future__ import annotations

import gzip
import warnings
from datetime import datetime
from pathlib import Path
from typing import Any

import fitdecode
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sim.readers import read
from sim.recording import Recording
from stream.errors import UnreadableFile
from stream.records import encode_frame
from tests.sim.readers.expand import column, one, received
from tests.sim.readers.fit_writer import CYCLING, EPOCH_S, RUNNING, START, FitWriter

REAL = [
    "indoor_28min", "ride_edge500_212min", "ride_hr_86min", "ride_power_139min", "ride_power_78min",
    "ride_power_wahoo_393min", "ride_trainer_power_38min", "ride_zwift_power_30min", "run_fenix2_47min",
    "run_garmin_158min_chained", "run_garmin_44min", "run_garmin_53min", "run_stryd_power_57min", "swim_126min",
    "multisport_410min",
]  # fmt: skip


def records_of(path: Path) -> list[dict[str, Any]]:
    """Records as ``fitdecode`` gives them, without any of our code."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with fitdecode.FitReader(path, check_crc=fitdecode.CrcCheck.DISABLED) as frames:
            return [
                {f.name: f.value for f in frame.fields if f.value is not None and f.name.islower()}
                for frame in frames
                if frame.frame_type == fitdecode.FIT_FRAME_DATA and frame.name == "record"
            ]


def written(folder: Path, content: bytes, name: str = "made.fit") -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def made(folder: Path, writer: FitWriter) -> Recording:
    (recording,) = read(written(folder, writer.content()))
    return recording


@pytest.mark.slow
@pytest.mark.parametrize("name", REAL)
def test_a_real_file_arrives_as_it_was_recorded(data_dir: Path, name: str) -> None:
    path = data_dir / "workouts_fit" / f"{name}.fit"
    raw = records_of(path)
    (recording,) = read(path)
    decoded = received([recording])
    assert decoded.rejected == []
    stamps: list[datetime] = [r["timestamp"] for r in raw]
    first, last = recording.span_us
    assert first == round(min(stamps).timestamp() * 1e6)
    assert (last - first) / 1e6 == (max(stamps) - min(stamps)).total_seconds()
    assert len(recording.tracks[0].t_us) == len(set(stamps))
    beats = [r["heart_rate"] for r in raw if 25 <= r.get("heart_rate", 0) <= 240]
    if beats:
        assert np.mean(column(decoded, "hr")) == pytest.approx(np.mean(beats), rel=2e-3)
    distance = [r["distance"] for r in raw if "distance" in r]
    if distance and name != "multisport_410min":
        sent = column(decoded, "distance")
        assert (sent[0], sent[-1]) == pytest.approx((distance[0], distance[-1]), abs=1e-3)
    assert recording.notes == ()


@pytest.mark.slow
def test_a_multisport_file_is_one_session_with_one_distance(data_dir: Path) -> None:
    (recording,) = read(data_dir / "workouts_fit" / "multisport_410min.fit")
    sent = column(received([recording]), "distance")
    legs = (25_072.07, 224.24, 2_245.23, 3.63, 12_740.37, 617.55, 28_927.39)  # of the file's session messages
    assert sent[-1] - sent[0] == pytest.approx(sum(legs), rel=1e-3)
    assert (np.diff(sent) >= -1e-6).all()
    assert recording.session["activity"] == "other"
    assert len(recording.athletes) == 1


def test_who_and_what_a_real_file_names(data_dir: Path) -> None:
    (recording,) = read(data_dir / "workouts_fit" / "run_garmin_53min.fit")
    (athlete,) = recording.athletes
    assert athlete["athlete"] == "run_garmin_53min"
    assert (athlete["profile"]["sex"], athlete["profile"]["mass_kg"]) == ("male", 68.0)
    assert athlete["profile"]["heart_rate_rest"] is None, "a zero there means not set"
    assert recording.session["activity"] == "run"
    assert recording.session["session"] == "run_garmin_53min-20190914T152205Z"
    assert recording.tracks[0].device == "garmin-fr645m-3304719638"


def test_native_power_is_taken_before_a_developer_field_and_that_before_none(data_dir: Path) -> None:
    stryd = records_of(data_dir / "workouts_fit" / "run_stryd_power_57min.fit")
    (recording,) = read(data_dir / "workouts_fit" / "run_stryd_power_57min.fit")
    assert one(recording, "motion").columns["power"].tolist() == [r["power"] for r in stryd]
    (rowing,) = read(data_dir / "workouts_fit" / "indoor_28min.fit")
    assert np.nanmax(one(rowing, "motion").columns["power"]) > 300


def test_running_cadence_leaves_in_steps_and_cycling_cadence_in_turns(data_dir: Path) -> None:
    (run,) = read(data_dir / "workouts_fit" / "run_fenix2_47min.fit")
    (ride,) = read(data_dir / "workouts_fit" / "ride_power_78min.fit")
    assert 150 < np.nanmedian(one(run, "motion").columns["cadence"]) < 180
    assert 70 < np.nanmedian(one(ride, "motion").columns["cadence"]) < 100


def test_the_same_file_gives_the_same_bytes_zipped_or_not(data_dir: Path, tmp_path: Path) -> None:
    content = (data_dir / "workouts_fit" / "run_garmin_44min.fit").read_bytes()
    (plain,) = read(written(tmp_path, content, "run.fit"))
    (zipped,) = read(written(tmp_path, gzip.compress(content), "run.fit.gz"))
    assert [encode_frame(f) for f in plain.frames] == [encode_frame(f) for f in zipped.frames]


def test_faulty_heart_rates_are_passed_on_and_missing_ones_are_not(tmp_path: Path) -> None:
    recording = made(tmp_path, FitWriter().records(hr=[0, 3, 60, 251, None, 61]))
    np.testing.assert_array_equal(one(recording, "heart").columns["hr"], [0, 3, 60, 251, np.nan, 61])
    assert column(received([recording]), "hr").tolist() == [60, 61], "the worker marks them missing"


def test_units_of_a_written_file(tmp_path: Path) -> None:
    half = 2**30  # semicircles: 90 degrees
    recording = made(
        tmp_path,
        FitWriter()
        .add("file_id", type=4, manufacturer=1, product=3113, serial=77)
        .records(
            lat=[half], lon=[-half], altitude=[(100 + 500) * 5], distance=[123_45], speed=[2500], power=[250]
        ),
    )
    place = one(recording, "position").columns
    assert {name: float(values[0]) for name, values in place.items()} == {
        "lat": 90.0, "lon": -90.0, "altitude": 100.0, "distance": 123.45, "speed": 2.5,
    }  # fmt: skip
    assert recording.tracks[0].t_us.tolist() == [(EPOCH_S + START) * 1_000_000]
    assert recording.tracks[0].device.endswith("-77")


def test_cadence_is_doubled_in_the_running_leg_only(tmp_path: Path) -> None:
    writer = FitWriter().records(cadence=[90, 90, 85, 85])
    writer.add("session", timestamp=START + 2, start_time=START, sport=CYCLING)
    writer.add("session", timestamp=START + 4, start_time=START + 2, sport=RUNNING)
    assert one(made(tmp_path, writer), "motion").columns["cadence"].tolist() == [90, 90, 170, 170]


def test_chained_files_are_read_as_one(tmp_path: Path) -> None:
    first = FitWriter().records(hr=[60, 61], distance=[100_00, 200_00]).content()
    later = range(START + 100, START + 107)
    second = FitWriter().records(timestamp=later, hr=[70] * 7, distance=[k * 100 for k in range(7)]).content()
    (recording,) = read(written(tmp_path, first + second))
    assert one(recording, "heart").columns["hr"].tolist() == [60, 61, *[70] * 7]
    assert one(recording, "position").columns["distance"].tolist() == [100, 200, *range(200, 207)]


def test_records_without_a_date_are_counted(tmp_path: Path) -> None:
    recording = made(tmp_path, FitWriter().records(timestamp=[5, START, START + 1], hr=[59, 60, 61]))
    assert one(recording, "heart").columns["hr"].tolist() == [60, 61]
    assert recording.notes == ("1 records have no date",)


def test_a_file_that_is_cut_off_is_read_as_far_as_it_goes(data_dir: Path, tmp_path: Path) -> None:
    content = (data_dir / "workouts_fit" / "run_garmin_44min.fit").read_bytes()
    (whole,) = read(written(tmp_path, content, "whole.fit"))
    (part,) = read(written(tmp_path, content[: len(content) // 2], "part.fit"))
    stamps = part.tracks[0].t_us
    assert 100 < len(stamps) < len(whole.tracks[0].t_us)
    np.testing.assert_array_equal(stamps, whole.tracks[0].t_us[: len(stamps)])
    assert "cut off or damaged" in part.notes[0]


def test_a_file_whose_checksum_does_not_match_is_read_with_a_note(tmp_path: Path) -> None:
    content = bytearray(FitWriter().records(hr=[60, 61]).content())
    content[-1] ^= 0xFF
    (recording,) = read(written(tmp_path, bytes(content)))
    assert one(recording, "heart").columns["hr"].tolist() == [60, 61]
    assert "checksum" in recording.notes[0]


@pytest.mark.parametrize(
    "content", [b"not a FIT file at all", FitWriter().add("file_id", type=4).content(), b"\x0e\x20"]
)
def test_a_file_without_records_is_refused_by_name(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(UnreadableFile, match=r"made\.fit"):
        read(written(tmp_path, content))


@pytest.mark.slow
@given(data=st.data())
@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_damaged_bytes_are_read_or_refused_and_never_a_traceback(tmp_path: Path, data: st.DataObject) -> None:
    writer = FitWriter().add("file_id", type=4, manufacturer=1, product=1, serial=1)
    content = bytearray(writer.records(hr=[60, 61, 62], distance=[1, 2, 3], cadence=[80, 81, 82]).content())
    for _ in range(data.draw(st.integers(1, 5))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path = written(tmp_path, bytes(content[: data.draw(st.integers(1, len(content)))]))
    try:
        (recording,) = read(path)
    except UnreadableFile as error:
        assert "made.fit" in str(error)  # noqa: PT017 (either outcome is right)
    else:
        assert received([recording]).rejected == []
