"""What an agent is given: all that was handed on together, nothing void, and the next when it is done."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from types import SimpleNamespace
from typing import Any

from stream.delivery import Chunk, arrivals


class Consumer:
    """Of an ``epoch``; remembers of which epochs the agent said that it was done."""

    def __init__(self, epoch: int) -> None:
        self.epoch = epoch
        self.told: list[int] = []

    def done(self, epoch: int) -> None:
        self.told.append(epoch)


class Stream:
    """Gives chunks as Faust does, one event each."""

    enable_acks = True

    def __init__(self, chunks: Sequence[Chunk]) -> None:
        self._chunks = chunks

    async def events(self) -> AsyncIterator[Any]:
        for chunk in self._chunks:
            yield SimpleNamespace(message=SimpleNamespace(value=chunk))


def app(epoch: int) -> Any:
    return SimpleNamespace(delivery="chunks", consumer=Consumer(epoch))


async def test_what_was_handed_on_together_comes_together_and_done_is_told_when_more_is_asked_for() -> None:
    ours = app(1)
    stream = Stream(
        [Chunk(1, ["a"], last=False), Chunk(1, ["b", "c"], last=True), Chunk(1, ["d"], last=True)]
    )
    told = [(chunks, list(ours.consumer.told)) async for chunks in arrivals(ours, stream)]
    assert told == [([["a"], ["b", "c"]], []), ([["d"]], [1])]
    assert ours.consumer.told == [1, 1]
    assert stream.enable_acks is False


async def test_what_a_rebalance_cut_off_is_left_out() -> None:
    cut_off, whole = Chunk(1, ["a"], last=False), Chunk(2, ["b"], last=True)
    assert [chunks async for chunks in arrivals(app(2), Stream([cut_off, whole]))] == [[["b"]]]


async def test_what_became_void_on_its_way_is_left_out_and_nobody_waits_for_it() -> None:
    ours = app(2)
    stream = Stream([Chunk(1, ["a"], last=False), Chunk(1, ["b"], last=True), Chunk(2, ["c"], last=True)])
    assert [chunks async for chunks in arrivals(ours, stream)] == [[["c"]]]
    assert ours.consumer.told == [1, 2]
