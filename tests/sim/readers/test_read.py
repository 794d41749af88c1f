"""Finding the reader, and what is said where there is none."""

from __future__ import annotations

from pathlib import Path

import pytest

from sim.readers import read
from stream.errors import MissingError, UnreadableFile


def test_an_unknown_kind_of_file_is_answered_with_what_is_understood(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("hello")
    with pytest.raises(
        UnreadableFile, match=r"notes\.txt: unknown kind of file; understood are \.fit, .*\.csv.*tracab"
    ):
        read(path)


@pytest.mark.parametrize("name", ["a.fit", "a.tcx.gz", "a.gpx", "a.csv", "a.parquet", "a.npz", "a.txt"])
def test_missing_and_empty_files_are_told_apart(tmp_path: Path, name: str) -> None:
    with pytest.raises(MissingError) as missing:
        read(tmp_path / name)
    (tmp_path / name).write_bytes(b"")
    with pytest.raises(UnreadableFile, match="empty") as empty:
        read(str(tmp_path / name))
    assert (missing.value.exit_code, empty.value.exit_code) == (3, 2)


@pytest.mark.parametrize("name", ["a.fit", "a.tcx", "a.gpx", "a.csv", "a.parquet", "a.npz"])
@pytest.mark.parametrize(
    "content", [b"\0" * 64, bytes(range(256)) * 4, b"\xff\xfe" * 50, b"{}", b"\x1f\x8b\x08broken"]
)
def test_rubbish_is_refused_by_name(tmp_path: Path, name: str, content: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(UnreadableFile, match=name):
        read(path)


def test_a_name_in_capitals_is_the_same_kind(data_dir: Path, tmp_path: Path) -> None:
    path = tmp_path / "RUN.FIT"
    path.write_bytes((data_dir / "workouts_fit" / "run_garmin_44min.fit").read_bytes())
    assert read(path)[0].athletes[0]["athlete"] == "RUN"
