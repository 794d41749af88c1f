"""Fixtures every test may use: where the real recordings are, and the two real servers."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from hypothesis import settings

#: No test is timed: an example that takes long says that the machine is busy.
settings.register_profile("touchline", deadline=None)
settings.load_profile("touchline")

pytest_plugins = ["tests.servers_fixtures"]

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(autouse=True)
def plain_log() -> Iterator[None]:
    """A command under test sets the log to write to its own captured stderr, which is closed after it."""
    yield
    structlog.reset_defaults()


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The folder of real recordings; skips where it is missing, fails there in CI."""
    folder = Path(os.environ.get("TOUCHLINE_DATA", ROOT / "../shared/data")).resolve()
    if not folder.is_dir():
        reason = f"no recordings at {folder} (set TOUCHLINE_DATA)"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    return folder
