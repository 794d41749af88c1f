"""Bytes of a file: plain, zipped, cut off, damaged; names and ids made of them."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.readers.source import gunzip, identity, open_source
from stream.errors import MissingError, UnreadableFile


def written(folder: Path, name: str, content: bytes) -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def test_a_missing_file_is_a_missing_dependency(tmp_path: Path) -> None:
    with pytest.raises(MissingError, match=r"nowhere\.fit: there is no such file"):
        open_source(tmp_path / "nowhere.fit")


@pytest.mark.parametrize("content", [b"", gzip.compress(b"")])
def test_an_empty_file_is_refused_by_name(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(UnreadableFile, match=r"empty\.fit\.gz: the file is empty"):
        open_source(written(tmp_path, "empty.fit.gz", content))


def test_a_folder_is_no_recording(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match="directory"):
        open_source(tmp_path)


def test_gzip_is_known_by_its_content_whatever_the_name(tmp_path: Path) -> None:
    assert open_source(written(tmp_path, "a.fit", gzip.compress(b"inside"))).content == b"inside"
    assert open_source(written(tmp_path, "b.fit.gz", b"plain")).content == b"plain"


@pytest.mark.parametrize(
    ("name", "stem", "suffix"),
    [
        ("run.fit", "run", ".fit"),
        ("run.FIT.GZ", "run", ".fit"),
        ("2020-12-02T06_08_29-300_Running.tcx.gz", "2020-12-02T06_08_29-300_Running", ".tcx"),
        ("a.b.csv", "a.b", ".csv"),
        ("bare", "bare", ""),
    ],
)
def test_names_are_split_into_stem_and_kind(tmp_path: Path, name: str, stem: str, suffix: str) -> None:
    source = open_source(written(tmp_path, name, b"x"))
    assert (source.stem, source.suffix) == (stem, suffix)


@given(st.lists(st.binary(max_size=300_000 // 8), max_size=3))
def test_all_members_of_gzip_data_are_unzipped(parts: list[bytes]) -> None:
    assert gunzip(b"".join(gzip.compress(part) for part in parts)) == (b"".join(parts), ())


def test_of_gzip_data_that_is_cut_off_the_beginning_is_kept() -> None:
    text = b"".join(b"%d," % (k * 7919 % 10_007) for k in range(100_000))
    content, notes = gunzip(gzip.compress(text)[:-9000])
    assert 0 < len(content) < len(text)
    assert text.startswith(content)
    assert notes == ("the gzip data is cut off",)


def test_of_damaged_gzip_data_the_beginning_is_kept() -> None:
    text = b"".join(b"%d," % (k * 7919 % 10_007) for k in range(300_000))
    packed = bytearray(gzip.compress(text))
    packed[-4000:-3990] = b"\xff" * 10
    content, (note,) = gunzip(bytes(packed))
    assert len(content) > 0.9 * len(text)
    assert text.startswith(content[: round(0.9 * len(text))])
    assert "damaged" in note


@given(st.text())
def test_an_id_is_always_one_the_contract_allows(text: str) -> None:
    made = identity(text, "otherwise")
    assert 0 < len(made) <= 128
    assert made != "*"


def test_the_boot_depends_on_content_and_session_alone(tmp_path: Path) -> None:
    one, same = (open_source(written(tmp_path, name, b"content")) for name in ("a.fit", "b.fit"))
    other = open_source(written(tmp_path, "c.fit", b"another"))
    assert one.boot("monday") == same.boot("monday")
    assert len({one.boot("monday"), one.boot("tuesday"), other.boot("monday")}) == 3
    assert 0 <= one.boot("monday") < 2**32
