"""Signatures of versions: Ed25519 (RFC 8032) over the very bytes of a manifest, in a file beside it.

The manifest holds the sha256 of every other file, so its signature stands for the whole version. Private keys never
leave their folder; public ones are raw bytes in base64, one key a file, called by the first digits of their sha256.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import io
import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from models.artefact import MANIFEST, SIGNATURE, ArtefactDamaged, ArtefactMissing
from models.sealed import OpeningReader

#: The private key of this machine, and how public keys end.
PRIVATE: Final = "signing.pem"
PUBLIC: Final = ".pub"
ID_DIGITS: Final = 16


@dataclass(frozen=True, slots=True)
class Trusted:
    """Public keys by their ids; versions signed with any of them are ours. ``passphrase`` opens sealed weights."""

    keys: Mapping[str, Ed25519PublicKey]
    passphrase: bytes | None = field(default=None, repr=False)

    def check(self, folder: Path, manifest: bytes) -> str:
        """The id of the key that signed ``manifest``. Raises ArtefactDamaged or ArtefactMissing naming the file."""
        path = folder / SIGNATURE
        if not path.is_file():
            raise ArtefactMissing(f"{path} is missing: the version is not signed")
        try:
            stated = json.loads(path.read_bytes())
            name, signature = str(stated["key"]), base64.b64decode(stated["signature"], validate=True)
        except (ValueError, TypeError, KeyError) as error:
            raise ArtefactDamaged(f"{path}: not a signature: {error}") from error
        if name not in self.keys:
            raise ArtefactDamaged(f"{path}: signed with key {name}, which is not trusted here")
        try:
            self.keys[name].verify(signature, manifest)
        except InvalidSignature:
            raise ArtefactDamaged(f"{path}: not the signature of {folder / MANIFEST}") from None
        return name

    def opened(self, path: Path, data: bytes) -> bytes:
        """The plain bytes of a sealed file. Raises ArtefactDamaged naming it."""
        if self.passphrase is None:
            raise ArtefactDamaged(
                f"{path}: is sealed; name the file with its passphrase: TOUCHLINE_MODEL_PASSPHRASE"
            )
        with io.BufferedReader(OpeningReader(io.BytesIO(data), self.passphrase, str(path))) as plain:
            return plain.read()


def sign(folder: Path, key: Ed25519PrivateKey) -> str:
    """Sign the version in ``folder`` as it stands; the id of the key."""
    manifest = (folder / MANIFEST).read_bytes()
    name = key_id(key.public_key())
    text = json.dumps({"key": name, "signature": base64.b64encode(key.sign(manifest)).decode()})
    (folder / SIGNATURE).write_text(text + "\n")
    return name


def key_id(key: Ed25519PublicKey) -> str:
    """What a key is called."""
    return hashlib.sha256(key.public_bytes_raw()).hexdigest()[:ID_DIGITS]


def local_key(folder: Path) -> Ed25519PrivateKey:
    """This machine's key; made at the first need, readable by its owner alone, its public half beside it.

    Raises ArtefactDamaged for a file that holds no Ed25519 key.
    """
    path = folder / PRIVATE
    if not path.exists():
        return _make(folder)
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except (ValueError, TypeError) as error:
        raise ArtefactDamaged(f"{path}: not a private key: {error}") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise ArtefactDamaged(f"{path}: not an Ed25519 key")
    return key


def _make(folder: Path) -> Ed25519PrivateKey:
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    key = Ed25519PrivateKey.generate()
    text = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    write_public(folder / f"{PRIVATE}{PUBLIC}", key.public_key())
    with os.fdopen(os.open(folder / PRIVATE, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
        out.write(text)
    return key


def write_public(path: Path, key: Ed25519PublicKey) -> None:
    """Write a public key."""
    path.write_text(base64.b64encode(key.public_bytes_raw()).decode() + "\n")


def trusted(folders: Iterable[Path], passphrase: bytes | None = None) -> Trusted:
    """The public keys in some folders; one that is not there has none. Raises ArtefactDamaged naming a bad file."""
    keys = [_public(path) for folder in folders for path in sorted(folder.glob(f"*{PUBLIC}"))]
    return Trusted({key_id(key): key for key in keys}, passphrase)


def _public(path: Path) -> Ed25519PublicKey:
    try:
        return Ed25519PublicKey.from_public_bytes(base64.b64decode(path.read_bytes().strip(), validate=True))
    except (ValueError, binascii.Error) as error:
        raise ArtefactDamaged(f"{path}: not a public key: {error}") from error
