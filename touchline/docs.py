"""Docs: the parts of ``docs/`` that are written from the code, so that they cannot say something else.

A page has blocks between ``<!-- generated: NAME -->`` and ``<!-- end -->``; this fills them and leaves the prose.

    python -m touchline.docs            writes what is stale
    python -m touchline.docs --check    only says what is stale, exit 1
"""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any, Final, Literal, get_args, get_origin

import typer
from prometheus_client.metrics import MetricWrapperBase
from pydantic.fields import FieldInfo

import stream.metrics
import stream.serving.metrics
import stream.sinks.metrics
import stream.web.metrics
from stream import (
    align,
    decode,
    errors,
    features,
    impact,
    infer,
    locomotion,
    merge,
    normalise,
    physiology,
    publish,
    score,
    topics,
    window,
)
from stream.alert import EVENTS, STATES, TABLE, Alerts, load_rules
from stream.records import REJECT_REASONS
from stream.settings import PREFIX, Settings
from touchline import sizing
from touchline.cli import app

DOCS: Final = Path(__file__).resolve().parent.parent / "docs"
BLOCK: Final = re.compile(r"(<!-- generated: (\S+) -->\n).*?(<!-- end -->)", re.DOTALL)

#: The route in the order data takes it, and the function of each stage whose answer goes on.
STAGES: Final[tuple[Callable[..., Any], ...]] = (
    merge.PartitionMerge.push,
    decode.decode,
    align.align,
    window.Windows.close,
    features.measure,
    normalise.normalise,
    infer.infer,
    score.to_records,
    Alerts.judge,
    publish.Publisher.publish,
)
METRICS: Final[Mapping[str, ModuleType]] = {
    "worker": stream.metrics,
    "sink": stream.sinks.metrics,
    "web": stream.web.metrics,
    "serving": stream.serving.metrics,
}


def table(head: tuple[str, ...], rows: Iterable[tuple[object, ...]]) -> str:
    """A Markdown table; a bar within a cell is escaped."""
    lines = [head, tuple("---" for _ in head), *rows]
    cells = (" | ".join(str(cell).replace("|", "\\|") for cell in line) for line in lines)
    return "".join(f"| {line} |\n" for line in cells)


def settings() -> str:
    """Every setting: TOML key, environment, type, default, bounds, meaning."""
    rows = (
        (
            f"`{name}`",
            f"`{PREFIX}{name.upper()}`",
            _kind(field.annotation),
            *_limits(field),
            field.description,
        )
        for name, field in Settings.model_fields.items()
    )
    return table(("key", "environment", "type", "default", "bounds", "meaning"), rows)


def _limits(field: FieldInfo) -> tuple[str, str]:
    signs = {"ge": "≥", "gt": ">", "le": "≤", "lt": "<"}
    bounds = [
        f"{sign} {getattr(entry, name)}"
        for entry in field.metadata
        for name, sign in signs.items()
        if hasattr(entry, name)
    ]
    return "" if field.default in (None, "") else f"`{field.default}`", ", ".join(bounds)


def _kind(annotation: Any) -> str:
    """A type in a word, as people write it."""
    if annotation in (None, type(None)):
        return ""
    if get_origin(annotation) is Literal:
        return ", ".join(f"`{value}`" for value in get_args(annotation))
    inner = [_kind(entry) for entry in get_args(annotation)]
    if inner:
        return " ".join(filter(None, inner))
    names = {str: "text", int: "whole number", float: "number", bool: "true, false", Path: "path"}
    return names.get(annotation, str(annotation))


def topic_table() -> str:
    """Every topic of the contract."""
    rows = (
        (
            f"`{spec.name}`",
            "the shared count" if spec.partitioned else "1",
            "compact" if spec.compacted else "delete",
            "" if spec.retention_ms is None else f"{spec.retention_ms // topics.DAY_MS} days",
            spec.about,
        )
        for spec in topics.TOPICS
    )
    return table(("topic", "partitions", "clean-up", "kept", "what"), rows)


def reasons() -> str:
    """Every reason a frame is refused with."""
    return table(("reason", "meaning"), ((f"`{name}`", meaning) for name, meaning in REJECT_REASONS.items()))


def metrics_of(process: str) -> Iterator[tuple[str, str, tuple[str, ...], str]]:
    """Name as Prometheus reads it, type, labels and meaning of a process's metrics."""
    for metric in vars(METRICS[process]).values():
        if isinstance(metric, MetricWrapperBase):
            (described,) = metric.describe()
            name = described.name + ("_total" if described.type == "counter" else "")
            yield name, described.type, tuple(metric._labelnames), described.documentation  # noqa: SLF001 (no public way)


def metric_table(process: str) -> str:
    """The metrics of one process."""
    rows = (
        (f"`{name}`", kind, ", ".join(f"`{label}`" for label in labels), about)
        for name, kind, labels, about in metrics_of(process)
    )
    return table(("metric", "type", "labels", "meaning"), rows)


def commands() -> dict[str, Any]:
    """Every command of the command line by its words, e.g. ``topics create``."""
    found: dict[str, Any] = {}
    for name, command in typer.main.get_command(app).commands.items():  # type: ignore[attr-defined]
        inner = getattr(command, "commands", None)
        found |= {f"{name} {word}": leaf for word, leaf in inner.items()} if inner else {name: command}
    return found


