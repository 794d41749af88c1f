"""The balancer as an app and a process: passes on what the model service understands, and tells its own health."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from importlib.metadata import version
from typing import Any, Final
from urllib.parse import urlsplit

import httpx
from fastapi import FastAPI, Request, Response

from stream.errors import UsageError
from stream.listen import listen
from stream.serving.app import add_errors, metrics
from stream.serving.balance import Asked, Balancer, open_client
from stream.serving.inference import read_body, timeout_s
from stream.serving.refusals import NotReady, UnknownModel
from stream.serving.serve import address, run_beside
from stream.settings import Settings

#: What is passed on; all else is none of ours.
PREFIXES: Final = ("/v1/", "/v2/")
PATHS: Final = frozenset({"/v2", "/docs", "/openapi.json"})
#: Headers that mean something to a client.
ANSWERED: Final = ("content-type", "retry-after", "server-timing", "allow")


def create_balancer(balancer: Balancer, settings: Settings) -> FastAPI:
    """The app. Its own are health, metrics and ``/upstreams``; the description is that of the service behind."""
    app = FastAPI(title="Touchline routing", version=version("touchline"), openapi_url=None, docs_url=None)

    app.add_api_route("/metrics", metrics)

    @app.get("/v2/health/live")
    async def live() -> dict[str, bool]:
        return {"live": True}

    @app.get("/v2/health/ready")
    async def ready(response: Response) -> dict[str, bool]:
        response.status_code = 200 if balancer.ready else NotReady.status
        return {"ready": balancer.ready}

    @app.get("/upstreams")
    async def upstreams() -> list[dict[str, Any]]:
        return [{"url": u.url, "ready": u.ready, "outstanding": u.outstanding} for u in balancer.upstreams]

    @app.api_route("/{path:path}", methods=["GET", "POST", "PUT", "PATCH", "DELETE"])
    async def forward(request: Request) -> Response:
        return answered(await balancer.send(await asked_by(request, settings)))

    add_errors(app)
    return app


async def asked_by(request: Request, settings: Settings) -> Asked:
    """A request as it is passed on. Raises UnknownModel for paths that are not the service's."""
    path = request.scope["raw_path"].decode("latin-1")
    if path not in PATHS and not path.startswith(PREFIXES):
        raise UnknownModel(f"nothing at {path}; models are under /v1 and /v2")
    deadline = asyncio.get_running_loop().time() + timeout_s(request, settings.serving_timeout_s)
    body = await read_body(request, settings.serving_body_bytes)
    kind = {"content-type": request.headers["content-type"]} if "content-type" in request.headers else {}
    query = request.scope["query_string"].decode("latin-1")
    return Asked(request.method, f"{path}?{query}" if query else path, deadline, body, kind)


def answered(answer: httpx.Response) -> Response:
    """What a process answered, for the client."""
    headers = {name: answer.headers[name] for name in ANSWERED if name in answer.headers}
    return Response(answer.content, answer.status_code, headers)


async def balance(settings: Settings, urls: Sequence[str], ready: Callable[[str], None]) -> None:
    """Balance until cancelled; ``ready`` gets the address. Raises UsageError for a bad address or a taken port."""
    addresses = [checked(url) for url in urls]
    with listen(settings.serving_host, settings.serving_port, "--port") as listener:
        async with open_client() as client:
            balancer = Balancer(addresses, client)

            async def watch() -> None:
                await balancer.check()
                ready(address(listener))
                await balancer.watch()

            await run_beside(create_balancer(balancer, settings), listener, watch(), _nothing)


async def _nothing() -> None:
    """Requests in flight are uvicorn's to wait for."""


def checked(url: str) -> str:
    """An address without its last slash. Raises UsageError."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise UsageError(f"--upstream {url}: an address like http://host:port is wanted")
    return url.rstrip("/")
