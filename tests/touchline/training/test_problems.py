"""What there is to tune of each model, on the recordings: it is fitted, judged, and inputs can be shuffled."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from touchline.training.run import PROBLEMS, TRAINERS
from touchline.training.tuning import Change
from touchline.training.workshop import Workshop

pytestmark = pytest.mark.slow

#: Enough to move the weights away from where they begin.
THRIFT = 0.02


def test_every_model_that_is_trained_can_be_tuned() -> None:
    assert set(PROBLEMS) == set(TRAINERS)


@pytest.mark.parametrize("name", sorted(PROBLEMS))
def test_a_problem_is_fitted_and_its_inputs_matter(name: str, data_dir: Path, tmp_path: Path) -> None:
    problem = PROBLEMS[name](Workshop(data_dir, tmp_path, lambda *_: None, THRIFT))
    model = problem.fit(Workshop(data_dir, tmp_path, lambda *_: None, THRIFT), name)
    loss = problem.loss(model, None)
    assert np.isfinite(loss)
    assert loss == problem.loss(model, None), "judging draws nothing"
    every = sorted(column for columns in problem.channels.values() for column in columns)
    assert len(every) == len(set(every)), "a column belongs to one channel"
    assert loss != problem.loss(model, _turned(every)), "channels that are named are seen"


def _turned(columns: list[int]) -> Change:
    """Gives every row all named columns of the row before it."""

    def change(x: np.ndarray) -> np.ndarray:
        moved = x.copy()
        moved[:, :, columns] = np.roll(x, 1, axis=0)[:, :, columns]
        return moved

    return change
