"""Archives: files in one tar, in the order of their names, behind an index of their sha256. No compression here.

The same files give the same bytes: no time, no owner. Only plain files with plain names go in and come out; what is
read is compared with the index as it comes, never more memory is taken than the index allows, and nothing is believed
of a tar but its headers' name, type and size. ``tar -t`` reads them too.
"""

from __future__ import annotations

import hashlib
import json
import re
import tarfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final, Protocol

from models.artefact import MOST_BYTES, ArtefactDamaged

INDEX: Final = "INDEX.json"
#: An index larger than this is not read, bytes.
MOST_INDEX: Final = 1 << 24
#: Files that claim more than this together are not unpacked, bytes.
MOST_TOTAL: Final = 1 << 36
#: ``a/b/c``: no empty part, none that begins with a dot, nothing that a shell or another system would read otherwise.
PATH: Final = re.compile(r"\w[\w.+-]*(/\w[\w.+-]*){0,3}", re.ASCII)
#: Characters of a path that a plain tar header holds.
LONGEST: Final = 100
STEP: Final = 1 << 20
SPOILED: Final = (OSError, EOFError, zlib.error)

Files = Mapping[str, Path | bytes]


class Sink(Protocol):
    """Where bytes go."""

    def write(self, data: bytes, /) -> object:
        """Take all of them."""


class Source(Protocol):
    """Where bytes come from."""

    def read(self, size: int, /) -> bytes:
        """At most so many; none at the end."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A file of an archive: its path with slashes, its size in bytes, its sha256."""

    path: str
    size: int
    sha256: str


def index_of(files: Files) -> list[Entry]:
    """What an archive of ``files`` says is in it. Raises :class:`ArtefactDamaged` for a path that cannot go in."""
    entries = [_entry(path, files[path]) for path in sorted(files)]
    _check(entries, "archive")
    return entries


def digest_of(entries: Sequence[Entry]) -> str:
    """One sha256 over paths, sizes and contents."""
    return hashlib.sha256(_text(entries)).hexdigest()


def write_archive(out: Sink, files: Files) -> list[Entry]:
    """Write files, their index first. Raises :class:`ArtefactDamaged` for one that changes meanwhile."""
    entries = index_of(files)
    text = _text(entries)
    out.write(_header(INDEX, len(text)) + text + _padding(len(text)))
    for entry in entries:
        out.write(_header(entry.path, entry.size))
        hashed, size = hashlib.sha256(), 0
        for part in _parts(files[entry.path]):
            out.write(part)
            hashed.update(part)
            size += len(part)
        if (size, hashed.hexdigest()) != (entry.size, entry.sha256):
            raise ArtefactDamaged(f"{entry.path}: changed while it was read; try again")
        out.write(_padding(size))
    out.write(bytes(2 * tarfile.BLOCKSIZE))
    return entries


def read_archive(source: Source, name: str, into: Path, most: int = MOST_TOTAL) -> list[Entry]:
    """Unpack into a new folder; what is in it. ``name`` is for messages, ``most`` bytes are unpacked.

    Raises :class:`ArtefactDamaged` naming the archive and the member: a link, a path that leads out, a size or hash
    other than the index says, something missing or something more, an end too early.
    """
    reader = _Reader(source, name)
    entries = _read_index(reader)
    _check(entries, name, most)
    into.mkdir()
    for entry in entries:
        _unpack(reader, entry, into / entry.path)
    if any(reader.exactly(2 * tarfile.BLOCKSIZE, "its end")) or reader.more():
        raise ArtefactDamaged(f"{name}: something stands behind its last file")
    return entries


