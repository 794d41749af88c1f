"""What every training run is given, and how it says how far it is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stream.errors import MissingError
from touchline.training.sessions import Source, sources

#: Told what is being done, how many steps of it are done, and of how many.
Tell = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Workshop:
    """``data``: folder of recordings; ``out``: where artefacts go.

    ``thrift`` is the share of steps and simulated time to spend: 1 for models to keep, less for trying the way
    itself. It is written into the manifest.
    """

    data: Path
    out: Path
    tell: Tell
    thrift: float = 1.0

    def steps(self, full: int) -> int:
        """How many of ``full`` steps to take."""
        return max(2, round(full * self.thrift))

    def source(self, name: str) -> Source:
        """A data set. Raises MissingError naming it."""
        found = sources(self.data)
        if name not in found:
            raise MissingError(f"no {name} in {self.data}; set TOUCHLINE_DATA to the folder of recordings")
        return found[name]


def table(head: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """A Markdown table; floats to four digits, None as a dash."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(_cell(c) for c in line) + " |" for line in lines)


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, list):
        return " to ".join(_cell(v) for v in value)
    return f"{value:.4f}" if isinstance(value, float) else str(value)
