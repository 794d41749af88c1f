"""The stored movement model on a file of recordings, or with ``--cv`` nets trained anew on its folds."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from models.artefact import Artefact
from models.restore import restore
from touchline.training.movement import SOURCES, answers, cross_validated
from touchline.training.movement_card import judge
from touchline.training.movement_data import MOTIONS, SETS, Recordings, read_movement
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
    """By the stored net. Of a file that it was trained on only the subjects held out may be judged."""
    manifest, name = artefact.manifest, SOURCES[data.of.name]
    predicted = answers(restore(artefact), data.signals, SETS.index(data.of)).argmax(axis=1)
    if Source(name, (file,)).sha256() != manifest.data.get(name):
        return Answers(predicted, np.ones(len(data), np.bool_), f"all {len(data)} recordings of the file")
    if data.of is MOTIONS:
        told = "the training file: none, the stored net was trained on all; `--cv` trains nets that were not"
        return Answers(predicted, np.zeros(len(data), np.bool_), told)
    subjects = manifest.metrics["held_out_subjects"]
    told = f"the training file: subjects {' and '.join(map(str, subjects))}, held out of the stored net"
    return Answers(predicted, np.isin(data.group, subjects), told)


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
