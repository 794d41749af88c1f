"""Judge a stored forecast on recorded runs: heart rate 5 to 60 s ahead, from every second that can be judged.

An origin is a row with 120 rows before and 60 after it in its run; what the sensor got wrong (outside 25 to 240 bpm)
is no target. Runs are cut by the serving stages, so that nothing later than an origin is seen from it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from models.artefact import Artefact
from models.forecast import HORIZONS
from models.restore import restore
from stream.cut import CutSession
from stream.errors import MissingError, UnreadableFile
from touchline.training.forecast import answers
from touchline.training.forecast_baselines import baseline_predictions
from touchline.training.forecast_data import Part, runs_split, trusted
from touchline.training.sessions import Source, recorded, sources
from touchline.training.windows import HEART_RATE, Pool, carried, pool

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Tell = Callable[[str], None]

BEFORE: Final = 120
AFTER: Final = 60
RUNS: Final = "hr_forecast_rikluost"
BASELINES: Final = {"last_value": "last value", "ridge": "ridge", "hgb": "gradient boosting"}


@dataclass(frozen=True, slots=True)
class Origins:
    """``at (N,)`` seconds of ``table`` to forecast from; ``actual (N, 6)`` heart rate then (bpm), NaN none."""

    table: Pool
    at: Ints
    actual: Floats


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
    picked = [h - 1 for h in HORIZONS]
    low, high = np.moveaxis(answer.bands[:, 0], 2, 0)  # (N, 6)
    inside = (found.actual >= low) & (found.actual <= high)
    figures = {
        "model": artefact.manifest.name,
        "version": artefact.manifest.version,
        "split": split,
        "n": by_horizon(np.isfinite(found.actual).sum(axis=0).tolist()),
        "mae_bpm": mean_errors(answer.median[:, 0, picked], found.actual),
        "coverage_80": by_horizon(_means(inside.astype(np.float64), found.actual)),
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
    fit = origins_of(train)
    guesses = baseline_predictions(fit.table, fit.at, found.table, found.at)
    return {name: mean_errors(guesses[called], found.actual) for name, called in BASELINES.items()}


def origins_of(runs: Sequence[CutSession]) -> Origins:
    """All origins of some runs."""
    table = pool(runs)
    parts = [_rows(run, np.flatnonzero(table.session == number)) for number, run in enumerate(runs)]
    at = np.concatenate([part[0] for part in parts]) if parts else np.zeros(0, np.int64)
    ahead = np.concatenate([part[1] for part in parts]) if parts else np.zeros((0, len(HORIZONS)), np.int64)
    return Origins(table, at, table.raw[ahead, HEART_RATE].astype(np.float64))


def _rows(run: CutSession, places: Ints) -> tuple[Ints, Ints]:
    """Origins of a run ``(N,)`` and the rows they are asked for ``(N, 6)``; a row is a second with anything in it."""
    carries = np.isfinite(carried(run)).any(axis=1)
    rows = places[carries]
    origin = np.arange(BEFORE, len(rows) - AFTER)
    return rows[origin], rows[origin[:, None] + np.asarray(HORIZONS)]


def _judged(runs: Sequence[CutSession], source: Source, trained_on: Any) -> tuple[Sequence[CutSession], str]:
    """The runs that may be judged, and the split in words: of the training file only what was kept back."""
    runs = [trusted(run) for run in runs]
    if source.sha256() != trained_on.get(RUNS):
        return runs, f"all {len(runs)} runs of the file"
    kept = runs_split(runs)[1]
    return kept, f"the training file: its {len(kept)} runs that were kept back"


def mean_errors(predicted: NDArray[Any], actual: Floats) -> dict[str, float | None]:
    """Mean absolute error (bpm) by horizon; None where nothing came."""
    return by_horizon(_means(np.abs(predicted - actual), actual))


def by_horizon(values: Sequence[Any]) -> dict[str, Any]:
    """Values of the six horizons by seconds, as the contract has them."""
    return {str(horizon): value for horizon, value in zip(HORIZONS, values, strict=True)}


def _means(values: Floats, actual: Floats) -> list[float | None]:
    there = np.isfinite(actual)
    return [float(values[rows, k].mean()) if rows.any() else None for k, rows in enumerate(there.T)]
