"""An artefact comes back as it was saved, or is refused with the file named."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from models.artefact import (
    CARD,
    GOLDEN,
    MANIFEST,
    SHIPPED,
    WEIGHTS,
    ArtefactDamaged,
    ArtefactMissing,
    find_artefact,
    load_artefact,
    next_version,
    read_manifest,
    save_artefact,
    versions,
)
from models.restore import restore
from tests.models.builders import save_small, small_artefact


def test_an_artefact_comes_back_as_it_was_saved(tmp_path: Path) -> None:
    saved = small_artefact("performance")
    found = load_artefact(save_artefact(tmp_path, saved, "# a card\n"))
    assert replace(found.manifest, files={}) == saved.manifest
    assert found.weights.keys() == saved.weights.keys()
    assert all(np.array_equal(found.weights[name], saved.weights[name]) for name in saved.weights)
    assert all(np.array_equal(found.golden[name], saved.golden[name]) for name in saved.golden)


def test_the_same_model_is_saved_as_the_same_bytes(tmp_path: Path) -> None:
    one, other = (save_small(tmp_path / place, "injury") for place in ("a", "b"))
    for name in (MANIFEST, WEIGHTS, GOLDEN, CARD):
        assert (one / name).read_bytes() == (other / name).read_bytes(), name


@pytest.mark.parametrize("name", [WEIGHTS, GOLDEN, CARD])
def test_a_flipped_byte_is_refused_with_the_file_named(tmp_path: Path, name: str) -> None:
    folder = save_small(tmp_path, "injury")
    data = bytearray((folder / name).read_bytes())
    data[len(data) // 2] ^= 1
    (folder / name).write_bytes(data)
    with pytest.raises(ArtefactDamaged, match=name):
        load_artefact(folder)


@pytest.mark.parametrize("name", [WEIGHTS, GOLDEN, CARD, MANIFEST])
def test_a_missing_file_is_refused_with_the_file_named(tmp_path: Path, name: str) -> None:
    folder = save_small(tmp_path, "injury")
    (folder / name).unlink()
    with pytest.raises(ArtefactMissing, match=name):
        load_artefact(folder)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"name": "injury"}', '"x"'])
def test_a_manifest_that_is_none_is_refused(tmp_path: Path, text: str) -> None:
    folder = save_small(tmp_path, "injury")
    (folder / MANIFEST).write_text(text)
    with pytest.raises(ArtefactDamaged, match=MANIFEST):
        load_artefact(folder)


def test_a_version_stored_before_there_were_fingerprints_is_read_and_has_none(tmp_path: Path) -> None:
    folder = save_small(tmp_path, "injury")
    manifest = json.loads((folder / MANIFEST).read_text())
    del manifest["seen"]
    (folder / MANIFEST).write_text(json.dumps(manifest))
    assert load_artefact(folder).manifest.seen == {}


def test_a_manifest_without_a_hash_of_the_weights_is_refused(tmp_path: Path) -> None:
    folder = save_small(tmp_path, "injury")
    manifest = json.loads((folder / MANIFEST).read_text())
    del manifest["files"][WEIGHTS]
    (folder / MANIFEST).write_text(json.dumps(manifest))
    with pytest.raises(ArtefactDamaged, match=WEIGHTS):
        load_artefact(folder)


def test_a_file_that_is_no_archive_is_refused_even_with_the_right_hash(tmp_path: Path) -> None:
    folder = save_small(tmp_path, "injury")
    (folder / GOLDEN).write_bytes((folder / CARD).read_bytes())
    manifest = json.loads((folder / MANIFEST).read_text())
    manifest["files"][GOLDEN] = manifest["files"][CARD]
    (folder / MANIFEST).write_text(json.dumps(manifest))
    with pytest.raises(ArtefactDamaged, match=GOLDEN):
        load_artefact(folder)


def test_a_version_is_never_written_twice(tmp_path: Path) -> None:
    folder = save_small(tmp_path, "injury")
    before = (folder / MANIFEST).read_bytes()
    with pytest.raises(FileExistsError, match="never changed"):
        save_small(tmp_path, "injury")
    assert (folder / MANIFEST).read_bytes() == before
    assert [entry.name for entry in folder.parent.iterdir()] == ["1"]


def test_a_figure_that_is_not_a_number_is_not_saved(tmp_path: Path) -> None:
    artefact = small_artefact("injury")
    broken = replace(artefact, manifest=replace(artefact.manifest, metrics={"auc": float("nan")}))
    with pytest.raises(ValueError, match="JSON"):
        save_artefact(tmp_path, broken, "")
    assert versions(tmp_path, "injury") == []


def test_the_newest_version_is_the_highest_number(tmp_path: Path) -> None:
    for version in ("2", "10", "9"):
        save_small(tmp_path, "injury", version)
    assert versions(tmp_path, "injury") == ["2", "9", "10"]
    assert find_artefact(tmp_path, "injury").name == "10"
    assert find_artefact(tmp_path, "injury", "9").name == "9"
    assert next_version(tmp_path, "injury") == "11"
    assert next_version(tmp_path, "forecast") == "1"


def test_an_unknown_model_or_version_is_missing(tmp_path: Path) -> None:
    save_small(tmp_path, "injury")
    with pytest.raises(ArtefactMissing, match="forecast"):
        find_artefact(tmp_path, "forecast")
    with pytest.raises(ArtefactMissing, match="there is 1"):
        find_artefact(tmp_path, "injury", "7")
    with pytest.raises(ArtefactMissing, match="no model at"):
        load_artefact(tmp_path / "injury" / "7")


def test_a_network_that_answers_otherwise_than_its_golden_example_is_refused(tmp_path: Path) -> None:
    artefact = small_artefact("injury")
    golden = {name: a + 0.1 if name == "output_0" else a for name, a in artefact.golden.items()}
    folder = save_artefact(tmp_path, replace(artefact, golden=golden), "")
    with pytest.raises(ArtefactDamaged, match="golden example"):
        restore(load_artefact(folder))


def test_weights_of_another_network_are_refused(tmp_path: Path) -> None:
    artefact = small_artefact("injury")
    other = replace(artefact, weights=small_artefact("performance").weights)
    with pytest.raises(ArtefactDamaged, match="weights of another network"):
        restore(load_artefact(save_artefact(tmp_path, other, "")))


def test_weights_of_another_size_are_refused(tmp_path: Path) -> None:
    artefact = small_artefact("injury")
    weights = {path: w[:1] for path, w in artefact.weights.items()}
    with pytest.raises(ArtefactDamaged, match="shape"):
        restore(load_artefact(save_artefact(tmp_path, replace(artefact, weights=weights), "")))


@pytest.mark.parametrize("name", ["forecast", "performance", "injury"])
def test_the_shipped_models_load_are_small_and_name_their_split(name: str) -> None:
    folder = find_artefact(SHIPPED, name)
    restore(load_artefact(folder))
    assert sum(file.stat().st_size for file in folder.iterdir()) < 12_000_000
    manifest = read_manifest(folder)
    card = (folder / CARD).read_text()
    assert " ".join(manifest.metrics["split"].split()) in " ".join(card.split())
    assert manifest.data
    assert 0 < manifest.training["thrift"] <= 1  # the share of the full plan it was trained with
