"""The stored movement model on a file of recordings. Trains nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from models.artefact import Artefact
from models.restore import restore
from touchline.training.movement import answers
from touchline.training.movement_card import judge
from touchline.training.movement_data import SETS, read_movement


def evaluate_movement(artefact: Artefact, file: Path) -> dict[str, Any]:
    """Predictions of every recording; figures are None where the file has no labels.

    Raises UnreadableFile for a file that cannot be understood, ArtefactDamaged for the version.
    """
    data = read_movement(file)
    model = restore(artefact)
    predicted = answers(model, data.signals, SETS.index(data.of)).argmax(axis=1)
    nothing = {
        "n": len(data),
        "accuracy": None,
        "precision_macro": None,
        "recall_macro": None,
        "f1_macro": None,
        "labels": list(data.of.labels),
        "confusion": None,
    }
    figures = nothing if data.label is None else judge(data.of.labels, data.label, predicted)
    return {
        "model": "movement",
        "version": artefact.manifest.version,
        "split": artefact.manifest.metrics["split"],
        **figures,
        "predictions": [data.of.labels[k] for k in predicted],
    }
