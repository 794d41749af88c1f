"""A stored movement model judged on files of recordings, some of which it was trained on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from models.artefact import SHIPPED, Artefact, find_artefact, load_artefact
from touchline.evaluation.movement import evaluate_movement
from touchline.training.movement import seen
from touchline.training.movement_data import read_movement

pytestmark = pytest.mark.slow

Arrays = dict[str, Any]


@pytest.fixture(scope="module")
def watch(data_dir: Path) -> Path:
    return data_dir / "movement_watch_50hz" / "watch.npz"


@pytest.fixture(scope="module")
def motions(data_dir: Path) -> Path:
    return data_dir / "movement_basicmotions_10hz" / "train.npz"


@pytest.fixture(scope="module")
def version(watch: Path, motions: Path) -> Artefact:
    """The shipped version with the fingerprints that training gives it."""
    shipped = load_artefact(find_artefact(SHIPPED, "movement"))
    learnt = seen(read_movement(watch), read_movement(motions))
    return replace(shipped, manifest=replace(shipped.manifest, seen=learnt))


def forgetful(version: Artefact) -> Artefact:
    return replace(version, manifest=replace(version.manifest, seen={}))


def arrays(file: Path) -> Arrays:
    with np.load(file) as opened:
        return dict(opened)


def parts(stored: Arrays, at: NDArray[np.int64], samples: slice = slice(None)) -> Arrays:
    """Some recordings of the watch set in this order, cut."""
    whole = np.split(np.arange(len(stored["accel_mg"])), np.cumsum(stored["length"])[:-1])
    cut = [whole[i][samples] for i in at]
    rows = np.concatenate(cut)
    return {
        "accel_mg": stored["accel_mg"][rows],
        "gyro": stored["gyro"][rows],
        "length": np.array([len(part) for part in cut]),
        "exercise": stored["exercise"][at],
        "exercise_names": stored["exercise_names"],
    }


def test_the_training_files_are_judged_as_they_were_by_their_bytes(
    version: Artefact, watch: Path, motions: Path
) -> None:
    for file, judged in ((watch, 28), (motions, 0)):
        found = evaluate_movement(version, file)
        assert found == evaluate_movement(forgetful(version), file)
        assert found["n"] == judged


@pytest.mark.parametrize(
    "stored",
    [
        lambda found: dict(reversed(found.items())),
        lambda found: found | {name: found[name].astype(np.float32) for name in ("accel_mg", "gyro")},
        lambda found: found | {name: found[name].astype(np.float64) for name in ("accel_mg", "gyro")},
        lambda found: parts(found, np.random.default_rng(0).permutation(140)),
        lambda found: parts(found, np.arange(140), slice(123, 224)),
    ],
    ids=["keys", "float32", "float64", "order", "two seconds of each"],
)
def test_recordings_of_the_training_file_are_known_however_they_are_stored(
    tmp_path: Path, version: Artefact, watch: Path, stored: Callable[[Arrays], Arrays]
) -> None:
    np.savez_compressed(tmp_path / "made.npz", **stored(arrays(watch)))
    found = evaluate_movement(version, tmp_path / "made.npz")
    assert found["split"] == "28 recordings of the file; the stored net was trained on the other 112"
    assert (found["n"], np.sum(found["confusion"]), len(found["predictions"])) == (28, 28, 140)


def test_a_file_of_nothing_but_recordings_trained_on_gets_predictions_and_no_figures(
    tmp_path: Path, version: Artefact, motions: Path
) -> None:
    stored = arrays(motions)
    samples = stored["samples"][::-2, :, 40:61].astype(np.float64)
    np.savez(tmp_path / "made.npz", samples=samples, label=stored["label"][::-2])
    found = evaluate_movement(version, tmp_path / "made.npz")
    assert (found["n"], found["accuracy"], len(found["predictions"])) == (0, None, 20)
    assert found["split"].startswith("none: the stored net was trained on all 20 recordings of the file")


def test_other_recordings_are_all_judged(tmp_path: Path, version: Artefact, motions: Path) -> None:
    stored = arrays(motions)
    other = stored["samples"] + np.random.default_rng(0).normal(0, 0.5, stored["samples"].shape)
    np.savez(tmp_path / "made.npz", samples=other, label=stored["label"])
    found = evaluate_movement(version, tmp_path / "made.npz")
    assert found["split"] == "all 40 recordings of the file"
    assert found["n"] == 40
    unknown = evaluate_movement(forgetful(version), tmp_path / "made.npz")
    assert unknown["split"] == found["split"] + "; which the stored net was trained on is not known"
    assert unknown | {"split": ""} == found | {"split": ""}
