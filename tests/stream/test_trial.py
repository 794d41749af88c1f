"""What a canary's answers are held against."""

from __future__ import annotations

import numpy as np

from models.watch import Verdict
from stream.infer import Came
from stream.trial import WINDOW_S, Canary, Pair, Seen, Trial
from tests.fakes import FakeEngine

ROWS = 40
LEVELS = (0.1, 0.5, 0.9)


def performance(canary: tuple[float, float], usual: float, actual: float) -> Verdict | None:
    """The verdict after a minute of outputs of ``actual`` over the own, where the stable version expects 0.5 to 1.5.

    ``canary``: the 10th and 90th percentile that it expects; ``usual``: the median of somebody well known.
    """
    trial = Trial(Canary("performance", "7", FakeEngine(), 1.0), ())
    rows, found = np.arange(ROWS), None
    stable = np.tile(np.array([0.5, 1.0, 1.5], np.float32), (ROWS, 1))
    low, high = canary
    other = np.tile(np.array([low, (low + high) / 2, high], np.float32), (ROWS, 1))
    for second in range(0, 60 * WINDOW_S, WINDOW_S):
        pair = Pair(
            "7", rows,
            canary=(other, np.full(ROWS, usual, np.float32)), stable=(stable, np.ones(ROWS, np.float32)),
            scores=ROWS, errors=(0, 0), slow=(0, 0),
        )  # fmt: skip
        trial.called(pair)
        # As the route works it out: over what the version that answered the row expects of somebody well known.
        came = Came(np.full(ROWS, np.nan), np.full(ROWS, actual / usual))
        trial.add(pair, Seen(rows, np.full(ROWS, second), came, LEVELS))
        found = trial.look(second) or found
    return found


def test_an_output_is_what_it_was_whatever_the_canary_thinks_usual() -> None:
    assert performance((0.5, 1.5), usual=1.0, actual=1.2) is None
    assert performance((0.5, 1.5), usual=3.0, actual=1.2) is None


def test_a_canary_that_expects_something_else_leaves_its_band() -> None:
    found = performance((2.0, 3.0), usual=1.0, actual=1.2)
    assert found is not None
    assert found.measure == "outside"
