"""A version behind its names answers as it did when it was saved."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from models.artefact import SHIPPED, ArtefactDamaged, find_artefact, load_artefact
from models.servable import Servable, load_servable
from models.signature import trusted

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("name", ["forecast", "performance", "injury", "movement"])
def test_golden_examples_are_answered_by_name_and_alone_as_with_others(name: str) -> None:
    artefact = load_artefact(find_artefact(SHIPPED, name))
    servable = Servable(artefact)
    assert list(servable.warm_up()) == [1]
    inputs = {tensor.name: artefact.golden[f"input_{k}"] for k, tensor in enumerate(servable.inputs)}
    answers = servable(inputs)
    assert set(inputs) == set(artefact.manifest.inputs)
    assert set(answers) == set(artefact.manifest.outputs)
    for k, tensor in enumerate(servable.outputs):
        np.testing.assert_allclose(answers[tensor.name], artefact.golden[f"output_{k}"], 1e-3, 1e-3)
        assert tensor.shape == tuple(artefact.manifest.outputs[tensor.name]["shape"])
        alone = servable({name: rows[:1] for name, rows in inputs.items()})[tensor.name]
        np.testing.assert_allclose(alone, answers[tensor.name][:1], 1e-4, 1e-5)


def test_units_and_channels_come_from_the_manifest() -> None:
    servable = load_servable(find_artefact(SHIPPED, "forecast"), trusted([SHIPPED]))
    anchor = next(tensor for tensor in servable.inputs if tensor.name == "anchor")
    assert anchor.shape == (3,)
    assert anchor.about == {"channels": ["heart_rate", "speed", "yaw_rate"]}


def test_other_weights_than_the_golden_answers_are_refused() -> None:
    artefact = load_artefact(find_artefact(SHIPPED, "injury"))
    weights = {name: values + 1 for name, values in artefact.weights.items()}
    with pytest.raises(ArtefactDamaged, match="golden example differs"):
        Servable(replace(artefact, weights=weights))
