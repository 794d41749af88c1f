"""One version of one model, checked, compiled and warm, its inputs and outputs by name. Knows no requests.

Not thread-safe: one thread calls it, once another is done with warming it up.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.artefact import Artefact, Manifest, Trust, load_artefact
from models.batched import Batched
from models.drift import Drift
from models.explain import Explainer, output_of
from models.lean import keras
from models.restore import restore
from models.tensors import Explained, Tensor

Float32 = NDArray[np.float32]


class Servable:
    """A network with its names. Its golden example was answered right before it is here."""

    def __init__(self, artefact: Artefact) -> None:
        model = restore(artefact)
        manifest = artefact.manifest
        self.manifest, self.name, self.version = manifest, manifest.name, manifest.version
        self.inputs = _tensors([i.name for i in model.inputs], model.inputs, manifest.inputs)
        self.outputs = _tensors(model.output_names, model.outputs, _with_levels(manifest))
        self._network = Batched(model)
        self._model = model
        self._explainers: dict[int, Explainer] = {}
        self._drift = None if artefact.reference is None else Drift(artefact.reference)
        self._tell_drift: Callable[[Mapping[str, float]], None] | None = None

    def warm_up(self) -> dict[int, float]:
        """Trace the network; seconds it took."""
        return self._network.warm_up()

    def __call__(self, inputs: Mapping[str, NDArray[Any]]) -> dict[str, Float32]:
        """Every input ``(B, *shape)`` by name to every output ``(B, *shape)`` by name."""
        given = [inputs[tensor.name] for tensor in self.inputs]
        answers = self._network(*given)
        if self._drift is not None and self._tell_drift is not None and len(answers[0]):
            told = (
                [(t.name, t.about, a) for t, a in zip(tensors, arrays, strict=True)]
                for tensors, arrays in ((self.inputs, given), (self.outputs, answers))
            )
            found = self._drift.add(*told)
            if found is not None:
                self._tell_drift(found)
        return {tensor.name: answer for tensor, answer in zip(self.outputs, answers, strict=True)}

    def watch_drift(self, tell: Callable[[Mapping[str, float]], None]) -> None:
        """From now on tell now and then how far it has drifted from its training set, if it has a reference."""
        self._tell_drift = tell

    def explain(
        self,
        inputs: Mapping[str, NDArray[Any]],
        baselines: Mapping[str, NDArray[Any]],
        output: str,
        weights: NDArray[Any],
    ) -> Explained:
        """What pushed the sum of an output's entries times ``weights``, away from that of ``baselines`` ``(1, …)``.

        May run beside a call, in one thread; the first time for an output takes seconds.
        """
        index = [tensor.name for tensor in self.outputs].index(output)
        if index not in self._explainers:
            self._explainers[index] = output_of(self._model, index)
        given, start = ([arrays[t.name] for t in self.inputs] for arrays in (inputs, baselines))
        found = self._explainers[index](given, start, weights)
        pushes = {tensor.name: push for tensor, push in zip(self.inputs, found.inputs, strict=True)}
        return Explained(pushes, found.answer, found.baseline, found.gap, found.complete)


def load_servable(folder: Path, trust: Trust | None) -> Servable:
    """Load a version whose hashes and signature are right. Raises ArtefactMissing or ArtefactDamaged."""
    return Servable(load_artefact(folder, trust))


def _with_levels(manifest: Manifest) -> Mapping[str, Mapping[str, Any]]:
    """What is known of the outputs; of quantiles also their levels, which the network is built from."""
    levels = {"levels": manifest.config["levels"]} if "levels" in manifest.config else {}
    return {
        name: {**about, **(levels if name == "quantiles" else {})} for name, about in manifest.outputs.items()
    }


def _tensors(
    names: Iterable[str], symbols: Iterable[keras.KerasTensor], about: Mapping[str, Mapping[str, Any]]
) -> tuple[Tensor, ...]:
    """Names and shapes as the network has them; what is known of each from the manifest."""
    known = {name: {k: v for k, v in entry.items() if k != "shape"} for name, entry in about.items()}
    return tuple(
        Tensor(name, tuple(symbol.shape[1:]), known.get(name, {}))
        for name, symbol in zip(names, symbols, strict=True)
    )
