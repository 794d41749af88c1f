"""Labels of versions."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path

import pytest

from models.artefact import ArtefactDamaged, ArtefactMissing
from models.labels import FILE, HISTORY, find_labelled, history, move_label, read_labels, stable_before


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for version in ("1", "2", "10"):
        (tmp_path / "forecast" / version).mkdir(parents=True)
    return tmp_path


def test_without_labels_the_newest_version_is_stable(root: Path) -> None:
    assert read_labels(root, "forecast") == {"stable": "10"}
    assert find_labelled(root, "forecast") == root / "forecast" / "10"


def test_labels_moved_are_read_back_and_every_move_is_told(root: Path) -> None:
    move_label(root, "forecast", "stable", "1")
    assert move_label(root, "forecast", "canary", "2") == {"stable": "1", "canary": "2"}
    assert read_labels(root, "forecast") == {"stable": "1", "canary": "2"}
    assert find_labelled(root, "forecast", "canary").name == "2"
    told = [(move["label"], move["from"], move["to"]) for move in history(root, "forecast")]
    assert told == [("stable", "10", "1"), ("canary", None, "2")]
    seen = {entry.name for entry in (root / "forecast").iterdir() if not entry.name.startswith(".")}
    assert seen == {"1", "2", "10", FILE, HISTORY}
    assert (root / "forecast" / FILE).stat().st_mode & 0o044 == 0o044, (
        "others may read which version is stable"
    )


def test_a_label_can_be_taken_away_but_stable_cannot(root: Path) -> None:
    move_label(root, "forecast", "shadow", "2")
    assert move_label(root, "forecast", "shadow", None) == {"stable": "10"}
    with pytest.raises(ValueError, match="stable"):
        move_label(root, "forecast", "stable", None)
    with pytest.raises(ArtefactMissing, match="'7'"):
        move_label(root, "forecast", "stable", "7")


def test_going_back_twice_goes_back_two_versions(root: Path) -> None:
    with pytest.raises(ArtefactMissing, match="no other stable"):
        stable_before(root, "forecast")
    for version in ("1", "2", "10"):
        move_label(root, "forecast", "stable", version)
    for expected in ("2", "1", "10"):
        assert stable_before(root, "forecast") == expected
        move_label(root, "forecast", "stable", expected, back=True)
    with pytest.raises(ArtefactMissing, match="no other stable"):
        stable_before(root, "forecast")


def test_a_version_promoted_again_is_gone_back_from_like_any_other(root: Path) -> None:
    for version in ("1", "10", "10"):
        move_label(root, "forecast", "stable", version)
    assert stable_before(root, "forecast") == "1"


def test_two_movers_at_once_lose_no_move(root: Path) -> None:
    def move(number: int) -> None:
        move_label(root, "forecast", "canary", ("1", "2")[number % 2])

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(move, range(40)))
    told = history(root, "forecast")
    assert len(told) == 40
    assert all(after["from"] == before["to"] for before, after in pairwise(told))
    assert read_labels(root, "forecast")["canary"] == told[-1]["to"]


def test_a_label_nobody_has_is_missing(root: Path) -> None:
    with pytest.raises(ArtefactMissing, match="is shadow"):
        find_labelled(root, "forecast", "shadow")


@pytest.mark.parametrize("text", ['{"stable": "7"}', '{"best": "1"}', "[]", "{"])
def test_a_file_that_is_no_labels_is_refused_by_name(root: Path, text: str) -> None:
    (root / "forecast" / FILE).write_text(text)
    with pytest.raises(ArtefactDamaged, match=FILE):
        read_labels(root, "forecast")
