"""Tests of stream/web/broadcast.py."""

from __future__ import annotations

import asyncio

from stream.web.broadcast import NOTHING, Broadcast


class State:
    """Counts how often everything was serialised."""

    def __init__(self) -> None:
        self.made = 0

    def __call__(self) -> str:
        self.made += 1
        return f"all {self.made}"


async def test_a_newcomer_gets_everything_at_once() -> None:
    frame = await Broadcast(State()).after(NOTHING)
    assert (frame.text, frame.number, frame.skipped) == ("all 1", 0, 0)


async def test_who_is_up_to_date_waits_and_gets_the_next_frame() -> None:
    broadcast = Broadcast(State())
    waiting = asyncio.create_task(broadcast.after(0))
    await asyncio.sleep(0)
    assert not waiting.done()
    broadcast.publish("one")
    frame = await waiting
    assert (frame.text, frame.number) == ("one", 1)


async def test_a_thousand_viewers_share_one_text() -> None:
    broadcast = Broadcast(State())
    waiting = [asyncio.create_task(broadcast.after(0)) for _ in range(1000)]
    await asyncio.sleep(0)
    broadcast.publish("one")
    texts = {id(frame.text) for frame in await asyncio.gather(*waiting)}
    assert len(texts) == 1


async def test_who_was_too_slow_gets_everything_instead_of_what_it_missed() -> None:
    broadcast = Broadcast(State())
    for text in ("one", "two", "three"):
        broadcast.publish(text)
    frame = await broadcast.after(0)
    assert (frame.text, frame.number, frame.skipped) == ("all 1", 3, 2)
    assert (await broadcast.after(2)).text == "three"


async def test_everything_is_serialised_once_for_all_who_need_it() -> None:
    state = State()
    broadcast = Broadcast(state)
    for _ in range(5):
        await broadcast.after(NOTHING)
    assert state.made == 1
    broadcast.publish("one")
    await broadcast.after(NOTHING)
    assert state.made == 2


async def test_a_viewer_that_wakes_late_gets_everything() -> None:
    broadcast = Broadcast(State())
    waiting = asyncio.create_task(broadcast.after(0))
    await asyncio.sleep(0)
    broadcast.publish("one")
    broadcast.publish("two")
    assert (await waiting).text == "all 1"
