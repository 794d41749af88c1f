"""The bodies of the how-to are made as it says, sent where it says, and answered by the shipped models."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from models.artefact import SHIPPED
from models.signature import trusted
from stream.serving.library import DiskLibrary
from tests.stream.serving.fakes import app_over, client_of, shelf_over

pytestmark = pytest.mark.slow

PAGE = Path(__file__).resolve().parents[3] / "docs/how-to/model-rest.md"
EXAMPLE = re.compile(r"^(python -c .+) > \S+\ncurl -d @\S+ (\S+)$", re.MULTILINE)


async def test_the_commands_of_the_how_to_are_answered() -> None:
    examples = EXAMPLE.findall(PAGE.read_text())
    assert len(examples) == 3
    shelf = shelf_over(DiskLibrary(SHIPPED, trusted([SHIPPED])))
    await shelf.refresh()
    async with client_of(app_over(shelf)) as client:
        for command, url in examples:
            _, *arguments = shlex.split(command)
            body = subprocess.run([sys.executable, *arguments], capture_output=True, check=True).stdout  # noqa: ASYNC221
            answer = await client.post(urlsplit(url).path, content=body)
            assert answer.status_code == 200, answer.text
    await shelf.close()
