"""Recorded and simulated sessions as training reads them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sim.schedule import Kind
from sim.sessions import SessionConfig
from sim.squad import athlete_ids
from stream.errors import MissingError
from stream.features import HISTORY
from touchline.training.performance_data import Played
from touchline.training.sessions import START_US, Source, recorded, simulated, sources, summary
from touchline.training.workshop import Workshop, table


def silent(_what: str, _done: int, _of: int) -> None:
    """Tell nobody."""


@pytest.mark.slow
def test_sessions_side_by_side_are_what_they_are_alone(data_dir: Path) -> None:
    files = tuple(sorted((data_dir / "workouts_tcx_runpandas").glob("*.tcx.gz")))[:3]
    together = {s.session: s for s in recorded(Source("tcx", files))}
    assert len(together) == 3
    for file in files:
        (alone,) = recorded(Source("tcx", (file,)))
        beside = together[alone.session]
        assert beside.athlete == alone.athlete
        np.testing.assert_array_equal(beside.second - beside.second[0], alone.second - alone.second[0])
        np.testing.assert_allclose(beside.history, alone.history, equal_nan=True)
        assert beside.totals == pytest.approx(alone.totals)


def test_a_simulated_squad_is_cut_an_athlete_a_session() -> None:
    config = SessionConfig(athletes=3, seconds=20, start_us=START_US, kind="run", seed=5)
    found = simulated(config)
    assert sorted(s.athlete for s in found) == ["A01", "A02", "A03"]
    assert {len(s.second) for s in found} == {20}
    assert np.isfinite(found[0].history[5:, list(HISTORY).index("heart_rate")]).all()
    assert np.isfinite(found[0].history[5:, list(HISTORY).index("wbgt")]).all()
    assert summary(found) == {"sessions": 3, "hours": 0.0}


@pytest.mark.parametrize("kind", ["match", "run"])
def test_seconds_are_the_same_however_many_frames_a_second_comes_in(kind: Kind) -> None:
    """All but the heat: which reading of the station was the last one before is a matter of arrival."""
    heat = list(HISTORY).index("wbgt")
    config = replace(Played(7, 0, kind, 1.0, None, 60).config(), athletes=3, carried={})
    tenths, whole = (
        {s.athlete: s for s in simulated(replace(config, frames_per_s=frames))} for frames in (10, 1)
    )
    assert tenths.keys() == whole.keys() == set(athlete_ids(3))
    for name, one in tenths.items():
        other = whole[name]
        assert np.array_equal(one.second, other.second)
        assert np.array_equal(
            np.delete(one.history, heat, axis=1), np.delete(other.history, heat, axis=1), equal_nan=True
        )
        assert one.totals | {"frames": 0} == other.totals | {"frames": 0}
        assert one.totals["frames"] == 10 * other.totals["frames"]


def test_a_squad_plays_otherwise_on_another_day() -> None:
    """Else what is known of its athletes from earlier sessions would know the later ones by heart."""
    first, second, again = (
        sorted(simulated(Played(91, day, "match", 1.0, None, 20).config()), key=lambda s: s.athlete)
        for day in (0, 1, 0)
    )
    assert [s.heart_rest for s in first] == [s.heart_rest for s in second]
    assert [s.heart_max for s in first] == [s.heart_max for s in second]
    speed = list(HISTORY).index("speed")
    for one, other, same in zip(first, second, again, strict=True):
        np.testing.assert_array_equal(one.history, same.history)
        assert not np.allclose(one.history[5:, speed], other.history[5:, speed])


def test_a_data_set_that_is_not_there_is_missing_by_name(tmp_path: Path) -> None:
    assert sources(tmp_path) == {}
    with pytest.raises(MissingError, match="soccermon"):
        Workshop(tmp_path, tmp_path, silent).source("soccermon")


def test_a_data_set_is_known_by_the_hash_of_its_files(tmp_path: Path) -> None:
    (tmp_path / "soccermon").mkdir()
    file = tmp_path / "soccermon/soccermon_daily.csv.gz"
    file.write_bytes(b"one")
    before = sources(tmp_path)["soccermon"].sha256()
    file.write_bytes(b"two")
    assert sources(tmp_path)["soccermon"].sha256() != before


def test_thrift_takes_a_share_of_the_steps_and_never_none(tmp_path: Path) -> None:
    assert Workshop(tmp_path, tmp_path, silent, 0.1).steps(1000) == 100
    assert Workshop(tmp_path, tmp_path, silent, 0.0001).steps(1000) == 2


def test_a_table_of_a_card_has_a_dash_for_what_is_not_defined() -> None:
    assert table(("a", "b"), [(0.5, None), ([0.1, 0.2], "x")]).splitlines() == [
        "| a | b |", "| --- | --- |", "| 0.5000 | - |", "| 0.1000 to 0.2000 | x |",
    ]  # fmt: skip
