"""The registry as a worker needs it: by policy, refused by name, and a canary taken back whatever the disk does."""

from __future__ import annotations

from pathlib import Path

import pytest

from models.labels import FILE, move_canary, move_label, read_labels
from models.signature import local_key, sign
from stream.errors import ModelMissing, ModelRefused
from stream.settings import Settings, load_settings
from tests.models.builders import save_small
from touchline.fleet import NEEDED, RegistryFleet, labels_of


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Versions 1 and 2 of small models, signed here; 1 is stable, 2 of the forecast is the canary."""
    made = load_settings(model_dir=tmp_path / "registry", keys=tmp_path / "keys")
    root = tmp_path / "registry"
    for name in NEEDED:
        for version in ("1", "2"):
            sign(save_small(root, name, version), local_key(made.keys))
        move_label(root, name, "stable", "1")
    move_canary(root, "forecast", "2", 0.25)
    return made


@pytest.mark.parametrize(
    ("policy", "expected"),
    [("label", ("1", "2", 0.25)), ("pinned", ("1", None, 0.0)), ("latest", ("2", None, 0.0))],
)
def test_a_policy_says_which_versions_are_run(
    settings: Settings, policy: str, expected: tuple[str, str | None, float]
) -> None:
    found = RegistryFleet(settings.model_copy(update={"model_policy": policy})).labels()["forecast"]
    assert (found.stable, found.canary, found.share) == expected


def test_the_latest_version_is_the_newest_that_is_signed(settings: Settings) -> None:
    settings = settings.model_copy(update={"model_policy": "latest"})
    fleet, root = RegistryFleet(settings), settings.model_dir or Path()
    folder = save_small(root, "forecast", "3")
    assert fleet.labels()["forecast"].stable == "2"
    assert fleet.check()["forecast"].endswith("forecast/2")
    sign(folder, local_key(settings.keys))
    assert fleet.labels()["forecast"].stable == "3"
    for version in ("1", "2"):
        (root / "injury" / version / "manifest.json").write_text("{}")
    with pytest.raises(ModelRefused, match=r"injury/2"):
        fleet.labels()


def test_a_version_is_loaded_beside_the_running_one_and_a_damaged_one_refused_by_name(
    settings: Settings,
) -> None:
    fleet = RegistryFleet(settings)
    engine, _ = fleet.start()
    other = fleet.load(engine, "forecast", "2")
    assert (engine.versions["forecast"], other.versions["forecast"]) == ("1", "2")
    assert other.versions["injury"] == "1"
    weights = (settings.model_dir or Path()) / "injury/2/weights.npz"
    weights.write_bytes(weights.read_bytes()[:-1])
    with pytest.raises(ModelRefused, match=r"injury/2/weights\.npz"):
        fleet.load(engine, "injury", "2")
    with pytest.raises(ModelRefused, match="no version '9'"):
        fleet.load(engine, "injury", "9")


def test_a_canary_is_taken_back_once_and_a_later_one_is_left(settings: Settings) -> None:
    fleet, root = RegistryFleet(settings), settings.model_dir or Path()
    found = labels_of(root, "forecast")
    after = fleet.take_back("forecast", found)
    assert (after.stable, after.canary, after.share) == ("1", None, 0.0)
    assert after.moved_us > found.moved_us
    assert read_labels(root, "forecast") == {"stable": "1"}
    move_canary(root, "forecast", "1", 0.5)
    assert fleet.take_back("forecast", found).canary == "1"


def test_labels_that_cannot_be_read_do_not_keep_a_canary_running(settings: Settings) -> None:
    fleet, root = RegistryFleet(settings), settings.model_dir or Path()
    found = labels_of(root, "forecast")
    (root / "forecast" / FILE).write_text("{")
    after = fleet.take_back("forecast", found)
    assert (after.stable, after.canary) == ("1", None)
    assert after.moved_us > found.moved_us


def test_a_registry_without_a_model_is_said_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ModelMissing, match="make train"):
        RegistryFleet(load_settings(model_dir=tmp_path, keys=tmp_path)).labels()
