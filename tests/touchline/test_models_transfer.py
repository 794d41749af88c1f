"""``touchline models export|import``: one version as one file, and what is not ours stays out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from models.artefact import load_artefact, read_manifest, save_artefact, versions
from models.labels import read_labels
from models.quantise import Kind
from models.signature import key_id, local_key, sign
from stream.errors import ModelRefused
from stream.settings import Settings, load_settings
from tests.models.builders import save_small, small_artefact
from tests.touchline.command import touchline
from touchline.registry import Registry
from touchline.transfer import Wanted, export_quantised, export_version, import_version

SPREAD = {"features": {"load": {"edges": [0.5], "share": [0.5, 0.5]}}}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    made = load_settings(model_dir=tmp_path / "registry", keys=tmp_path / "keys")
    watched = replace(small_artefact("injury", "1"), reference=SPREAD)
    sign(save_artefact(tmp_path / "registry", watched, "# a card\n"), local_key(made.keys))
    return made


@pytest.fixture
def registry(settings: Settings) -> Registry:
    return Registry(settings)


@pytest.fixture
def key(settings: Settings) -> Ed25519PrivateKey:
    return local_key(settings.keys)


def other(tmp_path: Path, keys: str = "keys") -> Registry:
    """An empty registry."""
    return Registry(load_settings(model_dir=tmp_path / "other", keys=tmp_path / keys))


def test_a_version_comes_in_as_it_went_out(
    tmp_path: Path, registry: Registry, key: Ed25519PrivateKey
) -> None:
    file, new = tmp_path / "one.tar.zst", other(tmp_path)
    export_version(registry, Wanted("injury", None, file))
    told = import_version(new, file, None, key)
    assert (told["version"], told["unchanged"], told["signed_by"]) == ("1", False, key_id(key.public_key()))
    for path in (registry.root / "injury" / "1").iterdir():
        assert (new.root / "injury" / "1" / path.name).read_bytes() == path.read_bytes()
    assert import_version(new, file, None, key)["unchanged"]
    assert versions(new.root, "injury") == ["1"]


@pytest.mark.parametrize("kind", ["int8", "float16"])
def test_a_quantised_version_becomes_the_next_and_not_the_stable_one(
    tmp_path: Path, registry: Registry, key: Ed25519PrivateKey, kind: Kind
) -> None:
    file = tmp_path / "small.tar.gz"
    out = export_quantised(registry, Wanted("injury", "1", file, b"secret"), kind, key)
    assert out["loss"][0]["output"] == "probability"
    assert 0 < out["loss"][0]["golden"]["max"] < 0.02
    assert 0 < out["loss"][0]["between"]["mean"] < 0.02
    told = import_version(registry, file, b"secret", key)
    assert (told["version"], told["stable"], told["dequantised"]) == ("2", "1", True)
    assert read_labels(registry.root, "injury") == {"stable": "1"}
    folder = registry.folder("injury", "2")
    taken, source = load_artefact(folder, registry.trust), load_artefact(registry.folder("injury", "1"))
    assert taken.manifest.training["quantised"]["loss"] == out["loss"]
    assert taken.reference == SPREAD, "or nobody would see its inputs drift"
    assert {w.dtype for w in taken.weights.values()} == {np.dtype(np.float32)}
    assert taken.golden["output_0"] == pytest.approx(source.golden["output_0"], abs=0.02)
    assert f"Weights of version 1 as {kind}" in (folder / "CARD.md").read_text()
    assert registry.promote("injury", "2")["to"] == "2"


def test_another_version_of_the_same_number_becomes_the_next(
    tmp_path: Path, registry: Registry, key: Ed25519PrivateKey
) -> None:
    file, new = tmp_path / "one.tar.zst", other(tmp_path)
    export_version(registry, Wanted("injury", None, file))
    folder = save_small(new.root, "injury")
    (folder / "manifest.json").write_text((folder / "manifest.json").read_text() + "\n")
    assert import_version(new, file, None, key)["version"] == "2"
    assert "imported" in read_manifest(new.root / "injury" / "2", new.trust).training
    assert read_labels(new.root, "injury") == {"stable": "1"}


def test_what_a_stranger_signed_or_nobody_is_refused_by_name(
    tmp_path: Path, registry: Registry, key: Ed25519PrivateKey
) -> None:
    file, new = tmp_path / "one.tar.zst", other(tmp_path, "other keys")
    export_version(registry, Wanted("injury", None, file))
    with pytest.raises(ModelRefused, match=r"one\.tar\.zst: injury/1/manifest\.sig: signed with key"):
        import_version(new, file, None, key)
    assert not new.root.exists()
    (registry.root / "injury" / "1" / "manifest.sig").unlink()
    with pytest.raises(ModelRefused, match=r"manifest\.sig is missing"):
        export_version(registry, Wanted("injury", None, tmp_path / "two.tar.zst"))


def test_cut_off_or_changed_it_is_refused_by_name(
    tmp_path: Path, registry: Registry, key: Ed25519PrivateKey
) -> None:
    file, new = tmp_path / "one.tar.zst", other(tmp_path)
    export_version(registry, Wanted("injury", None, file))
    whole = file.read_bytes()
    flipped = whole[:3000] + bytes([whole[3000] ^ 1]) + whole[3001:]
    for data in (whole[:20], whole[: len(whole) // 2], whole[:-1], flipped):
        file.write_bytes(data)
        with pytest.raises(ModelRefused, match=r"one\.tar\.zst"):
            import_version(new, file, None, key)
    assert not new.root.exists()


@pytest.mark.slow
def test_the_commands(tmp_path: Path, settings: Settings) -> None:
    file, keys = tmp_path / "small.tar.zst", {"TOUCHLINE_KEYS": str(settings.keys)}
    at = ("--json", "--model-dir", settings.model_dir or "")
    out = touchline("models", "export", "injury", "1", file, "--quantise", "int8", *at, **keys)
    assert out.code == 0, out.err
    assert out.json["ratio"] > 0
    assert touchline("models", "import", file, *at, **keys).json["version"] == "2"
    assert touchline("models", "export", "injury", file, "--quantise", "int3", *at, **keys).code == 2
