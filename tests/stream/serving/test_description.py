"""The page at ``/docs`` comes from the service and from nowhere else."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from playwright.sync_api import Browser, Page, expect

from stream.serving.description import PAGE, STATIC, add_description
from tests.stream.serving.fakes import all_models, app_over, client_of, shelf_over
from tests.stream.web.serving import Served
from tests.stream.web.test_page import browser

__all__ = ["browser"]

built = pytest.mark.skipif(not (STATIC / PAGE).is_file(), reason="the page is not built: run `make setup`")


@built
async def test_the_page_names_nothing_outside_of_the_service(client: httpx.AsyncClient) -> None:
    page = await client.get("/docs")
    assert page.status_code == 200
    assert "default-src 'none'" in page.headers["content-security-policy"]
    asked = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert len(asked) >= 3
    assert re.search(r"(https?:)?//", page.text) is None
    for path in asked:
        answer = await client.get(path)
        assert (path, answer.status_code) == (path, 200)
    styles = "".join([(await client.get(path)).text for path in asked if path.endswith(".css")])
    assert re.search(r"""@import|url\(["']?(?!["']?data:)""", styles) is None


async def test_without_the_page_it_says_where_the_description_is(tmp_path: Path) -> None:
    app = FastAPI(docs_url=None)
    add_description(app, tmp_path)
    async with client_of(app) as client:
        answer = await client.get("/docs")
        assert (answer.status_code, "/openapi.json" in answer.text) == (503, True)
        assert (await client.get("/favicon.svg")).status_code == 404
        assert (await client.get("/assets/nothing.js")).status_code == 404


@pytest.fixture(scope="module")
def served() -> Iterator[str]:
    shelf = shelf_over(all_models())

    @asynccontextmanager
    async def warm(_: FastAPI) -> AsyncIterator[None]:
        await shelf.refresh()
        yield
        await shelf.close()

    app = app_over(shelf)
    app.router.lifespan_context = warm
    with Served(app) as service:
        yield service.url


@pytest.mark.browser
@pytest.mark.slow
def test_a_browser_draws_every_path_and_asks_nobody_else(browser: Browser, served: str) -> None:
    page: Page = browser.new_page()
    asked: list[str] = []
    complaints: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(f"{served}/docs")
    expect(page.get_by_text("/v1/frames:score")).to_be_visible()
    expect(page.locator(".opblock")).to_have_count(
        len([1 for path in httpx.get(f"{served}/openapi.json").json()["paths"].values() for _ in path])
    )
    page.get_by_text("/v1/frames:score").click()
    expect(page.get_by_role("button", name="Try it out")).to_be_visible()
    page.close()
    assert {url for url in asked if not url.startswith((served, "data:"))} == set()
    assert complaints == []
