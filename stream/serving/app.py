"""The model service as an app: both shapes, metrics, errors as JSON. Loads nothing; the shelf is handed in."""

from __future__ import annotations

from importlib.metadata import version

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from stream.errors import RequestRefused
from stream.serving import explain, frames, open_inference, tensorflow_shape
from stream.serving.description import add_description
from stream.serving.inference import Service

log = structlog.get_logger(__name__)


def create_serving(service: Service) -> FastAPI:
    """The app. It serves as soon as it runs; until the shelf is ready it answers 503."""
    app = FastAPI(title="Touchline models", version=version("touchline"), docs_url=None, redoc_url=None)
    app.state.service = service
    app.include_router(tensorflow_shape.router)
    app.include_router(explain.router)
    app.include_router(open_inference.router)
    app.include_router(frames.router)
    app.add_api_route("/metrics", metrics, include_in_schema=False)
    add_description(app)
    add_errors(app)
    return app


def metrics() -> Response:
    """Prometheus metrics of this process."""
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)


def add_errors(app: FastAPI) -> None:
    """Every error as ``{"error": …}``."""

    @app.exception_handler(RequestRefused)
    async def refused(_: Request, error: RequestRefused) -> JSONResponse:
        headers = {} if error.retry_after_s is None else {"Retry-After": str(error.retry_after_s)}
        return JSONResponse({"error": str(error)}, error.status, headers)

    @app.exception_handler(HTTPException)
    async def http(_: Request, error: HTTPException) -> JSONResponse:
        return JSONResponse({"error": error.detail}, error.status_code, error.headers)

    @app.exception_handler(RequestValidationError)
    async def invalid(_: Request, error: RequestValidationError) -> JSONResponse:
        said = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        return JSONResponse({"error": said}, 400)

    @app.exception_handler(ClientDisconnect)
    async def gone(_request: Request, _error: ClientDisconnect) -> Response:
        return Response(status_code=400)  # nobody reads it

    @app.exception_handler(Exception)
    async def fault(_: Request, error: Exception) -> JSONResponse:
        log.error("a fault of ours", exc_info=error)
        return JSONResponse({"error": "a fault of ours; the log has it"}, 500)