class _Reader:
    def __init__(self, source: Source, name: str) -> None:
        self._source, self.name = source, name

    def exactly(self, size: int, what: str) -> bytes:
        """So many bytes, a step at a time at most as long as asked for."""
        parts = []
        while size > 0:
            part = self._read(size)
            if not part:
                raise ArtefactDamaged(f"{self.name}: cut off in {what}")
            parts.append(part)
            size -= len(part)
        return b"".join(parts)

    def more(self) -> bool:
        """Whether anything follows; reaching the end lets compression and seal check theirs."""
        return bool(self._read(1))

    def header(self) -> tarfile.TarInfo:
        """The next member's."""
        block = self.exactly(tarfile.BLOCKSIZE, "a header")
        try:
            info = tarfile.TarInfo.frombuf(block, "utf-8", "strict")
        except (tarfile.TarError, UnicodeDecodeError) as error:
            raise ArtefactDamaged(f"{self.name}: not an archive of Touchline: {error}") from None
        if info.type != tarfile.REGTYPE:
            raise ArtefactDamaged(f"{self.name}: {info.name!r} is no plain file")
        return info

    def _read(self, size: int) -> bytes:
        try:
            return self._source.read(min(size, STEP))
        except SPOILED as error:
            raise ArtefactDamaged(f"{self.name}: cut off or damaged: {error}") from None


def _read_index(reader: _Reader) -> list[Entry]:
    info = reader.header()
    if info.name != INDEX or info.size > MOST_INDEX:
        raise ArtefactDamaged(f"{reader.name}: begins with {info.name!r}, not with a small {INDEX}")
    text = reader.exactly(info.size, INDEX)
    reader.exactly(-info.size % tarfile.BLOCKSIZE, INDEX)
    try:
        return [Entry(str(one["path"]), int(one["size"]), str(one["sha256"])) for one in json.loads(text)]
    except (ValueError, TypeError, KeyError) as error:
        raise ArtefactDamaged(f"{reader.name}: {INDEX} is no index: {error}") from None


def _check(entries: Sequence[Entry], name: str, most: int = MOST_TOTAL) -> None:
    """See that every path stays inside, that none is there twice or under a file, and that sizes are bounded."""
    paths = [entry.path for entry in entries]
    for entry in entries:
        if not PATH.fullmatch(entry.path) or len(entry.path) > LONGEST or entry.path == INDEX:
            raise ArtefactDamaged(f"{name}: {entry.path!r} is no path that goes into an archive")
        if not 0 <= entry.size <= MOST_BYTES:
            raise ArtefactDamaged(f"{name}: {entry.path!r} is larger than {MOST_BYTES} bytes")
    if sum(entry.size for entry in entries) > most:
        raise ArtefactDamaged(f"{name}: holds more than {most} bytes")
    folders = {str(parent) for path in paths for parent in Path(path).parents}
    if paths != sorted(set(paths)) or folders & set(paths):
        raise ArtefactDamaged(f"{name}: {INDEX} names a path twice, or not in order")


def _unpack(reader: _Reader, entry: Entry, target: Path) -> None:
    info = reader.header()
    if (info.name, info.size) != (entry.path, entry.size):
        raise ArtefactDamaged(
            f"{reader.name}: {info.name!r} of {info.size} bytes is not what {INDEX} names next"
        )
    target.parent.mkdir(parents=True, exist_ok=True)
    hashed, left = hashlib.sha256(), entry.size
    with target.open("xb") as out:
        while left:
            part = reader.exactly(min(left, STEP), repr(entry.path))
            out.write(part)
            hashed.update(part)
            left -= len(part)
    if hashed.hexdigest() != entry.sha256:
        raise ArtefactDamaged(f"{reader.name}: {entry.path!r}: sha256 differs from the index's")
    reader.exactly(-entry.size % tarfile.BLOCKSIZE, repr(entry.path))


def _entry(path: str, content: Path | bytes) -> Entry:
    hashed, size = hashlib.sha256(), 0
    for part in _parts(content):
        hashed.update(part)
        size += len(part)
    return Entry(path, size, hashed.hexdigest())


def _parts(content: Path | bytes) -> Iterator[bytes]:
    if isinstance(content, bytes):
        yield content
        return
    with content.open("rb") as stream:
        while part := stream.read(STEP):
            yield part


def _text(entries: Sequence[Entry]) -> bytes:
    return json.dumps([asdict(entry) for entry in entries], indent=1, sort_keys=True).encode() + b"\n"


def _header(path: str, size: int) -> bytes:
    info = tarfile.TarInfo(path)
    info.size = size
    return info.tobuf(tarfile.USTAR_FORMAT)


def _padding(size: int) -> bytes:
    return bytes(-size % tarfile.BLOCKSIZE)
