"""The plots of a report, each from the figures alone, as SVG."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

Figures = Mapping[str, Any]

#: One colour for the model, greys for what it is held against.
OURS: Final = "#0b6bcb"
OTHERS: Final = ("#6b7280", "#9ca3af", "#374151", "#b0b7c3")


@dataclass(frozen=True, slots=True)
class Plot:
    """A plot with its caption; ``there``: whether the figures have what it shows."""

    title: str
    words: str
    there: Callable[[Figures], bool]
    draw: Callable[[Axes, Figures], None]


def svg(plot: Plot, figures: Figures) -> str:
    """The plot as an SVG element; the same figures give the same bytes."""
    with mpl.rc_context({"svg.hashsalt": plot.title, "svg.fonttype": "none", "font.size": 10}):
        figure = Figure(figsize=(6.4, 4.0), layout="constrained")
        axes = figure.subplots()
        plot.draw(axes, figures)
        axes.spines[["top", "right"]].set_visible(False)
        out = io.StringIO()
        figure.savefig(out, format="svg", metadata={"Date": None})
    text = out.getvalue()
    return text[text.index("<svg") :]


def _errors(axes: Axes, figures: Figures) -> None:
    named = [
        (name, others, OTHERS[k]) for k, (name, others) in enumerate(figures.get("baselines", {}).items())
    ]
    for name, errors, colour in [*named, (figures["model"], figures["mae_bpm"], OURS)]:
        axes.plot(*_by_horizon(errors), marker="o", color=colour, label=name.replace("_", " "))
    axes.set(xlabel="seconds ahead", ylabel="mean absolute error, bpm", ylim=(0, None))
    axes.legend(frameon=False)


def _coverage(axes: Axes, figures: Figures) -> None:
    axes.axhline(0.8, color=OTHERS[1], linestyle="--", label="asked for")
    axes.plot(*_by_horizon(figures["coverage_80"]), marker="o", color=OURS, label=figures["model"])
    axes.set(xlabel="seconds ahead", ylabel="share inside the 80 % band", ylim=(0, 1))
    axes.legend(frameon=False)


def _by_horizon(values: Mapping[str, float | None]) -> tuple[list[int], list[float]]:
    known = [(int(h), value) for h, value in values.items() if value is not None]
    return [h for h, _ in known], [value for _, value in known]


def _reliability(axes: Axes, figures: Figures) -> None:
    bins = figures["reliability"]
    said, came = (np.array([one[key] for one in bins]) for key in ("mean", "observed"))
    low, high = np.array([one["interval"] for one in bins]).T
    most = max(float(said.max()), float(high.max()))
    axes.plot([0, most], [0, most], color=OTHERS[1], linestyle="--", label="calibrated")
    # A share of none or of all lies at the end of its interval, and rounding must not put it beyond.
    spans = np.maximum([came - low, high - came], 0)
    axes.errorbar(said, came, yerr=spans, fmt="o", color=OURS, capsize=2, label=figures["model"])
    axes.set(xlabel="probability said", ylabel="share that came", xlim=(0, None), ylim=(0, None))
    axes.legend(frameon=False)


def _roc(axes: Axes, figures: Figures) -> None:
    axes.plot([0, 1], [0, 1], color=OTHERS[1], linestyle="--", label="chance")
    axes.plot(*np.array(figures["curves"]["roc"]).T, color=OURS, label=figures["model"])
    axes.set(xlabel="false alarms, share of the negative", ylabel="hits, share of the positive")
    axes.legend(frameon=False)


def _precision(axes: Axes, figures: Figures) -> None:
    rate = figures["positives"] / figures["rows"]
    axes.axhline(rate, color=OTHERS[1], linestyle="--", label="base rate")
    axes.plot(*np.array(figures["curves"]["pr"]).T, color=OURS, label=figures["model"])
    axes.set(xlabel="recall", ylabel="precision", ylim=(0, None))
    axes.legend(frameon=False)


def _confusion(axes: Axes, figures: Figures) -> None:
    counts = np.array(figures["confusion"])
    axes.imshow(counts, cmap="Blues")
    for row, column in np.ndindex(counts.shape):
        dark = counts[row, column] > counts.max() / 2
        axes.text(column, row, str(counts[row, column]), ha="center", va="center", color="w" if dark else "k")
    names = range(len(counts))
    axes.set_xticks(names, figures["labels"], rotation=45, ha="right")
    axes.set_yticks(names, figures["labels"])
    axes.set(xlabel="predicted", ylabel="actual")


def _thirds(axes: Axes, figures: Figures) -> None:
    axes.axhspan(45, 55, color=OTHERS[3], alpha=0.3, label="asked for without fatigue")
    for name, colour in (("no_fatigue", OURS), ("fade", OTHERS[2])):
        thirds = figures[name]["thirds"]
        known = [k for k, value in enumerate(thirds) if value is not None]
        axes.plot(known, [thirds[k] for k in known], marker="o", color=colour, label=name.replace("_", " "))
    axes.set_xticks(range(3), ["first", "second", "last"])
    axes.set(xlabel="third of the session", ylabel="mean score", ylim=(0, 100))
    axes.legend(frameon=False)


PLOTS: Final = (
    Plot(
        "Heart-rate error by horizon",
        "Mean absolute error of the median; lower is better.",
        lambda found: any(v is not None for v in found.get("mae_bpm", {}).values()),
        _errors,
    ),
    Plot(
        "Coverage of the 80 % band",
        "Share of what came that lay inside.",
        lambda found: any(v is not None for v in found.get("coverage_80", {}).values()),
        _coverage,
    ),
    Plot(
        "Reliability",
        "Ten bins of equally many rows. Bars: 95 % by Wilson, too narrow where rows of one athlete go together.",
        lambda found: bool(found.get("reliability")),
        _reliability,
    ),
    Plot("Hits and false alarms", "ROC curve.", lambda found: bool(found.get("curves")), _roc),
    Plot("Precision and recall", "At every threshold.", lambda found: bool(found.get("curves")), _precision),
    Plot(
        "Confusion",
        "Recordings by actual and predicted movement.",
        lambda found: bool(found.get("confusion")),
        _confusion,
    ),
    Plot(
        "Score by third of the session",
        "Simulated squads the model has not seen, by what their bodies do.",
        lambda found: "no_fatigue" in found,
        _thirds,
    ),
)
