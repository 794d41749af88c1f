"""How far the answers of two networks lie apart."""

from __future__ import annotations

import numpy as np
import pytest

from models.divergence import between, divergence
from models.restore import restore, set_weights, weights_of
from tests.models.builders import small_artefact


def test_rows_between_stay_within_the_golden_ones() -> None:
    rng = np.random.default_rng(0)
    golden = [rng.normal(size=(3, 5, 2)), rng.normal(size=(3, 4))]
    golden[1][:, 0] = 1
    drawn = between(golden, rng, 200)
    assert [a.shape for a in drawn] == [(200, 5, 2), (200, 4)]
    assert np.all(drawn[1][:, 0] == 1)
    for a, b in zip(golden, drawn, strict=True):
        assert np.all((b <= a.max(axis=0) + 1e-6) & (b >= a.min(axis=0) - 1e-6))


def test_a_network_is_not_apart_from_itself_and_a_shifted_one_is_by_its_shift() -> None:
    artefact = small_artefact("forecast")
    one, other = restore(artefact), restore(artefact)
    inputs = [artefact.golden[f"input_{i}"] for i in range(3)]
    units = {"median": ["bpm", "m/s", "deg/s"], "acceleration": "m/s2"}
    same = divergence(one, other, inputs, units)
    assert [part["unit"] for part in same] == ["bpm", "m/s", "deg/s", "m/s2", None]
    assert all(part[where]["max"] == 0 for part in same for where in ("golden", "between"))
    weights = weights_of(other)
    weights["0_acceleration/bias"] = weights["0_acceleration/bias"] + 1
    set_weights(other, weights)
    apart = {(part["output"], part["unit"]): part for part in divergence(one, other, inputs, units)}
    assert apart["acceleration", "m/s2"]["golden"]["mean"] > 0
    assert apart["acceleration", "m/s2"]["between"]["max"] == pytest.approx(
        apart["acceleration", "m/s2"]["between"]["mean"], rel=1e-3
    )
