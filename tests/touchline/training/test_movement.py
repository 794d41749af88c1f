"""Movement: files are read as they should be, nobody is on both sides of a split, training ends in figures."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from models.artefact import CARD, SHIPPED, find_artefact, read_manifest
from models.signature import local_key, sign
from stream.errors import UnreadableFile
from touchline.cli import app
from touchline.training import movement
from touchline.training.movement_baseline import features
from touchline.training.movement_card import judge
from touchline.training.movement_data import (
    MIRROR,
    MOTIONS,
    SETS,
    WATCH,
    LabelSet,
    Recordings,
    as_left,
    conditioned,
    read_movement,
    windows,
)
from touchline.training.movement_disturb import crops, rotations, turned
from touchline.training.workshop import Workshop

RNG = np.random.default_rng(0)


def wave(hertz: float, seconds: float, rate: float) -> np.ndarray:
    return np.tile(np.sin(2 * np.pi * hertz * np.arange(int(seconds * rate)) / rate)[:, None], (1, 6))


def recordings(of: Any, groups: int, each: int) -> Recordings:
    """Made up: every class its own pace."""
    label = np.tile(np.arange(len(of.labels)), groups * each)
    signals = tuple(wave(0.3 * (k + 1), 12, 10) + RNG.normal(0, 0.05, (120, 6)) for k in label)
    group = np.repeat(np.arange(groups), len(of.labels) * each)
    return Recordings(of, signals, label, group)


def stacked(file: Path, **more: Any) -> Path:
    samples = np.stack([wave(f, 10, 10).T for f in (0.5, 1.0, 2.0)])
    np.savez(file, samples=samples, **more)
    return file


def recordings_of(file: Path, made: Recordings) -> Path:
    """Written as they would have been recorded."""
    scale = np.repeat(made.of.scale, 3)[:, None]
    assert made.label is not None
    label = [made.of.labels[k] for k in made.label]
    np.savez(file, samples=np.stack([x.T * scale for x in made.signals]), label=label)
    return file


def evaluated(*arguments: str) -> dict[str, Any]:
    result = CliRunner().invoke(app, ["evaluate", "movement", "--json", *arguments])
    assert result.exit_code == 0, result.output
    return dict(json.loads(result.stdout))


@pytest.mark.parametrize("rate", [10.0, 25.0, 50.0, 104.0])
def test_a_wave_is_the_same_wave_at_ten_hertz_whatever_its_rate(rate: float) -> None:
    found = conditioned(wave(0.5, 8, rate), rate, (1.0, 2.0))
    assert found.shape == (80, 6)
    middle = np.sin(2 * np.pi * 0.5 * (np.arange(80) + 0.5) / 10)
    np.testing.assert_allclose(found[:, 0], middle, atol=0.18)
    np.testing.assert_allclose(found[:, 3], found[:, 0] / 2)


@pytest.mark.parametrize(
    ("samples", "rate", "message"),
    [(100, 5.0, "too slow"), (19, 10.0, "2 s is the least"), (100, float("nan"), "too slow")],
)
def test_what_is_too_slow_or_too_short_is_refused(samples: int, rate: float, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        conditioned(np.zeros((samples, 6)), rate, (1, 1))


@given(st.integers(20, 400))
def test_windows_are_cut_from_the_signal_or_filled_by_mirroring(length: int) -> None:
    signal = np.arange(length)[:, None] + np.zeros((1, 6))
    cut = windows(signal)
    assert cut.shape[1:] == (100, 6)
    assert len(cut) == max(1, 1 + (length - 100) // 25)
    np.testing.assert_array_equal(cut[0, : min(length, 100)], signal[:100])
    assert set(np.unique(cut)) <= set(range(length))


@given(st.integers(0, 10_000), st.floats(-1, 1), st.floats(0, 1))
def test_a_signal_and_its_mirror_image_are_taken_for_the_same_wrists(
    seed: int, hanging: float, swing: float
) -> None:
    signal = np.random.default_rng(seed).normal(size=(120, 6))
    signal[:, 0] += hanging + swing * np.square(signal[:, 4])
    found = as_left(signal)
    np.testing.assert_array_equal(found, as_left(MIRROR * signal))
    np.testing.assert_array_equal(np.abs(found), np.abs(signal))


def test_the_wrist_is_told_as_the_recordings_say(data_dir: Path) -> None:
    file = data_dir / "movement_watch_50hz" / "watch.npz"
    with np.load(file) as opened:
        arrays = dict(opened)
    raw = np.concatenate([arrays["accel_mg"] / 1000.0, arrays["gyro"].astype(np.float64)], axis=1)
    signals = [
        conditioned(part, WATCH.rate_hz, WATCH.scale)
        for part in np.split(raw, np.cumsum(arrays["length"].astype(int))[:-1])
    ]
    left = [np.array_equal(as_left(signal), signal) for signal in signals]
    assert np.mean(np.array(left) == (arrays["side"] == 0)) > 0.95


def test_the_labels_of_a_file_select_its_label_set(tmp_path: Path) -> None:
    assert read_movement(stacked(tmp_path / "a.npz", label=["Running", "Walking", "Running"])).of is MOTIONS
    found = read_movement(stacked(tmp_path / "b.npz", label=["ABD", "PEN", "ROW"]))
    assert found.of is WATCH
    assert found.label is not None
    assert found.label.tolist() == [1, 0, 6]


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"label": ["Skiing", "ABD", "ABD"]}, "no head knows"),
        ({"label": ["ABD"]}, "1 labels of 3"),
        ({"rate_hz": 2.0}, "too slow"),
    ],
)
def test_a_file_that_does_not_fit_is_refused_by_name(
    tmp_path: Path, more: dict[str, Any], message: str
) -> None:
    with pytest.raises(UnreadableFile, match=rf"made\.npz.*{message}"):
        read_movement(stacked(tmp_path / "made.npz", **more))


def test_a_file_that_is_no_npz_is_refused(tmp_path: Path) -> None:
    (tmp_path / "made.npz").write_text("no")
    with pytest.raises(UnreadableFile, match=r"made\.npz"):
        read_movement(tmp_path / "made.npz")


def test_rotations_turn_and_change_no_length() -> None:
    quarter = rotations(np.array([[0, 0, np.pi / 2]]))
    found = turned(np.array([[[1.0, 0, 0, 0, 2, 0]]]), quarter)
    assert np.abs(found[0, 0]) == pytest.approx([0, 1, 0, 2, 0, 0], abs=1e-9)
    many = rotations(RNG.normal(size=(20, 3)))
    np.testing.assert_allclose(many @ many.transpose(0, 2, 1), np.tile(np.eye(3), (20, 1, 1)), atol=1e-9)


def test_disturbed_windows_are_whole_and_come_again_from_the_same_seed() -> None:
    signals = [RNG.normal(size=(n, 6)) for n in (20, 57, 100, 400)]
    once, again = (crops(signals, np.random.default_rng(4)) for _ in range(2))
    assert once.shape == (4, 100, 6)
    assert np.isfinite(once).all()
    np.testing.assert_array_equal(once, again)


@pytest.mark.parametrize("k", range(movement.FOLDS))
def test_no_subject_is_learnt_from_and_stopped_by_or_judged_on(k: int) -> None:
    watch, motions = recordings(WATCH, 10, 1), recordings(MOTIONS, 10, 1)
    split = movement.split_of(watch, motions, k)
    learnt, inner = set(watch.group[split.watch]), set(watch.group[split.inner])
    judged = set(watch.group[movement.fold_of(watch) == k])
    assert (len(learnt), len(inner), len(judged)) == (7, 1, 2)
    assert not learnt & inner
    assert not (learnt | inner) & judged
    assert not set(split.motions) & set(np.flatnonzero(movement.fold_of(motions) == k))


def test_figures_count_what_was_right() -> None:
    found = judge(("a", "b", "c"), np.array([0, 0, 1, 1]), np.array([0, 1, 1, 1]))
    assert found["accuracy"] == 0.75
    assert found["confusion"] == [[1, 1, 0], [0, 2, 0], [0, 0, 0]]
    assert found["f1_macro"] == pytest.approx((2 / 3 + 4 / 5) / 2)


def test_plain_features_are_finite_for_a_signal_that_stands_still() -> None:
    found = features(np.ones((2, 100, 6)))
    assert found.shape == (2, 63)
    assert np.isfinite(found).all()


@pytest.mark.slow
def test_a_model_is_trained_judged_saved_and_evaluated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = Workshop(tmp_path, tmp_path, lambda *_: None, 0.003)
    motions = recordings(MOTIONS, 5, 1)
    folder = movement.train_on(recordings(WATCH, 5, 1), motions, shop, {"made": "0" * 64})
    metrics = read_manifest(folder).metrics
    assert metrics["held_out_subjects"] == [0]
    assert metrics["cross_validation"]["watch"]["n"] == 35
    assert metrics["split"] in " ".join((folder / CARD).read_text().split())
    file = stacked(tmp_path / "made.npz", label=["Running", "Walking", "Running"])
    unsigned = CliRunner().invoke(
        app, ["evaluate", "movement", "--recordings", str(file), "--model-dir", str(tmp_path)]
    )
    assert unsigned.exit_code != 0
    monkeypatch.setenv("TOUCHLINE_KEYS", str(tmp_path / "keys"))
    sign(folder, local_key(tmp_path / "keys"))
    found = evaluated("--recordings", str(file), "--model-dir", str(tmp_path))
    assert found["labels"] == list(MOTIONS.labels)
    assert np.sum(found["confusion"]) == found["n"] == len(found["predictions"]) == 3
    assert {name: len(texts) for name, texts in read_manifest(folder).seen.items()} == {
        "movement_watch_50hz": 28, "movement_basicmotions_10hz": 20,
    }  # fmt: skip
    learnt = recordings_of(tmp_path / "learnt.npz", motions)
    again = evaluated("--recordings", str(learnt), "--model-dir", str(tmp_path))
    assert (again["n"], len(again["predictions"])) == (0, 20), "all of them were trained on"


def test_a_file_without_labels_gets_predictions_and_no_figures(tmp_path: Path) -> None:
    found = evaluated("--recordings", str(stacked(tmp_path / "made.npz", rate_hz=20.0)))
    assert (found["n"], found["accuracy"], found["confusion"]) == (3, None, None)
    assert set(found["predictions"]) <= set(MOTIONS.labels)


def test_on_the_subjects_held_out_the_command_gives_the_cards_figures(tmp_path: Path, data_dir: Path) -> None:
    with np.load(data_dir / "movement_watch_50hz" / "watch.npz") as opened:
        arrays = dict(opened)
    figures = read_manifest(find_artefact(SHIPPED, "movement")).metrics
    keep = np.isin(arrays["subject"], figures["held_out_subjects"])
    rows = np.repeat(keep, arrays["length"])
    cut = {k: arrays[k][keep] for k in ("length", "exercise", "subject")}
    cut |= {k: arrays[k][rows] for k in ("accel_mg", "gyro")}
    np.savez(tmp_path / "held_out.npz", exercise_names=arrays["exercise_names"], **cut)
    found = evaluated("--recordings", str(tmp_path / "held_out.npz"))
    assert {k: found[k] for k in ("n", "accuracy", "f1_macro", "labels", "confusion")} == {
        k: figures["shipped"][k] for k in ("n", "accuracy", "f1_macro", "labels", "confusion")
    }
    assert found["accuracy"] > 0.8
    whole = evaluated("--recordings", str(data_dir / "movement_watch_50hz" / "watch.npz"))
    assert len(whole["predictions"]) == 140
    assert {k: whole[k] for k in found if k not in ("split", "predictions")} == {
        k: found[k] for k in found if k not in ("split", "predictions")
    }


def test_recordings_that_were_all_trained_on_get_no_figures(data_dir: Path) -> None:
    found = evaluated("--recordings", str(data_dir / "movement_basicmotions_10hz" / "train.npz"))
    assert (found["n"], found["accuracy"], len(found["predictions"])) == (0, None, 40)
    assert "--cv" in found["split"]


@pytest.mark.slow
@pytest.mark.parametrize("known", SETS)
def test_trained_anew_the_command_gives_the_cards_cross_validated_figures(
    data_dir: Path, known: LabelSet
) -> None:
    file = {"watch": "movement_watch_50hz/watch.npz", "basicmotions": "movement_basicmotions_10hz/train.npz"}
    found = evaluated("--recordings", str(data_dir / file[known.name]), "--cv")
    card = read_manifest(find_artefact(SHIPPED, "movement")).metrics["cross_validation"][known.name]
    assert found["n"] == card["n"]
    assert found["accuracy"] == pytest.approx(card["accuracy"], abs=0.02)  # another CPU rounds otherwise
