"""SkillCorner's halves against a plain computation, and small made matches."""

from __future__ import annotations

import gzip
import json
import shutil
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sim.readers import read
from stream import topics
from stream.errors import MissingError, UnreadableFile
from tests.sim.readers.expand import expand, received

FOLDER = "football_skillcorner_2417"
PLAYERS = [
    {"id": 11192, "trackable_object": 1, "first_name": "Thomas", "last_name": "Delaney", "team_id": 103,
     "birthday": "1991-09-03"},
    {"id": 7, "trackable_object": 2, "first_name": None, "last_name": "Müller", "team_id": 100, "birthday": None},
]  # fmt: skip
MATCH: dict[str, Any] = {
    "id": 2417, "date_time": "2019-11-09T17:30:00Z", "players": PLAYERS, "stadium": {"name": "Arena"},
    "home_team": {"id": 100, "short_name": "Home"}, "away_team": {"id": 103, "short_name": "Away"},
    "ball": {"trackable_object": 55}, "referees": [{"trackable_object": 9}],
}  # fmt: skip
KICK_OFF_US = 1_573_320_600_000_000


def written(folder: Path, rows: list[tuple[int, int | None, float, float]], match: Any = MATCH) -> Path:
    """Rows are (period, object, clock s, x m); y is -x."""
    period, objects, clock, x = zip(*rows, strict=True)
    table = pa.table(
        {
            "period": pa.array(period, pa.int8()),
            "trackable_object": pa.array(objects, pa.int32()),
            "x_m": pa.array(x, pa.float32()),
            "y_m": pa.array([-value for value in x], pa.float32()),
            "t_s": pa.array(clock, pa.float32()),
        }
    )
    path = folder / "half.parquet"
    pq.write_table(table, path)
    (folder / "match_data.json").write_text(json.dumps(match))
    return path


@pytest.mark.slow
@pytest.mark.parametrize("half", [1, 2])
def test_distance_of_every_player_is_that_of_a_plain_computation(data_dir: Path, half: int) -> None:
    path = data_dir / FOLDER / f"tracking_half{half}_10hz.parquet"
    raw = pq.read_table(path)
    match = json.loads((data_dir / FOLDER / "match_data.json").read_text())
    objects = np.array(raw["trackable_object"].to_pylist(), dtype=float)
    clock, x, y = (raw[name].to_numpy().astype(np.float64) for name in ("t_s", "x_m", "y_m"))
    (recording,) = read(path)
    decoded = received([recording])
    assert decoded.rejected == []
    position = decoded.samples["position"]
    sender = np.array([h.athlete for h in decoded.headers])[position.frame]
    stamp = np.array([h.t0_us for h in decoded.headers])[position.frame] + position.offset_us
    seen = 0
    for player in match["players"]:
        mine = objects == player["trackable_object"]
        if not mine.any():
            continue
        steps = np.hypot(np.diff(x[mine]), np.diff(y[mine]))[np.diff(clock[mine]) <= 0.15]
        sent = sender == f"{player['id']}-{player['last_name']}"
        moved = np.hypot(*np.diff(position.values[sent, :2], axis=0).T)[np.diff(stamp[sent]) <= 150_000]
        assert sent.sum() == mine.sum()
        assert len(moved) == len(steps)
        assert moved.sum() == pytest.approx(steps.sum(), rel=1e-6)
        seen += 1
    assert seen == len(recording.athletes) == len(recording.tracks)


@pytest.mark.slow
def test_the_halves_of_a_match_follow_each_other(data_dir: Path) -> None:
    first, second = (read(data_dir / FOLDER / f"tracking_half{half}_10hz.parquet")[0] for half in (1, 2))
    assert first.span_us[1] < second.span_us[0]
    assert (first.session["session"], second.session["session"]) == (
        "skillcorner-2417-1",
        "skillcorner-2417-2",
    )
    assert first.span_us[0] == KICK_OFF_US + 11_200_000


