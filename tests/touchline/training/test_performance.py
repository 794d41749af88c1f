"""Gaps in heart rates as the performance network learns with them."""

from __future__ import annotations

import numpy as np

from stream.infer import CARRY_S
from touchline.training.performance import GAPS, _carry


def test_over_a_gap_in_training_the_heart_rate_before_it_is_carried_as_live() -> None:
    rng = np.random.default_rng(0)
    whole = np.concatenate([rng.random((2000, 120, 2)), np.ones((2000, 120, 2))], axis=2).astype(np.float32)
    broken = whole.copy()
    _carry(broken, np.random.default_rng(1))
    np.testing.assert_array_equal(broken[:, :, 1:], whole[:, :, 1:])
    moved = broken[:, :, 0] != whole[:, :, 0]
    rows = np.flatnonzero(moved.any(axis=1))
    assert abs(len(rows) / 2000 - GAPS) < 0.03
    for row in rows:
        gap = np.flatnonzero(moved[row])
        assert len(gap) == gap[-1] - gap[0] + 1 <= CARRY_S
        assert set(broken[row, gap, 0]) == {whole[row, gap[0] - 1, 0]}
    assert moved[:, -1].any(), "some last up to the end"
