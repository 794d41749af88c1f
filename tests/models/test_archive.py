"""Archives: the same files give the same bytes, and only such an archive comes out again."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.archive import INDEX, Entry, Files, digest_of, index_of, read_archive, write_archive
from models.artefact import MOST_BYTES, ArtefactDamaged

PART = st.from_regex(r"[a-z0-9_][a-z0-9_.+-]{0,8}", fullmatch=True)
DRAWN = st.dictionaries(st.tuples(PART, PART).map("/".join), st.binary(max_size=2000), max_size=6)
SOME = {"injury/1/weights.npz": b"w" * 1500, "injury/labels.json": b"{}", "keys/a.pub": b""}
OUTSIDE = ["../evil", "/etc/evil", "a/../../evil", "a//b", ".hidden", "a/.b", "a\\b", "a" * 101, "", INDEX]


def packed(files: Files) -> bytes:
    """An archive in memory."""
    out = io.BytesIO()
    write_archive(out, files)
    return out.getvalue()


def unpacked(data: bytes, into: Path) -> dict[str, bytes]:
    """What comes out of an archive."""
    read_archive(io.BytesIO(data), "a.tar", into)
    return {
        path.relative_to(into).as_posix(): path.read_bytes() for path in into.rglob("*") if path.is_file()
    }


def forged(index: list[Entry], *members: tuple[tarfile.TarInfo, bytes]) -> bytes:
    """A tar with this index and these members, whether they agree or not."""
    text = json.dumps([{"path": e.path, "size": e.size, "sha256": e.sha256} for e in index]).encode()
    first = tarfile.TarInfo(INDEX)
    first.size = len(text)
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for info, content in ((first, text), *members):
            tar.addfile(info, io.BytesIO(content))
    return out.getvalue()


def member(path: str, content: bytes, kind: bytes = tarfile.REGTYPE) -> tuple[tarfile.TarInfo, bytes]:
    """A member of a tar."""
    info = tarfile.TarInfo(path)
    info.size, info.type, info.linkname = len(content), kind, "/etc/passwd"
    return info, content


@settings(max_examples=60, deadline=None)
@given(files=DRAWN)
def test_what_went_in_comes_out(files: dict[str, bytes], tmp_path_factory: pytest.TempPathFactory) -> None:
    into = tmp_path_factory.mktemp("archive") / "out"
    assert unpacked(packed(files), into) == files


def test_the_same_files_give_the_same_bytes_and_tar_reads_them(tmp_path: Path) -> None:
    for path, content in SOME.items():
        (tmp_path / "in" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "in" / path).write_bytes(content)
    data = packed({path: tmp_path / "in" / path for path in reversed(SOME)})
    assert data == packed(SOME)
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        assert tar.getnames() == [INDEX, *sorted(SOME)]
        assert {(info.mtime, info.uid, info.uname) for info in tar} == {(0, 0, "")}


def test_the_digest_tells_of_names_and_contents() -> None:
    digest = digest_of(index_of(SOME))
    assert digest != digest_of(index_of(SOME | {"keys/a.pub": b"x"}))
    assert digest != digest_of(index_of({k: v for k, v in SOME.items() if k != "keys/a.pub"}))
    assert digest == digest_of(index_of(dict(reversed(SOME.items()))))


def test_cut_off_anywhere_it_is_refused(tmp_path: Path) -> None:
    data = packed(SOME)
    for number, end in enumerate({*range(0, len(data), 97), len(data) - 1, len(data) - 512}):
        with pytest.raises(ArtefactDamaged, match=r"a\.tar: (cut off|not an archive)"):
            unpacked(data[:end], tmp_path / str(number))


def test_something_behind_the_end_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ArtefactDamaged, match="behind its last file"):
        unpacked(packed(SOME) + b"\0", tmp_path / "out")


@pytest.mark.parametrize("path", OUTSIDE)
def test_a_path_that_leads_elsewhere_is_refused_by_name(tmp_path: Path, path: str) -> None:
    index = [Entry(path, 4, index_of({"a": b"evil"})[0].sha256)]
    with pytest.raises(ArtefactDamaged, match="is no path that goes into an archive"):
        unpacked(forged(index, member("x", b"evil")), tmp_path / "out")
    with pytest.raises(ArtefactDamaged, match="is no path that goes into an archive"):
        packed({path: b"evil"})
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.DIRTYPE])
def test_whatever_is_no_plain_file_is_refused_by_name(tmp_path: Path, kind: bytes) -> None:
    with pytest.raises(ArtefactDamaged, match=r"a\.tar: 'injury/1' is no plain file"):
        unpacked(forged(index_of({"injury/1": b""}), member("injury/1", b"", kind)), tmp_path / "out")


def test_a_member_other_than_the_index_says_is_refused(tmp_path: Path) -> None:
    index = index_of({"a": b"good"})
    for number, (path, content, message) in enumerate(
        [("a", b"evil", "sha256 differs"), ("a", b"longer", "names next"), ("../a", b"good", r"'\.\./a'")]
    ):
        with pytest.raises(ArtefactDamaged, match=message):
            unpacked(forged(index, member(path, content)), tmp_path / str(number))


def test_twice_the_same_path_or_a_file_as_a_folder_is_refused(tmp_path: Path) -> None:
    a, below = index_of({"a": b""})[0], index_of({"a/b": b""})[0]
    for number, index in enumerate(([a, a], [a, below], [below, a])):
        with pytest.raises(ArtefactDamaged, match="twice, or not in order"):
            unpacked(forged(index), tmp_path / str(number))


def test_what_claims_to_be_too_large_is_refused_before_it_is_read(tmp_path: Path) -> None:
    huge = Entry("a", MOST_BYTES + 1, "0")
    with pytest.raises(ArtefactDamaged, match="'a' is larger than"):
        unpacked(forged([huge]), tmp_path / "out")
    many = [Entry(f"a{i:03}", MOST_BYTES, "0") for i in range(65)]
    with pytest.raises(ArtefactDamaged, match="holds more than"):
        unpacked(forged(many), tmp_path / "out")


def test_another_tar_is_refused(tmp_path: Path) -> None:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        tar.addfile(*((info := member("../evil", b"evil"))[0], io.BytesIO(info[1])))
    with pytest.raises(ArtefactDamaged, match=r"begins with '\.\./evil'"):
        unpacked(out.getvalue(), tmp_path / "out")
    with pytest.raises(ArtefactDamaged, match="no index"):
        unpacked(packed({}).replace(b"[]", b"[1"), tmp_path / "out")


def test_a_file_that_changes_while_it_is_read_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "labels.json"
    path.write_bytes(b"before")

    class Sink(io.BytesIO):
        def write(self, data: object, /) -> int:
            path.write_bytes(b"after!")
            return super().write(data)  # type: ignore[arg-type]

    with pytest.raises(ArtefactDamaged, match=r"injury/labels\.json: changed"):
        write_archive(Sink(), {"injury/labels.json": path})
