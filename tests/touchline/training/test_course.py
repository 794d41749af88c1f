"""A course that is broken off and taken up again ends as one that was not; the best look is kept; early stopping."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from models.descent import Plan
from models.injury import InjuryConfig, build
from models.losses import LogLoss
from stream.errors import UsageError
from touchline.training.course import Course, Weights, forget
from touchline.training.workshop import Workshop

pytestmark = pytest.mark.slow

#: With dropout, so that chance inside the network has to come back too.
CONFIG = InjuryConfig(channels=3, units=2, dropout=0.3)


def draw(rng: np.random.Generator) -> tuple[list[NDArray[Any]], list[NDArray[Any]]]:
    days = rng.normal(size=(32, 14, 3)).astype(np.float32)
    return [days], [(days[:, :, 0].mean(axis=1, keepdims=True) > 0).astype(np.float32), np.ones((32, 1))]


COURSE = Course(
    told="a net: of 3",
    seed=5,
    build=lambda: build(CONFIG),
    loss=LogLoss(),
    plan=Plan(steps=40, rate=0.05, warm=5, average=0.9),
    draw=draw,
    every=10,
)


class BrokenOff(Exception):
    """As if the machine went."""


def workshop(folder: Path, *, resume: bool = False, until: int | None = None) -> Workshop:
    """Its course is broken off at the look after ``until`` steps."""

    def tell(told: str, done: int, of: int) -> None:
        assert (told, of) == (COURSE.told, COURSE.plan.steps)
        if done == until:
            raise BrokenOff

    return Workshop(folder, folder, tell, checkpoints=folder / "checkpoints", resume=resume)


def same(one: Weights, other: Weights) -> bool:
    return one.keys() == other.keys() and all(np.array_equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize("until", [20, 40])
def test_a_course_taken_up_again_ends_with_the_same_weights(tmp_path: Path, until: int) -> None:
    whole = COURSE.run(workshop(tmp_path / "whole"))
    folder = tmp_path / "broken"
    with pytest.raises(BrokenOff):
        COURSE.run(workshop(folder, until=until))
    assert [path.name for path in (folder / "checkpoints").iterdir()] == ["a-net-of-3.npz"]
    assert same(COURSE.run(workshop(folder, resume=True)), whole)
    assert same(COURSE.run(workshop(folder, resume=True)), whole), "and one that is done is not begun again"


def test_batches_drawn_ahead_are_the_same_batches(tmp_path: Path) -> None:
    whole = COURSE.run(workshop(tmp_path / "whole"))
    folder, by_another = tmp_path / "broken", replace(COURSE, drawn_ahead=True)
    with pytest.raises(BrokenOff):
        by_another.run(workshop(folder, until=20))
    assert same(by_another.run(workshop(folder, resume=True)), whole)


def test_without_resume_it_begins_anew_and_other_choices_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BrokenOff):
        COURSE.run(workshop(tmp_path, until=20))
    other = replace(COURSE, plan=replace(COURSE.plan, rate=0.01))
    with pytest.raises(UsageError, match="train without --resume"):
        other.run(workshop(tmp_path, resume=True))
    assert not same(other.run(workshop(tmp_path)), COURSE.run(workshop(tmp_path)))
    forget(tmp_path / "checkpoints")
    assert list((tmp_path / "checkpoints").iterdir()) == []


def test_the_best_look_is_kept_and_after_enough_worse_ones_it_ends(tmp_path: Path) -> None:
    looks: list[float] = []
    losses = iter([3.0, 1.0, 2.0, 2.5])

    def look(model: Any) -> float:
        looks.append(float(np.asarray(model.trainable_variables[0]).sum()))
        return next(losses)

    best = replace(COURSE, look=look, patience=2).run(workshop(tmp_path))
    assert len(looks) == 4
    assert float(next(iter(best.values())).sum()) == pytest.approx(looks[1])
    looks.clear()
    losses = iter([1.0, 2.0, 3.0, 0.5])
    replace(COURSE, look=look, patience=2).run(workshop(tmp_path / "other"))
    assert len(looks) == 3
