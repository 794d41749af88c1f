"""``python -m touchline.training all --out models/artefacts``: train, with progress on stderr, folders on stdout."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from models.artefact import SHIPPED
from stream.errors import TouchlineError
from stream.settings import load_settings
from touchline.training.run import TRAINERS, train
from touchline.training.workshop import Workshop


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m touchline.training", description="Train the shipped models."
    )
    parser.add_argument("model", choices=["all", *TRAINERS], help="which one")
    parser.add_argument("--out", type=Path, default=SHIPPED, help="folder of models; a new version is added")
    parser.add_argument("--data", type=Path, default=None, help="folder of recordings (TOUCHLINE_DATA)")
    parser.add_argument(
        "--thrift", type=float, default=1.0, help="share of the steps, below 1 only for trying"
    )
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> int:
    """Train what is asked for; 0, or the error's exit code."""
    asked = _arguments(argv)
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    try:
        data = load_settings(data=asked.data).data
        with Progress(*columns, console=console) as progress:
            shop = Workshop(data, asked.out, _Bars(progress).tell, asked.thrift)
            for folder in train(TRAINERS if asked.model == "all" else [asked.model], shop):
                sys.stdout.write(f"{folder}\n")
    except TouchlineError as error:
        console.print(f"error: {error}")
        return error.exit_code
    return 0


class _Bars:
    """A bar for everything that is told of."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._tasks: dict[str, TaskID] = {}

    def tell(self, what: str, done: int, total: int) -> None:
        """Move the bar of ``what``."""
        if what not in self._tasks:
            self._tasks[what] = self._progress.add_task(what, total=total)
        self._progress.update(self._tasks[what], completed=done, total=total)


if __name__ == "__main__":
    sys.exit(main())
