"""Fleet: the registry as a worker needs it. Versions by label or policy, loaded and proven; a canary taken back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import structlog

from models.artefact import SHIPPED, ArtefactDamaged, ArtefactMissing, find_artefact, read_manifest, versions
from models.labels import history, move_label, read_routing
from stream import metrics
from stream.errors import ModelMissing, ModelRefused
from stream.infer import Engine
from stream.labels import Labels
from stream.settings import Settings
from touchline.fit import check_fit
from touchline.registry import trust

log = structlog.get_logger(__name__)

NEEDED: Final = ("forecast", "performance", "injury")


class RegistryFleet:
    """The models under ``settings.model_dir``, or those that come with the package."""

    def __init__(self, settings: Settings) -> None:
        self._root = settings.model_dir or SHIPPED
        self._trust = trust(settings)
        self._policy = settings.model_policy
        self._passed_by: set[Path] = set()

    def start(self) -> tuple[Engine, Mapping[str, Labels]]:
        """The versions to begin with, and the labels of that moment. Raises ModelRefused or ModelMissing."""
        from models.device import gpu_bytes  # noqa: PLC0415 (TensorFlow takes seconds to import)
        from models.engine import Engine as Networks  # noqa: PLC0415

        labels = self.labels()
        try:
            named = {name: of.stable for name, of in labels.items()}
            engine = Networks(self._root, named=named, trust=self._trust)
        except (ArtefactMissing, ArtefactDamaged) as error:
            raise ModelRefused(str(error)) from None
        engine.warm_up(compiled=False)
        engine.watch_drift(metrics.tell_drift)
        metrics.watch_gpu(gpu_bytes if engine.device == "GPU" else None)
        return engine, labels

    def labels(self) -> Mapping[str, Labels]:
        """Each model's labels; by the policies ``latest`` and ``pinned`` one version and no trials."""
        try:
            if self._policy == "latest":
                return {name: Labels(self._newest(name)) for name in NEEDED}
            found = {name: labels_of(self._root, name) for name in NEEDED}
        except ArtefactMissing as error:
            raise ModelMissing(
                f"{error}; train models with `make train` or name a folder with --model-dir"
            ) from None
        except ArtefactDamaged as error:
            raise ModelRefused(str(error)) from None
        return found if self._policy == "label" else {n: Labels(of.stable) for n, of in found.items()}

    def _newest(self, name: str) -> str:
        """The newest version that is signed and fits: one may be half there, or never be trusted.

        Raises ArtefactMissing where there is none at all, else what is wrong with the newest.
        """
        wrong: Exception | None = None
        for version in reversed(versions(self._root, name)):
            folder = find_artefact(self._root, name, version)
            try:
                check_fit(read_manifest(folder, self._trust))
            except (ArtefactMissing, ArtefactDamaged, ModelRefused) as error:
                wrong = wrong or error
                if folder not in self._passed_by:
                    log.warning("a version is passed by", model=name, version=version, error=str(error))
                self._passed_by.add(folder)
            else:
                return version
        raise wrong or ArtefactMissing(f"no model {name!r} in {self._root}")

    def check(self) -> dict[str, str]:
        """Folder of each model to begin with, its manifest checked. Raises ModelMissing or ModelRefused."""
        folders = {n: find_artefact(self._root, n, of.stable) for n, of in self.labels().items()}
        try:
            for folder in folders.values():
                check_fit(read_manifest(folder, self._trust))
        except (ArtefactMissing, ArtefactDamaged) as error:
            raise ModelRefused(
                f"{error}; see `touchline models verify`, or sign it with `touchline models sign`"
            ) from None
        return {name: str(folder) for name, folder in folders.items()}

    def load(self, engine: Engine, name: str, version: str) -> Engine:
        """``engine`` with another version of one model, proven and warm. Raises ModelRefused."""
        from models.engine import Engine as Networks  # noqa: PLC0415 (TensorFlow takes seconds to import)

        assert isinstance(engine, Networks), "the fleet made it"
        try:
            folder = find_artefact(self._root, name, version)
            check_fit(read_manifest(folder, self._trust))
            return engine.replaced(folder, self._trust)
        except (ArtefactMissing, ArtefactDamaged) as error:
            raise ModelRefused(str(error)) from None

    def take_back(self, name: str, labels: Labels) -> Labels:
        """Take the label from the canary of ``labels``, if it still has it; the labels then.

        Of a registry that cannot be read or written only the answer says so.
        """
        try:
            if labels_of(self._root, name).canary == labels.canary:
                move_label(self._root, name, "canary", None)
            return labels_of(self._root, name)
        except (OSError, ArtefactDamaged) as error:
            log.warning("the registry keeps a label that was taken back", model=name, error=str(error))
            now_us = round(datetime.now(UTC).timestamp() * 1e6)
            return replace(labels, canary=None, share=0.0, moved_us=now_us)


def labels_of(root: Path, name: str) -> Labels:
    """A model's labels on disk, and when they last moved. Raises ArtefactMissing or ArtefactDamaged."""
    if not versions(root, name):
        raise ArtefactMissing(f"no model {name!r} in {root}")
    routing, moves = read_routing(root, name), history(root, name)
    moved_us = round(datetime.fromisoformat(moves[-1]["at"]).timestamp() * 1e6) if moves else 0
    roles = routing.labels
    return Labels(roles["stable"], roles.get("canary"), roles.get("shadow"), routing.share, moved_us)
