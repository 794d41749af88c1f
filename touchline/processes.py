"""Processes: start workers and sinks as children, know when they are ready, and leave none behind."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Final, Self

from stream.errors import TouchlineError
from stream.settings import PREFIX, Settings
from touchline.embedded import die_with_parent

STOP_S: Final = 20.0
POLL_S: Final = 0.05


class ChildFailed(TouchlineError):
    """A child process ended before its time; the message carries the end of its log."""


@dataclass(slots=True)
class Child:
    """A Touchline process of ours. ``ready`` is a file it makes once it can work."""

    name: str
    process: subprocess.Popen[bytes]
    ready: Path
    log: Path

    def check(self) -> None:
        """Raise ChildFailed when it has ended."""
        if self.process.poll() is not None:
            tail = self.log.read_text(errors="replace").strip().splitlines()[-8:]
            raise ChildFailed(f"{self.name} ended with {self.process.returncode}:\n" + "\n".join(tail))


@dataclass(slots=True)
class Processes:
    """``with Processes() as processes``: children with a folder for their logs, all stopped at the end.

    ``throwaway``: nothing they hold is wanted (their broker goes with them), so they are killed at once.
    """

    children: list[Child] = field(default_factory=list)
    throwaway: bool = False
    _folder: tempfile.TemporaryDirectory[str] | None = None

    def __enter__(self) -> Self:
        """Make the folder."""
        self._folder = tempfile.TemporaryDirectory(prefix="touchline-")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop all, the last started first."""
        self.stop()
        assert self._folder is not None
        self._folder.cleanup()

    def start(
        self, name: str, command: str, environment: Mapping[str, str], module: str = "touchline.cli"
    ) -> Child:
        """Start ``touchline COMMAND --ready FILE`` (or another ``module``) with settings in the environment."""
        assert self._folder is not None, "enter Processes first"
        folder = Path(self._folder.name)
        ready, log = folder / f"{name}.ready", folder / f"{name}.log"
        with log.open("wb") as out:
            arguments = ["-m", module, *command.split(), "--ready", str(ready)]
            process = _spawn(arguments, environment, out)
        child = Child(name, process, ready, log)
        self.children.append(child)
        return child

    async def wait_ready(self) -> None:
        """Until every child is ready; raises ChildFailed when one has ended instead."""
        while not all([await asyncio.to_thread(child.ready.exists) for child in self.children]):
            self.check()
            await asyncio.sleep(POLL_S)

    def check(self) -> None:
        """Raise ChildFailed when any child has ended."""
        for child in self.children:
            child.check()

    def stop(self) -> None:
        """SIGTERM to all, wait, SIGKILL to who does not go; throwaways are killed."""
        for child in self.children:
            if child.process.poll() is None:
                child.process.send_signal(signal.SIGKILL if self.throwaway else signal.SIGTERM)
        for child in reversed(self.children):
            try:
                child.process.wait(timeout=STOP_S)
            except subprocess.TimeoutExpired:
                child.process.kill()
                child.process.wait()
        self.children.clear()


def _spawn(arguments: list[str], environment: Mapping[str, str], out: IO[bytes]) -> subprocess.Popen[bytes]:
    """Own session, so that Ctrl-C reaches the parent alone and the parent decides the order of stopping."""
    return subprocess.Popen(  # noqa: S603 (our own interpreter and module)
        [sys.executable, *arguments],
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=out,
        stderr=out,
        start_new_session=True,
        preexec_fn=die_with_parent,  # noqa: PLW1509 (one prctl, before any thread of the child)
    )


def environment(settings: Settings, **overrides: Any) -> dict[str, str]:
    """This process's environment with settings that a child is to have."""
    chosen = {**settings.model_dump(mode="json", exclude_unset=True), **overrides}
    names = {PREFIX + name.upper(): str(value) for name, value in chosen.items() if value is not None}
    return dict(os.environ) | names