def test_players_are_sent_and_neither_ball_nor_referee_nor_unnamed(tmp_path: Path) -> None:
    path = written(
        tmp_path, [(1, 1, 0.1, 5), (1, 2, 0.1, 6), (1, 55, 0.1, 7), (1, 9, 0.1, 8), (1, None, 0.1, 9)]
    )
    (recording,) = read(path)
    assert {frame.athlete for frame in recording.frames} == {"11192-Delaney", "7-Müller"}
    delaney, mueller = recording.athletes
    assert (delaney["name"], delaney["squad"], delaney["profile"]["birth_year"]) == (
        "Thomas Delaney",
        "Away",
        1991,
    )
    assert (mueller["name"], mueller["squad"], mueller["profile"]["birth_year"]) == ("Müller", "Home", None)
    assert recording.session | {"start_us": 0} == {
        "v": 1, "session": "skillcorner-2417-1", "activity": "football", "venue": "Arena", "start_us": 0,
        "source": "replay",
    }  # fmt: skip
    assert recording.topic == topics.VENUE


def test_gaps_stay_gaps_and_adjoining_positions_share_a_frame(tmp_path: Path) -> None:
    clock = [10.0, 10.1, 10.2, 10.5, 10.6, 11.0]
    (recording,) = read(written(tmp_path, [(1, 1, t, t) for t in clock]))
    frames = list(recording.frames)
    assert [(f.t0_us - KICK_OFF_US) / 1e5 for f in frames] == [100, 105, 110]
    assert [len(f.groups["position"].samples) for f in frames] == [3, 2, 1]
    assert [f.end for f in frames] == [False, False, True]
    np.testing.assert_allclose(
        expand(frames)["11192-Delaney", "skillcorner-11192-Delaney", "position"].columns["x"], clock
    )


def test_every_player_ends_with_the_last_position_there_is(tmp_path: Path) -> None:
    path = written(tmp_path, [(1, 1, 0.0, 1), (1, 2, 0.0, 1), (1, 2, 9.0, 1)])
    (recording,) = read(path)
    assert [(f.athlete, f.end) for f in recording.frames] == [
        ("11192-Delaney", True), ("7-Müller", False), ("7-Müller", True),
    ]  # fmt: skip


def test_the_second_half_begins_after_a_first_one_that_ran_on(tmp_path: Path) -> None:
    (recording,) = read(written(tmp_path, [(1, 1, 45 * 60 + 120, 1), (2, 1, 45 * 60, 1)]))
    last_of_first, first_of_second = recording.tracks[0].t_us.tolist()
    assert first_of_second - KICK_OFF_US == 60 * 60 * 1_000_000
    assert last_of_first < first_of_second


def test_without_the_match_beside_it_something_is_missing(tmp_path: Path) -> None:
    path = written(tmp_path, [(1, 1, 0.0, 1)])
    (tmp_path / "match_data.json").rename(tmp_path / "elsewhere.json")
    with pytest.raises(MissingError, match=r"match_data\.json is not there"):
        read(path)
    assert len(read(path, companion=tmp_path / "elsewhere.json")) == 1


def test_a_zipped_half_with_a_zipped_match_is_read_too(tmp_path: Path) -> None:
    path = written(tmp_path, [(1, 1, 0.0, 1)])
    for plain in (path, tmp_path / "match_data.json"):
        with gzip.open(plain.with_name(plain.name + ".gz"), "wb") as zipped:
            shutil.copyfileobj(BytesIO(plain.read_bytes()), zipped)
        plain.unlink()
    assert len(read(path.with_name(path.name + ".gz"))) == 1


@pytest.mark.parametrize(
    "match", [[], {"players": 3}, MATCH | {"date_time": "yesterday"}, MATCH | {"players": []}]
)
def test_a_match_that_says_nothing_is_refused_by_name(tmp_path: Path, match: Any) -> None:
    with pytest.raises(UnreadableFile, match=r"half\.parquet|match_data\.json"):
        read(written(tmp_path, [(1, 1, 0.0, 1)], match))
