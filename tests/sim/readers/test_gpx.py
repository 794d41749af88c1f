"""GPX files, written here: there is no real one to read."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sim.readers import read
from stream.errors import UnreadableFile
from tests.sim.readers.expand import one, received

HEAD = (
    '<?xml version="1.0"?><gpx version="1.1" creator="test" xmlns="http://www.topografix.com/GPX/1/1" '
    'xmlns:gpxtpx="http://www.garmin.com/xmlschemas/TrackPointExtension/v1">'
)
DEGREE_M = np.radians(1) * 6_371_008.8


def point(second: int, lat: float, inner: str = "") -> str:
    return (
        f'<trkpt lat="{lat}" lon="8"><ele>100</ele><time>2024-05-01T10:00:{second:02d}Z</time>{inner}</trkpt>'
    )


def heart(bpm: int, cadence: int) -> str:
    inner = f"<gpxtpx:hr>{bpm}</gpxtpx:hr><gpxtpx:cad>{cadence}</gpxtpx:cad>"
    garmin = f"<gpxtpx:TrackPointExtension>{inner}</gpxtpx:TrackPointExtension>"
    return f"<extensions><power>200</power>{garmin}</extensions>"


def track(*segments: str, kind: str = "running") -> str:
    inner = "".join(f"<trkseg>{segment}</trkseg>" for segment in segments)
    return f"<trk><name>Morning</name><type>{kind}</type>{inner}</trk>"


def written(folder: Path, text: str) -> Path:
    path = folder / "made.gpx"
    path.write_text(text)
    return path


def test_points_with_extensions_become_all_groups(tmp_path: Path) -> None:
    segment = point(0, 50.0, heart(140, 85)) + point(1, 50.00003, heart(141, 86))
    (recording,) = read(written(tmp_path, HEAD + track(segment) + "</gpx>"))
    channels = {name: values.tolist() for name, values in recording.tracks[0].channels.items()}
    assert channels["hr"] == [140, 141]
    assert channels["cadence"] == [170, 172], "running cadence leaves in steps"
    assert channels["power"] == [200, 200]
    assert channels["altitude"] == [100, 100]
    assert recording.session["activity"] == "run"
    assert received([recording]).rejected == []


def test_distance_is_the_path_within_segments(tmp_path: Path) -> None:
    segments = (point(0, 50.0) + point(7, 50.001), point(30, 50.5) + point(40, 50.502))
    (recording,) = read(written(tmp_path, HEAD + track(*segments, kind="cycling") + "</gpx>"))
    distance = one(recording, "position").columns["distance"]
    np.testing.assert_allclose(distance, DEGREE_M * np.array([0, 0.001, 0.001, 0.003]), rtol=1e-9)


def test_points_without_a_time_are_counted_and_left_out(tmp_path: Path) -> None:
    text = HEAD + track(point(0, 50.0) + '<trkpt lat="50" lon="8"></trkpt>' + point(1, 50.0)) + "</gpx>"
    (recording,) = read(written(tmp_path, text))
    assert len(recording.tracks[0].t_us) == 2
    assert recording.notes == ("1 points have no time",)


def test_a_file_that_is_cut_off_is_closed_behind_its_last_whole_point(tmp_path: Path) -> None:
    text = HEAD + track("".join(point(k, 50 + k / 1000) for k in range(10)))
    (recording,) = read(written(tmp_path, text[: text.index("50.006")]))
    assert len(recording.tracks[0].t_us) == 6
    assert "cut off or damaged" in recording.notes[0]


def test_a_file_that_is_damaged_is_closed_before_the_damage(tmp_path: Path) -> None:
    text = HEAD + track("".join(point(k, 50 + k / 1000) for k in range(10))) + "</gpx>"
    (recording,) = read(written(tmp_path, text.replace('lat="50.004"', "lat=<")))
    assert len(recording.tracks[0].t_us) == 4


@pytest.mark.parametrize(
    "text",
    [
        "no XML",
        HEAD,
        HEAD + "</gpx>",
        HEAD + track('<trkpt lat="50" lon="8"></trkpt>') + "</gpx>",
        "<gpx><trkpt></trkpt>",
    ],
)
def test_a_file_without_telemetry_is_refused_by_name(tmp_path: Path, text: str) -> None:
    with pytest.raises(UnreadableFile, match=r"made\.gpx"):
        read(written(tmp_path, text))
