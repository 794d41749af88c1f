"""Judge a stored performance model: the acceptance figures on simulated squads, the drift on recorded sessions."""

from __future__ import annotations

from typing import Any

from models.artefact import Artefact
from models.restore import restore
from touchline.training.performance import NetworkOf
from touchline.training.performance_data import REAL, real_efforts
from touchline.training.performance_trial import SPLIT, TRIAL, Judged, Trial, judge, real_figures
from touchline.training.sessions import sources
from touchline.training.workshop import Workshop


def evaluate_performance(artefact: Artefact, shop: Workshop, trial: Trial = TRIAL) -> dict[str, Any]:
    """Figures of a version; ``real`` is None where the recordings are not there. Raises ArtefactDamaged."""
    judged = Judged(NetworkOf(restore(artefact)), tuple(artefact.manifest.config["levels"]))
    there = set(REAL) <= set(sources(shop.data))
    return {
        "model": artefact.manifest.name,
        "version": artefact.manifest.version,
        "split": SPLIT,
        **judge(judged, trial, shop.tell),
        "masters": judge(judged, trial.of_masters(), shop.tell),
        "real": real_figures(judged, *real_efforts(shop)) if there else None,
    }
