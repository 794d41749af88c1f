"""TCX files: real ones against their trackpoints found by pattern, written ones for the rest."""

from __future__ import annotations

import gzip
import re
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from sim.readers import read
from stream.errors import UnreadableFile
from tests.sim.readers.expand import column, one, received

HEAD = (
    '<TrainingCenterDatabase xmlns="http://www.garmin.com/xmlschemas/TrainingCenterDatabase/v2"><Activities>'
)
TAIL = "</Activities></TrainingCenterDatabase>"


def point(second: int, inner: str) -> str:
    return f"<Trackpoint><Time>2024-05-01T10:00:{second:02d}Z</Time>{inner}</Trackpoint>"


def activity(*tracks: str, sport: str = "Running") -> str:
    inner = "".join(f"<Track>{track}</Track>" for track in tracks)
    return f'<Activity Sport="{sport}"><Lap StartTime="2024-05-01T10:00:00Z">{inner}</Lap></Activity>'


def written(folder: Path, text: str) -> Path:
    path = folder / "made.tcx"
    path.write_text(text)
    return path


@pytest.mark.slow
def test_real_files_arrive_as_they_were_recorded(data_dir: Path) -> None:
    paths = sorted((data_dir / "workouts_tcx_runpandas").glob("*.tcx.gz"))
    assert len(paths) == 8
    for path in paths:
        points = re.findall(
            r"<Trackpoint>.*?</Trackpoint>", gzip.decompress(path.read_bytes()).decode(), re.DOTALL
        )
        times = [datetime.fromisoformat(t) for p in points for t in re.findall(r"<Time>(.*?)</Time>", p)]
        beats = [int(v) for p in points for v in re.findall(r"<Value>(\d+)</Value>", p)]
        distance = [float(v) for p in points for v in re.findall(r"<DistanceMeters>([\d.]+)<", p)]
        (recording,) = read(path)
        decoded = received([recording])
        assert decoded.rejected == []
        assert recording.span_us == tuple(round(t.timestamp() * 1e6) for t in (min(times), max(times)))
        np.testing.assert_array_equal(column(decoded, "hr"), beats)
        assert column(decoded, "distance")[-1] == pytest.approx(distance[-1], abs=1e-3)
        assert recording.session["activity"] == "run"
        assert recording.athletes[0]["athlete"] == path.name.removesuffix(".tcx.gz")
        assert recording.notes == ()


def test_all_channels_of_a_point(tmp_path: Path) -> None:
    inner = (
        "<Position><LatitudeDegrees>48.5</LatitudeDegrees><LongitudeDegrees>11.5</LongitudeDegrees></Position>"
        "<AltitudeMeters>500</AltitudeMeters><DistanceMeters>10</DistanceMeters>"
        "<HeartRateBpm><Value>140</Value></HeartRateBpm><Cadence>88</Cadence><Extensions>"
        '<TPX xmlns="http://www.garmin.com/xmlschemas/ActivityExtension/v2"><Speed>8.5</Speed><Watts>210</Watts></TPX>'
        "</Extensions>"
    )
    (recording,) = read(written(tmp_path, HEAD + activity(point(0, inner), sport="Biking") + TAIL))
    channels = {name: values.tolist() for name, values in recording.tracks[0].channels.items()}
    assert channels == {
        "lat": [48.5], "lon": [11.5], "altitude": [500], "distance": [10], "speed": [8.5], "hr": [140],
        "cadence": [88], "power": [210],
    }  # fmt: skip
    assert recording.session["activity"] == "ride"


def test_running_cadence_leaves_in_steps(tmp_path: Path) -> None:
    text = HEAD + activity(point(0, "<Extensions><TPX><RunCadence>85</RunCadence></TPX></Extensions>")) + TAIL
    assert one(read(written(tmp_path, text))[0], "motion").columns["cadence"].tolist() == [170]


def test_distance_runs_on_through_laps_and_activities_that_start_from_zero(tmp_path: Path) -> None:
    def leg(start: int) -> str:
        return "".join(point(start + k, f"<DistanceMeters>{k * 100}</DistanceMeters>") for k in range(8))

    text = HEAD + activity(leg(0), leg(10)) + activity(leg(20)) + TAIL
    (recording,) = read(written(tmp_path, text))
    assert one(recording, "position").columns["distance"][-1] == 2100


def test_without_distances_the_path_counts_but_not_across_a_pause(tmp_path: Path) -> None:
    def fix(second: int, lat: float) -> str:
        return point(
            second,
            f"<Position><LatitudeDegrees>{lat}</LatitudeDegrees><LongitudeDegrees>0</LongitudeDegrees></Position>",
        )

    text = HEAD + activity(fix(0, 0) + fix(5, 0.001), fix(30, 0.5) + fix(35, 0.501)) + TAIL
    distance = one(read(written(tmp_path, text))[0], "position").columns["distance"]
    assert distance[-1] == pytest.approx(2 * np.radians(0.001) * 6_371_008.8)


def test_the_device_is_named_by_its_creator(tmp_path: Path) -> None:
    creator = "<Creator><Name>Garmin Edge 530</Name><UnitId>42</UnitId></Creator>"
    text = HEAD + activity(point(0, "<DistanceMeters>1</DistanceMeters>")).replace(
        "</Activity>", creator + "</Activity>"
    )
    assert read(written(tmp_path, text + TAIL))[0].tracks[0].device == "Garmin Edge 530-42"


def test_points_without_a_readable_time_are_counted(tmp_path: Path) -> None:
    good = point(0, "<HeartRateBpm><Value>0</Value></HeartRateBpm>")
    text = HEAD + activity(good + good.replace("2024-", "24-") + "<Trackpoint></Trackpoint>") + TAIL
    (recording,) = read(written(tmp_path, text))
    assert recording.notes == ("2 trackpoints have no readable time",)
    assert one(recording, "heart").columns["hr"].tolist() == [0], "a dropout is passed on"


def test_a_file_that_is_cut_off_is_read_as_far_as_it_goes(tmp_path: Path) -> None:
    beat = "<HeartRateBpm><Value>{}</Value></HeartRateBpm>"
    text = HEAD + activity("".join(point(k, beat.format(100 + k)) for k in range(10)))
    (recording,) = read(written(tmp_path, "  \n" + text[: text.index("105") + 2]))
    assert one(recording, "heart").columns["hr"].tolist() == [100, 101, 102, 103, 104]
    assert "cut off or damaged" in recording.notes[0]


@pytest.mark.parametrize("text", ["no XML", HEAD + TAIL, "<gpx/>", HEAD + activity("<Trackpoint/>") + TAIL])
def test_a_file_without_points_is_refused_by_name(tmp_path: Path, text: str) -> None:
    with pytest.raises(UnreadableFile, match=r"made\.tcx"):
        read(written(tmp_path, text))


def test_entities_that_blow_up_are_no_way_to_fill_the_memory(tmp_path: Path) -> None:
    levels = "".join(f'<!ENTITY l{k} "{f"&l{k - 1};" * 10}">' for k in range(1, 12))
    bomb = f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY l0 "ha">{levels}]><x>&l11;</x>'
    with pytest.raises(UnreadableFile, match=r"made\.tcx"):
        read(written(tmp_path, bomb))
