"""The registry on disk as commands see it: what is there, whose it is, and moving labels only to what is proven."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from models.artefact import SHIPPED, ArtefactDamaged, ArtefactMissing, load_artefact, read_manifest, versions
from models.labels import (
    Label,
    check_share,
    history,
    move_canary,
    move_label,
    read_labels,
    read_routing,
    stable_before,
)
from models.sealed import seal_weights
from models.signature import Trusted, local_key, sign, trusted
from stream.errors import MissingError, ModelMissing, ModelRefused, UsageError
from stream.settings import Settings
from touchline.fit import check_fit

#: Rows that a version has to answer before a label moves to it.
WARM_ROWS: Final = 1


class Registry:
    """The models under ``settings.model_dir``, or those that come with the package."""

    def __init__(self, settings: Settings) -> None:
        self.root = settings.model_dir or SHIPPED
        self.trust = trust(settings)

    def listed(self) -> list[dict[str, Any]]:
        """Every model with its versions and labels. Raises ModelMissing where there is none at all."""
        entries = sorted(entry.name for entry in self.root.iterdir()) if self.root.is_dir() else []
        names = [name for name in entries if versions(self.root, name)]
        if not names:
            raise ModelMissing(f"no models in {self.root}; train some or name another --model-dir")
        return [{"name": name, "versions": versions(self.root, name), **self._labels(name)} for name in names]

    def _labels(self, name: str) -> dict[str, Any]:
        routing = read_routing(self.root, name)
        return {"labels": dict(routing.labels)} | ({"canary_share": routing.share} if routing.share else {})

    def shown(self, name: str, version: str | None) -> dict[str, Any]:
        """A version's manifest with its labels and the model's history."""
        folder = self.folder(name, version)
        labels = read_labels(self.root, name)
        manifest = read_manifest(folder)
        return {
            "name": name,
            "version": folder.name,
            "labels": sorted(label for label, of in labels.items() if of == folder.name),
            "inputs": manifest.inputs,
            "outputs": manifest.outputs,
            "training": manifest.training,
            "data": manifest.data,
            "metrics": manifest.metrics,
            "files": manifest.files,
            "history": history(self.root, name),
        }

    def verified(self, name: str | None, version: str | None) -> list[dict[str, Any]]:
        """Every version asked for: hash, signature, nothing else there, and that it fits; ``error`` says what not."""
        names = [name] if name else [model["name"] for model in self.listed()]
        pairs = [(n, v) for n in names for v in ([version] if version else versions(self.root, n))]
        if not pairs:
            raise ModelMissing(f"no model {name!r} in {self.root}")
        return [{"name": n, "version": v, "error": self._fault(n, v)} for n, v in pairs]

    def _fault(self, name: str, version: str) -> str | None:
        try:
            check_fit(load_artefact(self.root / name / version, self.trust).manifest)
        except (ArtefactMissing, ArtefactDamaged, ModelRefused) as error:
            return str(error)
        return None

    def promote(self, name: str, version: str) -> dict[str, Any]:
        """Make a version stable, once it has proven itself. If it was the canary, the trial is over."""
        moved = self._move(name, "stable", self.folder(name, version).name)
        if read_labels(self.root, name).get("canary") == moved["to"]:
            move_label(self.root, name, "canary", None)
        return moved

    def rollback(self, name: str) -> dict[str, Any]:
        """Make the version stable that was so before. Raises ModelMissing where there was none."""
        try:
            return self._move(name, "stable", stable_before(self.root, name), back=True)
        except ArtefactMissing as error:
            raise ModelMissing(str(error)) from None

    def canary(self, name: str, version: str, share: float) -> dict[str, Any]:
        """Give a share of the athletes to a version, once it has proven itself. Raises UsageError for no share."""
        folder = self.folder(name, version)
        labels = read_labels(self.root, name)
        if labels["stable"] == folder.name:
            raise UsageError(
                f"version {version} of model {name!r} is stable: there is nothing to try it against"
            )
        try:
            check_share(share)
        except ValueError as error:
            raise UsageError(str(error)) from None
        before = labels.get("canary")
        prove(folder, self.trust)
        labels = move_canary(self.root, name, folder.name, share)
        return {"name": name, "label": "canary", "from": before, "to": labels["canary"], "share": share}

    def shadow(self, name: str, version: str) -> dict[str, Any]:
        """Let a version score beside the stable one, unseen, once it has proven itself."""
        return self._move(name, "shadow", self.folder(name, version).name)

    def without(self, name: str, label: Label) -> dict[str, Any]:
        """Take a label away; no harm where no version has it."""
        self.folder(name, None)
        before = read_labels(self.root, name).get(label)
        if before is not None:
            move_label(self.root, name, label, None)
        return {"name": name, "label": label, "from": before, "to": None}

    def sign(self, name: str, version: str, settings: Settings) -> str:
        """Vouch for a version with this machine's key, once its files are what its manifest says; the key's id.

        Raises ModelMissing, or ArtefactDamaged naming the file.
        """
        folder = self.folder(name, version)
        load_artefact(folder, Vouching(self.trust.keys, self.trust.passphrase))
        return sign(folder, local_key(settings.keys.expanduser()))

    def _move(self, name: str, label: Label, version: str, *, back: bool = False) -> dict[str, Any]:
        before = read_labels(self.root, name).get(label)
        prove(self.root / name / version, self.trust)
        labels = move_label(self.root, name, label, version, back=back)
        return {"name": name, "label": label, "from": before, "to": labels[label]}

    def folder(self, name: str, version: str | None) -> Path:
        """Where a version lies, the stable one without any. Raises ModelMissing with what there is."""
        known = versions(self.root, name)
        wanted = version or (read_labels(self.root, name)["stable"] if known else None)
        if wanted not in known:
            sought = f"version {version} of model {name!r}" if known else f"model {name!r}"
            there = (
                f"; there is {', '.join(known)}" if known else "; `touchline models list` tells what there is"
            )
            raise ModelMissing(f"no {sought} in {self.root}{there}")
        return self.root / name / str(wanted)


def keep_stable(root: Path, name: str) -> None:
    """Before a version comes: without a label the newest is stable, so the one that is gets it."""
    if versions(root, name):
        move_label(root, name, "stable", read_labels(root, name)["stable"])


@dataclass(frozen=True, slots=True)
class Vouching(Trusted):
    """Trust for a version that is about to be signed: whoever signed it before, if anybody."""

    def check(self, folder: Path, manifest: bytes) -> str:  # noqa: ARG002 (the protocol's)
        """Nobody's id."""
        return ""


