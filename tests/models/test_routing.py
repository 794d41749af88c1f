"""The canary's share beside the labels."""

from __future__ import annotations

from pathlib import Path

import pytest

from models.artefact import ArtefactDamaged
from models.labels import (
    DEFAULT_SHARE,
    FILE,
    history,
    move_canary,
    move_label,
    read_labels,
    read_routing,
)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for version in ("1", "2"):
        (tmp_path / "forecast" / version).mkdir(parents=True)
    move_label(tmp_path, "forecast", "stable", "1")
    return tmp_path


def test_the_share_is_read_with_the_labels_and_told_in_the_history(root: Path) -> None:
    assert read_routing(root, "forecast").share == 0
    assert move_canary(root, "forecast", "2", 0.25) == {"stable": "1", "canary": "2"}
    assert read_labels(root, "forecast") == {"stable": "1", "canary": "2"}
    assert read_routing(root, "forecast").share == 0.25
    move_canary(root, "forecast", "2", 0.5)
    assert [move.get("share") for move in history(root, "forecast")] == [None, 0.25, 0.5]


def test_other_labels_leave_the_share_alone_and_the_end_of_the_canary_ends_it(root: Path) -> None:
    move_canary(root, "forecast", "2", 0.25)
    move_label(root, "forecast", "shadow", "2")
    move_label(root, "forecast", "stable", "2")
    assert read_routing(root, "forecast").share == 0.25
    move_label(root, "forecast", "canary", None)
    assert read_routing(root, "forecast").share == 0
    assert "canary" not in (root / "forecast" / FILE).read_text()


def test_a_canary_without_a_share_has_the_usual_one(root: Path) -> None:
    move_label(root, "forecast", "canary", "2")
    assert read_routing(root, "forecast").share == DEFAULT_SHARE
    (root / "forecast" / FILE).write_text('{"canary": "2"}')
    assert read_routing(root, "forecast").share == DEFAULT_SHARE


@pytest.mark.parametrize("share", [0.0, -0.1, 1.01, float("nan")])
def test_what_is_no_share_moves_nothing(root: Path, share: float) -> None:
    with pytest.raises(ValueError, match="share"):
        move_canary(root, "forecast", "2", share)
    assert read_labels(root, "forecast") == {"stable": "1"}


@pytest.mark.parametrize("share", ["0", "2", '"0.1"', "true", "NaN", "null"])
def test_a_file_with_another_share_is_refused_by_name(root: Path, share: str) -> None:
    (root / "forecast" / FILE).write_text(f'{{"canary": "2", "canary_share": {share}}}')
    with pytest.raises(ArtefactDamaged, match=FILE):
        read_labels(root, "forecast")


def test_a_share_without_a_canary_is_refused(root: Path) -> None:
    (root / "forecast" / FILE).write_text('{"stable": "1", "canary_share": 0.1}')
    with pytest.raises(ArtefactDamaged, match="canary_share"):
        read_labels(root, "forecast")
