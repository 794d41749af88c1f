"""The serving process: binds the port, warms the networks, follows the registry, and drains when it is cancelled."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import Final

import structlog
from fastapi import FastAPI

from stream.alert import load_rules
from stream.errors import ModelMissing, ModelRefused
from stream.listen import Server, listen, shown_host
from stream.serving.app import create_serving
from stream.serving.batcher import Limits
from stream.serving.inference import Service
from stream.serving.network import Library
from stream.serving.scoring import Scorer, Stages
from stream.serving.shelf import Following, Shelf
from stream.settings import Settings

log = structlog.get_logger(__name__)

#: How long requests in flight have when we are told to stop, s.
DRAIN_S: Final = 10


async def serve(
    settings: Settings, library: Library, pins: Mapping[str, str], ready: Callable[[str], None]
) -> None:
    """Serve until cancelled. ``ready`` gets the address, once, when the networks are warm.

    Raises UsageError where the port is taken, ModelMissing where there is no model or not what is pinned,
    ModelRefused where no version of any may be used.
    """
    check_pins(library, pins)
    shelf = shelf_of(settings, library, pins)
    scorer = Scorer(stages_of(settings), shelf.lane)
    service = Service(shelf, scorer, settings.serving_timeout_s, settings.serving_body_bytes)
    with listen(settings.serving_host, settings.serving_port, "--port") as listener:
        beside = _follow(shelf, lambda: ready(address(listener)))
        await run_beside(create_serving(service), listener, beside, shelf.close)


def check_pins(library: Library, pins: Mapping[str, str]) -> None:
    """See that there is what is pinned. Raises ModelMissing with what there is."""
    there = library.listing() if pins else {}
    for name, version in pins.items():
        if name not in there:
            raise ModelMissing(f"{name} cannot be pinned: there is no such model, but {', '.join(there)}")
        if version not in there[name].versions:
            known = ", ".join(there[name].versions)
            raise ModelMissing(f"{name} {version} cannot be pinned: no such version; there is {known}")


def shelf_of(settings: Settings, library: Library, pins: Mapping[str, str]) -> Shelf:
    """A shelf as the settings say."""
    following = Following(settings.serving_policy, settings.serving_poll_s, settings.serving_named, pins)
    limits = Limits(settings.serving_rows, settings.serving_queue_rows, settings.serving_delay_ms / 1e3)
    return Shelf(library, following, limits)


def stages_of(settings: Settings) -> Stages:
    """The stages as a worker with these settings has them."""
    rules = load_rules(settings.rules)
    return Stages(settings.clock(), rules, settings.serving_frames, settings.serving_seconds)


async def run_beside(
    app: FastAPI,
    listener: socket.socket,
    work: Coroutine[None, None, None],
    drain: Callable[[], Awaitable[None]],
) -> None:
    """Uvicorn and work beside it. Whatever ends first ends both, after draining."""
    server = Server(app, DRAIN_S)
    serving = asyncio.create_task(server.serve([listener]), name="serving")
    working = asyncio.create_task(work, name="beside serving")
    try:
        done, _ = await asyncio.wait([serving, working], return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            await task
    finally:
        working.cancel()
        await drain()
        server.should_exit = True
        await asyncio.gather(serving, working, return_exceptions=True)


async def _follow(shelf: Shelf, ready: Callable[[], None]) -> None:
    await shelf.refresh()
    if not shelf.ready:
        raise ModelRefused("; ".join(sorted(shelf.faults().values())))
    ready()
    await shelf.run()


def address(listener: socket.socket) -> str:
    """Where a listener is found."""
    host, port = listener.getsockname()[:2]
    return f"http://{shown_host(host)}:{port}"
