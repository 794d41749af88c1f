"""``touchline models backup|restore``: a registry as one file; what comes back is equal by hash, or does not come."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from models import sealed
from models.labels import move_canary, move_label, read_routing
from models.signature import local_key, sign, trusted
from stream.errors import MissingError, ModelMissing, ModelRefused, UsageError
from stream.settings import Settings, load_settings
from tests.models.builders import save_small
from tests.touchline.command import touchline
from touchline.backup import back_up, registry_digest, restore
from touchline.registry import Registry, passphrase_in

ENDINGS = ["tar.zst", "tar.gz"]


@pytest.fixture(autouse=True)
def _cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sealed, "COST", 2)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Two models, one with two versions, labels and a canary, signed here."""
    made = load_settings(model_dir=tmp_path / "registry", keys=tmp_path / "keys")
    for name, version in (("injury", "1"), ("injury", "2"), ("performance", "1")):
        sign(save_small(tmp_path / "registry", name, version), local_key(made.keys))
    move_label(tmp_path / "registry", "injury", "stable", "1")
    move_canary(tmp_path / "registry", "injury", "2", 0.2)
    return made


@pytest.fixture
def registry(settings: Settings) -> Registry:
    return Registry(settings)


def elsewhere(tmp_path: Path, keys: str = "keys") -> Registry:
    """An empty registry on what may be another machine."""
    return Registry(load_settings(model_dir=tmp_path / "new" / "registry", keys=tmp_path / keys))


@pytest.mark.parametrize("passphrase", [None, b"secret"])
@pytest.mark.parametrize("ending", ENDINGS)
def test_a_registry_comes_back_equal(
    tmp_path: Path, registry: Registry, ending: str, passphrase: bytes | None
) -> None:
    file, new = tmp_path / f"all.{ending}", elsewhere(tmp_path)
    written = back_up(registry, file, passphrase)
    assert (written["versions"], written["files"], written["sealed"]) == (3, 17, passphrase is not None)
    read = restore(new, file, passphrase)
    assert read["digest"] == written["digest"] == registry_digest(registry.root) == registry_digest(new.root)
    assert (read["unchanged"], read["refused"], read["keys_not_trusted"]) == (False, [], [])
    assert read_routing(new.root, "injury") == read_routing(registry.root, "injury")
    assert new.shown("injury", "1") == registry.shown("injury", "1")
    assert {path.name for path in tmp_path.iterdir()} == {file.name, "registry", "keys", "new"}
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["registry"], "nothing is left lying about"


@pytest.mark.parametrize("ending", ENDINGS)
def test_the_same_registry_gives_the_same_file(tmp_path: Path, registry: Registry, ending: str) -> None:
    one, other = tmp_path / f"a.{ending}", tmp_path / f"b.{ending}"
    back_up(registry, one, None)
    for path in registry.root.rglob("*"):
        os.utime(path, (1, 1))
    back_up(registry, other, None)
    assert one.read_bytes() == other.read_bytes()


def test_what_is_damaged_already_is_told_at_once(tmp_path: Path, registry: Registry) -> None:
    folder = registry.folder("injury", None)
    (folder / "weights.npz").write_bytes(b"torn")
    told = back_up(registry, tmp_path / "all.tar.zst", None)
    assert [(one["name"], one["version"]) for one in told["refused"]] == [("injury", folder.name)]


def test_public_keys_go_along_without_being_trusted_and_private_ones_stay(
    tmp_path: Path, registry: Registry, settings: Settings
) -> None:
    file, new = tmp_path / "all.tar.zst", elsewhere(tmp_path, "other keys")
    back_up(registry, file, None)
    read = restore(new, file, None)
    ours = set(trusted([settings.keys]).keys)
    assert set(read["keys_not_trusted"]) == ours
    assert len(read["refused"]) == 3
    assert "not trusted" in read["refused"][0]["error"]
    assert ours <= set(trusted([new.root / "keys"]).keys)
    assert {path.suffix for path in (new.root / "keys").iterdir()} == {".pub"}
    again = back_up(new, tmp_path / "again.tar.zst", None)
    assert again["digest"] == read["digest"]


def test_restoring_again_changes_nothing_and_over_another_registry_is_refused(
    tmp_path: Path, registry: Registry
) -> None:
    file = tmp_path / "all.tar.zst"
    back_up(registry, file, None)
    assert restore(registry, file, None)["unchanged"]
    move_label(registry.root, "injury", "stable", "2")
    digest = registry_digest(registry.root)
    with pytest.raises(ModelRefused, match="holds something else than"):
        restore(registry, file, None)
    assert registry_digest(registry.root) == digest


