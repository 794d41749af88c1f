"""The registry on disk as the service sees it. TensorFlow is imported at the first load, and only there."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable
from functools import partial
from pathlib import Path

import structlog

from models.artefact import ArtefactDamaged, ArtefactMissing, Manifest, Trust, versions
from models.labels import read_labels
from stream.errors import ModelMissing, ModelRefused
from stream.metrics import tell_drift, watch_gpu
from stream.serving import metrics
from stream.serving.held import Held
from stream.serving.network import Listing, Network

log = structlog.get_logger(__name__)


class DiskLibrary:
    """The models under ``root``; a version is taken only if ``trust`` says whose it is.

    ``fit`` raises ModelRefused for a version that the stages cannot ask: it is served, but scores no frames.
    """

    def __init__(self, root: Path, trust: Trust, fit: Callable[[Manifest], None]) -> None:
        self.root, self._trust, self._fit = root, trust, fit

    def listing(self) -> dict[str, Listing]:
        """Every model by name; one whose labels cannot be read is told of and left out.

        Raises ModelMissing where there is no model at all.
        """
        entries = sorted(entry.name for entry in self.root.iterdir()) if self.root.is_dir() else []
        known = {name: versions(self.root, name) for name in entries}
        if not any(known.values()):
            raise ModelMissing(f"no models in {self.root}; train some or name another --model-dir")
        found: dict[str, Listing] = {}
        for name, numbers in known.items():
            try:
                if numbers:
                    found[name] = Listing(numbers, read_labels(self.root, name))
            except (ArtefactMissing, ArtefactDamaged) as error:
                log.warning("labels cannot be read", model=name, error=str(error))
        return found

    def fingerprint(self, name: str, version: str) -> Hashable:
        """Names, sizes and times of the version's files."""
        folder = self.root / name / version
        files = [(file.name, file.stat()) for file in folder.iterdir()] if folder.is_dir() else []
        return tuple(sorted((file, stat.st_size, stat.st_mtime_ns) for file, stat in files))

    def load(self, name: str, version: str) -> Network:
        """Load, check and warm up. Raises ModelRefused naming what is wrong."""
        from models.device import gpu_bytes, use_device  # noqa: PLC0415 (TensorFlow takes seconds to import)
        from models.servable import load_servable  # noqa: PLC0415

        watch_gpu(gpu_bytes if use_device() == "GPU" else None)
        begin = time.perf_counter()
        try:
            servable = load_servable(self.root / name / version, self._trust)
        except (ArtefactMissing, ArtefactDamaged) as error:
            raise ModelRefused(str(error)) from None
        metrics.LOAD_SECONDS.labels(name, version).set(time.perf_counter() - begin)
        metrics.WARM_SECONDS.labels(name, version).set(sum(servable.warm_up().values()))
        servable.watch_drift(partial(tell_drift, name, version))
        return Held(servable, self._misfit(servable.manifest))

    def _misfit(self, manifest: Manifest) -> str | None:
        try:
            self._fit(manifest)
        except ModelRefused as error:
            return str(error)
        return None
