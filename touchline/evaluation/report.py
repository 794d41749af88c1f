"""A report: the figures of an evaluation as one HTML file with its plots. Nothing in it comes from elsewhere."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, PackageLoader, select_autoescape
from markupsafe import Markup

from stream.errors import UsageError
from touchline.evaluation.plots import PLOTS, svg

#: Figures that are drawn, or are no figures, and so stand in no table.
DRAWN: Final = ("reliability", "curves", "confusion", "predictions", "labels")
#: Digits of a number in a table.
DIGITS: Final = 4


def write_report(path: Path, figures: Mapping[str, Any], judged: Path | None) -> None:
    """Write the report of ``figures`` on the file ``judged``. Raises UsageError where it cannot be written."""
    text = html(figures, judged)
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}; name another file with --report") from None


def html(figures: Mapping[str, Any], judged: Path | None) -> str:
    """The page."""
    environment = Environment(
        loader=PackageLoader("touchline.evaluation", "."),
        autoescape=select_autoescape(),
        trim_blocks=True,
        lstrip_blocks=True,
    )
    drawn = [(plot.title, plot.words, Markup(svg(plot, figures))) for plot in PLOTS if plot.there(figures)]  # noqa: S704 (ours)
    return environment.get_template("report.html").render(
        model=figures["model"],
        version=figures["version"],
        split=figures["split"],
        judged=judged,
        sha256=None if judged is None else hashlib.sha256(judged.read_bytes()).hexdigest(),
        plots=drawn,
        tables=tables(figures),
    )


def tables(figures: Mapping[str, Any]) -> list[tuple[str, list[tuple[str, str]]]]:
    """Names of tables and their rows; figures that are no map stand in the first."""
    skipped = (*DRAWN, "model", "version", "split")
    single, others = [], []
    for name, value in figures.items():
        if name in skipped:
            continue
        if isinstance(value, Mapping):
            others.append((name.replace("_", " "), list(_rows("", value))))
        else:
            single.append((name.replace("_", " "), said(value)))
    return [("figures", single), *others]


def _rows(before: str, values: Mapping[str, Any]) -> list[tuple[str, str]]:
    rows = []
    for name, value in values.items():
        called = f"{before} {name}".strip().replace("_", " ")
        rows += _rows(called, value) if isinstance(value, Mapping) else [(called, said(value))]
    return rows


def said(value: Any) -> str:
    """A figure in words; what is not known as a dash."""
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:.{DIGITS}g}"
    if isinstance(value, list):
        return ", ".join(said(entry) for entry in value)
    return str(value)
