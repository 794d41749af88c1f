"""What every training run is given, and how it says how far it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from stream.errors import MissingError
from touchline.training.sessions import Source, sources

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Chosen = TypeVar("Chosen", bound="DataclassInstance")

#: Told what is being done, how many steps of it are done, and of how many.
Tell = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Workshop:
    """``data``: folder of recordings; ``out``: where artefacts go.

    ``thrift`` is the share of steps and simulated time to spend: 1 for models to keep, less for trying the way
    itself. It is written into the manifest. ``choices``: settings of networks, plans and losses by name, in the place
    of what they are without; ``notes``: how they were found, for the manifest. ``checkpoints``: where courses keep
    theirs; with ``resume`` they are taken up.
    """

    data: Path
    out: Path
    tell: Tell
    thrift: float = 1.0
    choices: Mapping[str, Any] = field(default_factory=dict)
    checkpoints: Path | None = None
    resume: bool = False
    notes: Mapping[str, Any] = field(default_factory=dict)

    def chosen(self, settings: Chosen) -> Chosen:
        """A configuration or plan with the choices that it has a place for."""
        names = {entry.name for entry in fields(settings)}
        return replace(settings, **{name: v for name, v in self.choices.items() if name in names})

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
