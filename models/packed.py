"""Packed files: from a stream of bytes to a compressed, perhaps sealed file, and back.

A file is written under another name and takes its own when it is whole; one that is there is never replaced. What a
file is, is read from its first bytes, not from its name.
"""

from __future__ import annotations

import gzip
import io
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final

import pyarrow as pa

from models.archive import Sink, Source
from models.artefact import ArtefactDamaged
from models.sealed import MAGIC, OpeningReader, SealingWriter, is_sealed

#: How names end, and what is done for them.
ENDINGS: Final = {".tar.zst": "zstd", ".tar.gz": "gzip"}
ZSTD: Final = bytes.fromhex("28b52ffd")
GZIP: Final = bytes.fromhex("1f8b")


def compression_of(path: Path) -> str:
    """What a file's name asks for. Raises ``ValueError`` naming what there is."""
    for ending, compression in ENDINGS.items():
        if path.name.endswith(ending):
            return compression
    raise ValueError(f"{path}: a name must end in {' or '.join(ENDINGS)}")


@contextmanager
def packing(path: Path, passphrase: bytes | None = None) -> Iterator[Sink]:
    """Where to write what ``path`` shall hold: all of it or nothing.

    Raises ``FileExistsError`` where it is there, ``ValueError`` for an unknown ending.
    """
    compression = compression_of(path)
    if path.exists():
        raise FileExistsError(f"{path} exists and is not replaced")
    handle, scratch = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    try:
        with os.fdopen(handle, "wb") as out:
            yield from _packing(out, compression, passphrase)
            out.flush()
            os.fsync(out.fileno())
        os.link(scratch, path)  # refuses to replace, unlike a rename
    finally:
        Path(scratch).unlink()


def _packing(out: BinaryIO, compression: str, passphrase: bytes | None) -> Iterator[Sink]:
    if passphrase is not None:
        with SealingWriter(out, passphrase) as sealing:
            yield from _compressing(io.BufferedWriter(sealing), compression)
    else:
        yield from _compressing(out, compression)


def _compressing(out: BinaryIO, compression: str) -> Iterator[Sink]:
    if compression == "gzip":
        with gzip.GzipFile("", "wb", fileobj=out, mtime=0) as stream:
            yield stream
    else:
        with pa.CompressedOutputStream(pa.PythonFile(_Open(out), "w"), compression) as stream:
            yield stream
    out.flush()


class _Open(io.RawIOBase):
    """Passes bytes on and, unlike Arrow, closes nothing."""

    def __init__(self, out: BinaryIO) -> None:
        self._out = out

    def writable(self) -> bool:
        return True

    def write(self, data: bytes, /) -> int:  # type: ignore[override]
        return self._out.write(data)


@contextmanager
def unpacking(path: Path, passphrase: bytes | None = None) -> Iterator[Source]:
    """What a packed file holds. Raises :class:`ArtefactDamaged` naming the file where it is none, or is sealed."""
    with path.open("rb") as file:
        plain: BinaryIO = file
        if is_sealed(file.peek(len(MAGIC))):
            if passphrase is None:
                raise ArtefactDamaged(f"{path}: is sealed; its passphrase is needed")
            plain = io.BufferedReader(OpeningReader(file, passphrase, str(path)))
        elif passphrase is not None:
            raise ArtefactDamaged(f"{path}: is not sealed, though a passphrase is given for it")
        yield from _decompressing(io.BufferedReader(plain), path)  # type: ignore[arg-type]


def _decompressing(plain: io.BufferedReader, path: Path) -> Iterator[Source]:
    beginning = plain.peek(len(ZSTD))
    if beginning.startswith(GZIP):
        with gzip.GzipFile(fileobj=plain) as stream:
            yield stream
    elif beginning.startswith(ZSTD):
        with pa.CompressedInputStream(pa.PythonFile(plain, "r"), "zstd") as stream:
            yield stream
    else:
        raise ArtefactDamaged(f"{path}: neither zstd nor gzip, or cut off at its beginning")
