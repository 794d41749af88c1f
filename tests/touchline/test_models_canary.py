"""``touchline models canary|shadow``: labels that move only to what is proven, and away again."""

from __future__ import annotations

from pathlib import Path

import pytest

from models.labels import move_label, read_routing
from models.signature import local_key, sign
from stream.errors import ModelMissing, ModelRefused, UsageError
from stream.settings import Settings, load_settings
from tests.models.builders import save_small
from tests.touchline.command import touchline
from touchline.registry import Registry


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A registry with versions 1 and 2 of one small model, signed here; 1 is stable."""
    made = load_settings(model_dir=tmp_path / "registry", keys=tmp_path / "keys")
    for version in ("1", "2"):
        sign(save_small(tmp_path / "registry", "injury", version), local_key(made.keys))
    move_label(tmp_path / "registry", "injury", "stable", "1")
    return made


def test_canary_and_shadow_move_to_what_is_proven_and_away(settings: Settings) -> None:
    registry = Registry(settings)
    moved = registry.canary("injury", "2", 0.3)
    assert moved == {"name": "injury", "label": "canary", "from": None, "to": "2", "share": 0.3}
    assert registry.shadow("injury", "2")["from"] is None
    assert registry.listed()[0]["labels"] == {"stable": "1", "canary": "2", "shadow": "2"}
    assert registry.listed()[0]["canary_share"] == 0.3
    assert registry.without("injury", "canary") == {
        "name": "injury", "label": "canary", "from": "2", "to": None,
    }  # fmt: skip
    told = len(registry.shown("injury", None)["history"])
    assert registry.without("injury", "canary")["from"] is None
    assert len(registry.shown("injury", None)["history"]) == told, "nothing moved, nothing to tell"


def test_what_nobody_signed_becomes_neither(settings: Settings) -> None:
    registry = Registry(settings)
    (registry.folder("injury", "2") / "manifest.sig").unlink()
    with pytest.raises(ModelRefused, match=r"manifest\.sig"):
        registry.canary("injury", "2", 0.1)
    with pytest.raises(ModelRefused, match=r"manifest\.sig"):
        registry.shadow("injury", "2")
    assert read_routing(registry.root, "injury").labels == {"stable": "1"}


def test_a_share_or_version_that_cannot_be_is_refused(settings: Settings) -> None:
    with pytest.raises(UsageError, match="share"):
        Registry(settings).canary("injury", "2", 1.5)
    with pytest.raises(UsageError, match="is stable"):
        Registry(settings).canary("injury", "1", 0.5)
    with pytest.raises(ModelMissing, match="there is 1, 2"):
        Registry(settings).canary("injury", "9", 0.5)
    with pytest.raises(ModelMissing, match="sprint"):
        Registry(settings).without("sprint", "shadow")


@pytest.mark.slow
def test_a_command_names_a_version_or_off(settings: Settings) -> None:
    place = {"TOUCHLINE_MODEL_DIR": str(settings.model_dir), "TOUCHLINE_KEYS": str(settings.keys)}
    done = touchline("models", "canary", "injury", "2", "--share", "0.2", "--json", **place)
    assert (done.code, done.json["share"]) == (0, 0.2), done.err
    assert touchline("models", "canary", "injury", "--json", **place).code == 2
    assert touchline("models", "canary", "injury", "--off", "--json", **place).json["from"] == "2"
