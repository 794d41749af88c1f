"""What a trained model is on disk: ``NAME/VERSION/`` with manifest, weights, golden example and card.

Reads and writes files and checks their hashes; builds no network and needs no TensorFlow. No pickle anywhere.
A version is written once and never changed.

    manifest.json   what it takes, gives and was trained on, its figures, and the sha256 of the other files
    weights.npz     one array per variable, named as in the network; perhaps sealed (see models/sealed.py)
    golden.npz      an example input and what the network answered when it was saved
    reference.json  how its inputs and outputs are spread over the training set (see models/drift.py); may be absent
    CARD.md         the model card
    manifest.sig    the signature of the manifest (see models/signature.py), written after the others
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import tempfile
import zipfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

#: The models that come with the package.
SHIPPED: Final = Path(__file__).resolve().parent / "artefacts"

#: What a version is called.
NUMBER: Final = re.compile("[1-9][0-9]{0,8}")

MANIFEST: Final = "manifest.json"
WEIGHTS: Final = "weights.npz"
GOLDEN: Final = "golden.npz"
REFERENCE: Final = "reference.json"
CARD: Final = "CARD.md"
SIGNATURE: Final = "manifest.sig"
#: How a sealed file begins.
SEALED: Final = b"TOUCHLINE-SEALED"
#: A file larger than this is not read, bytes.
MOST_BYTES: Final = 1 << 30

Arrays = Mapping[str, NDArray[Any]]


class ArtefactMissing(FileNotFoundError):
    """A model, version or file is not there; the message names it."""


class ArtefactDamaged(ValueError):
    """A file of an artefact is not what was saved; the message names it."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """Everything about a model but its numbers. Only plain values, so that it goes to JSON and back unchanged.

    ``inputs`` and ``outputs`` by name: ``shape`` without the batch, ``channels`` or ``unit``. ``normalisation``:
    channel to [centre, spread]. ``config`` is what the network is built from. ``data``: data set to sha256.
    ``metrics``: name of a set of figures to the figures and their ``split``. ``files``: name to sha256. ``seen``:
    data set to fingerprints of what of it was trained on (see touchline/training/fingerprints.py); empty in versions
    stored before there were any, and where nothing recorded was.
    """

    name: str
    version: str
    inputs: Mapping[str, Mapping[str, Any]]
    outputs: Mapping[str, Mapping[str, Any]]
    normalisation: Mapping[str, Any]
    config: Mapping[str, Any]
    training: Mapping[str, Any]
    data: Mapping[str, str]
    metrics: Mapping[str, Any]
    files: Mapping[str, str] = field(default_factory=dict)
    seen: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Artefact:
    """A model read back: its manifest, its weights by variable, and its golden example.

    ``golden`` holds ``input_0 …`` and ``output_0 …`` in the network's order. ``reference``: what drift is measured
    from, where there is something.
    """

    manifest: Manifest
    weights: Arrays
    golden: Arrays
    reference: Mapping[str, Any] | None = None


def find_artefact(root: Path, name: str, version: str | None = None) -> Path:
    """The folder of a version, without one of the newest. Raises :class:`ArtefactMissing`."""
    known = versions(root, name)
    if not known:
        raise ArtefactMissing(f"no model {name!r} in {root}")
    if version is not None and version not in known:
        raise ArtefactMissing(
            f"no version {version!r} of model {name!r} in {root}; there is {', '.join(known)}"
        )
    return root / name / (version or known[-1])


def versions(root: Path, name: str) -> list[str]:
    """Versions of a model, oldest first. A version is a whole number from 1 on."""
    folder = root / name
    if not folder.is_dir():
        return []
    found = [entry.name for entry in folder.iterdir() if entry.is_dir() and NUMBER.fullmatch(entry.name)]
    return sorted(found, key=int)


def next_version(root: Path, name: str) -> str:
    """The version a newly trained model gets."""
    known = versions(root, name)
    return str(int(known[-1]) + 1) if known else "1"


class Trust(Protocol):
    """Says whether a manifest is signed by somebody who may, and opens what is sealed."""

    def check(self, folder: Path, manifest: bytes) -> str:
        """The key's id. Raises :class:`ArtefactMissing` or :class:`ArtefactDamaged` naming the file."""

    def opened(self, path: Path, data: bytes) -> bytes:
        """The plain bytes of a sealed file. Raises :class:`ArtefactDamaged` naming it."""


def read_manifest(folder: Path, trust: Trust | None = None) -> Manifest:
    """The manifest alone, unverified against the other files; with ``trust`` its signature is checked."""
    text = _read(folder / MANIFEST)
    if trust is not None:
        trust.check(folder, text)
    try:
        return Manifest(**json.loads(text))
    except (ValueError, TypeError) as error:
        raise ArtefactDamaged(f"{folder / MANIFEST}: not a manifest: {error}") from error


