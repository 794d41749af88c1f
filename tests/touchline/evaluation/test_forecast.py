"""A stored forecast judged on recorded runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from models.artefact import SHIPPED, Artefact, find_artefact, load_artefact
from models.forecast import HORIZONS
from stream.errors import TouchlineError
from tests.touchline.command import touchline
from touchline.evaluation.forecast import evaluate_forecast
from touchline.training.forecast_data import RUNS, fingerprints, runs_split
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
    assert figures["split"] == "10 runs of the file; 43 more were trained on and are left out"
    assert figures["n"]["60"] > 10_000
    assert figures["mae_bpm"]["5"] < figures["mae_bpm"]["30"] < figures["mae_bpm"]["60"] < 6


def trained_on(file: Path, *runs: str) -> Artefact:
    """The shipped version as if it had been trained on these runs of a file."""
    shipped = load_artefact(find_artefact(SHIPPED, "forecast"))
    learnt = [run for run in recorded(Source("runs", (file,))) if run.session.endswith(runs)]
    assert len(learnt) == len(runs)
    return replace(shipped, manifest=replace(shipped.manifest, seen={"made": fingerprints(learnt)}))


def judged(artefact: Artefact, file: Path) -> dict[str, Any]:
    return evaluate_forecast(artefact, file, lambda _: None)[0]


@pytest.fixture
def walks(tmp_path: Path) -> tuple[Path, pd.DataFrame]:
    """Four runs, each with a heart rate of its own."""
    file = tmp_path / "walks.parquet"
    table = write_runs(file, {f"RUN_{name}": 300 for name in "ABCD"})
    steps = np.random.default_rng(5).choice([-1.0, 0.0, 1.0], len(table))
    table["heart_rate"] = 140 + np.cumsum(steps).clip(-60, 60)
    table.to_parquet(file)
    return file, table


@pytest.mark.parametrize(
    "stored",
    [
        lambda table: table,
        lambda table: table.assign(session="RUN_x" + table["session"].str[-1], more=1),
        lambda table: table.astype({"heart_rate": "float32", "distance": "float32"}),
        lambda table: pd.concat([part for _, part in table.groupby("session")][::-1]),
        lambda table: table.assign(timestamp=table["timestamp"] + pd.Timedelta(days=100)),
        lambda table: table[table.groupby("session").cumcount() >= 119],
    ],
    ids=["as it was", "renamed", "float32", "another order", "another day", "the last 181 rows of each"],
)
@pytest.mark.parametrize("ending", ["parquet", "csv.gz"])
def test_runs_that_were_trained_on_are_left_out_however_they_are_stored(
    tmp_path: Path,
    walks: tuple[Path, pd.DataFrame],
    stored: Callable[[pd.DataFrame], pd.DataFrame],
    ending: str,
) -> None:
    file, table = walks
    version = trained_on(file, "RUN_A", "RUN_C", "RUN_D")
    again, alone = tmp_path / f"again.{ending}", tmp_path / f"alone.{ending}"
    save = "to_parquet" if ending == "parquet" else "to_csv"
    getattr(stored(table), save)(again, index=False)
    getattr(stored(table[table["session"] == "RUN_B"]), save)(alone, index=False)
    found, expected = judged(version, again), judged(version, alone)
    assert found["split"] == "1 runs of the file; 3 more were trained on and are left out"
    assert expected["split"] == "all 1 runs of the file"
    assert found["n"] == expected["n"]
    assert found["mae_bpm"] == pytest.approx(expected["mae_bpm"], abs=1e-4)


def test_where_every_run_was_trained_on_there_are_no_figures(walks: tuple[Path, pd.DataFrame]) -> None:
    file, _ = walks
    with pytest.raises(TouchlineError, match=r"walks\.parquet: every run was trained on") as raised:
        judged(trained_on(file, "RUN_A", "RUN_B", "RUN_C", "RUN_D"), file)
    assert raised.value.exit_code == 1


def test_a_version_without_fingerprints_says_that_it_does_not_know(walks: tuple[Path, pd.DataFrame]) -> None:
    file, _ = walks
    version = trained_on(file)
    forgetful = replace(version, manifest=replace(version.manifest, seen={}))
    assert (
        judged(forgetful, file)["split"]
        == "all 4 runs of the file; which runs the version was trained on is not known"
    )


def test_none_of_the_runs_kept_back_is_taken_for_one_trained_on(data_dir: Path) -> None:
    file = data_dir / RUNS / "runs_1hz.parquet"
    train, kept = runs_split(recorded(Source(RUNS, (file,))))
    version = trained_on(file)
    knowing = replace(version, manifest=replace(version.manifest, seen={RUNS: fingerprints(train)}))
    forgetful = replace(version, manifest=replace(version.manifest, seen={}))
    assert len(kept) == 10
    assert judged(knowing, file) == judged(forgetful, file), "the file is known by its bytes then"
