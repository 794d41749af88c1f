"""The engine: three models on one device, numpy in and numpy out. Where TensorFlow ends.

Loads artefacts, picks the device, compiles each network once per batch size. Not thread-safe by design: one
thread calls it (further sizes may be warmed up from another).
"""

from __future__ import annotations

import copy
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from models.artefact import SHIPPED, Artefact, Manifest, Trust, find_artefact, load_artefact
from models.batched import Batched
from models.device import use_device
from models.drift import Drift
from models.explain import Explainer, output_of, percentile_of
from models.half import in_half
from models.labels import find_labelled
from models.restore import restore

log = logging.getLogger(__name__)

Float32 = NDArray[np.float32]
#: Told a model, its version and how far each feature has drifted from the training set.
TellDrift = Callable[[str, str, Mapping[str, float]], None]

MODELS: Final = ("forecast", "performance", "injury")
#: Networks worth XLA's time, and the sizes of batches it compiles them for; injury runs once per athlete and session.
COMPILED: Final = frozenset({"forecast", "performance"})
#: UNVERIFIED on a GPU: without XLA there, so that Keras takes cuDNN's LSTM.
BATCH_SIZES: Final = {"CPU": (32, 256), "GPU": ()}


@dataclass(frozen=True, slots=True)
class ForecastOutput:
    """The next minute of B athletes.

    Medians second by second, ``(B, 60)``: ``heart_rate`` bpm, ``speed`` m/s, ``yaw_rate`` deg/s,
    ``acceleration`` m/s². ``bands (B, 3, 6, 2)``: 10th and 90th percentile of the first three at 5, 10, 20, 30,
    40 and 60 s.
    """

    heart_rate: Float32
    speed: Float32
    yaw_rate: Float32
    acceleration: Float32
    bands: Float32


