"""Tests of stream/web/serve.py."""

from __future__ import annotations

import asyncio
import http.client
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from stream.errors import SettingsError, StoreUnavailable, UsageError
from stream.listen import listen
from stream.settings import Settings, load_settings
from stream.web.login import Login
from stream.web.serve import login_link, serve
from tests.stream.web.fakes import Clock
from touchline.embedded import free_port


def settings(tmp_path: Path, **parts: object) -> Settings:
    known: dict[str, object] = {
        "broker": f"127.0.0.1:{free_port()}",
        "store": tmp_path / "s.sqlite",
        "web_port": 0,
    }
    return load_settings(**(known | parts))


@asynccontextmanager
async def serving(told: Settings) -> AsyncIterator[str]:
    """The link that ``ready`` was given; cancelled and gone at the end."""
    links: asyncio.Queue[str] = asyncio.Queue()
    task = asyncio.create_task(serve(told, links.put_nowait))
    try:
        async with asyncio.timeout(10):
            yield await links.get()
    finally:
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asyncio.wait_for(task, 10)


def get(url: str, path: str) -> tuple[int, str]:
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=5)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


async def test_it_serves_without_a_broker_and_says_so(tmp_path: Path) -> None:
    async with serving(settings(tmp_path)) as link:
        status, text = await asyncio.to_thread(get, link, "/health")
        while '"connecting"' in text:
            status, text = await asyncio.to_thread(get, link, "/health")
        assert status == 200
        assert "no Kafka broker answers" in text


async def test_the_link_that_is_printed_logs_in_once(tmp_path: Path) -> None:
    async with serving(settings(tmp_path, web_token="chosen")) as link:
        assert link.endswith("/?token=chosen")
        path = f"/?{urlsplit(link).query}"
        assert [(await asyncio.to_thread(get, link, path))[0] for _ in range(2)] == [303, 401]


async def test_without_a_token_a_new_one_is_made(tmp_path: Path) -> None:
    async with serving(settings(tmp_path)) as link:
        assert len(urlsplit(link).query) > 40


async def test_the_port_is_free_again_when_it_was_cancelled(tmp_path: Path) -> None:
    async with serving(settings(tmp_path)) as link:
        port = urlsplit(link).port
    assert port is not None
    listen("127.0.0.1", port).close()


async def test_a_busy_port_is_one_line_that_says_what_to_do(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(UsageError, match=f"^port {port} is taken, choose another with --web-port$"):
            await serve(settings(tmp_path, web_port=port), print)


def test_an_address_of_another_machine_is_refused() -> None:
    with pytest.raises(UsageError, match="--web-host"):
        listen("192.0.2.1", 0)


async def test_a_store_that_cannot_be_written_ends_it(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable):
        await serve(settings(tmp_path, store=tmp_path / "no/such/folder/s.sqlite"), print)


async def test_without_a_broker_in_the_settings_it_does_not_start(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="TOUCHLINE_BROKER"):
        await serve(settings(tmp_path, broker=None), print)


def test_the_link_of_a_page_for_everybody_is_one_that_works_here() -> None:
    with listen("0.0.0.0", 0) as listener:
        port = listener.getsockname()[1]
        assert login_link(listener, Login(Clock()), "t") == f"http://127.0.0.1:{port}/?token=t"
