"""The files of the how-to are made as it says, sent where it says, and answered by the shipped models."""

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
from touchline.fit import check_fit

pytestmark = pytest.mark.slow

PAGE = (Path(__file__).resolve().parents[3] / "docs/how-to/model-rest.md").read_text()
MADE = re.findall(r"^python3 (-c '[^']+') > (\S+)$", PAGE, re.MULTILINE)
ASKED = re.findall(r"^curl [^#\n]+", PAGE, re.MULTILINE)


async def test_the_commands_of_the_how_to_are_answered() -> None:
    assert (len(MADE), len(ASKED)) == (3, 9)
    files = {name: _made(arguments) for arguments, name in MADE}
    shelf = shelf_over(DiskLibrary(SHIPPED, trusted([SHIPPED]), check_fit))
    await shelf.refresh()
    async with client_of(app_over(shelf)) as client:
        for command in ASKED:
            words = shlex.split(command)
            path = urlsplit(next(word for word in words if word.startswith("http"))).path
            body = next((files[word[1:]] for word in words if word.startswith("@")), None)
            answer = await client.request("GET" if body is None else "POST", path, content=body)
            assert answer.status_code == 200, (command, answer.text)
    await shelf.close()


def _made(arguments: str) -> bytes:
    """What a command of the page writes."""
    return subprocess.run([sys.executable, *shlex.split(arguments)], capture_output=True, check=True).stdout
