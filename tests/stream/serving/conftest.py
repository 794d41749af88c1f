"""A service over networks of the test's own."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest

from stream.serving.shelf import Shelf
from tests.stream.serving.fakes import Shelved, app_over, client_of, shelf_over, two_models


@pytest.fixture
def library() -> Shelved:
    """Two models."""
    return two_models()


@pytest.fixture
async def shelf(library: Shelved) -> AsyncIterator[Shelf]:
    """A warm shelf."""
    made = shelf_over(library)
    await made.refresh()
    yield made
    library.sums.open.set()
    await made.close()


@pytest.fixture
async def client(shelf: Shelf) -> AsyncIterator[httpx.AsyncClient]:
    """Asks the service around the shelf."""
    async with client_of(app_over(shelf)) as asking:
        yield asking
