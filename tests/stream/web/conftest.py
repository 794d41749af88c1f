"""What the tests of the web process share: served apps, and the option that makes the README's picture."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from stream.settings import load_settings
from stream.web.app import Around, create_web
from tests.stream.web.fakes import Clock, FakeFeed, FakeStore
from tests.stream.web.scores import make_score
from tests.stream.web.serving import Served


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-picture", action="store_true", help="write docs/images/page.png, the README's picture"
    )


@dataclass(frozen=True, slots=True)
class Site:
    """A served app and the fakes it stands on."""

    page: Served
    feed: FakeFeed
    store: FakeStore
    clock: Clock


@pytest.fixture
def static(tmp_path: Path) -> Path:
    """A folder with a page that stands for the built one."""
    (tmp_path / "assets").mkdir()
    (tmp_path / "index.html").write_text("<title>the page</title>")
    (tmp_path / "assets/index-1a2b.js").write_text("1")
    return tmp_path


@pytest.fixture
def site(static: Path) -> Iterator[Site]:
    """A served app, nobody logged in."""
    feed, store, clock = FakeFeed(), FakeStore(), Clock()
    store.write([make_score("stored")], [])
    app = create_web(load_settings(), store, feed, "first", Around(clock, static))
    with Served(app) as page:
        yield Site(page, feed, store, clock)
