"""Labels: which version of a model is ``stable``, ``canary`` or ``shadow``. One small file a model, moved atomically.

Without the file, or without ``stable`` in it, the newest version is stable. What a label may point to (a version that
loads, answers its golden example, is signed) is the registry's business; here it only has to be there.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final, Literal

from models.artefact import ArtefactDamaged, ArtefactMissing, find_artefact, versions

Label = Literal["stable", "canary", "shadow"]

LABELS: Final[tuple[Label, ...]] = ("stable", "canary", "shadow")
FILE: Final = "labels.json"


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


def write_labels(root: Path, name: str, labels: Mapping[str, str]) -> None:
    """Replace all labels of a model at once; readers see the old or the new ones."""
    folder = root / name
    with tempfile.NamedTemporaryFile("w", dir=folder, prefix=".labels-", delete=False) as scratch:
        json.dump(dict(labels), scratch, indent=1, sort_keys=True)
        scratch.flush()
        os.fsync(scratch.fileno())
    os.replace(scratch.name, folder / FILE)  # noqa: PTH105 (atomic, and says so)
