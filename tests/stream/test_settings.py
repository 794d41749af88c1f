"""Settings: flags over environment over file; unknown keys and wrong values are one line."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from stream.errors import SettingsError
from stream.settings import PREFIX, Settings, load_settings


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nothing of this machine's environment."""
    for name in [name for name in os.environ if name.upper().startswith(PREFIX)]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "touchline.toml"
    monkeypatch.setenv("TOUCHLINE_CONFIG", str(path))
    return path


def refused(**flags: object) -> str:
    """The one line of the refusal."""
    with pytest.raises(SettingsError) as error:
        load_settings(**flags)
    text = str(error.value)
    assert text
    assert "\n" not in text
    assert error.value.exit_code == 2
    return text


def test_without_anything_there_are_defaults() -> None:
    settings = load_settings()
    assert settings.broker is None
    assert settings.partitions == 4
    assert settings.lateness_ms == 500


def test_flags_win_over_the_environment_and_that_over_the_file(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file.write_text('partitions = 2\ngroup = "file"\nlateness_ms = 100\n')
    monkeypatch.setenv("TOUCHLINE_PARTITIONS", "3")
    monkeypatch.setenv("TOUCHLINE_GROUP", "environment")
    settings = load_settings(partitions=5, group=None)
    assert (settings.partitions, settings.group, settings.lateness_ms) == (5, "environment", 100)


def test_a_flag_that_was_not_given_is_none_and_changes_nothing() -> None:
    assert load_settings(broker=None, partitions=None) == load_settings()


def test_names_in_the_environment_are_in_capitals_or_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("touchline_partitions", "7")
    assert load_settings().partitions == 7


def test_an_unknown_name_in_the_environment_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOUCHLINE_BROKKER", "x:1")
    assert "TOUCHLINE_BROKKER" in refused()


def test_names_of_others_are_none_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BROKER", "x:1")
    monkeypatch.setenv("MY_TOUCHLINE_BROKER", "x:1")
    assert load_settings().broker is None


def test_an_unknown_key_in_the_file_is_refused(file: Path) -> None:
    file.write_text('brokker = "x:1"\n')
    assert "brokker" in refused()


def test_an_unknown_flag_is_refused() -> None:
    assert "brokker" in refused(brokker="x:1")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("partitions", "0"), ("partitions", "four"), ("lateness_ms", "-1"), ("web_port", "70000"),
        ("log_level", "loud"), ("snapshot_every_s", "11"), ("silent_after_s", "0"), ("group", ""),
        ("log_json", "perhaps"), ("silent_after_s", "nan"),
    ],
)  # fmt: skip
def test_a_value_that_cannot_be_is_refused_by_its_name(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(PREFIX + name.upper(), value)
    assert name in refused()


def test_several_faults_stand_in_one_line(file: Path) -> None:
    file.write_text("partitions = 0\nbrokker = 3\n")
    line = refused(web_port=-1)
    assert all(name in line for name in ("partitions", "brokker", "web_port"))


@pytest.mark.parametrize("content", [b"partitions = \n", b"\xff\xfe", b"[broker\n"])
def test_a_file_that_is_no_toml_is_named(content: bytes, file: Path) -> None:
    file.write_bytes(content)
    assert str(file) in refused()


def test_a_file_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for place in (tmp_path / "missing.toml", tmp_path):
        monkeypatch.setenv("TOUCHLINE_CONFIG", str(place))
        assert str(place) in refused()


def test_no_env_file_of_the_working_directory_is_read(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("TOUCHLINE_PARTITIONS=9\nTOUCHLINE_BROKKER=1\n")
    assert load_settings().partitions == 4


def test_secrets_are_not_shown() -> None:
    settings = load_settings(influx_token="sesame", web_token="open")
    assert "sesame" not in repr(settings)
    assert "open" not in repr(settings)


def test_a_secret_is_not_shown_in_a_refusal(file: Path) -> None:
    file.write_text("influx_token = 12345678\n")
    assert "12345678" not in refused()


def test_settings_cannot_be_changed() -> None:
    settings: Settings = load_settings()
    with pytest.raises(Exception, match="frozen"):
        settings.partitions = 3
