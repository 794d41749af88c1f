"""Gathering requests: batched is the same as one by one, bounded, in order, and faults stay where they are."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stream.serving.batcher import Answer, Batcher, Lane, Limits
from stream.serving.network import Arrays
from stream.serving.refusals import DeadlinePassed, NetworkFailed, NotReady, QueueFull, TooLarge
from tests.stream.serving.fakes import Sums

QUICK = Limits(rows=8, queue_rows=16, delay_s=0.001)
#: Longer than any test waits for the first batch.
PATIENT = Limits(rows=8, queue_rows=16, delay_s=10)


@asynccontextmanager
async def batching(network: Sums, limits: Limits = QUICK) -> AsyncIterator[Batcher]:
    """A batcher that serves."""
    lane = Lane()
    batcher = Batcher(network, limits, lane)
    batcher.start()
    try:
        yield batcher
    finally:
        network.open.set()
        await batcher.close()
        lane.thread.shutdown()


def rows_of(count: int, first: float = 0.0) -> Arrays:
    """``count`` rows, each with a number of its own."""
    numbers = first + np.arange(count, dtype=np.float32)
    return {"a": np.tile(numbers[:, None, None], (1, 3, 2)), "b": np.tile(numbers[:, None], (1, 2))}


def soon(seconds: float = 5.0) -> float:
    """A deadline."""
    return asyncio.get_running_loop().time() + seconds


async def until_computing(network: Sums) -> None:
    """Let a request get from the queue into the closed network."""
    assert await asyncio.to_thread(network.entered.wait, 5)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(1, 8), min_size=1, max_size=12))
def test_batched_is_the_same_as_one_by_one(sizes: Sequence[int]) -> None:
    network = Sums()
    wanted = [Sums()(rows_of(size, 100.0 * number)) for number, size in enumerate(sizes)]

    async def together() -> list[Answer]:
        async with batching(network, Limits(rows=8, queue_rows=1000, delay_s=0.001)) as batcher:
            parts = [rows_of(size, 100.0 * number) for number, size in enumerate(sizes)]
            return await asyncio.gather(*(batcher.submit(part, soon()) for part in parts))

    for expected, got in zip(wanted, asyncio.run(together()), strict=True):
        np.testing.assert_array_equal(got.outputs["total"], expected["total"])
        np.testing.assert_array_equal(got.outputs["double"], expected["double"])
    assert sum(network.batches) == sum(sizes)
    assert max(network.batches) <= 8


async def test_requests_that_come_together_are_one_batch_as_soon_as_it_is_full() -> None:
    network = Sums()
    async with batching(network, PATIENT) as batcher:
        await asyncio.gather(*(batcher.submit(rows_of(2), soon()) for _ in range(4)))
    assert network.batches == [8]


async def test_a_request_alone_waits_no_longer_than_the_delay() -> None:
    async with batching(Sums(), Limits(rows=8, queue_rows=16, delay_s=0.02)) as batcher:
        answer = await batcher.submit(rows_of(1), soon())
    assert 0.02 <= answer.queue_s < 1
    assert answer.compute_s < answer.queue_s


async def test_a_request_that_does_not_fit_begins_the_next_batch_and_none_overtakes_it() -> None:
    network = Sums()
    async with batching(network, Limits(rows=8, queue_rows=32, delay_s=0.01)) as batcher:
        await asyncio.gather(*(batcher.submit(rows_of(size), soon()) for size in (5, 4, 3, 8)))
    assert network.batches == [5, 7, 8]


async def test_a_full_queue_refuses_and_takes_again_once_it_has_room() -> None:
    network = Sums()
    async with batching(network) as batcher:
        network.open.clear()
        running = asyncio.create_task(batcher.submit(rows_of(8), soon()))
        await until_computing(network)
        waiting = [asyncio.create_task(batcher.submit(rows_of(8), soon())) for _ in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(QueueFull, match="16 rows wait"):
            await batcher.submit(rows_of(1), soon())
        network.open.set()
        await asyncio.gather(running, *waiting)
        assert len((await batcher.submit(rows_of(1), soon())).outputs["total"]) == 1


async def test_more_rows_than_a_batch_has_are_refused() -> None:
    async with batching(Sums()) as batcher:
        with pytest.raises(TooLarge, match="9 rows"):
            await batcher.submit(rows_of(9), soon())


async def test_who_waited_past_the_deadline_is_told_and_not_computed() -> None:
    network = Sums()
    async with batching(network) as batcher:
        network.open.clear()
        running = asyncio.create_task(batcher.submit(rows_of(1), soon()))
        await until_computing(network)
        late = asyncio.create_task(batcher.submit(rows_of(2), soon(0.01)))
        in_time = asyncio.create_task(batcher.submit(rows_of(3), soon()))
        with pytest.raises(DeadlinePassed):
            await late
        network.open.set()
        await asyncio.gather(running, in_time)
    assert network.batches == [1, 3]


async def test_a_deadline_passes_while_the_network_computes() -> None:
    network = Sums()
    async with batching(network) as batcher:
        network.open.clear()
        with pytest.raises(DeadlinePassed):
            await batcher.submit(rows_of(1), soon(0.02))
        network.open.set()
        assert len((await batcher.submit(rows_of(2), soon())).outputs["total"]) == 2


async def test_a_network_that_fails_fails_its_batch_and_no_other() -> None:
    network = Sums()
    async with batching(network) as batcher:
        failed = await asyncio.gather(
            batcher.submit(rows_of(1, 13), soon()), batcher.submit(rows_of(1), soon()), return_exceptions=True
        )
        assert [type(error) for error in failed] == [NetworkFailed, NetworkFailed]
        assert (await batcher.submit(rows_of(1, 2), soon())).outputs["total"][0, 0] == 16


async def test_closing_answers_what_waits_and_takes_nothing_new() -> None:
    network = Sums()
    async with batching(network) as batcher:
        network.open.clear()
        asked = [asyncio.create_task(batcher.submit(rows_of(8), soon())) for _ in range(2)]
        await until_computing(network)
        closing = asyncio.create_task(batcher.close())
        await asyncio.sleep(0)
        with pytest.raises(NotReady):
            await batcher.submit(rows_of(1), soon())
        network.open.set()
        await closing
        assert [len((await one).outputs["total"]) for one in asked] == [8, 8]


async def test_two_networks_take_turns_in_one_thread() -> None:
    first, second, lane = Sums(), Sums(name="other"), Lane()
    batchers = [Batcher(network, QUICK, lane) for network in (first, second)]
    for batcher in batchers:
        batcher.start()
    first.open.clear()
    blocked = asyncio.create_task(batchers[0].submit(rows_of(1), soon()))
    await until_computing(first)
    behind = asyncio.create_task(batchers[1].submit(rows_of(1), soon()))
    await asyncio.sleep(0.02)
    assert (second.batches, behind.done()) == ([], False)
    first.open.set()
    await asyncio.gather(blocked, behind)
    assert second.batches == [1]
    for batcher in batchers:
        await batcher.close()
    lane.thread.shutdown()
