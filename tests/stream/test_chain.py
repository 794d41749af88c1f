"""Each sample with the one before it, across seconds and chunks."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stream.chain import Chain, chain, fields, mean_per_row, summed
from stream.slots import Slots
from stream.window import Table

STEP = 100_000


def slots(count: int = 2) -> Slots:
    made = Slots(fields("c", 1))
    for k in range(count):
        made.slot(str(k), 0)
    return made


def table(slot: list[int], t: list[int], values: list[float], device: list[int] | None = None) -> Table:
    """Samples at multiples of a tenth of a second."""
    n = len(slot)
    whose = np.zeros(n, np.int64) if device is None else np.array(device)
    stamps = np.array(t, dtype=np.int64) * STEP
    return Table(np.array(slot, np.int64), whose, stamps, np.full(n, STEP), np.array(values, float)[:, None])


def chained(state: Slots, samples: Table) -> Chain:
    return chain("c", state.state, np.arange(len(samples)), samples)


def test_the_first_sample_has_none_before_it() -> None:
    found = chained(slots(), table([0, 0, 1], [1, 2, 2], [5, 7, 9]))
    assert np.array_equal(found.before[:, 0], [np.nan, 5, np.nan], equal_nan=True)
    assert found.dt_us.tolist() == [0, STEP, 0]
    assert found.adjoining.tolist() == [False, True, False]


def test_the_chain_goes_on_with_the_next_chunk() -> None:
    state = slots()
    chained(state, table([0, 1], [1, 1], [5, 50]))
    found = chained(state, table([0, 1], [2, 4], [6, 60]))
    assert found.before[:, 0].tolist() == [5, 50]
    assert found.adjoining.tolist() == [True, False]


def test_another_device_begins_a_chain_of_its_own() -> None:
    state = slots()
    chained(state, table([0], [1], [5], [0]))
    found = chained(state, table([0, 0], [2, 3], [6, 7], [1, 0]))
    assert np.isnan(found.before).all()
    assert not found.adjoining.any()


@pytest.mark.parametrize(("apart", "adjoining"), [(0, False), (1, True), (2, False)])
def test_samples_adjoin_within_one_and_a_half_steps(apart: int, adjoining: bool) -> None:
    found = chained(slots(), table([0, 0], [1, 1 + apart], [5, 6]))
    assert found.adjoining[1] == adjoining


def test_no_samples_leave_the_state_as_it_is() -> None:
    state = slots()
    chained(state, table([0], [1], [5]))
    before = state.state.tobytes()
    assert len(chained(state, table([], [], [])).row) == 0
    assert state.state.tobytes() == before


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(-9, 9), min_size=1, max_size=12), st.integers(0, 12))
def test_cut_anywhere_the_chain_is_the_same(values: list[float], cut: int) -> None:
    n = len(values)
    times = list(range(1, n + 1))
    whole = chained(slots(), table([0] * n, times, values))
    state = slots()
    parts = [
        chained(state, table([0] * len(part), times[a : a + len(part)], part))
        for a, part in ((0, values[:cut]), (min(cut, n), values[cut:]))
    ]
    before = np.concatenate([part.before for part in parts])
    assert np.array_equal(before, whole.before, equal_nan=True)
    assert np.concatenate([part.dt_us for part in parts]).tolist() == whole.dt_us.tolist()


def test_sums_and_means_leave_out_what_is_unknown() -> None:
    row, values = np.array([0, 0, 2, 2, 3]), np.array([1.0, np.nan, 3.0, 5.0, np.nan])
    assert summed(row, values, 5).tolist() == [1, 0, 8, 0, 0]
    assert np.array_equal(mean_per_row(row, values, 5), [1, np.nan, 4, np.nan, np.nan], equal_nan=True)
    assert summed(row[:0], values[:0], 2).tolist() == [0, 0]
