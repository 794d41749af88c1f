"""The shipped models: whole, as they were saved, and run the same whatever the batch they come in."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from models.artefact import SHIPPED, ArtefactDamaged, ArtefactMissing, find_artefact, load_artefact
from models.drift import LOOK
from models.engine import MODELS, Engine
from models.servable import Servable
from stream.days import CHANNELS as DAY_CHANNELS
from stream.infer import PERSONAL
from stream.normalise import CHANNELS, PRIOR

pytestmark = pytest.mark.slow

MOST_BYTES = 8_000_000


@pytest.fixture(scope="module")
def engine() -> Engine:
    made = Engine(batch_sizes=(8, 32))
    made.warm_up()
    return made


@pytest.mark.parametrize("name", MODELS)
def test_a_shipped_model_is_whole_small_and_has_a_card_that_names_its_split(name: str) -> None:
    folder = find_artefact(SHIPPED, name)
    manifest = load_artefact(folder).manifest
    assert manifest.name == name
    assert sum(file.stat().st_size for file in folder.iterdir()) < MOST_BYTES
    card = (folder / "CARD.md").read_text()
    assert "Split:" in card
    assert "Not for" in card


def test_the_forecasts_prior_is_the_one_the_worker_normalises_with() -> None:
    manifest = load_artefact(find_artefact(SHIPPED, "forecast")).manifest
    assert {name: tuple(terms) for name, terms in manifest.normalisation.items()} == dict(PRIOR)
    assert set(manifest.normalisation) == set(CHANNELS)


def forecast_inputs(rows: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    generator = np.random.default_rng(rows)
    present = generator.random((rows, 120, len(CHANNELS))) < 0.8
    x = np.concatenate([np.where(present, generator.normal(size=present.shape), 0), present], axis=2)
    anchor = np.stack(
        [generator.uniform(80, 180, rows), generator.uniform(0, 6, rows), np.zeros(rows)], axis=1
    )
    earlier = np.concatenate([generator.normal(size=(rows, 24, 3)), np.ones((rows, 24, 3))], axis=2)
    return x.astype(np.float32), anchor.astype(np.float32), earlier.astype(np.float32)


@pytest.mark.parametrize("rows", [1, 7, 8, 9, 33, 100])
def test_a_row_gets_the_same_answer_alone_and_in_any_batch(engine: Engine, rows: int) -> None:
    given = forecast_inputs(rows)
    whole = engine.forecast(*given)
    for row in {0, rows // 2, rows - 1}:
        alone = engine.forecast(*(a[row : row + 1] for a in given))
        np.testing.assert_allclose(whole.heart_rate[row], alone.heart_rate[0], rtol=1e-4, atol=1e-3)
        np.testing.assert_allclose(whole.bands[row], alone.bands[0], rtol=1e-4, atol=1e-3)
    assert whole.heart_rate.shape == whole.speed.shape == whole.acceleration.shape == (rows, 60)


def test_the_band_holds_the_median_and_answers_are_bodily(engine: Engine) -> None:
    x, anchor, earlier = forecast_inputs(50)
    found = engine.forecast(x, anchor, earlier)
    picked = found.heart_rate[:, [4, 9, 19, 29, 39, 59]]
    assert (found.bands[:, 0, :, 0] <= picked + 1e-4).all()
    assert (found.bands[:, 0, :, 1] >= picked - 1e-4).all()
    assert (np.abs(found.heart_rate - anchor[:, :1]) < 120).all()


def test_quantiles_of_output_rise_with_their_levels(engine: Engine) -> None:
    generator = np.random.default_rng(2)
    effort = generator.random((20, 120, 4)).astype(np.float32)
    quantiles, _ = engine.performance(effort, np.zeros((20, len(PERSONAL)), np.float32))
    assert quantiles.shape == (20, len(engine.quantile_levels))
    assert (np.diff(quantiles, axis=1) >= 0).all()


def test_injury_members_are_probabilities_near_the_base_rate_when_nothing_is_known(engine: Engine) -> None:
    members = engine.injury(np.zeros((3, 14, len(DAY_CHANNELS)), np.float32))
    assert members.shape[0] == 3
    assert members.shape[1] >= 5
    assert (members > 0).all()
    assert (members < 0.1).all()


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    shipped = find_artefact(SHIPPED, "injury")
    return Path(shutil.copytree(shipped, tmp_path / "injury" / shipped.name))


@pytest.mark.parametrize("name", ["weights.npz", "golden.npz", "CARD.md"])
def test_a_flipped_byte_is_refused_and_the_file_named(copied: Path, name: str) -> None:
    data = bytearray((copied / name).read_bytes())
    data[len(data) // 2] ^= 1
    (copied / name).write_bytes(data)
    with pytest.raises(ArtefactDamaged, match=name):
        load_artefact(copied)


def test_a_file_that_is_gone_is_named(copied: Path) -> None:
    (copied / "weights.npz").unlink()
    with pytest.raises((ArtefactMissing, ArtefactDamaged), match="weights"):
        load_artefact(copied)


def test_a_model_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ArtefactMissing, match="forecast"):
        find_artefact(tmp_path, "forecast")


@pytest.mark.parametrize("name", [*MODELS, "movement"])
def test_a_shipped_model_has_a_reference_of_all_it_takes_and_gives(name: str) -> None:
    artefact = load_artefact(find_artefact(SHIPPED, name))
    assert artefact.reference is not None
    servable = Servable(artefact)
    heard: list[Mapping[str, float]] = []
    servable.watch_drift(heard.append)
    golden = {tensor.name: artefact.golden[f"input_{k}"] for k, tensor in enumerate(servable.inputs)}
    rows = len(next(iter(golden.values())))
    for _ in range(LOOK // rows + 1):
        servable(golden)
    (found,) = heard
    assert set(found) == set(artefact.reference["features"])
    assert all(np.isfinite(index) for index in found.values())
