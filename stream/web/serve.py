"""The web process: binds the port, opens store and feed, serves, and stops cleanly when it is cancelled."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable

import structlog
from fastapi import FastAPI

from stream.errors import SettingsError
from stream.listen import Server, listen, shown_host
from stream.settings import Settings
from stream.sinks.open_store import open_store
from stream.web.app import NOT_BUILT, STATIC, create_web, wall_us
from stream.web.feed import KafkaFeed
from stream.web.login import Login
from stream.web.ticks import write_ticks

log = structlog.get_logger(__name__)


async def serve(settings: Settings, ready: Callable[[str], None]) -> None:
    """Serve until cancelled. ``ready`` gets the address with the login link, once, when the page answers.

    Raises UsageError where the port is taken and what :func:`~stream.sinks.open_store.open_store` raises; a broker
    that is away is waited for, and the page says so.
    """
    if settings.broker is None:
        raise SettingsError("the page needs a broker: set TOUCHLINE_BROKER")
    if not (STATIC / "index.html").is_file():
        log.warning(NOT_BUILT)
    with listen(settings.web_host, settings.web_port) as listener:
        store = await asyncio.to_thread(open_store, settings)
        try:
            app = create_web(settings, store, KafkaFeed(settings.broker), settings.web_token)
            first = login_link(listener, app.state.login, settings.web_token)
            app.state.used = lambda: _say_next(listener, app.state.login)
            await _run(settings, app, listener, lambda: ready(first))
        finally:
            await asyncio.to_thread(store.close)


def login_link(listener: socket.socket, login: Login, token: str = "") -> str:
    """The address of the page with a login link in it: ``token`` where it is given, else a new one."""
    host, port = listener.getsockname()[:2]
    return f"http://{shown_host(host)}:{port}/?token={token or login.new_token()}"


def _say_next(listener: socket.socket, login: Login) -> None:
    """A link was used up: the log has the next one, for another screen."""
    log.info("the login link was used; the next one", url=login_link(listener, login))


async def _run(settings: Settings, app: FastAPI, listener: socket.socket, ready: Callable[[], None]) -> None:
    """Uvicorn and what runs beside it. Whatever ends first ends all, with its exception."""
    server = Server(app)
    serving = asyncio.create_task(server.serve([listener]), name="web")
    ticks = _ticks(settings)
    try:
        await server.listening.wait()
        ready()
        tasks = [serving, ticks, app.state.running]
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            await task
    finally:
        server.should_exit = True
        ticks.cancel()
        await asyncio.gather(serving, ticks, return_exceptions=True)


def _ticks(settings: Settings) -> asyncio.Task[None]:
    """The door's duty where this process has it, else a task that only waits."""
    if settings.web_ticks and settings.broker is not None:
        return asyncio.create_task(write_ticks(settings.broker, wall_us), name="ticks")
    return asyncio.create_task(_nothing(), name="no ticks")


async def _nothing() -> None:
    await asyncio.Event().wait()
