"""From an artefact to a network that answers as it did when it was saved, and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Final

import keras
import numpy as np
from numpy.typing import NDArray

from models import forecast, injury, movement, performance
from models.artefact import Artefact, ArtefactDamaged

Config = (
    forecast.ForecastConfig | performance.PerformanceConfig | injury.InjuryConfig | movement.MovementConfig
)

#: How far a golden answer may be off, absolute and relative: another machine's rounding, never another network.
TOLERANCE: Final = 1e-3


def build(name: str, config: Mapping[str, Any]) -> keras.Model:
    """The network of a model, with fresh weights. Raises ``KeyError`` for a name that is none."""
    plain: dict[str, Any] = {key: tuple(v) if isinstance(v, list) else v for key, v in config.items()}
    if name == "forecast":
        return forecast.build(forecast.ForecastConfig(**plain))
    if name == "performance":
        return performance.build(performance.PerformanceConfig(**plain))
    if name == "injury":
        return injury.build(injury.InjuryConfig(**plain))
    if name == "movement":
        return movement.build(movement.MovementConfig(**plain))
    raise KeyError(f"no network called {name!r}")


def plain_config(config: Config) -> dict[str, Any]:
    """A config as the manifest holds it."""
    return {key: list(value) if isinstance(value, tuple) else value for key, value in asdict(config).items()}


def weights_of(model: keras.Model) -> dict[str, NDArray[np.float32]]:
    """All variables by name."""
    return {variable.path: np.asarray(variable) for variable in model.trainable_variables}


def set_weights(model: keras.Model, weights: Mapping[str, NDArray[Any]]) -> None:
    """Put weights into a network. Raises ``ValueError`` where names or shapes differ."""
    expected = {variable.path: variable for variable in model.trainable_variables}
    if set(expected) != set(weights):
        differing = sorted(set(expected) ^ set(weights))
        raise ValueError(f"weights of another network: {len(differing)} differ, {', '.join(differing[:3])} …")
    for path, variable in expected.items():
        if variable.shape != weights[path].shape:
            raise ValueError(f"{path}: shape {weights[path].shape}, the network has {variable.shape}")
        variable.assign(weights[path])


def answer(model: keras.Model, inputs: list[NDArray[Any]]) -> list[NDArray[np.float32]]:
    """The network's outputs, in order, outside of training."""
    outputs = model(inputs if len(inputs) > 1 else inputs[0], training=False)
    return [np.asarray(o) for o in (outputs if isinstance(outputs, list | tuple) else [outputs])]


def golden(model: keras.Model, inputs: list[NDArray[Any]]) -> dict[str, NDArray[np.float32]]:
    """A golden example: these inputs and what the network makes of them."""
    arrays = {f"input_{i}": np.asarray(a, np.float32) for i, a in enumerate(inputs)}
    return arrays | {f"output_{i}": a for i, a in enumerate(answer(model, inputs))}


def restore(artefact: Artefact) -> keras.Model:
    """Build the network of an artefact and see that it gives the golden answer.

    Raises :class:`~models.artefact.ArtefactDamaged` where it does not.
    """
    manifest = artefact.manifest
    where = f"model {manifest.name} version {manifest.version}"
    try:
        model = build(manifest.name, manifest.config)
        set_weights(model, artefact.weights)
    except (KeyError, TypeError, ValueError) as error:
        raise ArtefactDamaged(f"{where}: {error}") from error
    _check_golden(model, artefact, where)
    return model


def _check_golden(model: keras.Model, artefact: Artefact, where: str) -> None:
    inputs = [artefact.golden[f"input_{i}"] for i in range(len(model.inputs))]
    for index, output in enumerate(answer(model, inputs)):
        expected = artefact.golden[f"output_{index}"]
        if expected.shape != output.shape or not np.allclose(output, expected, TOLERANCE, TOLERANCE):
            raise ArtefactDamaged(f"{where}: output {index} of the golden example differs")
