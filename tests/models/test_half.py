"""In bfloat16 the shipped networks answer as they do in float32, up to its rounding."""

from __future__ import annotations

import numpy as np
import pytest

from models.artefact import SHIPPED, find_artefact, load_artefact
from models.batched import Batched
from models.half import in_half
from models.lean import keras

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("name", ["forecast", "performance", "injury"])
def test_answers_differ_by_the_rounding_alone(name: str) -> None:
    artefact = load_artefact(find_artefact(SHIPPED, name))
    network = Batched(in_half(artefact))
    answers = network(*(artefact.golden[f"input_{k}"] for k in range(len(network.input_names))))
    for k, answer in enumerate(answers):
        expected = artefact.golden[f"output_{k}"]
        assert answer.dtype == np.float32
        assert np.abs(answer - expected).max() < 0.01 * max(1.0, np.abs(expected).max())


def test_networks_built_afterwards_are_in_float32_again() -> None:
    in_half(load_artefact(find_artefact(SHIPPED, "injury")))
    assert keras.config.dtype_policy().name == "float32"
