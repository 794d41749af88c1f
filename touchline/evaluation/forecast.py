"""Judge a stored forecast on recorded runs: heart rate 5 to 60 s ahead, from every second that can be judged.

Runs are cut by the serving stages, so that nothing later than an origin is seen from it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from models.artefact import Artefact
from models.forecast import HORIZONS
from models.restore import restore
from stream.cut import CutSession
from stream.errors import MissingError, UnreadableFile
from touchline.training.forecast import answers
from touchline.training.forecast_data import Part, runs_split, trusted
from touchline.training.forecast_origins import AFTER, BEFORE, Origins, origins_of
from touchline.training.sessions import Source, recorded, sources

Tell = Callable[[str], None]

RUNS: Final = "hr_forecast_rikluost"
BASELINES: Final = {"last_value": "last value", "ridge": "ridge", "hgb": "gradient boosting"}


def evaluate_forecast(artefact: Artefact, file: Path, tell: Tell) -> tuple[dict[str, Any], Origins]:
    """Figures of a version on the runs of ``file``, and what they were taken from.

    Raises :class:`~stream.errors.UnreadableFile` or MissingError for the file, ArtefactDamaged for the version.
    """
    tell(f"cutting {file}")
    source = Source(file.name, (file,))
    runs, split = _judged(recorded(source), source, artefact.manifest.data)
    found = origins_of(runs)
    if len(found.at) == 0:
        raise UnreadableFile(f"{file}: no run has a row with {BEFORE} rows before and {AFTER} after it")
    tell(f"forecasting from {len(found.at)} seconds")
    answer = answers(restore(artefact), Part(file.name, found.table, found.at))
    figures = {
        "model": artefact.manifest.name,
        "version": artefact.manifest.version,
        "split": split,
        "n": by_horizon(np.isfinite(found.actual).sum(axis=0).tolist()),
        "mae_bpm": by_horizon(found.errors_of(answer)),
        "coverage_80": by_horizon(found.covered_by(answer)),
    }
    return figures, found


def baselines(found: Origins, data: Path, tell: Tell) -> dict[str, dict[str, float | None]]:
    """Mean absolute errors of the baselines, fitted on the training runs in ``data``.

    Raises MissingError where they are not there.
    """
    tell("fitting baselines")
    known = sources(data)
    if RUNS not in known:
        raise MissingError(f"no {RUNS} in {data}; set TOUCHLINE_DATA to the folder of recordings")
    train, _ = runs_split([trusted(run) for run in recorded(known[RUNS])])
    errors = found.baseline_errors(origins_of(train))
    return {name: by_horizon(errors[called]) for name, called in BASELINES.items()}


def by_horizon(values: Sequence[Any]) -> dict[str, Any]:
    """Values of the six horizons by seconds, as the contract has them."""
    return {str(horizon): value for horizon, value in zip(HORIZONS, values, strict=True)}


def _judged(runs: Sequence[CutSession], source: Source, trained_on: Any) -> tuple[Sequence[CutSession], str]:
    """The runs that may be judged, and the split in words: of the training file only what was kept back."""
    runs = [trusted(run) for run in runs]
    if source.sha256() != trained_on.get(RUNS):
        return runs, f"all {len(runs)} runs of the file"
    kept = runs_split(runs)[1]
    return kept, f"the training file: its {len(kept)} runs that were kept back"
