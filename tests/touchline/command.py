"""Runs the command line as a user would: a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Done:
    """What a command left: exit code, stdout, stderr."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Stdout as the one JSON object it must be."""
        return json.loads(self.out)


TIMEOUT_S = 580


def touchline(*arguments: str | Path, **environment: str) -> Done:
    """Run ``touchline ARGUMENTS`` with settings from ``environment`` on top of ours."""
    done = subprocess.run(
        [sys.executable, "-m", "touchline.cli", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        env=os.environ | environment,
        check=False,
    )
    return Done(done.returncode, done.stdout, done.stderr)
