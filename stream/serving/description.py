"""``/docs``: the service's description for people. All of it is served here; the page may not ask anybody else."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from fastapi import FastAPI, Response
from fastapi.responses import FileResponse, PlainTextResponse
from fastapi.staticfiles import StaticFiles

#: Where the page's build puts everything.
STATIC: Final = Path(__file__).parents[1] / "web" / "static"
PAGE: Final = "docs.html"
ICON: Final = "/favicon.svg"
ASSETS: Final = "/assets"
NOT_BUILT: Final = "the page is not built: run `make setup`; the description is at /openapi.json\n"
#: Swagger UI sets styles as it draws; scripts, pictures and requests are our own.
POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def add_description(app: FastAPI, static: Path = STATIC) -> None:
    """Serve the page out of the folder it was built into."""

    @app.get("/docs", include_in_schema=False)
    async def docs() -> Response:
        page = static / PAGE
        if not page.is_file():
            return PlainTextResponse(NOT_BUILT, 503)
        return FileResponse(page, headers={"content-security-policy": POLICY})

    @app.get(ICON, include_in_schema=False)
    async def icon() -> Response:
        return FileResponse(static / ICON[1:]) if (static / PAGE).is_file() else Response(status_code=404)

    if (assets := static / ASSETS[1:]).is_dir():
        app.mount(ASSETS, StaticFiles(directory=assets), name="assets")