def command_pages() -> str:
    """Every command with its arguments and options."""
    parts = []
    for name, command in commands().items():
        rows = [_parameter(entry) for entry in command.params if entry.name != "help"]
        parts.append(
            f"## touchline {name}\n\n{command.help}\n\n"
            + table(("option", "value", "default", "meaning"), rows)
        )
    return "\n".join(parts)


def _parameter(entry: Any) -> tuple[str, str, str, str]:
    annotation = entry.type_descriptor.annotation
    names = ", ".join(f"`{name}`" for name in (*entry.opts, *entry.secondary_opts))
    value = "" if annotation is bool else _kind(annotation) + (", repeatable" if entry.multiple else "")
    default = "" if entry.default in (None, False) else f"`{entry.default}`"
    return names, value, "required" if entry.required else default, entry.help or ""


def error_tree() -> str:
    """The errors with their exit codes."""
    tree = inspect.cleandoc(errors.__doc__ or "").partition("\n\n")[2]
    return f"```text\n{tree}\n```\n"


def alert_states() -> str:
    """The table of ``stream/alert.py`` as a diagram."""
    lines = [f"    {STATES[a]} --> {STATES[b]}: {EVENTS[e]} ({why})" for (a, e), (b, why) in TABLE.items()]
    return "\n".join(("```mermaid", "stateDiagram-v2", "    [*] --> inactive", *lines, "```\n"))


def rules() -> str:
    """The shipped alert rules."""
    rows = (
        (
            f"`{r.name}`",
            f"`{r.metric}`",
            *_levels(r.metric, r.raise_at, r.clear_below),
            r.for_s,
            r.dwell_s,
            r.unit,
        )
        for r in load_rules(None)
    )
    return table(("rule", "metric", "raise", "clear", "for_s", "dwell_s", "unit"), rows)


def _levels(metric: str, raise_at: float, clear: float) -> tuple[str, str]:
    return ("", "") if metric == "silence" else (f"{raise_at:g}", f"{clear:g}")


def thresholds() -> str:
    """From where on something counts."""
    rows = (
        ("high-speed running", f"above {locomotion.HSR:g} m/s"),
        (
            "sprint",
            f"above {locomotion.SPRINT:g} m/s for at least 1 s, until below {locomotion.SPRINT_LEAVE:g} m/s",
        ),
        ("acceleration, deceleration", f"beyond ±{locomotion.ACCELERATION:g} m/s² for at least 0.5 s"),
        (
            "high metabolic load distance",
            f"above {locomotion.HSR:g} m/s, or beyond ±{locomotion.HMLD_ACCELERATION:g} m/s²",
        ),
        ("impact", f"acceleration vector above {impact.IMPACT_G:g} g"),
        ("heart-rate zones", ", ".join(f"{100 * share:.0f} %" for share in physiology.ZONES) + " of maximum"),
    )
    return table(("what", "counts from"), rows)


def stages() -> str:
    """The stages in order, with what each hands to the next."""
    modules = [inspect.getmodule(stage) for stage in STAGES]
    names = [module.__name__.rpartition(".")[2] for module in modules if module]
    nodes = [f'    {name}["<b>{name}</b><br/>{_about(m)}"]' for name, m in zip(names, modules, strict=True)]
    edges = [
        f'    {here} -->|"{stage.__annotations__["return"]}"| {there}'
        for here, there, stage in zip(names, names[1:], STAGES, strict=False)
    ]
    into = [f"    {_topic(name)} --> {names[0]}" for name in (topics.WEARABLE, topics.VENUE)]
    outs = (topics.SCORES, topics.ALERTS, topics.REJECTED, topics.STATE)
    out = [f"    {names[-1]} --> {_topic(name)}" for name in outs]
    return "\n".join(("```mermaid", "flowchart TD", *into, *nodes, *edges, *out, "```\n"))


def _topic(name: str) -> str:
    return f'{name.replace(".", "_")}(["{name}"])'


def _about(module: Any) -> str:
    """What a module's docstring says it is, up to the first stop."""
    first = re.sub(r"^\w+: ", "", (module.__doc__ or "").replace("\n", " "))
    return re.split(r"[.?;]|: ", first)[0].strip()


BLOCKS: Final[Mapping[str, Callable[[], str]]] = {
    "settings": settings,
    "topics": topic_table,
    "reasons": reasons,
    **{f"metrics-{process}": lambda process=process: metric_table(process) for process in METRICS},  # type: ignore[misc]
    "commands": command_pages,
    "errors": error_tree,
    "alert-states": alert_states,
    "rules": rules,
    "thresholds": thresholds,
    "stages": stages,
    "constants": sizing.constants,
    "deployments": sizing.deployments,
}


def filled(page: str) -> str:
    """A page with its blocks as the code has them now. Raises KeyError for a block that is not known."""
    return BLOCK.sub(lambda match: f"{match[1]}\n{BLOCKS[match[2]]()}\n{match[3]}", page)


def stale() -> dict[Path, str]:
    """Pages that differ from the code, and what they should be."""
    pages = {path: path.read_text() for path in sorted(DOCS.rglob("*.md"))}
    return {path: new for path, old in pages.items() if (new := filled(old)) != old}


def main(arguments: list[str]) -> int:
    """Write, or with ``--check`` say only."""
    found = stale()
    for path, page in found.items():
        if "--check" not in arguments:
            path.write_text(page)
        sys.stdout.write(f"{path.relative_to(DOCS.parent)}\n")
    return 1 if found and "--check" in arguments else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
