"""Signed versions: one flipped byte anywhere, another key or another file, and the version is refused by name."""

from __future__ import annotations

import json
import shutil
import stat
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.artefact import (
    MANIFEST,
    SHIPPED,
    SIGNATURE,
    ArtefactDamaged,
    ArtefactMissing,
    load_artefact,
    versions,
)
from models.signature import PRIVATE, local_key, sign, trusted
from tests.models.builders import save_small

FILES = ("weights.npz", "golden.npz", "CARD.md", MANIFEST, SIGNATURE)


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    return tmp_path / "keys"


@pytest.fixture
def folder(tmp_path: Path, keys: Path) -> Path:
    made = save_small(tmp_path / "registry", "injury")
    sign(made, local_key(keys))
    return made


def test_a_signed_version_loads(folder: Path, keys: Path) -> None:
    assert load_artefact(folder, trusted([keys])).manifest.name == "injury"


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=st.sampled_from(FILES), place=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
def test_a_flipped_bit_of_any_file_is_refused(
    folder: Path, keys: Path, name: str, place: float, bit: int
) -> None:
    path = folder / name
    whole = path.read_bytes()
    torn = bytearray(whole)
    torn[int(place * len(torn))] ^= 1 << bit
    path.write_bytes(torn)
    try:
        if name == SIGNATURE:
            try:
                load_artefact(folder, trusted([keys]))
            except (ArtefactDamaged, ArtefactMissing) as error:
                assert name in str(error)  # noqa: PT017 (a bit of its white space may be flipped without harm)
            else:
                assert json.loads(torn) == json.loads(whole)
        else:
            with pytest.raises(ArtefactDamaged, match=name if name != MANIFEST else SIGNATURE):
                load_artefact(folder, trusted([keys]))
    finally:
        path.write_bytes(whole)


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("keep", [0, 5])
def test_a_truncated_or_missing_file_is_refused_by_name(
    folder: Path, keys: Path, name: str, keep: int
) -> None:
    path = folder / name
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(ArtefactDamaged, match=name if name != MANIFEST else SIGNATURE):
        load_artefact(folder, trusted([keys]))
    path.unlink()
    with pytest.raises(ArtefactMissing, match=name):
        load_artefact(folder, trusted([keys]))


def test_a_stranger_among_the_files_is_refused_by_name(folder: Path, keys: Path) -> None:
    (folder / "extra.py").write_text("print('hello')")
    with pytest.raises(ArtefactDamaged, match=r"extra\.py"):
        load_artefact(folder, trusted([keys]))


def test_a_version_of_somebody_else_is_refused(folder: Path, tmp_path: Path) -> None:
    local_key(tmp_path / "others")
    with pytest.raises(ArtefactDamaged, match="not trusted"):
        load_artefact(folder, trusted([tmp_path / "others"]))


def test_a_version_moved_to_another_number_is_refused(folder: Path, keys: Path) -> None:
    moved = shutil.copytree(folder, folder.parent / "2")
    with pytest.raises(ArtefactDamaged, match="version '1'"):
        load_artefact(moved, trusted([keys]))


def test_a_name_that_leads_outside_is_refused(folder: Path, keys: Path) -> None:
    manifest = json.loads((folder / MANIFEST).read_text())
    manifest["files"]["../../secret"] = "0" * 64
    (folder / MANIFEST).write_text(json.dumps(manifest))
    sign(folder, local_key(keys))
    with pytest.raises(ArtefactDamaged, match="secret"):
        load_artefact(folder, trusted([keys]))


def test_the_private_key_is_its_owners_alone_and_made_once(keys: Path) -> None:
    first = local_key(keys)
    assert stat.S_IMODE((keys / PRIVATE).stat().st_mode) == 0o600
    assert local_key(keys).public_key() == first.public_key()


def test_a_file_that_holds_no_key_is_named(keys: Path) -> None:
    local_key(keys)
    (keys / "bad.pub").write_text("nonsense")
    with pytest.raises(ArtefactDamaged, match=r"bad\.pub"):
        trusted([keys])
    (keys / PRIVATE).write_text("nonsense")
    with pytest.raises(ArtefactDamaged, match=PRIVATE):
        local_key(keys)


def test_every_shipped_version_is_signed_for_this_release() -> None:
    release = trusted([SHIPPED])
    for name in sorted(entry.name for entry in SHIPPED.iterdir() if entry.is_dir()):
        for version in versions(SHIPPED, name):
            load_artefact(SHIPPED / name / version, release)
