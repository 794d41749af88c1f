"""One version as one file, whole or quantised, and from such a file into a registry.

What is taken in was signed by a key that is trusted here, answers its own golden example, and never changes which
version is stable.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from models.archive import Files, read_archive, write_archive
from models.artefact import (
    CARD,
    MANIFEST,
    WEIGHTS,
    Artefact,
    ArtefactDamaged,
    ArtefactMissing,
    load_artefact,
    next_version,
    save_artefact,
    versions,
)
from models.labels import read_labels
from models.packed import packing, unpacking
from models.quantise import Kind, dequantise, quantise
from models.sealed import seal_weights
from models.signature import Trusted, key_id, sign
from stream.errors import ModelRefused
from touchline.backup import check_new, check_there, refusing, scratch_beside
from touchline.registry import Registry, keep_stable, prove

#: A file whose version claims more than this is not unpacked, bytes.
MOST_VERSION: Final = 1 << 31


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to export: a model, its version (the stable one without any), where to, and sealed with what."""

    name: str
    version: str | None
    file: Path
    passphrase: bytes | None = None


def export_version(registry: Registry, wanted: Wanted) -> dict[str, Any]:
    """Write a version as it is, signature and all. Raises ModelMissing, ModelRefused or UsageError."""
    check_new(wanted.file)
    folder = registry.folder(wanted.name, wanted.version)
    with refusing():
        load_artefact(folder, registry.trust)
        return _written(folder, wanted)


def export_quantised(
    registry: Registry, wanted: Wanted, kind: Kind, key: Ed25519PrivateKey
) -> dict[str, Any]:
    """Write a version with smaller weights, its golden answers computed anew, signed with ``key``.

    What that costs in accuracy is in the answer, in the manifest and in the card. Raises as :func:`export_version`.
    """
    check_new(wanted.file)
    folder = registry.folder(wanted.name, wanted.version)
    with refusing(), scratch_beside(wanted.file) as scratch:
        small, loss = _quantised(folder, registry.trust, kind)
        made = save_artefact(scratch, small, _card(folder, kind, loss))
        sign(made, key)
        plain = _written(folder, replace(wanted, file=scratch / wanted.file.name))["bytes"]
        told = _written(made, wanted)
        before, after = ((at / WEIGHTS).stat().st_size for at in (folder, made))
    sizes = {"weights_bytes": {"before": before, "after": after}, "ratio": told["bytes"] / plain}
    return told | sizes | {"quantised": kind, "loss": loss, "key": key_id(key.public_key())}


def import_version(
    registry: Registry, file: Path, passphrase: bytes | None, key: Ed25519PrivateKey
) -> dict[str, Any]:
    """Take in a file's version: as it is where its number is free, or else as the next one, signed with ``key``.

    Raises MissingError without the file, and ModelRefused for one that is not whole, not signed by a trusted key, or
    does not answer its golden example.
    """
    check_there(file)
    with refusing(), scratch_beside(registry.root) as scratch:
        with unpacking(file, passphrase) as source:
            read_archive(source, str(file), scratch / "in", MOST_VERSION)
        given = _only_version(scratch / "in", file)
        artefact = _trusted(given, registry.trust, file)
        signer = registry.trust.check(given, (given / MANIFEST).read_bytes())
        name = artefact.manifest.name
        told = {"file": str(file), "name": name, "signed_by": signer}
        if _is_there(registry.root / name / given.name, given):
            return told | {"version": given.name, "unchanged": True}
        small = "quantised" in artefact.manifest.training
        if small or given.name in versions(registry.root, name):
            given = _renewed(scratch / "out", artefact, next_version(registry.root, name), given)
            if registry.trust.passphrase is not None:
                seal_weights(given, registry.trust.passphrase)
            sign(given, key)
        own = {key_id(key.public_key()): key.public_key()}
        prove(given, replace(registry.trust, keys={**registry.trust.keys, **own}))
        _take(registry.root, given)
    stable = read_labels(registry.root, name)["stable"]
    return told | {"version": given.name, "unchanged": False, "dequantised": small, "stable": stable}


