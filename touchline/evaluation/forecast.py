"""Judge a stored forecast on recorded runs: heart rate 5 to 60 s ahead, from every second that can be judged.

Runs are cut by the serving stages, so that nothing later than an origin is seen from it. Runs that the version was
trained on are left out, whatever file they stand in.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from models.artefact import Artefact, Manifest
from models.forecast import HORIZONS
from models.restore import restore
from stream.cut import CutSession
from stream.errors import MissingError, TouchlineError, UnreadableFile
from touchline.training.fingerprints import recognised
from touchline.training.forecast import answers
from touchline.training.forecast_data import RUNS, Part, fingerprints, minutes_of, runs_split, trusted
from touchline.training.forecast_origins import AFTER, BEFORE, Origins, origins_of
from touchline.training.sessions import Source, recorded, sources

Tell = Callable[[str], None]

BASELINES: Final = {"last_value": "last value", "ridge": "ridge", "hgb": "gradient boosting"}


def evaluate_forecast(artefact: Artefact, file: Path, tell: Tell) -> tuple[dict[str, Any], Origins]:
    """Figures of a version on the runs of ``file``, and what they were taken from.

    Raises :class:`~stream.errors.UnreadableFile` or MissingError for the file, TouchlineError where all its runs were
    trained on, ArtefactDamaged for the version.
    """
    tell(f"cutting {file}")
    source = Source(file.name, (file,))
    runs, split = _judged(recorded(source), source, artefact.manifest)
    found = origins_of(runs)
    if len(found.at) == 0:
        raise UnreadableFile(
            f"{file}: no run to judge by has a row with {BEFORE} rows before and {AFTER} after it"
        )
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


def _judged(
    runs: Sequence[CutSession], source: Source, manifest: Manifest
) -> tuple[Sequence[CutSession], str]:
    """The runs that may be judged, and the split in words."""
    runs = [trusted(run) for run in runs]
    learnt = _learnt(runs, source, manifest)
    if learnt is None:
        return runs, f"all {len(runs)} runs of the file; which runs the version was trained on is not known"
    train, test = runs_split(runs)
    ordered = [*test, *train]  # that of the card, so that its figures come again to the last digit
    known = recognised([minutes_of(run) for run in ordered], learnt)
    if not known.any():
        return runs, f"all {len(runs)} runs of the file"
    if known.all():
        raise TouchlineError(f"{source.files[0]}: every run was trained on; none is left to judge by")
    left = [run for run, trained_on in zip(ordered, known, strict=True) if not trained_on]
    return left, f"{len(left)} runs of the file; {known.sum()} more were trained on and are left out"


def _learnt(runs: Sequence[CutSession], source: Source, manifest: Manifest) -> list[str] | None:
    """Fingerprints of what was trained on; None where a version has none and this is not the file that it is of."""
    if manifest.seen:
        return [text for texts in manifest.seen.values() for text in texts]
    return fingerprints(runs_split(runs)[0]) if source.sha256() == manifest.data.get(RUNS) else None
