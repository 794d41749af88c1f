"""A stored injury ensemble judged on files of daily rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from models.artefact import SHIPPED, Artefact, find_artefact, load_artefact
from models.restore import answer, restore
from sim.readers.daily import read_daily
from stream.days import day_features
from tests.touchline.command import touchline
from touchline.evaluation.injury import evaluate_injury
from touchline.training.figures import classifier_figures
from touchline.training.injury_rows import FOLDS, SEEDS, fold_of, injury_rows, seen
from touchline.training.workshop import Workshop

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

KEYS = {
    "model", "version", "split", "rows", "positives", "athletes", "positive_athletes", "auc", "auc_ci", "auc_within",
    "ap", "brier", "brier_skill", "ece", "calibration_slope",
}  # fmt: skip


def write_days(path: Path, injured: int, athletes: int = 12, days: int = 60, seed: int = 1) -> Path:
    """Made-up daily rows; the first ``injured`` athletes are tired for a week and then report an injury."""
    rng = np.random.default_rng(seed)
    parts = []
    for number in range(athletes):
        fatigue = rng.integers(2, 5, days).astype(float)
        report = np.zeros(days)
        if number < injured:
            fatigue[33:40], report[40] = 1.0, 1
        parts.append(
            pd.DataFrame({
                "athlete": f"P{number:02d}", "date": pd.date_range("2022-01-01", periods=days).astype(str),
                "daily_load": rng.gamma(2, 200, days).round(), "fatigue": fatigue, "injury_report": report,
            })
        )  # fmt: skip
    pd.concat(parts).to_csv(path, index=False)
    return path


def evaluated(file: Path, *flags: str) -> dict[str, Any]:
    done = touchline("evaluate", "injury", "--daily", file, *flags, "--json")
    assert done.code == 0, done.err
    found: dict[str, Any] = done.json
    assert found.keys() >= KEYS
    return found


def test_a_file_with_columns_absent_is_judged_on_what_it_has(tmp_path: Path) -> None:
    found = evaluated(write_days(tmp_path / "days.csv.gz", injured=4))
    assert found["rows"] == 12 * 40 - 4 * 7, "days 13 to 52, without the week from each report on"
    assert found["athletes"] == 12
    assert found["positives"] == 4 * 7
    assert found["positive_athletes"] == 4
    assert 0 <= found["auc"] <= 1
    assert found["auc_ci"][0] <= found["auc"] <= found["auc_ci"][1]
    assert found["split"].startswith("all athletes of the file")


@pytest.mark.parametrize("flags", [(), ("--cv",)])
def test_one_class_only_gives_null_and_no_fault(tmp_path: Path, flags: tuple[str, ...]) -> None:
    found = evaluated(write_days(tmp_path / "days.csv", injured=0, athletes=3), *flags)
    assert found["positives"] == 0
    assert found["auc"] is None
    assert found["auc_ci"] is None
    assert found["recall"] is None


def test_too_short_a_file_has_no_rows_and_no_figures(tmp_path: Path) -> None:
    found = evaluated(write_days(tmp_path / "days.csv", injured=0, athletes=2, days=15))
    assert found["rows"] == 0
    assert found["brier"] is None
    assert found["accuracy"] is None


def test_folds_are_repeated_on_the_file_with_baselines_beside_it(tmp_path: Path) -> None:
    shop = Workshop(tmp_path, tmp_path, lambda *_: None, thrift=0.5)
    shipped = load_artefact(find_artefact(SHIPPED, "injury"))
    found = evaluate_injury(shipped, write_days(tmp_path / "days.csv", injured=6), shop)
    assert found["auc"] > 0.6, "tired before each injury: nets that were trained on it find it"
    assert found["baselines"].keys() == {"past_rate", "logistic", "hgb"}
    assert found["baselines"]["logistic"]["auc"] > 0.7
    low, high = found["paired"]["past_rate"]["interval"]
    assert low <= found["paired"]["past_rate"]["difference"] <= high


def test_on_the_training_file_every_athlete_is_held_out_and_the_card_says_the_same(data_dir: Path) -> None:
    found = evaluated(data_dir / "soccermon" / "soccermon_daily.csv.gz")
    card = load_artefact(find_artefact(SHIPPED, "injury")).manifest.metrics
    assert "out-of-fold" in found["split"]
    assert {key: found[key] for key in card["counts"]} == card["counts"]
    told = card["figures"]["without today"]
    for name in ("auc", "auc_within", "ap", "brier", "ece", "brier_skill"):
        assert found[name] == pytest.approx(told[name], abs=2e-3), name
    assert found["calibration_slope"] == pytest.approx(told["calibration_slope"], abs=0.05)


def trained_on(file: Path) -> Artefact:
    """The shipped version as if it had been trained on a file."""
    shipped = load_artefact(find_artefact(SHIPPED, "injury"))
    rows = injury_rows(read_daily(file))
    metrics = {**shipped.manifest.metrics, "counts": {"rows": len(rows), "positives": int(rows.label.sum())}}
    known = {"made": seen(rows)}
    return replace(shipped, manifest=replace(shipped.manifest, seen=known, metrics=metrics))


def test_athletes_trained_on_are_answered_by_nets_that_have_not_seen_them(tmp_path: Path) -> None:
    file = write_days(tmp_path / "days.csv", injured=6)
    version = trained_on(file)
    rows = injury_rows(read_daily(file))
    said = answer(restore(version), [day_features(rows.values, np.zeros(len(rows)))])[0]
    unseen = [said[np.arange(len(rows)), k * FOLDS + fold_of(rows, seed)] for k, seed in enumerate(SEEDS)]
    own = [classifier_figures(raw.astype(np.float64), rows.label, rows.athlete)["auc"] for raw in unseen]
    found = evaluate_injury(version, file)
    assert found["auc"] == pytest.approx(np.mean(own))
    assert found["split"].endswith(
        "12 of 12 athletes were trained on, answered by the nets that have not seen them"
    )


@pytest.mark.parametrize(
    "stored",
    [
        lambda table: table.assign(athlete="z" + (50 - table["athlete"].str[1:].astype(int)).astype(str)),
        lambda table: table.sample(frac=1, random_state=0).astype({"daily_load": "float32", "fatigue": "float32"}),
        lambda table: table.assign(temperature=3, team="T"),
    ],
    ids=["renamed", "shuffled, float32", "columns more"],
)  # fmt: skip
def test_a_copy_of_the_training_file_has_its_figures(
    tmp_path: Path, stored: Callable[[pd.DataFrame], pd.DataFrame]
) -> None:
    file = write_days(tmp_path / "days.csv.gz", injured=6)
    version, table = trained_on(file), pd.read_csv(file)
    again = tmp_path / "again.parquet"
    stored(table).to_parquet(again)
    found, expected = evaluate_injury(version, again), evaluate_injury(version, file)
    assert found["split"] == expected["split"]
    for name in ("rows", "positives", "auc", "auc_within", "ap", "brier", "calibration_slope", "accuracy"):
        assert found[name] == pytest.approx(expected[name], abs=1e-6), name


def test_a_part_of_the_training_file_among_others_is_known_and_the_others_are_new(tmp_path: Path) -> None:
    file = write_days(tmp_path / "days.csv", injured=6)
    others = pd.read_csv(write_days(tmp_path / "others.csv", injured=4, seed=7))
    table = pd.read_csv(file)
    mixed = pd.concat([table[table["athlete"] < "P03"], others.assign(athlete="N" + others["athlete"])])
    mixed.to_csv(tmp_path / "mixed.csv", index=False)
    version = trained_on(file)
    split = evaluate_injury(version, tmp_path / "mixed.csv")["split"]
    assert "3 of 15 athletes were trained on" in split
    assert "the others by all nets" in split
    assert "calibrated as stored" in split
    new = evaluate_injury(version, tmp_path / "others.csv")
    assert new["split"] == "all athletes of the file, none of them trained on"


def test_a_version_without_fingerprints_says_that_it_does_not_know(tmp_path: Path) -> None:
    file = write_days(tmp_path / "days.csv", injured=6)
    version = trained_on(file)
    forgetful = replace(version, manifest=replace(version.manifest, seen={}))
    assert evaluate_injury(forgetful, file)["split"].endswith("which the version was trained on is not known")


def test_a_copy_of_soccermon_is_judged_as_the_file_itself(data_dir: Path, tmp_path: Path) -> None:
    file = data_dir / "soccermon" / "soccermon_daily.csv.gz"
    table = pd.read_csv(file)
    names = table["player"].unique()
    alias = dict(zip(names, np.random.default_rng(0).permutation(len(names)).astype(str), strict=True))
    table.assign(player=table["player"].map(alias)).sample(frac=1, random_state=0).to_parquet(
        tmp_path / "c.parquet"
    )
    version = trained_on(file)
    found, expected = evaluate_injury(version, tmp_path / "c.parquet"), evaluate_injury(version, file)
    assert found["split"] == expected["split"]
    for name in ("rows", "positives", "auc", "auc_within", "ap", "brier", "brier_skill", "calibration_slope"):
        assert found[name] == pytest.approx(expected[name], abs=1e-6), name
    forgetful = replace(version, manifest=replace(version.manifest, seen={}))
    assert evaluate_injury(forgetful, file) == expected, "the file is known by its bytes then"
