"""The web process: binds the port, opens store and feed, serves, and stops cleanly when it is cancelled."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
from collections.abc import Callable, Iterator
from typing import Final

import structlog
import uvicorn
from fastapi import FastAPI

from stream.errors import SettingsError, UsageError
from stream.settings import Settings
from stream.sinks.open_store import open_store
from stream.web.app import NOT_BUILT, STATIC, create_web, wall_us
from stream.web.feed import KafkaFeed
from stream.web.login import Login
from stream.web.ticks import write_ticks

log = structlog.get_logger(__name__)

#: Viewers are told to go; whoever has not gone by then is cut off, s.
STOP_S: Final = 3
#: What a viewer may say at once, bytes.
VIEWER_SAYS: Final = 4096


class Server(uvicorn.Server):
    """uvicorn that leaves signals to its caller and says when it listens."""

    def __init__(self, app: FastAPI) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                ws="websockets-sansio",
                ws_max_size=VIEWER_SAYS,
                ws_per_message_deflate=False,  # a message is serialised once for all; each would deflate it anew
                access_log=False,  # a login link would stand in it
                log_config=None,
                server_header=False,
                timeout_graceful_shutdown=STOP_S,
            )
        )
        self.listening = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Nothing: who runs this process decides what a signal does."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and say so."""
        await super().startup(sockets)
        self.listening.set()


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


def listen(host: str, port: int) -> socket.socket:
    """A bound socket. Raises UsageError where the port is taken or the address is not this machine's."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise UsageError(_why(error, host, port)) from None
    return listener


def _why(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"port {port} is taken, choose another with --web-port"
    return f"port {port} of {host} cannot be had ({error.strerror}), choose others with --web-host and --web-port"


def login_link(listener: socket.socket, login: Login, token: str = "") -> str:
    """The address of the page with a login link in it: ``token`` where it is given, else a new one."""
    host, port = listener.getsockname()[:2]
    shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104
    return f"http://{shown}:{port}/?token={token or login.new_token()}"


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
