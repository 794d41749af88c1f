"""Terminal: how every command reads its settings, shows progress, runs and answers. Commands are elsewhere."""

from __future__ import annotations

import asyncio
import json
import logging
import signal
import sys
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, TypeVar

import structlog
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn

from stream.settings import Settings, load_settings

console = Console(stderr=True)
#: What a shell expects of a command that was interrupted.
INTERRUPTED = 130
#: Between two lines of progress where stderr is no terminal, s.
EVERY_S = 10.0

Result = TypeVar("Result")
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")]
ModelDir = Annotated[Path | None, typer.Option(help="Model registry; none takes the shipped models.")]


def settings_with(**flags: Any) -> Settings:
    """Settings with these flags on top, and logging set up as they say."""
    settings = load_settings(**flags)
    processors: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso"),
        structlog.processors.format_exc_info,
        structlog.processors.JSONRenderer()
        if settings.log_json
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty()),
    ]
    level = logging.getLevelNamesMapping()[settings.log_level.upper()]
    structlog.configure(
        processors,
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    logging.basicConfig(level=max(level, logging.WARNING), stream=sys.stderr)
    return settings


@contextmanager
def progress() -> Iterator[Callable[[str], None]]:
    """A line that changes, on stderr; where that is no terminal a new line now and then."""
    if console.is_terminal:
        with console.status("…") as status:
            yield status.update
        return
    last = 0.0

    def tell(text: str) -> None:
        nonlocal last
        if time.monotonic() - last >= EVERY_S:
            last = time.monotonic()
            console.print(text, style="dim", markup=False, highlight=False, soft_wrap=True)

    yield tell


@contextmanager
def training_progress() -> Iterator[Callable[[str, int, int], None]]:
    """A bar for each thing that is being done, on stderr; where that is no terminal a line now and then."""
    if not console.is_terminal:
        with progress() as say:
            yield lambda what, done, of: say(f"{what}: {done} of {of}")
        return
    with Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), console=console
    ) as bars:
        tasks: dict[str, TaskID] = {}

        def tell(what: str, done: int, of: int) -> None:
            if what not in tasks:
                tasks[what] = bars.add_task(what)
            bars.update(tasks[what], completed=done, total=of)

        yield tell


def run(work: Coroutine[Any, Any, Result], *, endless: bool = False) -> Result:
    """Run to the end; SIGINT and SIGTERM cancel the work, so that all it started is stopped before we go.

    Stopping what would go on for ever is success; finite work that was cut short exits 130.
    """

    async def guarded() -> Result:
        task = asyncio.ensure_future(work)

        def stop() -> None:
            console.print("stopping", style="dim")
            task.cancel()

        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stop)
        return await task

    try:
        return asyncio.run(guarded())
    except asyncio.CancelledError:
        raise typer.Exit(0 if endless else INTERRUPTED) from None


def print_json(result: dict[str, Any]) -> None:
    """One object on stdout; NaN would be a fault."""
    typer.echo(json.dumps(result, allow_nan=False))


def show(result: dict[str, Any], as_json: bool) -> None:
    """The answer of a command on stdout: one object in one line, or indented for people."""
    if as_json:
        print_json(result)
    else:
        Console().print_json(json.dumps(result, allow_nan=False))