class Engine:
    """Runs the stable (or the named) version of every model under ``root``, with ``trust`` only if it is signed.

    ``threads``: how many TensorFlow may use within an operation; only heeded before its first use in a process.
    Raises :class:`~models.artefact.ArtefactMissing` and :class:`~models.artefact.ArtefactDamaged`.
    """

    def __init__(
        self,
        root: Path = SHIPPED,
        batch_sizes: Sequence[int] | None = None,
        named: Mapping[str, str] | None = None,
        threads: int | None = None,
        trust: Trust | None = None,
    ) -> None:
        self.device = use_device(threads)
        self._sizes = tuple(BATCH_SIZES[self.device] if batch_sizes is None else batch_sizes)
        self.manifests: dict[str, Manifest] = {}
        self._networks: dict[str, Batched] = {}
        self._explainers: dict[str, Explainer] = {}
        self._references: dict[str, Mapping[str, Any] | None] = {}
        self._drifts: dict[str, Drift] = {}
        self._tell_drift: TellDrift | None = None
        for name in MODELS:
            version = (named or {}).get(name)
            folder = find_artefact(root, name, version) if version else find_labelled(root, name)
            self._put(load_artefact(folder, trust), self._sizes)

    def _put(self, artefact: Artefact, batch_sizes: Sequence[int]) -> None:
        name = artefact.manifest.name
        model = restore(artefact)
        if self.device == "GPU":  # UNVERIFIED
            model = in_half(artefact)
        self._networks[name] = Batched(model, batch_sizes if name in COMPILED else ())
        if name == "injury":
            self._explainers[name] = output_of(model, 0)
        if name == "performance":
            self._explainers[name] = percentile_of(model, artefact.manifest.config["levels"])
        self.manifests[name] = artefact.manifest
        self._references[name] = artefact.reference
        self._begin_drift(name)

    def watch_drift(self, tell: TellDrift) -> None:
        """From now on tell now and then how far each model that has a reference has drifted from it."""
        self._tell_drift = tell
        for name in self.manifests:
            self._begin_drift(name)

    def _begin_drift(self, name: str) -> None:
        self._drifts.pop(name, None)
        reference = self._references[name]
        if reference is not None and self._tell_drift is not None:
            self._drifts[name] = Drift(reference)

    def replaced(self, folder: Path, trust: Trust | None = None) -> Engine:
        """An engine with the version in ``folder`` in the place of that model's, warm; the others are shared.

        May run in another thread than the one that calls this engine. Raises as the constructor does.
        """
        other = copy.copy(self)
        other._take(load_artefact(folder, trust))  # noqa: SLF001 (one of us)
        return other

    def _take(self, artefact: Artefact) -> None:
        """Another version of a model, without touching what a copy of this engine shares."""
        self.manifests, self._networks = dict(self.manifests), dict(self._networks)
        self._explainers, self._drifts = dict(self._explainers), dict(self._drifts)
        self._references = dict(self._references)
        self._put(artefact, self._sizes)
        self._networks[artefact.manifest.name].warm_up(())

    @property
    def versions(self) -> dict[str, str]:
        """Model name to version."""
        return {name: manifest.version for name, manifest in self.manifests.items()}

    @property
    def quantile_levels(self) -> tuple[float, ...]:
        """Levels of the columns of :meth:`performance`, rising."""
        return tuple(self.manifests["performance"].config["levels"])

    @property
    def today_helps(self) -> bool:
        """Whether the injury model was shown to rank better once today's load is known."""
        return bool(self.manifests["injury"].outputs.get("probability", {}).get("today_helps", False))

    def warm_up(self, *, compiled: bool = True) -> dict[str, dict[int, float]]:
        """Trace all networks and compile them for all batch sizes, or leave that to the calls that want them.

        Seconds each took, by model.
        """
        took = {name: network.warm_up(None if compiled else ()) for name, network in self._networks.items()}
        log.debug("warm %s", took)
        return took

    def forecast(self, x: NDArray[Any], anchor: NDArray[Any], earlier: NDArray[Any]) -> ForecastOutput:
        """``x (B, 120, 2C)`` own terms and presence, ``anchor (B, 3)`` last heart rate, last speed, 0.

        ``earlier (B, 24, 2E)``: own terms and presence of the half-minutes before.
        """
        median, acceleration, bands = self._run("forecast", x, anchor, earlier)
        return ForecastOutput(median[:, 0], median[:, 1], median[:, 2], acceleration, bands)

    def performance(self, effort: NDArray[Any], static: NDArray[Any]) -> tuple[Float32, Float32]:
        """``effort (B, 120, E)``, ``static (B, S)`` to rising quantiles ``(B, Q)`` of output over own centre.

        And the output ``(B,)`` that efficiencies are counted from.
        """
        quantiles, usual = self._run("performance", effort, static)
        return quantiles, usual[:, 0]

    def injury(self, days: NDArray[Any]) -> Float32:
        """``days (B, 14, D)`` to the members' calibrated probabilities ``(B, M)``."""
        return self._run("injury", days)[0]

    def _run(self, name: str, *inputs: NDArray[Any]) -> list[Float32]:
        network, manifest = self._networks[name], self.manifests[name]
        outputs = network(*inputs)
        if name in self._drifts and len(outputs[0]):
            given = [
                (one, manifest.inputs.get(one, {}), a)
                for one, a in zip(network.input_names, inputs, strict=True)
            ]
            told = [
                (one, manifest.outputs.get(one, {}), a)
                for one, a in zip(network.output_names, outputs, strict=True)
            ]
            found = self._drifts[name].add(given, told)
            if found is not None and self._tell_drift is not None:
                self._tell_drift(name, manifest.version, found)
        return outputs

    def injury_pushes(self, days: NDArray[Any], ordinary: NDArray[Any]) -> Float32:
        """How far each entry of ``days (B, 14, D)`` pushed the mean probability away from that of ``ordinary``."""
        members = self._networks["injury"].outputs[0]
        return self._explainers["injury"]([days], [ordinary], np.full(members, 1 / members[0])).inputs[0]

    def performance_pushes(
        self, given: tuple[NDArray[Any], ...], ordinary: tuple[NDArray[Any], ...]
    ) -> tuple[Float32, ...]:
        """Of ``effort``, ``static`` and the output ``(B,)``: how far each entry pushed the percentile, 0 to 1.

        ``ordinary``: the same three where nothing pushes.
        """
        return self._explainers["performance"](given, ordinary).inputs
