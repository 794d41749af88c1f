"""A stored forecast judged on recorded runs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from models.forecast import HORIZONS
from tests.touchline.command import touchline
from touchline.training.forecast_origins import origins_of
from touchline.training.sessions import Source, recorded
from touchline.training.windows import HEART_RATE

pytestmark = pytest.mark.slow

LENGTHS = {"RUN_A": 200, "RUN_B": 181, "RUN_C": 180}


def write_runs(path: Path, lengths: dict[str, int] = LENGTHS, *, hidden: int | None = None) -> pd.DataFrame:
    """Runs at one row a second, the heart rate a slow wave; after row ``hidden`` another one."""
    parts = []
    for number, (name, rows) in enumerate(lengths.items()):
        second = np.arange(rows)
        heart = 140 + 15 * np.sin(second / 40 + number)
        if hidden is not None:
            heart[hidden + 1 :] = 100.0
        start = pd.Timestamp("2021-03-25T10:00:00", tz="UTC") + pd.Timedelta(days=number)
        parts.append(
            pd.DataFrame({
                "session": name, "timestamp": (start + pd.to_timedelta(second, unit="s")).tz_localize(None),
                "heart_rate": heart.round(), "cadence": 85.0, "distance": 3.0 * second,
                "enhanced_altitude": 10.0, "enhanced_speed": 3.0,
            })
        )  # fmt: skip
    table = pd.concat(parts, ignore_index=True)
    table.loc[150, "heart_rate"] = 0.0
    table.to_parquet(path)
    return table


def test_an_origin_has_120_rows_before_and_60_after_and_looks_at_rows_of_its_run(tmp_path: Path) -> None:
    file = tmp_path / "runs.parquet"
    table = write_runs(file)
    found = origins_of(recorded(Source("runs", (file,))))
    assert len(found.at) == sum(max(0, rows - 180) for rows in LENGTHS.values()) == 21
    now = found.table.raw[found.at, HEART_RATE]
    rows = [*range(120, 140), 200 + 120]
    assert np.isnan(found.actual[0, HORIZONS.index(30)]), "row 150 is a sensor fault, no target"
    heart = table["heart_rate"].to_numpy()
    for k, row in enumerate(rows):
        assert now[k] == heart[row]
        ahead = heart[row + np.asarray(HORIZONS)]
        np.testing.assert_array_equal(found.actual[k], np.where(ahead < 25, np.nan, ahead))


def test_the_command_gives_the_keys_of_the_contract(tmp_path: Path) -> None:
    file = tmp_path / "runs.parquet"
    write_runs(file)
    done = touchline("evaluate", "forecast", "--runs", file, "--json")
    assert done.code == 0, done.err
    figures = done.json
    assert set(figures) == {"model", "version", "split", "n", "mae_bpm", "coverage_80"}
    assert figures["n"] == {"5": 21, "10": 21, "20": 20, "30": 20, "40": 21, "60": 21}
    assert all(0 < value < 60 for value in figures["mae_bpm"].values())
    assert all(0 <= value <= 1 for value in figures["coverage_80"].values())


@pytest.mark.parametrize(("name", "code"), [("short.parquet", 2), ("absent.parquet", 3)])
def test_a_file_with_nothing_to_judge_is_one_line(tmp_path: Path, name: str, code: int) -> None:
    write_runs(tmp_path / "short.parquet", {"RUN_A": 180})
    done = touchline("evaluate", "forecast", "--runs", tmp_path / name, "--json")
    assert done.code == code
    assert done.out == ""
    assert name in done.err
    assert "Traceback" not in done.err


def test_a_version_that_is_not_there_is_said(tmp_path: Path) -> None:
    file = tmp_path / "runs.parquet"
    write_runs(file)
    done = touchline("evaluate", "forecast", "--runs", file, "--version", "99")
    assert done.code == 3
    assert "99" in done.err


def test_of_the_training_file_only_the_runs_kept_back_are_judged(data_dir: Path) -> None:
    file = data_dir / "hr_forecast_rikluost" / "runs_1hz.parquet"
    done = touchline("evaluate", "forecast", "--runs", file, "--json")
    assert done.code == 0, done.err
    figures = done.json
    assert figures["split"] == "the training file: its 10 runs that were kept back"
    assert figures["n"]["60"] > 10_000
    assert figures["mae_bpm"]["5"] < figures["mae_bpm"]["30"] < figures["mae_bpm"]["60"] < 6
