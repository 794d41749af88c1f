"""The engine: any number of rows, the same answers whatever the batch, order kept."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest

from models.artefact import ArtefactMissing, find_artefact, load_artefact
from models.batched import MOST, Batched
from models.engine import MODELS, Engine
from models.restore import answer, restore
from tests.models.builders import save_small


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    for name in MODELS:
        save_small(folder, name)
    return folder


@pytest.fixture(scope="module")
def engine(root: Path) -> Engine:
    found = Engine(root, batch_sizes=(4, 16))
    found.warm_up()
    return found


def rows(count: int, *shape: int) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    return np.random.default_rng(3).normal(size=(count, *shape)).astype(np.float32)


@pytest.fixture(scope="module")
def alone(root: Path) -> list[np.ndarray[tuple[int, ...], np.dtype[np.float32]]]:
    """What the network gives for 53 rows, one of them at a time where it matters: the first and the last."""
    model = restore(load_artefact(find_artefact(root, "forecast")))
    given = [rows(53, 120, 20), rows(53, 3), rows(53, 24, 6)]
    whole = answer(model, given)
    for k in (0, 52):
        for output, one in zip(whole, answer(model, [a[k : k + 1] for a in given]), strict=True):
            np.testing.assert_allclose(output[k], one[0], rtol=1e-4, atol=1e-3)
    return whole


@pytest.mark.parametrize("count", [1, 3, 4, 5, 16, 17, 53])
def test_any_number_of_rows_gives_what_the_network_gives_without_padding(
    engine: Engine, alone: list[np.ndarray[tuple[int, ...], np.dtype[np.float32]]], count: int
) -> None:
    found = engine.forecast(*(rows(53, *shape)[:count] for shape in ((120, 20), (3,), (24, 6))))
    median, acceleration, bands = (output[:count] for output in alone)
    for name, k in (("heart_rate", 0), ("speed", 1), ("yaw_rate", 2)):
        np.testing.assert_allclose(getattr(found, name), median[:, k], rtol=1e-4, atol=1e-3)
    np.testing.assert_allclose(found.acceleration, acceleration, rtol=1e-4, atol=1e-3)
    np.testing.assert_allclose(found.bands, bands, rtol=1e-4, atol=1e-3)


def test_what_stands_beside_a_row_does_not_change_it(engine: Engine) -> None:
    effort, static = rows(1000, 120, 4), rows(1000, 8)
    together = engine.performance(effort, static)[0]
    order = np.random.default_rng(0).permutation(1000)
    np.testing.assert_allclose(
        engine.performance(effort[order], static[order])[0], together[order], atol=1e-5
    )
    np.testing.assert_allclose(engine.performance(effort[7:8], static[7:8])[0], together[7:8], atol=1e-5)


def test_no_rows_give_no_rows(engine: Engine) -> None:
    assert engine.injury(rows(0, 14, 17)).shape == (0, 2)
    assert engine.performance(rows(0, 120, 4), rows(0, 8))[0].shape == (0, 3)
    assert engine.forecast(rows(0, 120, 20), rows(0, 3), rows(0, 24, 6)).bands.shape == (0, 3, 6, 2)


def test_the_engine_says_what_it_runs(engine: Engine) -> None:
    assert engine.versions == {"forecast": "1", "performance": "1", "injury": "1"}
    assert engine.quantile_levels == (0.1, 0.5, 0.9)
    assert engine.device in ("CPU", "GPU")


def test_probabilities_are_probabilities(engine: Engine) -> None:
    found = engine.injury(100 * rows(40, 14, 17))
    assert found.shape == (40, 2)
    assert ((found >= 0) & (found <= 1)).all()


def one_network(root: Path, *compiled: int) -> Batched:
    return Batched(restore(load_artefact(find_artefact(root, "injury"))), compiled)


@pytest.mark.parametrize("count", [1, 3, 7, 8, 9, 40])
def test_the_answer_is_that_of_the_graph_whatever_is_compiled(root: Path, count: int) -> None:
    days = rows(count, 14, 17)
    network = one_network(root, 4, 8)
    alone = one_network(root)(days)[0]
    assert network.warm_up().keys() == {1, 4, 8}
    np.testing.assert_allclose(network(days)[0], alone, atol=1e-6)


def test_no_rows_are_no_answers(root: Path) -> None:
    assert one_network(root, 4)(rows(0, 14, 17))[0].shape[0] == 0


def test_more_rows_than_one_call_takes_are_split(root: Path) -> None:
    days = rows(MOST + 5, 14, 17)
    found = one_network(root)(days)[0]
    assert len(found) == len(days)
    np.testing.assert_allclose(found[-5:], one_network(root)(days[-5:])[0], atol=1e-6)


def test_a_size_that_is_worth_it_is_compiled_beside_the_calls(root: Path) -> None:
    network = one_network(root, 8, 64)
    network.warm_up(())
    days = rows(70, 14, 17)
    few = network(days[:3])[0]
    assert list(network.warm) == [], "three rows in eight are mostly padding"
    before = network(days)[0]
    deadline = time.monotonic() + 60
    while list(network.warm) != [64] and time.monotonic() < deadline:
        time.sleep(0.01)
    assert list(network.warm) == [64]
    np.testing.assert_allclose(network(days)[0], before, atol=1e-6)
    np.testing.assert_allclose(network(days[:3])[0], few, atol=1e-6)


def test_an_older_version_can_be_named_and_an_unknown_one_is_missing(root: Path, tmp_path: Path) -> None:
    for name in MODELS:
        save_small(tmp_path, name, "1")
        save_small(tmp_path, name, "2")
    assert Engine(tmp_path, (2,)).versions["injury"] == "2"
    assert Engine(tmp_path, (2,), named={"injury": "1"}).versions["injury"] == "1"
    with pytest.raises(ArtefactMissing, match="'9'"):
        Engine(root, (2,), named={"injury": "9"})
    with pytest.raises(ArtefactMissing, match="nowhere"):
        Engine(tmp_path / "nowhere", (2,))
