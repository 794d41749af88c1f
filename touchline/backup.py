"""A whole registry as one file, and back: versions, labels, their history and public keys. Private keys never.

Equality is proven by one digest over every version, label and move. It is taken from the files on disk, before and
after.
"""

from __future__ import annotations

import base64
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from models.archive import Entry, digest_of, index_of, read_archive, write_archive
from models.artefact import ArtefactDamaged, ArtefactMissing, versions
from models.labels import FILE, HISTORY
from models.packed import compression_of, packing, unpacking
from models.signature import PUBLIC, Trusted, trusted
from stream.errors import MissingError, ModelRefused, UsageError
from touchline.registry import Registry

#: Where a restored registry keeps public keys that came with it. Keys lying there are not trusted.
KEYS: Final = "keys"


def back_up(registry: Registry, file: Path, passphrase: bytes | None) -> dict[str, Any]:
    """Write a registry to a new file, and read that back. Raises ModelMissing, ModelRefused or UsageError."""
    check_new(file)
    registry.listed()
    with refusing():
        files: dict[str, Path | bytes] = {**registry_files(registry.root), **public_keys(registry)}
        with packing(file, passphrase) as out:
            entries = write_archive(out, files)
        with scratch_beside(file) as scratch, unpacking(file, passphrase) as source:
            back = read_archive(source, str(file), scratch / "registry")
    if back != entries:
        raise ModelRefused(f"{file}: holds something else than was written")
    wrong = [one for one in registry.verified(None, None) if one["error"]]
    told = {"bytes": file.stat().st_size, "sealed": passphrase is not None, "refused": wrong}
    return _told(file, entries) | told


def restore(registry: Registry, file: Path, passphrase: bytes | None) -> dict[str, Any]:
    """Make ``registry.root`` what a file holds; nothing happens where it is that already.

    Raises MissingError without the file, and ModelRefused for one that is not whole, or a registry that differs.
    """
    check_there(file)
    target = registry.root
    with refusing(), scratch_beside(target) as scratch:
        with unpacking(file, passphrase) as source:
            entries = read_archive(source, str(file), scratch / "registry")
        if not _own(entries):
            raise ModelRefused(f"{file}: holds no models")
        stated = digest_of(_own(entries))
        unchanged = target.is_dir() and any(target.iterdir())
        if unchanged and registry_digest(target) != stated:
            raise ModelRefused(f"{target}: holds something else than {file}; restore into a new folder")
        if not unchanged:
            os.rename(scratch / "registry", target)  # noqa: PTH104 (refuses a folder that is not empty)
        if registry_digest(target) != stated:
            raise ModelRefused(f"{target}: holds something else than {file}")
    wrong = [one for one in registry.verified(None, None) if one["error"]]
    strange = sorted(set(_keys_in(target).keys) - set(registry.trust.keys))
    told = {"registry": str(target), "unchanged": unchanged, "keys_not_trusted": strange, "refused": wrong}
    return _told(file, entries) | told


def registry_digest(root: Path) -> str:
    """One sha256 over every version, label and move of a registry, whoever's keys lie beside it."""
    return digest_of(index_of(registry_files(root)))


def registry_files(root: Path) -> dict[str, Path]:
    """Every file of a registry by its path in an archive. Raises ArtefactDamaged for what is no plain file."""
    names = [entry.name for entry in root.iterdir() if entry.is_dir() and versions(root, entry.name)]
    found = [path for name in names for path in _model_files(root, name)]
    return {path.relative_to(root).as_posix(): path for path in found}


def _model_files(root: Path, name: str) -> Iterator[Path]:
    folders = [root / name, *(root / name / version for version in versions(root, name))]
    moved = [path for path in (root / name / FILE, root / name / HISTORY) if path.exists()]
    files = moved + [path for folder in folders[1:] for path in folder.iterdir()]
    for path in (*folders, *files):
        if path.is_symlink() or path.is_file() == (path in folders):
            raise ArtefactDamaged(f"{path}: no plain file; a registry holds no others")
    yield from files


def public_keys(registry: Registry) -> dict[str, bytes]:
    """The public keys trusted here, and those that came with the registry, as an archive holds them."""
    keys = {**_keys_in(registry.root).keys, **registry.trust.keys}
    return {
        f"{KEYS}/{name}{PUBLIC}": base64.b64encode(key.public_bytes_raw()) + b"\n"
        for name, key in keys.items()
    }


def _keys_in(root: Path) -> Trusted:
    return trusted([root / KEYS])


def _own(entries: list[Entry]) -> list[Entry]:
    return [entry for entry in entries if not entry.path.startswith(f"{KEYS}/")]


def _told(file: Path, entries: list[Entry]) -> dict[str, Any]:
    own = _own(entries)
    found = {tuple(entry.path.split("/")[:2]) for entry in own if entry.path.count("/") == 2}
    counts = {"versions": len(found), "files": len(own), "keys": len(entries) - len(own)}
    return {"file": str(file), "digest": digest_of(own), **counts}


@contextmanager
def scratch_beside(path: Path) -> Iterator[Path]:
    """A folder for a while on the file system of ``path``, so that what is in it can be renamed to it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.name}-") as scratch:
        yield Path(scratch)


@contextmanager
def refusing() -> Iterator[None]:
    """What models/ finds missing or damaged, as commands tell it."""
    try:
        yield
    except (ArtefactMissing, ArtefactDamaged) as error:
        raise ModelRefused(str(error)) from None


def check_new(file: Path) -> None:
    """See that a file can be written under its name. Raises UsageError."""
    try:
        compression_of(file)
    except ValueError as error:
        raise UsageError(str(error)) from None
    if file.exists():
        raise UsageError(f"{file} exists and is not replaced")
    if not file.parent.is_dir():
        raise UsageError(f"{file.parent} is no folder")


def check_there(file: Path) -> None:
    """See that a file is there. Raises MissingError."""
    if not file.is_file():
        raise MissingError(f"{file} is not there")
