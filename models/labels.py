"""Labels: which version of a model is ``stable``, ``canary`` or ``shadow``. One small file a model, moved atomically.

Beside it every move is written down. Without the file, or without ``stable`` in it, the newest version is stable.
What a label may point to (a version that loads, answers its golden example, is signed) is the registry's business;
here it only has to be there.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Literal

from models.artefact import ArtefactDamaged, ArtefactMissing, find_artefact, versions

Label = Literal["stable", "canary", "shadow"]

LABELS: Final[tuple[Label, ...]] = ("stable", "canary", "shadow")
FILE: Final = "labels.json"
HISTORY: Final = "labels-history.jsonl"
LOCK: Final = ".labels.lock"


def read_labels(root: Path, name: str) -> dict[str, str]:
    """Label to version; ``stable`` always. Raises :class:`ArtefactMissing` or :class:`ArtefactDamaged`."""
    newest = find_artefact(root, name).name
    path = root / name / FILE
    try:
        found = json.loads(path.read_bytes())
    except FileNotFoundError:
        found = {}
    except ValueError as error:
        raise ArtefactDamaged(f"{path}: not JSON: {error}") from error
    known = versions(root, name)
    if not isinstance(found, dict) or not found.keys() <= set(LABELS):
        raise ArtefactDamaged(f"{path}: not labels {', '.join(LABELS)}")
    for label, version in found.items():
        if version not in known:
            raise ArtefactDamaged(f"{path}: {label} is version {version!r}, which is not there")
    return {"stable": newest, **found}


def find_labelled(root: Path, name: str, label: Label = "stable") -> Path:
    """The folder of the version that has a label. Raises :class:`ArtefactMissing` where none has it."""
    labels = read_labels(root, name)
    if label not in labels:
        raise ArtefactMissing(f"no version of model {name!r} in {root} is {label}")
    return find_artefact(root, name, labels[label])


def move_label(
    root: Path, name: str, label: Label, version: str | None, *, back: bool = False
) -> dict[str, str]:
    """Give a label to a version, or take it away; all labels afterwards. Readers see the old or the new ones.

    One mover at a time: a lock on the model's folder. Every move is told in the history first; ``back`` says that
    this one undoes the one before.
    Raises :class:`ArtefactMissing` for a version that is not there, ``ValueError`` for a model without ``stable``.
    """
    if version is None and label == "stable":
        raise ValueError("a model has a stable version always")
    if version is not None:
        find_artefact(root, name, version)
    with _alone(root / name):
        before = read_labels(root, name)
        after = {key: value for key, value in before.items() if key != label}
        if version is not None:
            after[label] = version
        _note(root / name, {"label": label, "from": before.get(label), "to": version, "back": back})
        _write(root / name, after)
    return after


def history(root: Path, name: str) -> list[dict[str, Any]]:
    """Every move of a model's labels, oldest first: ``at`` (ISO 8601, UTC), ``label``, ``from``, ``to``, ``back``."""
    path = root / name / HISTORY
    lines = path.read_text().splitlines() if path.exists() else []
    try:
        return [json.loads(line) for line in lines]
    except ValueError as error:
        raise ArtefactDamaged(f"{path}: not JSON: {error}") from error


def stable_before(root: Path, name: str) -> str:
    """The version that was stable before the one that is; going back twice goes back two versions.

    Raises :class:`ArtefactMissing` where there was none.
    """
    left: list[str] = []  # the versions that were left behind and not gone back to, newest last
    for move in history(root, name):
        if move["label"] != "stable":
            continue
        if move["back"]:
            left.pop()
        elif move["from"] != move["to"]:
            left.append(move["from"])
    if not left:
        raise ArtefactMissing(f"model {name!r} in {root} had no other stable version before")
    return left[-1]


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    with (folder / LOCK).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _note(folder: Path, move: Mapping[str, Any]) -> None:
    line = json.dumps({"at": datetime.now(UTC).isoformat(timespec="seconds"), **move})
    with (folder / HISTORY).open("a") as out:
        out.write(line + "\n")
        out.flush()
        os.fsync(out.fileno())


def _write(folder: Path, labels: Mapping[str, str]) -> None:
    scratch = folder / f".{FILE}"
    with scratch.open("w") as out:
        json.dump(dict(labels), out, indent=1, sort_keys=True)
        out.flush()
        os.fsync(out.fileno())
    os.replace(scratch, folder / FILE)  # noqa: PTH105 (atomic, and says so)
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
