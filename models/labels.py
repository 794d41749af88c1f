"""Labels: which version of a model is ``stable``, ``canary`` or ``shadow``. One small file a model, moved atomically.

Beside it every move is written down. Without the file, or without ``stable`` in it, the newest version is stable.
The same file says which share of the athletes the canary gets, so that both are read and moved at once:

    {"stable": "1", "canary": "2", "canary_share": 0.1}

What a label may point to (a version that loads, answers its golden example, is signed) is the registry's business;
here it only has to be there.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Literal

from models.artefact import ArtefactDamaged, ArtefactMissing, find_artefact, versions

Label = Literal["stable", "canary", "shadow"]

LABELS: Final[tuple[Label, ...]] = ("stable", "canary", "shadow")
FILE: Final = "labels.json"
HISTORY: Final = "labels-history.jsonl"
LOCK: Final = ".labels.lock"
SHARE: Final = "canary_share"
#: The canary's share where nobody stated one.
DEFAULT_SHARE: Final = 0.1


@dataclass(frozen=True, slots=True)
class Routing:
    """Label to version, ``stable`` always; and the share of athletes that the canary scores, 0 without one."""

    labels: Mapping[str, str]
    share: float


@dataclass(frozen=True, slots=True)
class _Move:
    label: Label
    to: str | None
    back: bool = False
    share: float | None = None


def read_labels(root: Path, name: str) -> dict[str, str]:
    """Label to version; ``stable`` always. Raises :class:`ArtefactMissing` or :class:`ArtefactDamaged`."""
    return dict(read_routing(root, name).labels)


def read_routing(root: Path, name: str) -> Routing:
    """Labels and the canary's share, of one moment. Raises as :func:`read_labels` does."""
    newest = find_artefact(root, name).name
    path = root / name / FILE
    try:
        found = json.loads(path.read_bytes())
    except FileNotFoundError:
        found = {}
    except ValueError as error:
        raise ArtefactDamaged(f"{path}: not JSON: {error}") from error
    if not isinstance(found, dict) or not found.keys() <= {*LABELS, SHARE}:
        raise ArtefactDamaged(f"{path}: not labels {', '.join(LABELS)}")
    share = found.pop(SHARE, DEFAULT_SHARE if "canary" in found else 0.0)
    known = versions(root, name)
    for label, version in found.items():
        if version not in known:
            raise ArtefactDamaged(
                f"{path}: {label} is version {version!r}, which is not there: put it back or unlabel it here"
            )
    if not _is_share(share, canary="canary" in found):
        raise ArtefactDamaged(f"{path}: {SHARE} is {share!r}, which is no share of a canary")
    return Routing({"stable": newest, **found}, float(share))


def _is_share(share: object, *, canary: bool) -> bool:
    if not isinstance(share, int | float) or isinstance(share, bool):
        return False
    return 0 < share <= 1 if canary else share == 0


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
    return _carry_out(root, name, _Move(label, version, back))


def check_share(share: float) -> None:
    """Raises ``ValueError`` for a canary's share that is not above 0 and at most 1."""
    if not _is_share(share, canary=True):
        raise ValueError(f"a canary's share is above 0 and at most 1, not {share}")


def move_canary(root: Path, name: str, version: str, share: float) -> dict[str, str]:
    """Make a version the canary of a share of the athletes; all labels afterwards.

    Raises as :func:`move_label` does, and ``ValueError`` for a share that is not above 0 and at most 1.
    """
    check_share(share)
    return _carry_out(root, name, _Move("canary", version, share=share))


def _carry_out(root: Path, name: str, move: _Move) -> dict[str, str]:
    if move.to is None and move.label == "stable":
        raise ValueError("a model has a stable version always")
    if move.to is not None:
        find_artefact(root, name, move.to)
    with _alone(root / name):
        before = read_routing(root, name)
        after = _moved(before, move)
        told = {"label": move.label, "from": before.labels.get(move.label), "to": move.to, "back": move.back}
        _note(root / name, told | ({"share": after.share} if move.label == "canary" else {}))
        _write(root / name, after)
    return dict(after.labels)


def _moved(before: Routing, move: _Move) -> Routing:
    labels = {key: value for key, value in before.labels.items() if key != move.label}
    if move.to is not None:
        labels[move.label] = move.to
    if move.label != "canary":
        return Routing(labels, before.share)
    return Routing(labels, 0.0 if move.to is None else move.share or DEFAULT_SHARE)


def history(root: Path, name: str) -> list[dict[str, Any]]:
    """Every move of a model's labels, oldest first.

    ``at`` (ISO 8601, UTC), ``label``, ``from``, ``to``, ``back``, and a canary's ``share``.
    """
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
    line = json.dumps({"at": datetime.now(UTC).isoformat(timespec="microseconds"), **move})
    with (folder / HISTORY).open("a") as out:
        out.write(line + "\n")
        out.flush()
        os.fsync(out.fileno())


def _write(folder: Path, routing: Routing) -> None:
    content = dict(routing.labels) | ({SHARE: routing.share} if "canary" in routing.labels else {})
    scratch = folder / f".{FILE}"
    with scratch.open("w") as out:
        json.dump(content, out, indent=1, sort_keys=True)
        out.flush()
        os.fsync(out.fileno())
    os.replace(scratch, folder / FILE)  # noqa: PTH105 (atomic, and says so)
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
