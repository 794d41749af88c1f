"""Tests of stream/web/push.py and live.py, over a real WebSocket."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from prometheus_client import REGISTRY
from websockets.exceptions import InvalidStatus
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin

from stream.settings import load_settings
from stream.web.app import Around, create_web
from stream.web.broadcast import Broadcast
from stream.web.live import Live
from stream.web.messages import Batch, FeedStatus
from stream.web.push import _until_gone
from tests.stream.web.conftest import Site
from tests.stream.web.fakes import SECOND_US, START_US, BrokenFeed, Clock, FakeFeed, FakeStore
from tests.stream.web.scores import make_alert, make_score
from tests.stream.web.serving import Served


@contextmanager
def viewer(page: Served, origin: str | None = None, cookie: str | None = None) -> Iterator[ClientConnection]:
    headers = {"Cookie": page.cookie if cookie is None else cookie}
    address = f"ws://{page.host}/ws"
    with connect(address, additional_headers=headers, origin=Origin(origin or page.url)) as socket:
        yield socket


def receive(socket: ClientConnection, **wanted: Any) -> dict[str, Any]:
    """The next message that has all of these; fails after five seconds."""
    deadline = time.monotonic() + 5
    while True:
        message: dict[str, Any] = json.loads(socket.recv(timeout=deadline - time.monotonic()))
        if all(
            message.get(key) == value or (value is ... and key in message) for key, value in wanted.items()
        ):
            return message


def test_a_viewer_gets_everything_and_then_what_changes(site: Site) -> None:
    site.page.log_in()
    site.feed.push(Batch([make_score()]))
    with viewer(site.page) as socket:
        receive(socket, kind="all")
        site.feed.push(Batch([make_score(end_us=START_US + SECOND_US)], [make_alert()]))
        changed = receive(socket, kind="some", about=...)
        assert changed["about"][0]["alerts"][0]["state"] == "firing"
        assert changed["rows"][0][1] == START_US + SECOND_US


def test_a_sign_of_life_comes_when_nothing_changes(site: Site) -> None:
    site.page.log_in()
    with viewer(site.page) as socket:
        receive(socket, kind="all")
        while len(receive(socket, kind="some")) > len(("kind", "now_us")):
            pass  # what there was to say at the start


def test_a_feed_that_is_away_is_told(site: Site) -> None:
    site.page.log_in()
    with viewer(site.page) as socket:
        receive(socket, kind="all")
        site.feed.push(Batch(status=FeedStatus("away", "no broker")))
        assert receive(socket, feed=...)["feed"] == {"state": "away", "detail": "no broker"}


@pytest.mark.parametrize(("cookie", "origin", "status"), [
    ("", None, 401),
    ("touchline_session=made-up", None, 401),
    (None, "http://elsewhere.example", 403),
])  # fmt: skip
def test_strangers_and_other_sites_are_refused(
    site: Site, cookie: str | None, origin: str | None, status: int
) -> None:
    site.page.log_in()
    with pytest.raises(InvalidStatus) as refused, viewer(site.page, origin, cookie):
        pass
    assert refused.value.response.status_code == status


def test_viewers_are_counted_while_they_are_there(site: Site) -> None:
    site.page.log_in()
    with viewer(site.page) as one, viewer(site.page) as two:
        receive(one, kind="all")
        receive(two, kind="all")
        assert "touchline_web_viewers 2.0" in site.page.ask("/metrics").text
    deadline = time.monotonic() + 5
    while "touchline_web_viewers 0.0" not in site.page.ask("/metrics").text:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_what_a_viewer_says_changes_nothing(site: Site) -> None:
    site.page.log_in()
    with viewer(site.page) as socket:
        socket.send("hello")
        socket.send(b"\x00")
        receive(socket, kind="all")
        receive(socket, kind="some")


class SlowSocket:
    """A viewer that takes a message only when it is told to, and never speaks."""

    def __init__(self) -> None:
        self.taken: list[str] = []
        self.may_take = asyncio.Semaphore(0)
        self.gone = asyncio.Event()

    async def send_text(self, text: str) -> None:
        await self.may_take.acquire()
        self.taken.append(text)

    async def receive(self) -> dict[str, str]:
        await self.gone.wait()
        return {"type": "websocket.disconnect"}


@pytest.fixture
async def slow() -> AsyncIterator[tuple[SlowSocket, Broadcast, asyncio.Task[None]]]:
    socket, broadcast = SlowSocket(), Broadcast(lambda: "all")
    task = asyncio.create_task(_until_gone(socket, broadcast))  # type: ignore[arg-type]
    await asyncio.sleep(0)
    yield socket, broadcast, task
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_a_slow_viewer_skips_frames_and_then_has_everything(
    slow: tuple[SlowSocket, Broadcast, asyncio.Task[None]],
) -> None:
    socket, broadcast, _ = slow
    skipped = REGISTRY.get_sample_value("touchline_web_frames_skipped_total") or 0
    await asyncio.sleep(0)
    for k in range(100):
        broadcast.publish(f"frame {k}")
    socket.may_take.release()
    socket.may_take.release()
    for _ in range(10):
        await asyncio.sleep(0)
    assert socket.taken == ["all", "all"]
    assert REGISTRY.get_sample_value("touchline_web_frames_skipped_total") == skipped + 99


async def test_a_viewer_that_goes_ends_its_loop_even_while_it_takes_nothing(
    slow: tuple[SlowSocket, Broadcast, asyncio.Task[None]],
) -> None:
    socket, _, task = slow
    socket.gone.set()
    await asyncio.wait_for(task, 5)


async def test_a_score_reaches_the_frame_within_the_quarter_second() -> None:
    clock, feed = Clock(), FakeFeed()
    live = Live(feed, clock, 10)
    running = asyncio.create_task(live.run())
    await asyncio.sleep(0.05)
    start = time.monotonic()
    feed.push(Batch([make_score()]))
    frame = await live.broadcast.after(0)
    while "rows" not in json.loads(frame.text):
        frame = await live.broadcast.after(frame.number)
    assert time.monotonic() - start < 1
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


def test_a_fault_of_ours_makes_the_process_unhealthy() -> None:
    with Served(create_web(load_settings(), FakeStore(), BrokenFeed(), around=Around(Clock()))) as page:
        deadline = time.monotonic() + 5
        while page.ask("/health").status != 503:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        assert page.ask("/health").json["status"] == "failed"
