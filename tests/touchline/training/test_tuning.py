"""A search keeps the best of what it tries, a selection drops what does not help, and both write all of it down."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models.descent import Plan
from models.forecast import ForecastConfig
from models.injury import InjuryConfig
from models.losses import Rare
from models.movement import MovementConfig
from models.performance import PerformanceConfig
from stream.errors import UsageError
from touchline.training.run import PROBLEMS, SETTINGS, TRAINERS, choices_of
from touchline.training.tuning import Change, Problem, search, select
from touchline.training.workshop import Workshop

#: A main input of four channels: the answer is the first plus twice the third; the others are noise.
X = np.random.default_rng(0).normal(size=(500, 7, 4))
Y = X[:, :, 0].mean(axis=1) + 2 * X[:, :, 2].mean(axis=1)


def problem(noise_helps: bool = False) -> Problem:
    """A linear fit without the masked channels, the better the nearer ``rate`` is to 0.3."""

    def fit(shop: Workshop, told: str) -> tuple[Any, float]:
        shop.tell(told, 1, 1)
        masked = list(shop.choices.get("masked", ()))
        x = X.mean(axis=1)
        weights = np.linalg.lstsq(x * ~np.isin(np.arange(4), masked), Y, rcond=None)[0]
        worse = 0.5 if masked and noise_helps else 0.0
        return weights, worse + abs(shop.choices.get("rate", 1.0) - 0.3)

    def loss(model: tuple[Any, float], change: Change | None) -> float:
        x = X if change is None else change(X)
        return float(np.abs(x.mean(axis=1) @ model[0] - Y).mean()) + model[1]

    return Problem(
        name="made",
        fit=fit,
        loss=loss,
        space=lambda trial: {"rate": trial.suggest_float("rate", 0.0, 1.0)},
        channels={"a": (0,), "b": (1,), "c": (2,), "d": (3,)},
        split="the same rows",
        leak="all of them",
    )


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Workshop]:
    told: list[str] = []
    yield Workshop(tmp_path, tmp_path, lambda *what: told.append(what[0]), checkpoints=tmp_path / "kept")
    assert any(what.startswith("made: ") for what in told)


def test_a_search_begins_with_what_is_and_keeps_the_best(shop: Workshop) -> None:
    found = search(problem(), shop, 12)
    assert shop.checkpoints is not None
    written = json.loads((shop.checkpoints / "search.json").read_text())
    assert [len(written["trials"]), written["trials"][0]["choices"], written["leak"]] == [
        12,
        {},
        "all of them",
    ]
    best = min(written["trials"], key=lambda trial: trial["loss"])
    assert found.choices == best["choices"] == found.notes["search"]["taken"]
    assert abs(found.choices["rate"] - 0.3) < 0.2
    assert search(problem(), shop, 12).choices == found.choices, "seeded"
    assert search(problem(), shop, 1).choices == {}


def test_channels_that_say_nothing_are_left_out(shop: Workshop) -> None:
    found = select(problem(), shop)
    assert shop.checkpoints is not None
    written = json.loads((shop.checkpoints / "features.json").read_text())
    assert written["left_out"] == ["b", "d"]
    assert written["taken"] is True
    assert written["channels"]["c"]["rise"] > written["channels"]["a"]["rise"] > 0.1
    assert found.choices == {"masked": (1, 3)}
    assert found.notes["selection"]["loss_without"] <= written["loss"]


def test_what_is_worse_without_them_is_not_taken(shop: Workshop) -> None:
    found = select(problem(noise_helps=True), shop)
    assert found.choices == {}
    assert found.notes["selection"]["left_out"] == ["b", "d"]
    assert found.notes["selection"]["taken"] is False


def test_choices_are_read_by_kind_and_refused_by_name() -> None:
    assert choices_of(["rate=1e-3", "units=48", "network=cnn"], ["performance"]) == {
        "rate": 0.001,
        "units": 48,
        "network": "cnn",
    }
    with pytest.raises(UsageError, match="no setting 'speed'; there is network, rate"):
        choices_of(["speed=3"], ["forecast"])
    with pytest.raises(UsageError, match="there is own, lstm"):
        choices_of(["network=gru"], ["forecast"])
    with pytest.raises(UsageError, match=r"--set units=3.5: '3.5' is not of the right kind"):
        choices_of(["units=3.5"], ["forecast"])
    assert set(PROBLEMS) == set(TRAINERS)


def test_a_setting_has_a_place_in_some_model_that_is_trained() -> None:
    for name in SETTINGS.keys() - {"network"}:
        assert any(_settles(f"{name}=1", model) for model in TRAINERS), name
    assert _settles("gamma=2", *TRAINERS)
    with pytest.raises(UsageError, match="--set gamma=2: 'gamma' is no setting of performance"):
        choices_of(["gamma=2"], ["performance"])
    with pytest.raises(UsageError, match="--set steps=9: 'steps' is no setting of performance"):
        choices_of(["steps=9"], ["performance"])


def _settles(text: str, *models: str) -> bool:
    try:
        return bool(choices_of([text], models))
    except UsageError:
        return False


def test_every_setting_is_one_of_a_network_a_plan_or_a_loss() -> None:
    known = {
        entry.name
        for of in (Plan, Rare, ForecastConfig, PerformanceConfig, InjuryConfig, MovementConfig)
        for entry in fields(of)
    }
    assert set(SETTINGS) <= known
