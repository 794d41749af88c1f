"""Every network takes every model's inputs, keeps its outputs' promises, and does not see what is masked."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from models import injury
from models.encoders import ENCODERS, positions
from models.movement import MovementConfig
from models.restore import Config, answer, build, plain_config, set_weights, weights_of
from tests.models.builders import SMALL, random_weights

CONFIGS: dict[str, Config] = {
    **SMALL,
    "movement": MovementConfig(image=2, signal=4, dropout=0.0),
}
MASKED = {"forecast": (2, 12), "performance": (1, 3), "injury": (4, 12), "movement": (5,)}


def network(name: str, **change: Any) -> Any:
    model = build(name, plain_config(replace(CONFIGS[name], **change)))
    set_weights(model, random_weights(model, 1))
    return model


def rows(model: Any) -> list[Any]:
    rng = np.random.default_rng(0)
    return [rng.normal(size=(3, *i.shape[1:])).astype(np.float32) for i in model.inputs]


@pytest.mark.parametrize("name", CONFIGS)
@pytest.mark.parametrize("encoder", ENCODERS)
def test_a_network_has_the_shapes_of_the_models_own(name: str, encoder: str) -> None:
    own, other = network(name), network(name, network=encoder)
    assert [tuple(o.shape) for o in other.outputs] == [tuple(o.shape) for o in own.outputs]
    assert set(weights_of(other)) != set(weights_of(own))
    found = answer(other, rows(other))
    assert all(np.isfinite(output).all() for output in found)
    if name == "performance":
        assert (np.diff(found[0], axis=1) > 0).all()


@pytest.mark.parametrize("name", CONFIGS)
@pytest.mark.parametrize("encoder", ["own", "transformer"])
def test_what_is_masked_is_not_seen(name: str, encoder: str) -> None:
    model = network(name, network=encoder, masked=MASKED[name])
    given = rows(model)
    changed = [given[0].copy(), *given[1:]]
    changed[0][:, :, list(MASKED[name])] += 7
    for one, other in zip(answer(model, given), answer(model, changed), strict=True):
        np.testing.assert_array_equal(one, other)
    changed[0] += 1
    assert not np.array_equal(answer(model, given)[0], answer(model, changed)[0])


@pytest.mark.parametrize("encoder", ["own", *ENCODERS])
def test_an_injury_ensemble_answers_as_its_members_do_once_calibrated(encoder: str) -> None:
    config = injury.InjuryConfig(units=3, dropout=0.0, network=encoder)
    nets = [injury.build(config) for _ in range(3)]
    for seed, net in enumerate(nets):
        set_weights(net, random_weights(net, seed))
    platt = [(1.5, -0.2), (0.7, 0.1), (1.0, 0.0)]
    together = injury.build(replace(config, members=3))
    set_weights(together, injury.fuse([weights_of(net) for net in nets], platt))
    days = rows(together)[0]
    raw = np.concatenate([answer(net, [days])[0] for net in nets], axis=1).astype(np.float64)
    slope, offset = np.array(platt).T
    expected = 1 / (1 + np.exp(-(slope * np.log(raw / (1 - raw)) + offset)))
    np.testing.assert_allclose(answer(together, [days])[0], expected, rtol=1e-4)


def test_positions_differ_from_step_to_step() -> None:
    found = positions(15, 6)
    assert found.shape == (15, 6)
    assert len(np.unique(found.round(5), axis=0)) == 15
