"""What goes wrong at the command line is one line that says what to do, and an exit code that means something."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from tests.touchline.command import Done, touchline

pytestmark = pytest.mark.slow


def one_line(done: Done, code: int, *words: str) -> None:
    assert done.code == code, done.err
    lines = [line for line in done.err.strip().splitlines() if line]
    assert len(lines) == 1, done.err
    for word in words:
        assert word in done.err
    assert done.out == ""


def test_an_unknown_setting_in_the_environment_is_refused() -> None:
    one_line(touchline("doctor", TOUCHLINE_BROKKER="x:1"), 2, "TOUCHLINE_BROKKER")


def test_an_unknown_key_in_the_configuration_file_is_refused(tmp_path: Path) -> None:
    config = tmp_path / "touchline.toml"
    config.write_text('brokker = "x:1"\n')
    one_line(touchline("doctor", TOUCHLINE_CONFIG=str(config)), 2, "brokker")


def test_a_missing_configuration_file_is_named() -> None:
    one_line(touchline("doctor", TOUCHLINE_CONFIG="/nowhere.toml"), 2, "/nowhere.toml")


def test_a_flag_wins_over_the_environment_and_that_over_the_file(tmp_path: Path) -> None:
    config = tmp_path / "touchline.toml"
    config.write_text('store = "/from/file.sqlite"\nweb_port = 70000\n')
    done = touchline(
        "doctor", TOUCHLINE_CONFIG=str(config), TOUCHLINE_WEB_PORT="80", TOUCHLINE_STORE="/env.sqlite"
    )
    assert "/env.sqlite" in done.out
    assert done.err == ""


def test_a_missing_recording_is_named() -> None:
    one_line(touchline("replay", "/nowhere.fit", "--json"), 3, "/nowhere.fit")


def test_a_file_that_is_no_recording_is_named(tmp_path: Path) -> None:
    file = tmp_path / "notes.txt"
    file.write_text("hello")
    one_line(touchline("replay", file, "--json"), 2, "notes.txt")


def test_a_file_that_cannot_be_written_is_named() -> None:
    one_line(touchline("models", "backup", "/proc/all.tar.zst", "--json"), 3, "/proc/", "No such file")


def test_a_worker_without_a_broker_says_how_to_name_one() -> None:
    one_line(touchline("worker"), 2, "--broker")


def test_a_worker_without_models_says_how_to_get_them(tmp_path: Path) -> None:
    done = touchline("doctor", "--json", TOUCHLINE_MODEL_DIR=str(tmp_path))
    assert done.code == 3
    models = next(entry for entry in done.json["checks"] if entry["name"] == "models")
    assert not models["ok"]
    assert "make train" in models["detail"]


def test_an_unwritable_store_is_said_before_anything_runs() -> None:
    arguments = ("demo", "--headless", "--seconds", "10", "--store", "/proc/no.sqlite")
    one_line(touchline(*arguments), 3, "/proc/no.sqlite")


def test_a_report_that_could_not_be_written_is_said_at_once() -> None:
    one_line(touchline("demo", "--headless", "--seconds", "10", "--json", "/nowhere/x.json"), 2, "/nowhere")


def test_a_busy_port_of_the_page_is_named() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        done = touchline(
            "web", "--broker", "127.0.0.1:1", "--web-port", port, "--store", "/tmp/unused.sqlite"
        )
    assert done.code == 2
    assert port in done.err


def test_doctor_tries_the_embedded_broker_and_the_store(tmp_path: Path) -> None:
    done = touchline("doctor", "--store", tmp_path / "x.sqlite", "--json")
    checks = {entry["name"]: entry for entry in done.json["checks"]}
    assert checks["broker"]["ok"]
    assert checks["store"]["ok"]


def test_doctor_says_that_no_broker_answers() -> None:
    done = touchline("doctor", "--broker", "127.0.0.1:1", "--json")
    assert done.code == 3
    broker = next(entry for entry in done.json["checks"] if entry["name"] == "broker")
    assert not broker["ok"]
    assert "127.0.0.1:1" in broker["detail"]
