"""The stored movement model on a file of recordings. Trains nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from models.artefact import ArtefactDamaged, load_artefact
from models.restore import restore
from stream.errors import ModelMissing
from touchline.training.movement import answers
from touchline.training.movement_card import judge
from touchline.training.movement_data import SETS, read_movement


def evaluate_movement(folder: Path, file: Path) -> dict[str, Any]:
    """Predictions of every recording; figures are None where the file has no labels.

    Raises UnreadableFile for a file that cannot be understood, ModelMissing for a model that cannot be loaded.
    """
    data = read_movement(file)
    try:
        artefact = load_artefact(folder)
        model = restore(artefact)
    except ArtefactDamaged as error:
        raise ModelMissing(str(error)) from error
    predicted = answers(model, data.signals, SETS.index(data.of)).argmax(axis=1)
    nothing = {
        "n": len(data),
        "accuracy": None,
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
