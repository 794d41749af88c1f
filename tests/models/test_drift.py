"""Drift: nothing where live rows are as those trained on, by how much where they are not, and by whose name."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from models.artefact import ArtefactDamaged, load_artefact, save_artefact
from models.drift import BINS, LOOK, MEMORY, Drift, features_of, reference_of
from models.engine import Engine
from models.servable import Servable
from tests.models.builders import save_small, small_artefact

ABOUT: dict[str, Any] = {"channels": ["a", "b"], "then": "presence of each"}


def told(rows: NDArray[Any]) -> list[tuple[str, dict[str, Any], NDArray[Any]]]:
    return [("x", ABOUT, rows)]


def rows(count: int, seed: int, shift: float = 0.0, there: float = 1.0) -> NDArray[Any]:
    """``(count, 5, 4)``: two channels, ``shift`` spreads off, each there in that share of the rows."""
    rng = np.random.default_rng(seed)
    present = rng.random((count, 5, 2)) < there
    return np.concatenate([(rng.normal(shift, 1, (count, 5, 2))) * present, present], axis=2)


def drifted(reference: dict[str, Any], live: NDArray[Any]) -> dict[str, float]:
    drift = Drift(reference)
    found = drift.add(told(live), [])
    assert found is not None
    return found


REFERENCE = reference_of(told(rows(20_000, 0)), [])


def test_rows_like_those_trained_on_have_next_to_no_drift() -> None:
    found = drifted(REFERENCE, rows(5_000, 1))
    assert list(found) == ["x.a", "x.b", "x.a_present", "x.b_present"]
    assert max(found.values()) < 4 * (BINS - 1) / 5_000


def test_a_shift_is_as_large_as_by_hand() -> None:
    found = drifted(REFERENCE, rows(200_000, 2, shift=0.5))
    normal = np.array([0.5 * math.erfc(-z / math.sqrt(2)) for z in np.linspace(-6, 6, 4001)])
    edges = np.interp(np.arange(1, BINS) / BINS, normal, np.linspace(-6, 6, 4001))
    shifted = np.diff(np.concatenate([[0], [0.5 * math.erfc(-(z - 0.5) / math.sqrt(2)) for z in edges], [1]]))
    expected = float(((shifted - 0.1) * np.log(shifted / 0.1)).sum())
    assert found["x.a"] == pytest.approx(expected, rel=0.05)
    assert found["x.a_present"] == 0


def test_a_channel_that_goes_missing_is_told_by_its_presence() -> None:
    found = drifted(REFERENCE, rows(5_000, 3, there=0.5))
    assert min(found.values()) > 0.25


def test_a_feature_that_was_always_the_same_may_drift_too() -> None:
    constant = reference_of([("x", {}, np.zeros((500, 1)))], [])
    assert constant["features"]["x.0"]["share"] == [0.0, 1.0, 0.0]
    drift = Drift(constant)
    assert drift.add([("x", {}, np.zeros((LOOK, 1)))], []) == {"x.0": 0.0}
    for other in (1.0, -1.0):
        again = drift.add([("x", {}, np.full((LOOK, 1), other))], [])
        assert again is not None
        assert again["x.0"] > 1


def test_it_is_told_every_so_many_rows_and_old_rows_fade() -> None:
    drift = Drift(REFERENCE)
    assert drift.add(told(rows(LOOK - 1, 4)), []) is None
    assert drift.add(told(rows(1, 5)), []) is not None
    assert drift.add(told(rows(1, 6)), []) is None
    drift = Drift(REFERENCE)
    drift.add(told(rows(3 * MEMORY, 7, shift=3)), [])
    high = drift.index()[0]
    for seed in range(8, 60):
        drift.add(told(rows(MEMORY, seed)), [])
    assert drift.index()[0] < high / 50


def test_before_there_are_rows_there_is_no_drift_and_other_features_are_refused() -> None:
    drift = Drift(REFERENCE)
    assert drift.index().tolist() == [0, 0, 0, 0]
    with pytest.raises(ValueError, match=r"other features: \['x.a'"):
        drift.add([("y", ABOUT, rows(3, 0))], [])


def test_outputs_are_features_too() -> None:
    courses, members = np.arange(12.0).reshape(1, 3, 4), np.array([[0.1, 0.3]])
    shares = np.array([[0.2, 0.8]])
    outputs = [
        ("median", {}, courses),
        ("probability", {}, members),
        ("watch", {"labels": ["sit", "run"]}, shares),
    ]
    names, values = features_of([], outputs)
    assert names == ["median.0", "median.1", "median.2", "probability", "watch.sit", "watch.run"]
    assert values.tolist() == [[1.5, 5.5, 9.5, 0.2, 0.2, 0.8]]


def test_an_engine_and_a_servable_tell_of_models_with_a_reference(tmp_path: Path) -> None:
    given = np.random.default_rng(0).normal(size=(2 * LOOK, 14, 17)).astype(np.float32)
    artefact = small_artefact("injury")
    servable = Servable(artefact)
    answers = servable({"days": given})["probability"]
    about = artefact.manifest.inputs["days"]
    reference = reference_of([("days", about, given)], [("probability", {}, answers)])
    for name in ("forecast", "performance"):
        save_small(tmp_path, name)
    save_artefact(tmp_path, replace(artefact, reference=reference), "# a card\n")
    assert load_artefact(tmp_path / "injury/1").reference == reference
    heard: list[tuple[str, str, float]] = []
    engine = Engine(tmp_path, batch_sizes=(256,))
    engine.injury(given)
    engine.watch_drift(lambda model, version, found: heard.append((model, version, max(found.values()))))
    engine.injury(given)
    engine.injury(given[:0])
    ((model, version, most),) = heard
    assert (model, version) == ("injury", "1")
    assert most < 1e-3
    engine.injury(given + 2)
    assert heard[-1][2] > 0.25
    servable = Servable(replace(artefact, reference=reference))
    servable({"days": given})
    of_service: list[Mapping[str, float]] = []
    servable.watch_drift(of_service.append)
    servable({"days": given})
    assert of_service == [pytest.approx(dict.fromkeys(reference["features"], 0), abs=1e-3)]


def test_a_reference_that_is_none_is_refused_by_name(tmp_path: Path) -> None:
    broken = replace(small_artefact("injury"), reference={"features": {"x": {"edges": [1], "share": [1]}}})
    with pytest.raises(ArtefactDamaged, match=r"reference.json: not a reference"):
        load_artefact(save_artefact(tmp_path, broken, "# a card\n"))
