"""The stored movement model on a file of recordings, or with ``--cv`` nets trained anew on its folds.

Recordings that the stored net was trained on are known by their content, whatever file they stand in.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from models.artefact import Artefact, Manifest
from models.restore import restore
from touchline.training.fingerprints import recognised
from touchline.training.movement import SOURCES, answers, cross_validated
from touchline.training.movement_card import judge
from touchline.training.movement_data import MOTIONS, SETS, Recordings, read_movement, stretches_of
from touchline.training.sessions import Source
from touchline.training.workshop import Workshop

FIGURES: Final = ("accuracy", "precision_macro", "recall_macro", "f1_macro", "confusion")


@dataclass(frozen=True, slots=True)
class Answers:
    """The class of every recording, which of them may be judged, and the split in words."""

    predicted: NDArray[np.int64]
    unseen: NDArray[np.bool_]
    split: str


def evaluate_movement(artefact: Artefact, file: Path, shop: Workshop | None = None) -> dict[str, Any]:
    """Predictions of every recording, and figures of those that were not trained on: None where there are none.

    With a ``shop`` nets are trained on the file's folds, the other set taken from its data. Raises UnreadableFile for
    a file that cannot be understood, MissingError for the other set, ArtefactDamaged for the version.
    """
    data = read_movement(file)
    found = _stored(artefact, data, file) if shop is None else _anew(data, shop)
    figures: dict[str, Any] = dict.fromkeys(FIGURES)
    if data.label is not None and found.unseen.any():
        figures = judge(data.of.labels, data.label[found.unseen], found.predicted[found.unseen])
    return {
        "model": artefact.manifest.name,
        "version": artefact.manifest.version,
        "split": found.split,
        "n": int(found.unseen.sum()),
        "labels": list(data.of.labels),
        **figures,
        "predictions": [data.of.labels[k] for k in found.predicted],
    }


def _stored(artefact: Artefact, data: Recordings, file: Path) -> Answers:
    """By the stored net. Recordings that it was trained on may not be judged."""
    predicted = answers(restore(artefact), data.signals, SETS.index(data.of)).argmax(axis=1)
    learnt = _learnt(data, file, artefact.manifest)
    unseen = np.ones(len(data), np.bool_) if learnt is None else ~learnt
    told = f"all {len(data)} recordings of the file"
    if learnt is None:
        told += "; which the stored net was trained on is not known"
    elif not unseen.any():
        told = f"none: the stored net was trained on {told}; `--cv` trains nets that were not"
    elif not unseen.all():
        told = (
            f"{unseen.sum()} recordings of the file; the stored net was trained on the other {learnt.sum()}"
        )
    return Answers(predicted, unseen, told)


def _learnt(data: Recordings, file: Path, manifest: Manifest) -> NDArray[np.bool_] | None:
    """Which were trained on; None where a version does not say it and this is not a file that it is of."""
    if manifest.seen:
        return recognised(stretches_of(data), [text for texts in manifest.seen.values() for text in texts])
    name = SOURCES[data.of.name]
    if Source(name, (file,)).sha256() != manifest.data.get(name):
        return None
    held_out = [] if data.of is MOTIONS else manifest.metrics["held_out_subjects"]
    return ~np.isin(data.group, held_out)


def _anew(data: Recordings, shop: Workshop) -> Answers:
    """Each recording by a net that has not seen its subject or, where that is not known, it."""
    watch, motions = (
        data if data.of is known else read_movement(shop.source(SOURCES[known.name]).files[0])
        for known in SETS
    )
    found = cross_validated(watch, motions, shop)[SETS.index(data.of)]
    whole = "recordings, whose subjects are not known" if data.of is MOTIONS else "subjects"
    told = f"trained anew: five folds of whole {whole}"
    return Answers(found.argmax(axis=1), np.ones(len(data), np.bool_), told)