def load_artefact(folder: Path, trust: Trust | None = None) -> Artefact:
    """Read a version and check every file's sha256, that there is no other file, and with ``trust`` the signature.

    Raises :class:`ArtefactMissing` or :class:`ArtefactDamaged`, naming the file. That the network still answers
    as it did is checked where it is built, in :func:`models.restore.restore`.
    """
    if not folder.is_dir():
        raise ArtefactMissing(f"no model at {folder}")
    manifest = read_manifest(folder, trust)
    _check_place(folder, manifest)
    contents = {name: _verified(folder / name, digest) for name, digest in manifest.files.items()}
    weights = contents[WEIGHTS]
    if weights.startswith(SEALED):
        if trust is None:
            raise ArtefactDamaged(f"{folder / WEIGHTS}: is sealed")
        weights = trust.opened(folder / WEIGHTS, weights)
    return Artefact(
        manifest=manifest,
        weights=_arrays(folder / WEIGHTS, weights),
        golden=_arrays(folder / GOLDEN, contents[GOLDEN]),
        reference=_reference(folder / REFERENCE, contents.get(REFERENCE)),
    )


def _check_place(folder: Path, manifest: Manifest) -> None:
    """See that the manifest is this folder's, and names what is in it: no more, no less."""
    where = folder / MANIFEST
    if (folder.parent.name, folder.name) != (manifest.name, manifest.version):
        raise ArtefactDamaged(f"{where}: is of model {manifest.name!r} version {manifest.version!r}")
    named = set(manifest.files)
    if absent := {WEIGHTS, GOLDEN, CARD} - named:
        raise ArtefactDamaged(f"{where}: no sha256 of {', '.join(sorted(absent))}")
    found = {entry.name for entry in folder.iterdir()}
    if outside := {name for name in named if Path(name).name != name or name.startswith(".")}:
        raise ArtefactDamaged(f"{where}: {', '.join(sorted(outside))} is no name of a file here")
    if strange := found - named - {MANIFEST, SIGNATURE}:
        raise ArtefactDamaged(f"{folder / min(strange)}: not in the manifest")


def save_artefact(root: Path, artefact: Artefact, card: str) -> Path:
    """Write a version, all of it or nothing. Raises ``FileExistsError`` where the version is there."""
    manifest = artefact.manifest
    target = root / manifest.name / manifest.version
    if target.exists():
        raise FileExistsError(f"{target} exists; a version is never changed")
    contents = {
        WEIGHTS: _packed(artefact.weights),
        GOLDEN: _packed(artefact.golden),
        CARD: card.encode(),
    }
    if artefact.reference is not None:
        contents[REFERENCE] = json.dumps(artefact.reference, allow_nan=False).encode() + b"\n"
    described = asdict(manifest) | {"files": {name: _sha256(data) for name, data in contents.items()}}
    contents[MANIFEST] = json.dumps(described, indent=1, sort_keys=True, allow_nan=False).encode() + b"\n"
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".saving-") as scratch:
        folder = Path(scratch) / manifest.version
        folder.mkdir()
        for name, data in contents.items():
            (folder / name).write_bytes(data)
        os.rename(folder, target)  # noqa: PTH104 (refuses a non-empty target, as it should)
    return target


def _read(path: Path) -> bytes:
    try:
        if path.stat().st_size > MOST_BYTES:
            raise ArtefactDamaged(f"{path}: larger than {MOST_BYTES} bytes")
        return path.read_bytes()
    except FileNotFoundError:
        raise ArtefactMissing(f"{path} is missing") from None


def _verified(path: Path, digest: str) -> bytes:
    data = _read(path)
    if _sha256(data) != digest:
        raise ArtefactDamaged(f"{path}: sha256 differs from the manifest's")
    return data


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _packed(arrays: Arrays) -> bytes:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **dict(arrays))
    return buffer.getvalue()


def _reference(path: Path, data: bytes | None) -> Mapping[str, Any] | None:
    if data is None:
        return None
    try:
        found = json.loads(data)
        features = [(feature["edges"], feature["share"]) for feature in found["features"].values()]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ArtefactDamaged(f"{path}: not a reference: {error}") from error
    if not all(len(share) == len(edges) + 1 for edges, share in features):
        raise ArtefactDamaged(f"{path}: not a reference: edges and shares do not go together")
    return dict(found)


def _arrays(path: Path, data: bytes) -> dict[str, NDArray[Any]]:
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}
    except (ValueError, OSError, zipfile.BadZipFile) as error:
        raise ArtefactDamaged(f"{path}: not an array archive: {error}") from error
