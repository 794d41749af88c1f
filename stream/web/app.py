"""The web app, put together: page, push, API, metrics. Opens no broker and no store; both are handed in."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from fastapi import FastAPI, Request, Response
from fastapi.responses import FileResponse, PlainTextResponse
from fastapi.staticfiles import StaticFiles
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from stream.settings import Settings
from stream.sinks.store import Store
from stream.web import api, push
from stream.web.access import exchange
from stream.web.headers import SecurityHeaders
from stream.web.live import Live
from stream.web.login import Login
from stream.web.messages import Feed

STATIC: Final = Path(__file__).parent / "static"
NOT_BUILT: Final = "the page is not built: run `make setup`"


def wall_us() -> int:
    """Wall clock, µs since 1970 UTC."""
    return time.time_ns() // 1000


@dataclass(frozen=True, slots=True)
class Around:
    """What the app finds around it: ``clock`` (wall time, µs) and the folder of the built page."""

    clock: Callable[[], int] = wall_us
    static: Path = STATIC


def create_web(
    settings: Settings, store: Store, feed: Feed, token: str = "", around: Around | None = None
) -> FastAPI:
    """The app. ``token`` opens the first login link; ``app.state.login`` makes more.

    While it is served, ``app.state.running`` is the task that keeps the board: its end is a fault.
    """
    around = around or Around()
    app = FastAPI(
        title="Touchline", version=version("touchline"), lifespan=_lifespan, docs_url=None, redoc_url=None
    )
    app.state.login = Login(around.clock, token)
    app.state.live = Live(feed, around.clock, settings.silent_after_s)
    app.state.store = store
    app.state.used = lambda: None  # called when a login link was used up
    app.add_middleware(SecurityHeaders)
    app.include_router(api.router)
    app.include_router(push.router)
    _add_page(app, around.static)
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Keep the board while the app is served."""
    live: Live = app.state.live
    task = app.state.running = asyncio.create_task(live.run(), name="live")
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)  # its exception is for whoever watches the task


def _add_page(app: FastAPI, static: Path) -> None:
    @app.get("/", include_in_schema=False)
    async def page(request: Request, token: str | None = None) -> Response:
        if token is not None:
            return exchange(request, token)
        index = static / "index.html"
        return FileResponse(index) if index.is_file() else PlainTextResponse(NOT_BUILT + "\n", 503)

    @app.get("/health")
    async def health(request: Request, response: Response) -> dict[str, Any]:
        """Whether this process does its work (else 503), and how its feed is, which it cannot help."""
        works = not request.app.state.running.done()
        response.status_code = 200 if works else 503
        feed = request.app.state.live.board.status
        return {"status": "ok" if works else "failed", "feed": feed.state, "detail": feed.detail}

    @app.get("/metrics", include_in_schema=False)
    def metrics() -> Response:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    if static.is_dir():
        app.mount("/", StaticFiles(directory=static), name="static")
