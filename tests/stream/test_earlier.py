"""The minutes before in half-minute means: streamed second by second as from the whole session, whatever the gaps."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stream import earlier
from stream.earlier import BLOCK_S, BLOCKS, COLUMNS, EARLIER, blocks_of
from stream.features import HISTORY
from stream.slots import Slots

START_S = 1_577_836_800


def streamed(first_second: int, history: np.ndarray, skipped: frozenset[int] = frozenset()) -> np.ndarray:
    """What is recalled at each second of a session, ``(T, 24, 3)``; seconds ``skipped`` do not close."""
    slots = Slots(earlier.FIELDS)
    slot = np.array([slots.slot("a", 0)])
    found = np.full((len(history), BLOCKS, len(EARLIER)), np.nan)
    for k, row in enumerate(history):
        if k not in skipped:
            second = np.array([first_second + k])
            earlier.remember(slots.state, slot, second, row[None])
            found[k] = earlier.recall(slots.state, slot, second)[0]
    return found


def made(seconds: int, seed: int = 0, missing: float = 0.2) -> np.ndarray:
    rng = np.random.default_rng(seed)
    history = rng.normal(100, 20, (seconds, len(HISTORY)))
    history[rng.random(history.shape) < missing] = np.nan
    return history


def expected(first_second: int, history: np.ndarray, row: int) -> np.ndarray:
    """By a loop over blocks."""
    block = (first_second + np.arange(len(history))) // BLOCK_S
    found = np.full((BLOCKS, len(EARLIER)), np.nan)
    for place, number in enumerate(range(block[row] - BLOCKS, block[row])):
        rows = history[: row + 1][block[: row + 1] == number][:, COLUMNS]
        for column, values in enumerate(rows.T):
            known = values[np.isfinite(values)]
            if len(known) >= 15:
                found[place, column] = known.mean()
    return found


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 90), st.integers(1, 1200), st.integers(0, 99), st.floats(0, 0.9))
def test_streamed_it_is_what_the_whole_session_gives(
    offset: int, seconds: int, seed: int, missing: float
) -> None:
    history = made(seconds, seed, missing)
    found = streamed(START_S + offset, history)
    blocks, block = blocks_of(START_S + offset, history)
    blank = np.full((BLOCKS, len(EARLIER)), np.nan)
    whole = np.concatenate([blank, blocks])
    for row in {0, seconds // 2, seconds - 1}:
        from_whole = whole[block[row] + np.arange(BLOCKS)]
        np.testing.assert_allclose(found[row], from_whole, rtol=1e-6)
        np.testing.assert_allclose(found[row], expected(START_S + offset, history, row), rtol=1e-6)


def test_what_lies_further_back_than_the_ring_is_gone_and_not_taken_for_new() -> None:
    history = made(2000, missing=0.0)
    skipped = frozenset(range(300, 1150))  # 850 s: more than the ring holds
    found = streamed(START_S, history, skipped)
    assert np.isfinite(found[299]).any()
    assert np.isnan(found[1150]).all()
    history[300:1150] = np.nan
    np.testing.assert_allclose(found[1999], expected(START_S, history, 1999), rtol=1e-6)


def test_a_half_minute_of_which_less_than_half_was_seen_has_no_mean() -> None:
    history = made(60, missing=0.0)
    history[:16] = np.nan
    assert np.isnan(streamed(START_S, history)[59, -1]).all()
    history[15] = 100.0
    assert np.isfinite(streamed(START_S, history)[59, -1]).all()


@pytest.mark.parametrize("count", [1, 3])
def test_a_new_session_begins_with_nothing(count: int) -> None:
    slots = Slots(earlier.FIELDS)
    slot = np.array([slots.slot(f"a{k}", 0) for k in range(count)])
    for k in range(90):
        earlier.remember(slots.state, slot, np.full(count, START_S + k), made(count, k, 0.0))
    at = np.full(count, START_S + 90)
    assert np.isfinite(earlier.recall(slots.state, slot, at)[:, -3:]).all()
    earlier.begin_session(slots, int(slot[0]))
    after = earlier.recall(slots.state, slot, at)
    assert np.isnan(after[0]).all()
    assert np.isfinite(after[1:, -3:]).all()
