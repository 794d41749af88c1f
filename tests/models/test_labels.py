"""Labels of versions."""

from __future__ import annotations

from pathlib import Path

import pytest

from models.artefact import ArtefactDamaged, ArtefactMissing
from models.labels import FILE, find_labelled, read_labels, write_labels


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for version in ("1", "2", "10"):
        (tmp_path / "forecast" / version).mkdir(parents=True)
    return tmp_path


def test_without_labels_the_newest_version_is_stable(root: Path) -> None:
    assert read_labels(root, "forecast") == {"stable": "10"}
    assert find_labelled(root, "forecast") == root / "forecast" / "10"


def test_labels_written_are_read_back_and_nothing_else_is_left(root: Path) -> None:
    write_labels(root, "forecast", {"stable": "1", "canary": "2"})
    assert read_labels(root, "forecast") == {"stable": "1", "canary": "2"}
    assert find_labelled(root, "forecast", "canary").name == "2"
    assert sorted(entry.name for entry in (root / "forecast").iterdir()) == ["1", "10", "2", FILE]


def test_a_label_nobody_has_is_missing(root: Path) -> None:
    with pytest.raises(ArtefactMissing, match="is shadow"):
        find_labelled(root, "forecast", "shadow")


@pytest.mark.parametrize("text", ['{"stable": "7"}', '{"best": "1"}', "[]", "{"])
def test_a_file_that_is_no_labels_is_refused_by_name(root: Path, text: str) -> None:
    (root / "forecast" / FILE).write_text(text)
    with pytest.raises(ArtefactDamaged, match=FILE):
        read_labels(root, "forecast")
