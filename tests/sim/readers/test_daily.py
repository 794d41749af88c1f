"""Daily rows: SoccerMon and the hamstring study against plain reading, made ones for what is absent."""

from __future__ import annotations

import csv
import gzip
from pathlib import Path

import numpy as np
import pytest

from sim.readers import read
from sim.readers.daily import onsets, read_daily
from stream.errors import MissingError, UnreadableFile


def written(folder: Path, text: str) -> Path:
    path = folder / "made.csv"
    path.write_text(text)
    return path


def test_soccermon_is_read_as_it_is(data_dir: Path) -> None:
    path = data_dir / "soccermon" / "soccermon_daily.csv.gz"
    with gzip.open(path, "rt") as lines:
        rows = list(csv.DictReader(lines))
    table = read_daily(path)
    assert len(table) == len(rows) == 36_550
    assert table.athlete.tolist() == sorted(row["player"] for row in rows)
    assert (np.diff(table.date)[table.athlete[1:] == table.athlete[:-1]] == np.timedelta64(1, "D")).all()
    for name in ("daily_load", "fatigue", "readiness", "sleep_duration", "injury_report", "injury_onset"):
        there = [float(row[name]) for row in rows if row[name]]
        assert np.isfinite(table.column(name)).sum() == len(there)
        assert np.nansum(table.column(name)) == pytest.approx(sum(there))
    assert set(table.squad) == {"TeamA", "TeamB"}


def test_onsets_made_from_reports_are_those_soccermon_names(data_dir: Path) -> None:
    table = read_daily(data_dir / "soccermon" / "soccermon_daily.csv.gz")
    made = onsets(table.athlete, table.date, table.column("injury_report"))
    np.testing.assert_array_equal(made, table.column("injury_onset"))


def test_the_hamstring_study_counts_days_of_seasons(data_dir: Path) -> None:
    table = read_daily(data_dir / "hamstring_jovanovic" / "raw_data_sample.csv")
    assert len(table) == 2986
    assert table.column("injury_report").sum() == 6
    first = table.date[table.athlete == "Athlete 01"]
    assert (np.diff(first) > np.timedelta64(0, "D")).all(), "the second season follows the first"
    assert table.column("daily_load")[0] == 496
    assert np.isnan(table.column("fatigue")).all()


def test_absent_columns_are_all_missing_and_answers_left_out_too(tmp_path: Path) -> None:
    table = read_daily(
        written(tmp_path, "player,date,daily_load,fatigue\nb,2024-01-02,300,\na,2024-01-01,,3\n")
    )
    assert table.athlete.tolist() == ["a", "b"]
    np.testing.assert_array_equal(table.column("daily_load"), [np.nan, 300])
    np.testing.assert_array_equal(table.column("fatigue"), [3, np.nan])
    assert np.isnan(table.column("mood")).all()
    assert "injury_onset" not in table.columns


def test_a_new_injury_is_the_first_report_after_a_week_without(tmp_path: Path) -> None:
    days = [("a", 1), ("a", 3), ("a", 10), ("a", 18), ("b", 19)]
    text = "".join(f"{who},2024-01-{day:02d},1\n" for who, day in days)
    table = read_daily(written(tmp_path, "player,date,injury_report\n" + text))
    #                   1  3  10 (7 days) 18 (8 days) other athlete
    assert table.column("injury_onset").tolist() == [1, 0, 0, 1, 1]


def test_rows_without_athlete_or_date_are_counted(tmp_path: Path) -> None:
    table = read_daily(written(tmp_path, "player,date,daily_load\na,2024-01-01,1\n,2024-01-02,2\na,soon,3\n"))
    assert len(table) == 1
    assert table.notes == ("2 rows have no athlete or date",)


@pytest.mark.parametrize(
    "name", ["soccermon/soccermon_daily.csv.gz", "hamstring_jovanovic/raw_data_sample.csv"]
)
def test_daily_rows_cannot_be_replayed(data_dir: Path, name: str) -> None:
    with pytest.raises(UnreadableFile, match="no telemetry"):
        read(data_dir / name)


@pytest.mark.parametrize(
    "text", ["a,b\n1,2\n", "player,date\na,2024-01-01\n", "player,date,mood\na,never,3\n"]
)
def test_a_file_without_daily_rows_is_refused_by_name(tmp_path: Path, text: str) -> None:
    with pytest.raises(UnreadableFile, match=r"made\.csv"):
        read_daily(written(tmp_path, text))


def test_a_missing_file_is_a_missing_dependency(tmp_path: Path) -> None:
    with pytest.raises(MissingError):
        read_daily(tmp_path / "nowhere.csv")
