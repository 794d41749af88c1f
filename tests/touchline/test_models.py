"""``touchline models``: what lies in the registry, whose it is, and labels that move only to what is proven."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from models import sealed
from models.artefact import SHIPPED, ArtefactDamaged, load_artefact, save_artefact, versions
from models.labels import find_labelled, move_label, read_labels
from models.signature import local_key, sign
from stream.errors import MissingError, ModelMissing, ModelRefused
from stream.settings import Settings, load_settings
from tests.models.builders import save_small, small_artefact
from tests.touchline.command import Done, touchline
from touchline.fleet import RegistryFleet
from touchline.registry import Registry, finish, keep_stable, trust

NAMES = ("forecast", "injury", "performance")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A registry with versions 1 and 2 of three small models, signed here; 1 is stable."""
    made = load_settings(model_dir=tmp_path / "registry", keys=tmp_path / "keys")
    for name in NAMES:
        for version in ("1", "2"):
            sign(save_small(tmp_path / "registry", name, version), local_key(made.keys))
        move_label(tmp_path / "registry", name, "stable", "1")
    return made


def flip(path: Path) -> None:
    """Turn one bit over, in the middle."""
    torn = bytearray(path.read_bytes())
    torn[len(torn) // 2] ^= 1
    path.write_bytes(torn)


def weights(settings: Settings, name: str, version: str) -> Path:
    """A version's weights."""
    return Registry(settings).folder(name, version) / "weights.npz"


def command(settings: Settings, *arguments: str) -> Done:
    """``touchline models ARGUMENTS --json`` on this registry."""
    return touchline(
        "models",
        *arguments,
        "--model-dir",
        str(settings.model_dir),
        "--json",
        TOUCHLINE_KEYS=str(settings.keys),
    )


def test_what_is_there_is_listed_with_its_labels(settings: Settings) -> None:
    assert Registry(settings).listed() == [
        {"name": name, "versions": ["1", "2"], "labels": {"stable": "1"}} for name in NAMES
    ]


def test_promoted_and_rolled_back_every_move_is_told(settings: Settings) -> None:
    registry = Registry(settings)
    assert registry.promote("injury", "2") == {"name": "injury", "label": "stable", "from": "1", "to": "2"}
    assert find_labelled(registry.root, "injury").name == "2"
    assert registry.rollback("injury")["to"] == "1"
    moves = [(move["from"], move["to"]) for move in registry.shown("injury", None)["history"]]
    assert moves == [("2", "1"), ("1", "2"), ("2", "1")]


def test_a_version_that_is_not_there_is_missing_with_what_is(settings: Settings) -> None:
    with pytest.raises(ModelMissing, match="there is 1, 2"):
        Registry(settings).promote("injury", "3")
    with pytest.raises(ModelMissing, match=r"no model 'sprint' in .*models list"):
        Registry(settings).shown("sprint", None)


def test_a_flipped_byte_is_refused_at_promote_and_at_load_by_name(settings: Settings) -> None:
    flip(weights(settings, "injury", "2"))
    with pytest.raises(ModelRefused, match=r"injury/2/weights\.npz"):
        Registry(settings).promote("injury", "2")
    assert read_labels(Registry(settings).root, "injury") == {"stable": "1"}, "the label has not moved"
    flip(weights(settings, "injury", "1"))
    with pytest.raises(ModelRefused, match=r"injury/1/weights\.npz"):
        RegistryFleet(settings).start()


def test_what_nobody_signed_is_refused_before_anything_starts(settings: Settings) -> None:
    (Registry(settings).folder("forecast", "1") / "manifest.sig").unlink()
    with pytest.raises(ModelRefused, match=r"manifest\.sig is missing"):
        RegistryFleet(settings).check()


def test_a_version_trained_on_other_inputs_is_refused(settings: Settings) -> None:
    odd = small_artefact("performance", "3")
    inputs = {**odd.manifest.inputs, "static": {"channels": ["age"]}}
    root = Registry(settings).root
    sign(
        save_artefact(root, replace(odd, manifest=replace(odd.manifest, inputs=inputs)), "# a card"),
        local_key(settings.keys),
    )
    with pytest.raises(ModelRefused, match=r"performance version 3: trained on static \['age'\]"):
        Registry(settings).promote("performance", "3")
    until_now: dict[str, dict[str, int]] = {"quantiles": {}}
    manifest = replace(odd.manifest, version="4", outputs=until_now)
    sign(save_artefact(root, replace(odd, manifest=manifest), "# a card"), local_key(settings.keys))
    with pytest.raises(ModelRefused, match="version 4: trained on output until 0 s ago, here it is 15 s"):
        Registry(settings).promote("performance", "4")
    (found,) = Registry(settings).verified("performance", "3")
    assert "trained on static ['age']" in found["error"]
    move_label(root, "performance", "stable", "3")
    with pytest.raises(ModelRefused, match="performance version 3"):
        RegistryFleet(settings).check()


def test_the_worker_takes_the_stable_version_and_not_the_newest(settings: Settings) -> None:
    assert {
        name: Path(folder).name for name, folder in RegistryFleet(settings).check().items()
    } == dict.fromkeys(NAMES, "1")
    assert RegistryFleet(settings).start()[0].versions == dict.fromkeys(NAMES, "1")


def test_the_shipped_models_are_whole_and_signed_by_the_release(tmp_path: Path) -> None:
    found = Registry(load_settings(keys=tmp_path / "no keys here")).verified(None, None)
    assert {one["name"] for one in found} >= set(NAMES)
    assert [one for one in found if one["error"]] == []
    assert all(versions(SHIPPED, name) for name in NAMES)


@pytest.mark.slow
def test_verify_ends_with_one_and_names_the_file(settings: Settings) -> None:
    assert command(settings, "verify").code == 0
    flip(weights(settings, "injury", "2"))
    done = command(settings, "verify")
    assert done.code == 1
    wrong = [one for one in done.json["versions"] if one["error"]]
    assert [(one["name"], one["version"]) for one in wrong] == [("injury", "2")]
    assert "weights.npz" in wrong[0]["error"]
    done = command(settings, "promote", "injury", "2")
    assert (done.code, done.out) == (1, "")
    assert "weights.npz" in done.err.replace("\n", "")


@pytest.mark.slow
def test_what_is_signed_on_the_command_line_is_taken(settings: Settings) -> None:
    (Registry(settings).folder("injury", "2") / "manifest.sig").unlink()
    assert command(settings, "promote", "injury", "2").code == 1
    assert command(settings, "sign", "injury", "2").code == 0
    assert command(settings, "promote", "injury", "2").json["to"] == "2"
    assert command(settings, "list").json["models"][1]["labels"] == {"stable": "2"}
    assert command(settings, "rollback", "injury").json["to"] == "1"
    assert command(settings, "show", "sprint").code == 3


def test_nobody_vouches_for_a_damaged_version(settings: Settings) -> None:
    folder = Registry(settings).folder("injury", "2")
    before = (folder / "manifest.sig").read_bytes()
    flip(folder / "weights.npz")
    with pytest.raises(ArtefactDamaged, match=r"weights\.npz"):
        Registry(settings).sign("injury", "2", settings)
    assert (folder / "manifest.sig").read_bytes() == before


def test_a_version_that_is_trained_does_not_become_the_stable_one(settings: Settings) -> None:
    root = Registry(settings).root
    (root / "injury" / "labels.json").unlink()
    keep_stable(root, "injury")
    keep_stable(root, "sprint")
    save_small(root, "injury", "3")
    assert read_labels(root, "injury") == {"stable": "2"}
    assert not (root / "sprint").exists()


@pytest.mark.slow
def test_damaged_labels_and_manifests_are_said_in_a_line(settings: Settings) -> None:
    root = Registry(settings).root
    (root / "injury" / "labels.json").write_text('{"stable": "7"}')
    (root / "forecast" / "2" / "manifest.json").write_text("{")
    for told, arguments in (
        ("version '7', which is not there", ("list",)),
        ("version '7', which is not there", ("promote", "injury", "2")),
        ("manifest.json", ("show", "forecast", "2")),
        ("manifest.json", ("sign", "forecast", "2")),
    ):
        done = command(settings, *arguments)
        assert (done.code, done.out) == (1, "")
        assert told in " ".join(done.err.split())
        assert "Traceback" not in done.err


@pytest.fixture
def sealing(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """The same registry, with a passphrase, and as cheap a key as it goes."""
    monkeypatch.setattr(sealed, "COST", 2)
    phrase = settings.keys.parent / "phrase"
    phrase.write_text("so long a phrase\n")
    return settings.model_copy(update={"model_passphrase": phrase})


def test_sealed_weights_are_no_arrays_on_disk_and_answer_as_before(sealing: Settings) -> None:
    assert sealing.model_dir is not None
    folder = save_small(sealing.model_dir, "injury", "3")
    plain = (folder / "weights.npz").read_bytes()
    finish(folder, sealing)
    stored = (folder / "weights.npz").read_bytes()
    assert stored.startswith(b"TOUCHLINE-SEALED")
    assert plain[:200] not in stored
    assert Registry(sealing).promote("injury", "3")["to"] == "3"
    opened = load_artefact(folder, trust(sealing))
    assert all(
        (opened.weights[name] == array).all() for name, array in small_artefact("injury").weights.items()
    )
    engine, _ = RegistryFleet(sealing).start()
    assert engine.versions["injury"] == "3"


def test_sealed_weights_need_their_passphrase_and_the_message_says_so(sealing: Settings) -> None:
    assert sealing.model_dir is not None
    folder = save_small(sealing.model_dir, "injury", "3")
    finish(folder, sealing)
    without = sealing.model_copy(update={"model_passphrase": None})
    with pytest.raises(
        ModelRefused, match=r"weights.npz: is sealed; name the file .* TOUCHLINE_MODEL_PASSPHRASE"
    ):
        Registry(without).promote("injury", "3")
    with pytest.raises(ArtefactDamaged, match=r"weights.npz: is sealed"):
        load_artefact(folder)
    other = sealing.keys.parent / "other"
    other.write_text("another phrase\n")
    with pytest.raises(ModelRefused, match=r"weights.npz: wrong passphrase"):
        Registry(sealing.model_copy(update={"model_passphrase": other})).promote("injury", "3")
    flip(folder / "weights.npz")
    (found,) = Registry(sealing).verified("injury", "3")
    assert found["error"] == f"{folder / 'weights.npz'}: sha256 differs from the manifest's"
    with pytest.raises(MissingError, match="none is not there"):
        trust(sealing.model_copy(update={"model_passphrase": other.with_name("none")}))
