"""A file's bytes, uncompressed, with its names. The only part of the readers that touches the disk."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from stream.errors import MissingError, UnreadableFile

GZIP: Final = b"\x1f\x8b"
PIECE: Final = 1 << 16
#: Gzip data goes through in pieces this small, so that damage costs no more than one.
GZIP_PIECE: Final = 1 << 10
MAX_ID: Final = 128
#: Start of recordings that do not say when they were made: 2020-01-01T00:00:00Z, µs.
UNDATED_US: Final = 1_577_836_800_000_000


@dataclass(frozen=True, slots=True)
class Source:
    """One recorded file. ``suffix`` without ``.gz``, lower case; ``notes`` says what was wrong with the file."""

    path: Path
    content: bytes
    notes: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The file's name, for messages."""
        return self.path.name

    @property
    def stem(self) -> str:
        """The file's name without its endings; serves as an id where the file names nobody."""
        name = self.name.removesuffix(".gz").removesuffix(".GZ")
        return identity(name[: -len(self.suffix)] if self.suffix else name, "recording")

    @property
    def suffix(self) -> str:
        """The ending that says what the file is, with its dot."""
        name = self.path.name.lower().removesuffix(".gz")
        return Path(name).suffix

    def boot(self, session: str) -> int:
        """A boot number that the content and the session alone decide."""
        return zlib.crc32(session.encode(), zlib.crc32(self.content))

    def session_id(self, start_us: int) -> str:
        """``<stem>-<start in UTC>``."""
        start = datetime.fromtimestamp(start_us // 1_000_000, UTC)
        return identity(f"{self.stem[:100]}-{start:%Y%m%dT%H%M%SZ}", "session")

    def unreadable(self, reason: object) -> UnreadableFile:
        """The error that names this file."""
        return UnreadableFile(f"{self.path}: {reason}")


def identity(text: str, otherwise: str) -> str:
    """Text as an id of the contract: not empty, not ``*``, at most 128 characters."""
    cleaned = " ".join(text.split())[:MAX_ID].strip()
    return cleaned if cleaned and cleaned != "*" else otherwise


def open_source(path: Path) -> Source:
    """Read a file, unzipping what is gzip by its content, whatever its name.

    Raises :class:`MissingError` without the file, :class:`UnreadableFile` where it is empty or no plain file.
    """
    if not path.exists():
        raise MissingError(f"{path}: there is no such file")
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise UnreadableFile(f"{path}: {error.strerror or error}") from None
    content, notes = gunzip(raw) if raw.startswith(GZIP) else (raw, ())
    if not content:
        raise UnreadableFile(f"{path}: {'; '.join(notes) or 'the file is empty'}")
    return Source(path, content, notes)


def gunzip(data: bytes) -> tuple[bytes, tuple[str, ...]]:
    """All members of gzip data, and notes where it was cut off or damaged: what came before is kept."""
    parts: list[bytes] = []
    while data.startswith(GZIP):
        member = zlib.decompressobj(wbits=31)
        try:
            for at in range(0, len(data), GZIP_PIECE):
                parts.append(member.decompress(data[at : at + GZIP_PIECE]))
                if member.eof:
                    break
        except zlib.error as error:
            return b"".join(parts), (f"the gzip data is damaged ({error})",)
        if not member.eof:
            return b"".join(parts), ("the gzip data is cut off",)
        data = member.unused_data + data[at + GZIP_PIECE :]
    return b"".join(parts), ()
