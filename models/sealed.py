"""Sealed files: a stream encrypted under a passphrase, in chunks whose order and end are authenticated.

The construction is STREAM of Hoang, Reyhanitabar, Rogaway and Vizar, "Online authenticated-encryption and its
nonce-reuse misuse-resistance" (CRYPTO 2015), over AES-256-GCM: the nonce of a chunk holds its number and whether it
is the last, so that a chunk left out, moved or cut off is noticed. Keys come from scrypt (RFC 7914).

    "TOUCHLINE-SEALED" | version, 1 byte | salt, 16 | nonce prefix, 7 | HMAC-SHA256 of all this, 32
    chunks: 64 KiB of plain text (the last one 0 to 64 KiB) as cipher text and 16 bytes of tag

The header's own MAC tells a wrong passphrase from a damaged chunk.
"""

from __future__ import annotations

import hmac
import io
import json
import secrets
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from models.artefact import MANIFEST, SEALED, WEIGHTS, ArtefactDamaged

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer, WriteableBuffer

MAGIC: Final = SEALED
VERSION: Final = 1
SALT: Final = 16
PREFIX: Final = 7
MAC: Final = 32
TAG: Final = 16
KEY: Final = 32
#: Plain bytes of a chunk.
CHUNK: Final = 1 << 16
#: scrypt: 128 MiB and some tenths of a second a guess, OWASP's first choice. Fixed by the header's version.
COST: Final = 1 << 17
BLOCK: Final = 8


def is_sealed(beginning: bytes) -> bool:
    """Whether a file that begins so is sealed."""
    return beginning.startswith(MAGIC)


def seal_weights(folder: Path, passphrase: bytes) -> None:
    """Seal the weights of a version that is not signed yet; its manifest has the hash of the sealed file then."""
    sealed = io.BytesIO()
    with SealingWriter(sealed, passphrase) as out:
        out.write((folder / WEIGHTS).read_bytes())
    manifest = json.loads((folder / MANIFEST).read_bytes())
    manifest["files"][WEIGHTS] = sha256(sealed.getvalue()).hexdigest()
    (folder / WEIGHTS).write_bytes(sealed.getvalue())
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=1, sort_keys=True, allow_nan=False) + "\n")


class SealingWriter(io.RawIOBase):
    """Takes plain bytes, writes sealed ones to ``out``, which stays open. :meth:`close` writes the end."""

    def __init__(self, out: BinaryIO, passphrase: bytes) -> None:
        self._out = out
        named = MAGIC + bytes([VERSION]) + secrets.token_bytes(SALT + PREFIX)
        self._chunks = _Chunks(named, passphrase)
        self._pending = bytearray()
        out.write(named + self._chunks.mac)

    def writable(self) -> bool:
        """Yes."""
        return True

    def write(self, data: ReadableBuffer, /) -> int:
        """Take bytes; a full chunk goes out once more follows, for only then it is known not to be the last."""
        given = memoryview(data).nbytes
        self._pending += data
        while len(self._pending) > CHUNK:
            self._out.write(self._chunks.seal(bytes(self._pending[:CHUNK]), last=False))
            del self._pending[:CHUNK]
        return given

    def close(self) -> None:
        """Write the last chunk."""
        if not self.closed:
            self._out.write(self._chunks.seal(bytes(self._pending), last=True))
        super().close()


class OpeningReader(io.RawIOBase):
    """Gives the plain bytes of a sealed file, each chunk only once it is proven. ``name`` is for messages.

    Raises :class:`~models.artefact.ArtefactDamaged` for a wrong passphrase, and for a chunk that is not the one that
    was written there, be it changed, moved, or the end.
    """

    def __init__(self, source: BinaryIO, passphrase: bytes, name: str) -> None:
        self._source, self._name = source, name
        named = source.read(len(MAGIC) + 1 + SALT + PREFIX)
        mac = source.read(MAC)
        if not is_sealed(named) or len(mac) < MAC:
            raise ArtefactDamaged(f"{name}: not a sealed file, or cut off in its header")
        if named[len(MAGIC)] != VERSION:
            raise ArtefactDamaged(f"{name}: sealed in version {named[len(MAGIC)]}, known is {VERSION}")
        self._chunks = _Chunks(named, passphrase)
        if not hmac.compare_digest(mac, self._chunks.mac):
            raise ArtefactDamaged(f"{name}: wrong passphrase, or its header was changed")
        self._next = source.read(CHUNK + TAG)
        self._plain, self._ended = memoryview(b""), False

    def readable(self) -> bool:
        """Yes."""
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        """Up to a chunk's bytes; 0 at the proven end."""
        if not self._plain and not self._ended:
            self._plain = memoryview(self._open())
        view = memoryview(buffer).cast("B")
        count = min(len(view), len(self._plain))
        view[:count] = self._plain[:count]
        self._plain = self._plain[count:]
        return count

    def _open(self) -> bytes:
        sealed, self._next = self._next, self._source.read(CHUNK + TAG)
        self._ended = not self._next
        try:
            return self._chunks.open(sealed, last=self._ended)
        except InvalidTag:
            number = self._chunks.number
            raise ArtefactDamaged(f"{self._name}: chunk {number} was changed, moved or cut off") from None


class _Chunks:
    """Keys and nonces of one sealed file; chunks one after the other, each number once."""

    def __init__(self, named: bytes, passphrase: bytes) -> None:
        salt = named[len(MAGIC) + 1 :][:SALT]
        keys = Scrypt(salt=salt, length=2 * KEY, n=COST, r=BLOCK, p=1).derive(passphrase)
        self.mac = hmac.digest(keys[KEY:], named, sha256)
        self.number = 0
        self._cipher, self._prefix, self._named = AESGCM(keys[:KEY]), named[-PREFIX:], named

    def seal(self, plain: bytes, *, last: bool) -> bytes:
        sealed = self._cipher.encrypt(self._nonce(last), plain, self._named)
        self.number += 1
        return sealed

    def open(self, sealed: bytes, *, last: bool) -> bytes:
        plain = self._cipher.decrypt(self._nonce(last), sealed, self._named)
        self.number += 1
        return plain

    def _nonce(self, last: bool) -> bytes:
        """Prefix, number in 4 bytes (OverflowError after 256 TiB), and the mark of the end."""
        return self._prefix + self.number.to_bytes(4, "big") + bytes([last])
