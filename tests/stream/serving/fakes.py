"""Networks and registries that need neither TensorFlow nor a disk, and an app around them."""

from __future__ import annotations

import threading
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx
import numpy as np
from fastapi import FastAPI
from numpy.typing import NDArray

from models.tensors import Explained, Tensor
from stream.errors import ModelMissing, ModelRefused
from stream.serving.app import create_serving
from stream.serving.batcher import Limits
from stream.serving.frames_body import MODELS
from stream.serving.inference import Service
from stream.serving.network import Arrays, Library, Listing
from stream.serving.scoring import Scorer, Stages
from stream.serving.shelf import Following, Shelf
from tests.fakes import FakeEngine


def _set() -> threading.Event:
    event = threading.Event()
    event.set()
    return event


@dataclass
class Sums:
    """Two inputs, two outputs: ``total`` sums all of a row, ``double`` is twice ``b``. Writes down its batches.

    While ``open`` is not set it does not answer; ``entered`` is set once it has been asked. A row whose ``b`` holds
    13 is too much for it.
    """

    name: str = "sums"
    version: str = "1"
    batches: list[int] = field(default_factory=list)
    open: threading.Event = field(default_factory=_set)
    entered: threading.Event = field(default_factory=threading.Event)
    inputs: tuple[Tensor, ...] = (Tensor("a", (3, 2), {"channels": ["x", "y"]}), Tensor("b", (2,)))
    outputs: tuple[Tensor, ...] = (Tensor("total", (1,), {"unit": "AU"}), Tensor("double", (2,)))
    misfit: str | None = None

    def __call__(self, inputs: Mapping[str, NDArray[Any]]) -> Arrays:
        self.entered.set()
        self.open.wait(10)
        a, b = inputs["a"], inputs["b"]
        self.batches.append(len(a))
        if (b == 13).any():
            raise ArithmeticError("thirteen")
        with np.errstate(over="ignore"):
            total = a.sum((1, 2), dtype=np.float32) + b.sum(1, dtype=np.float32)
            return {"total": total[:, None], "double": 2 * b}

    def explain(self, inputs: Arrays, baselines: Arrays, output: str, weights: NDArray[Any]) -> Explained:
        """Exact: the network is linear."""
        self.entered.set()
        self.open.wait(10)
        a, b = (inputs[name] - baselines[name] for name in "ab")
        if (inputs["b"] == 13).any():
            raise ArithmeticError("thirteen")
        pushes = (
            {"a": a * weights, "b": b * weights} if output == "total" else {"a": 0 * a, "b": 2 * b * weights}
        )
        with np.errstate(over="ignore", invalid="ignore"):
            answer, baseline = ((self(rows)[output] * weights).sum(axis=1) for rows in (inputs, baselines))
            told = sum(push.reshape(len(push), -1).sum(axis=1) for push in pushes.values())
            gap = answer - baseline - told
        return Explained(pushes, answer, np.broadcast_to(baseline, answer.shape), gap, complete=True)


@dataclass
class Mean:
    """One input, one output: ``(3,)`` to its mean and the version."""

    name: str = "mean"
    version: str = "1"
    inputs: tuple[Tensor, ...] = (Tensor("x", (3,)),)
    outputs: tuple[Tensor, ...] = (Tensor("m", (2,)),)
    misfit: str | None = None

    def __call__(self, inputs: Mapping[str, NDArray[Any]]) -> Arrays:
        mean = inputs["x"].mean(1)
        return {"m": np.stack([mean, np.full_like(mean, int(self.version))], axis=1)}

    def explain(self, inputs: Arrays, baselines: Arrays, output: str, weights: NDArray[Any]) -> Explained:
        """Exact: the network is linear."""
        push = (inputs["x"] - baselines["x"]) / 3 * weights[0]
        answer, baseline = ((self(rows)[output] * weights).sum(axis=1) for rows in (inputs, baselines))
        baseline = np.broadcast_to(baseline, answer.shape)
        return Explained({"x": push}, answer, baseline, answer - baseline - push.sum(axis=1), complete=True)


