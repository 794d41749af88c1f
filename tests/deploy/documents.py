"""What is deployed, read from its files: compose services, Kubernetes documents, the lines of the Dockerfile."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import yaml

from stream.settings import PREFIX, Settings
from touchline.docs import METRICS, commands, metrics_of

ROOT: Final = Path(__file__).resolve().parent.parent.parent
DEPLOY: Final = ROOT / "deploy"
KUBERNETES: Final = sorted((DEPLOY / "kubernetes").glob("*.yaml"))

#: Names Prometheus itself and its Python client give to every process.
NOT_OURS: Final = frozenset({"up", "process_cpu_seconds_total", "process_resident_memory_bytes"})


def compose() -> dict[str, Any]:
    """``docker-compose.yml``, merged keys and all."""
    document: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    return document


def services() -> dict[str, dict[str, Any]]:
    """Compose services by name."""
    found: dict[str, dict[str, Any]] = compose()["services"]
    return found


def ours() -> dict[str, dict[str, Any]]:
    """Compose services that run our image."""
    return {name: service for name, service in services().items() if service["image"].startswith("touchline")}


def manifests() -> list[dict[str, Any]]:
    """Every Kubernetes document."""
    return [document for path in KUBERNETES for document in yaml.safe_load_all(path.read_text())]


def pods() -> dict[str, dict[str, Any]]:
    """Pod specs by the name of what makes them."""
    return {
        document["metadata"]["name"]: document["spec"]["template"]["spec"]
        for document in manifests()
        if "template" in document.get("spec", {})
    }


def unknown_settings(environment: Mapping[str, str]) -> list[str]:
    """Names with our prefix that are no setting."""
    known = {PREFIX + name.upper() for name in Settings.model_fields}
    return [name for name in environment if name.startswith(PREFIX) and name not in known]


def without_defaults(environment: Mapping[str, str]) -> dict[str, str]:
    """The values that compose uses when nobody says anything else: ``${NAME:-default}`` is ``default``."""
    return {name: re.sub(r"\$\{\w+:-(.*?)\}", r"\1", value) for name, value in environment.items()}


def check_command(words: list[str]) -> None:
    """Assert that these words are a command of ours with options that it has."""
    found = max((n for n in commands() if words[: len(n.split())] == n.split()), key=len, default=None)
    assert found is not None, f"touchline {' '.join(words)} is no command"
    options = {name for entry in commands()[found].params for name in (*entry.opts, *entry.secondary_opts)}
    unknown = [word for word in words if word.startswith("--") and word.partition("=")[0] not in options]
    assert not unknown, f"touchline {found} has no {unknown}"


def series() -> set[str]:
    """Every name Prometheus can find at our processes, those of a histogram's parts too."""
    found = set(NOT_OURS)
    for process in METRICS:
        for name, kind, _, _ in metrics_of(process):
            parts = ("_bucket", "_sum", "_count") if kind == "histogram" else ("",)
            found |= {name + part for part in parts}
    return found


def asked_of_prometheus(expression: str) -> set[str]:
    """The names of series in a PromQL expression."""
    return set(re.findall(r"\b(?:touchline|process)_\w+|\bup\b", re.sub(r'"[^"]*"', '""', expression)))
