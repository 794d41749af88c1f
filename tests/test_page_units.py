"""The page's own tests, in Node: what needs no browser."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[1] / "page"


def test_the_page_passes_its_own_tests() -> None:
    npm = shutil.which("npm")
    if npm is None or not (PAGE / "node_modules").is_dir():
        pytest.fail("the page is not built: run `make setup`, which needs Node and npm")
    command = [npm, "test", "--silent"]
    done = subprocess.run(command, cwd=PAGE, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "# fail 0" in done.stdout
    assert "# pass 0" not in done.stdout