def trust(settings: Settings) -> Trusted:
    """The keys whose versions are taken: that of the release, and those in the folder ``keys``.

    Raises MissingError or UsageError where a passphrase for sealed weights is named and not there.
    """
    return trusted([SHIPPED, settings.keys.expanduser()], passphrase_in(settings.model_passphrase))


def finish(folder: Path, settings: Settings) -> str:
    """Seal a new version's weights where a passphrase is named, and sign it; the id of the key."""
    passphrase = passphrase_in(settings.model_passphrase)
    if passphrase is not None:
        seal_weights(folder, passphrase)
    return sign(folder, local_key(settings.keys.expanduser()))


def passphrase_in(file: Path | None) -> bytes | None:
    """The first line of a file. Raises MissingError without the file, UsageError where it is empty."""
    if file is None:
        return None
    if not file.is_file():
        raise MissingError(f"{file} is not there")
    phrase = file.read_bytes().split(b"\n", 1)[0].rstrip(b"\r")
    if not phrase:
        raise UsageError(f"{file}: its first line shall be the passphrase, and is empty")
    return phrase


def prove(folder: Path, keys: Trusted) -> None:
    """See that a version is whole, signed and fits, answers its golden example, and takes a batch.

    Raises :class:`~stream.errors.ModelRefused` naming what is wrong.
    """
    from models.batched import Batched  # noqa: PLC0415 (TensorFlow takes seconds to import)
    from models.restore import restore  # noqa: PLC0415

    try:
        artefact = load_artefact(folder, keys)
        check_fit(artefact.manifest)
        Batched(restore(artefact)).warm_up()
    except (ArtefactMissing, ArtefactDamaged) as error:
        raise ModelRefused(str(error)) from None