@dataclass
class Asking:
    """One of the models that score frames: the answers of the engine without networks, by name."""

    name: str
    version: str = "1"
    inputs: tuple[Tensor, ...] = ()
    misfit: str | None = None
    engine: FakeEngine = field(default_factory=FakeEngine)

    @property
    def outputs(self) -> tuple[Tensor, ...]:
        levels = self.engine.quantile_levels
        return (Tensor("quantiles", (len(levels),), {"levels": levels}),)

    def __call__(self, inputs: Mapping[str, NDArray[Any]]) -> Arrays:
        if self.name == "injury":
            return {"probability": self.engine.injury(inputs["days"])}
        if self.name == "performance":
            quantiles, usual = self.engine.performance(inputs["effort"], inputs["static"])
            return {"quantiles": quantiles, "usual": usual[:, None]}
        found = self.engine.forecast(inputs["x"], inputs["anchor"], inputs["earlier"])
        median = np.stack([found.heart_rate, found.speed, found.yaw_rate], axis=1)
        return {"median": median, "acceleration": found.acceleration, "bands": found.bands}

    def explain(
        self,
        inputs: Arrays,
        baselines: Arrays,
        output: str,  # noqa: ARG002 (the protocol's)
        weights: NDArray[Any],  # noqa: ARG002 (the protocol's)
    ) -> Explained:
        """Of the risk, as the engine without networks has it."""
        days = self.engine.injury_pushes(inputs["days"], baselines["days"])
        none = np.zeros(len(days), np.float32)
        return Explained({"days": days}, none, none, none, complete=True)


@dataclass
class Shelved:
    """A registry in memory: ``listings`` is what it has, ``faults`` which versions are refused and why."""

    listings: dict[str, Listing]
    faults: dict[tuple[str, str], str] = field(default_factory=dict)
    misfits: dict[tuple[str, str], str] = field(default_factory=dict)
    changes: dict[tuple[str, str], int] = field(default_factory=dict)
    loads: list[tuple[str, str]] = field(default_factory=list)
    sums: Sums = field(default_factory=Sums)

    def listing(self) -> Mapping[str, Listing]:
        if not self.listings:
            raise ModelMissing("no models in memory")
        return dict(self.listings)

    def fingerprint(self, name: str, version: str) -> Hashable:
        return self.changes.get((name, version), 0)

    def load(self, name: str, version: str) -> Sums | Mean | Asking:
        self.loads.append((name, version))
        if (name, version) in self.faults:
            raise ModelRefused(self.faults[name, version])
        if name in MODELS:
            return Asking(name, version, misfit=self.misfits.get((name, version)))
        return self.sums if name == "sums" else Mean(version=version)


def two_models() -> Shelved:
    """``sums`` with one version and ``mean`` with three, of which 2 is stable and 3 canary."""
    return Shelved(
        {
            "sums": Listing(["1"], {"stable": "1"}),
            "mean": Listing(["1", "2", "3"], {"stable": "2", "canary": "3"}),
        }
    )


def scoring_models() -> Shelved:
    """The three models that score frames; of ``forecast`` version 2 is canary, and version 3 is for other stages."""
    one = Listing(["1"], {"stable": "1"})
    forecast = Listing(["1", "2", "3"], {"stable": "1", "canary": "2"})
    return Shelved(
        {"forecast": forecast, "performance": one, "injury": one},
        misfits={("forecast", "3"): "model forecast version 3: trained on other channels"},
    )


def all_models() -> Shelved:
    """Those and the other two."""
    found = scoring_models()
    found.listings |= two_models().listings
    return found


def shelf_over(library: Library, following: Following | None = None, limits: Limits | None = None) -> Shelf:
    """A shelf that does not gather for long."""
    return Shelf(library, following or Following(), limits or Limits(rows=8, queue_rows=16, delay_s=0.001))


def app_over(
    shelf: Shelf, timeout_s: float = 5.0, body_bytes: int = 20_000, stages: Stages | None = None
) -> FastAPI:
    """The service around a shelf."""
    scorer = Scorer(stages or Stages(), shelf.lane)
    return create_serving(Service(shelf, scorer, timeout_s, body_bytes))


def client_of(app: FastAPI) -> httpx.AsyncClient:
    """Asks an app without a socket; what it does not handle is answered 500, as on a socket."""
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://models")


def row(of: float = 1.0) -> dict[str, Any]:
    """One row for ``sums``."""
    return {"a": [[of, of]] * 3, "b": [of, of]}