def test_an_empty_folder_is_taken(tmp_path: Path, registry: Registry) -> None:
    back_up(registry, tmp_path / "all.tar.gz", None)
    new = elsewhere(tmp_path)
    new.root.mkdir(parents=True)
    assert not restore(new, tmp_path / "all.tar.gz", None)["unchanged"]


@pytest.mark.parametrize("passphrase", [None, b"secret"])
@pytest.mark.parametrize("ending", ENDINGS)
def test_cut_off_or_changed_it_is_refused_by_name_and_nothing_is_made(
    tmp_path: Path, registry: Registry, ending: str, passphrase: bytes | None
) -> None:
    file, new = tmp_path / f"all.{ending}", elsewhere(tmp_path)
    back_up(registry, file, passphrase)
    whole = file.read_bytes()
    torn = [whole[:end] for end in (0, 1, 10, 40, len(whole) // 2, len(whole) - 1)]
    for place in (len(whole) // 3, len(whole) // 2):
        changed = bytearray(whole)
        changed[place] ^= 4
        torn.append(bytes(changed))
    for data in torn:
        file.write_bytes(data)
        with pytest.raises(ModelRefused, match=file.name):
            restore(new, file, passphrase)
        assert not new.root.exists()
        assert list((tmp_path / "new").iterdir()) == []


def test_a_sealed_file_needs_its_passphrase(tmp_path: Path, registry: Registry) -> None:
    file, plain, new = tmp_path / "all.tar.zst", tmp_path / "plain.tar.zst", elsewhere(tmp_path)
    back_up(registry, file, b"secret")
    back_up(registry, plain, None)
    with pytest.raises(ModelRefused, match="wrong passphrase"):
        restore(new, file, b"Secret")
    with pytest.raises(ModelRefused, match="passphrase is needed"):
        restore(new, file, None)
    with pytest.raises(ModelRefused, match="is not sealed"):
        restore(new, plain, b"secret")


def test_a_link_in_a_registry_is_not_followed(tmp_path: Path, registry: Registry) -> None:
    (registry.root / "injury" / "2" / "extra").symlink_to("/etc/hostname")
    with pytest.raises(ModelRefused, match="injury/2/extra: no plain file"):
        back_up(registry, tmp_path / "all.tar.zst", None)
    assert not (tmp_path / "all.tar.zst").exists()


def test_what_cannot_be_is_said(tmp_path: Path, registry: Registry) -> None:
    with pytest.raises(UsageError, match=r"must end in \.tar\.zst or \.tar\.gz"):
        back_up(registry, tmp_path / "all.zip", None)
    (tmp_path / "there.tar.gz").touch()
    with pytest.raises(UsageError, match="exists"):
        back_up(registry, tmp_path / "there.tar.gz", None)
    with pytest.raises(UsageError, match="no folder"):
        back_up(registry, tmp_path / "none" / "all.tar.gz", None)
    with pytest.raises(MissingError, match="not there"):
        restore(registry, tmp_path / "none.tar.gz", None)
    with pytest.raises(ModelMissing, match="no models"):
        back_up(elsewhere(tmp_path), tmp_path / "all.tar.gz", None)


def test_a_passphrase_is_the_first_line_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "phrase").write_bytes(b"so long \r\nmore")
    assert passphrase_in(tmp_path / "phrase") == b"so long "
    assert passphrase_in(None) is None
    (tmp_path / "phrase").write_bytes(b"\nmore")
    with pytest.raises(UsageError, match="is empty"):
        passphrase_in(tmp_path / "phrase")
    with pytest.raises(MissingError, match="not there"):
        passphrase_in(tmp_path / "none")


@pytest.mark.slow
def test_the_commands_tell_equal_digests(tmp_path: Path, settings: Settings) -> None:
    (tmp_path / "phrase").write_text("secret\n")
    file, keys = tmp_path / "all.tar.zst", {"TOUCHLINE_KEYS": str(settings.keys)}
    sealing = ("--passphrase-file", tmp_path / "phrase", "--json", "--model-dir")
    written = touchline("models", "backup", file, *sealing, settings.model_dir or "", **keys)
    assert written.code == 0, written.err
    read = touchline("models", "restore", file, *sealing, tmp_path / "new", **keys)
    assert (read.code, read.json["digest"]) == (0, written.json["digest"])
    (tmp_path / "phrase").write_text("Secret\n")
    wrong = touchline("models", "restore", file, *sealing, tmp_path / "newer", **keys)
    assert (wrong.code, wrong.out) == (1, "")
    assert "wrong passphrase" in " ".join(wrong.err.split())
    assert touchline("models", "restore", file, **keys).code == 2, "the shipped models are not restored over"