def _trusted(given: Path, keys: Trusted, file: Path) -> Artefact:
    try:
        return load_artefact(given, keys)
    except (ArtefactMissing, ArtefactDamaged) as error:
        raise ArtefactDamaged(f"{file}: {str(error).replace(f'{given.parent.parent}/', '')}") from None


def _written(folder: Path, wanted: Wanted) -> dict[str, Any]:
    files: Files = {f"{folder.parent.name}/{folder.name}/{path.name}": path for path in folder.iterdir()}
    with packing(wanted.file, wanted.passphrase) as out:
        write_archive(out, files)
    size = wanted.file.stat().st_size
    return {"file": str(wanted.file), "name": folder.parent.name, "version": folder.name, "bytes": size}


def _quantised(folder: Path, keys: Trusted, kind: Kind) -> tuple[Artefact, list[dict[str, Any]]]:
    """A version with smaller weights and its own golden answers, and how far these lie from those it had."""
    from models.divergence import divergence  # noqa: PLC0415 (TensorFlow takes seconds to import)
    from models.restore import build, golden, restore, set_weights  # noqa: PLC0415

    artefact = load_artefact(folder, keys)
    manifest, model = artefact.manifest, restore(artefact)
    try:
        stored = quantise(artefact.weights, kind)
    except ValueError as error:
        raise ModelRefused(f"{folder / WEIGHTS}: {error}") from None
    other = build(manifest.name, manifest.config)
    set_weights(other, dequantise(stored))
    inputs = [artefact.golden[f"input_{i}"] for i in range(len(model.inputs))]
    units = {name: output.get("unit") for name, output in manifest.outputs.items()}
    loss = divergence(model, other, inputs, units)
    note = {"kind": kind, **_origin(folder), "loss": loss}
    changed = replace(manifest, training={**manifest.training, "quantised": note})
    return Artefact(changed, stored, golden(other, inputs), artefact.reference), loss


def _renewed(root: Path, artefact: Artefact, version: str, given: Path) -> Path:
    """The version under another number, with float32 weights, saying where it came from."""
    training = {**artefact.manifest.training, "imported": _origin(given)}
    manifest = replace(artefact.manifest, version=version, training=training)
    try:
        weights = dequantise(artefact.weights)
    except ValueError as error:
        raise ArtefactDamaged(f"{given / WEIGHTS}: {error}") from None
    renewed = Artefact(manifest, weights, artefact.golden, artefact.reference)
    return save_artefact(root, renewed, (given / CARD).read_text())


def _take(root: Path, given: Path) -> None:
    """Move a version into the registry."""
    name = given.parent.name
    keep_stable(root, name)
    (root / name).mkdir(parents=True, exist_ok=True)
    os.rename(given, root / name / given.name)  # noqa: PTH104 (refuses a folder that is not empty)


def _only_version(root: Path, file: Path) -> Path:
    found = {path.parent for path in root.rglob("*") if path.is_file()}
    if len(found) != 1 or len((folder := found.pop()).relative_to(root).parts) != 2:
        raise ModelRefused(f"{file}: is not one version of one model; `models restore` takes backups")
    return folder


def _is_there(folder: Path, given: Path) -> bool:
    manifest = folder / MANIFEST
    return manifest.is_file() and manifest.read_bytes() == (given / MANIFEST).read_bytes()


def _origin(folder: Path) -> Mapping[str, str]:
    digest = hashlib.sha256((folder / MANIFEST).read_bytes()).hexdigest()
    return {"version": folder.name, "manifest_sha256": digest}


def _card(folder: Path, kind: Kind, loss: list[dict[str, Any]]) -> str:
    lines = [
        f"- {one['output']}{' in ' + str(one['unit']) if one['unit'] else ''}: golden example at most"
        f" {one['golden']['max']:.3g}, rows between its rows at most {one['between']['max']:.3g},"
        f" mean {one['between']['mean']:.3g}"
        for one in loss
    ]
    said = f"Weights of version {folder.name} as {kind}. The figures above are that version's; answers differ by:"
    return "\n".join([(folder / CARD).read_text().rstrip(), "", "## Quantised", "", said, "", *lines, ""])
