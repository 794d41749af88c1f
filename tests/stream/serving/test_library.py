"""Real versions on a real disk: new ones and moved labels are taken, damaged and unsigned ones are not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from prometheus_client import REGISTRY

from models.artefact import SIGNATURE
from models.labels import FILE, move_label
from models.signature import local_key, sign
from stream.errors import ModelMissing, ModelRefused
from stream.serving.library import DiskLibrary
from tests.stream.serving.fakes import shelf_over
from tests.stream.serving.registry import add_version, flip_a_byte, trust_in

INPUT = {"days": np.zeros((3, 14, 17), np.float32)}


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    """Where our key lies."""
    return tmp_path / "keys"


@pytest.fixture
def root(tmp_path: Path, keys: Path) -> Path:
    """One model with one version."""
    add_version(tmp_path / "models", "1", keys)
    return tmp_path / "models"


def test_an_empty_registry_is_said(tmp_path: Path) -> None:
    for root in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(ModelMissing, match=str(root)):
            DiskLibrary(root, trust_in(tmp_path)).listing()


def test_a_model_whose_labels_cannot_be_read_is_left_out(root: Path, keys: Path) -> None:
    (root / "other" / "1").mkdir(parents=True)
    (root / "injury" / FILE).write_text("{")
    assert list(DiskLibrary(root, trust_in(keys)).listing()) == ["other"]


def test_a_fingerprint_changes_with_the_files(root: Path, keys: Path) -> None:
    library = DiskLibrary(root, trust_in(keys))
    before = library.fingerprint("injury", "1")
    assert before == library.fingerprint("injury", "1")
    (root / "injury" / "1" / SIGNATURE).unlink()
    assert library.fingerprint("injury", "1") != before
    assert library.fingerprint("injury", "9") == ()


@pytest.mark.slow
def test_a_flipped_byte_is_refused_and_the_file_named(root: Path, keys: Path) -> None:
    flip_a_byte(root / "injury" / "1")
    with pytest.raises(ModelRefused, match=r"injury/1/weights\.npz: sha256"):
        DiskLibrary(root, trust_in(keys)).load("injury", "1")


@pytest.mark.slow
def test_the_key_of_somebody_else_is_not_enough(root: Path, tmp_path: Path) -> None:
    local_key(tmp_path / "others")
    with pytest.raises(ModelRefused, match="not trusted here"):
        DiskLibrary(root, trust_in(tmp_path / "others")).load("injury", "1")


@pytest.mark.slow
async def test_versions_come_and_labels_move_while_it_serves(root: Path, keys: Path) -> None:
    shelf = shelf_over(DiskLibrary(root, trust_in(keys)))
    await shelf.refresh()
    one = (await shelf.find("injury")).network
    assert one(INPUT)["probability"].shape == (3, 15)
    assert REGISTRY.get_sample_value("touchline_serving_load_seconds", {"model": "injury", "version": "1"})

    flip_a_byte(add_version(root, "2", keys))
    move_label(root, "injury", "stable", "2")
    await shelf.refresh()
    assert (await shelf.find("injury")).network is one
    assert "sha256" in shelf.faults()["injury", "2"]

    unsigned = add_version(root, "3", keys)
    (unsigned / SIGNATURE).unlink()
    move_label(root, "injury", "stable", "3")
    await shelf.refresh()
    assert (await shelf.find("injury")).network is one
    assert "not signed" in shelf.faults()["injury", "3"]

    sign(unsigned, local_key(keys))
    await shelf.refresh()
    assert (await shelf.find("injury")).network.version == "3"
    assert [state.version for state in shelf.states("injury") if state.loaded] == ["3"]
    await shelf.close()
