"""What networks make of presence: how long ago, the newest value."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from models.missing import newest, since_seen, without

STEPS, EVERY = 24, 4
there = arrays(np.float32, (3, STEPS, 2), elements=st.sampled_from([0.0, 1.0]))


def ago(presence: np.ndarray, step: int) -> float:
    """Steps since ``presence (T,)`` was 1, at the end of a step."""
    seen = np.flatnonzero(presence[: step + 1])
    return float(step - seen[-1]) if len(seen) else float(step + 1)


@given(there)
def test_time_since_a_channel_was_seen_is_counted_from_its_newest_presence(presence: np.ndarray) -> None:
    """Every four steps: ..1. .... .1.1 gives 1, 5, 0."""
    found = np.asarray(since_seen(presence, EVERY)) * STEPS
    for row, channel, part in np.ndindex(3, 2, STEPS // EVERY):
        expected = ago(presence[row, :, channel], EVERY * (part + 1) - 1)
        np.testing.assert_allclose(found[row, part, channel], expected, atol=1e-5)


@given(there)
def test_the_newest_value_is_the_last_that_is_there(presence: np.ndarray) -> None:
    values = np.random.default_rng(0).normal(size=presence.shape).astype(np.float32) * presence
    found, known = (np.asarray(a) for a in newest(values, presence))
    for row, channel in np.ndindex(3, 2):
        seen = np.flatnonzero(presence[row, :, channel])
        assert known[row, 0, channel] == float(len(seen) > 0)
        assert found[row, 0, channel] == (values[row, seen[-1], channel] if len(seen) else 0.0)


def test_nothing_masked_is_nothing_done_and_a_masked_column_is_never_there() -> None:
    x = np.ones((1, 2, 3), np.float32)
    assert without(x, ()) is x
    assert np.asarray(without(x, (1,))).tolist() == [[[1, 0, 1], [1, 0, 1]]]
