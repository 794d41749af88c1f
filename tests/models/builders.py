"""Small models for tests: constant weights, saved artefacts, a whole folder of models."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models import forecast, injury, performance
from models.artefact import Artefact, Manifest, save_artefact
from models.restore import Config, build, golden, plain_config, set_weights, weights_of
from stream.infer import ANSWER_S
from touchline.fit import ENDED, INPUTS

SMALL: dict[str, Config] = {
    "forecast": forecast.ForecastConfig(
        channels=10, patch=4, units=3, hidden=4, memory=2, recent=2, dropout=0.0
    ),
    "performance": performance.PerformanceConfig(units=3, hidden=4, dropout=0.0, levels=(0.1, 0.5, 0.9)),
    "injury": injury.InjuryConfig(members=2, units=2, dropout=0.0),
}
OUTPUTS: dict[str, dict[str, Any]] = {"performance": {"quantiles": {ENDED: ANSWER_S}}}


def constant(model: Any, value: float) -> Any:
    """The model with every weight set to one value."""
    set_weights(model, {path: np.full_like(w, value) for path, w in weights_of(model).items()})
    return model


def random_weights(model: Any, seed: int = 0) -> dict[str, NDArray[np.float32]]:
    """Weights drawn from a narrow normal distribution."""
    rng = np.random.default_rng(seed)
    return {path: rng.normal(0, 0.3, w.shape).astype(np.float32) for path, w in weights_of(model).items()}


def small_artefact(name: str, version: str = "1") -> Artefact:
    """A small network with random weights and its golden example."""
    config = plain_config(SMALL[name])
    model = build(name, config)
    weights = random_weights(model)
    set_weights(model, weights)
    rng = np.random.default_rng(1)
    example = [rng.normal(size=(3, *i.shape[1:])).astype(np.float32) for i in model.inputs]
    manifest = Manifest(
        name=name, version=version, inputs={k: {"channels": list(c)} for k, c in INPUTS[name].items()},
        outputs=OUTPUTS.get(name, {}), normalisation={"heart_rate": [140.0, 25.0]},
        config=config, training={}, data={}, metrics={"split": "none"},
    )  # fmt: skip
    return Artefact(manifest, weights, golden(model, example))


def save_small(root: Path, name: str, version: str = "1") -> Path:
    """The folder of a small model just saved."""
    return save_artefact(root, small_artefact(name, version), "# a card\n")


def sigmoid(value: float) -> float:
    """The logistic function of a number."""
    return float(1 / (1 + np.exp(-value)))


def constant_lstm(inputs: list[float], units: int, weight: float) -> list[float]:
    """States of an LSTM whose weights and biases are all ``weight``, step by step.

    All units are equal then, so a state is one number. ``inputs`` are the sums over the channels of each step.
    """
    state, cell, states = 0.0, 0.0, []
    for value in inputs:
        gate = weight * (value + units * state + 1)
        cell = sigmoid(gate) * cell + sigmoid(gate) * float(np.tanh(gate))
        state = sigmoid(gate) * float(np.tanh(cell))
        states.append(state)
    return states
