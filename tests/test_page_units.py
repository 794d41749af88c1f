"""The page's own tests, in the Node that `make setup` brings: what needs no browser."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

PAGE = Path(__file__).parents[1] / "page"


def test_the_page_passes_its_own_tests() -> None:
    tools = Path(sys.executable).parent
    assert (tools / "npm").exists(), "run `make setup`"
    environment = os.environ | {"PATH": f"{tools}{os.pathsep}{os.environ['PATH']}"}
    command = [str(tools / "npm"), "test", "--silent"]
    done = subprocess.run(
        command, cwd=PAGE, env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    passed = re.search(r"pass (\d+)", done.stdout)
    assert passed is not None, done.stdout
    assert int(passed[1]) > 0
