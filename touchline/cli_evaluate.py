"""``touchline evaluate``: the commands that judge stored versions on files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from models.artefact import SHIPPED, ArtefactDamaged, ArtefactMissing, find_artefact
from models.labels import find_labelled
from stream.errors import ModelMissing
from touchline.terminal import AsJson, ModelDir, progress, settings_with, show, training_progress

evaluate_app = typer.Typer(no_args_is_help=True, help="Judge a stored model on files, without training it.")

Version = Annotated[str | None, typer.Option(help="Version to judge; the stable one otherwise.")]


@evaluate_app.callback()
def evaluate() -> None:
    """Judge a stored model on files, without training it."""


@evaluate_app.command("forecast")
def forecast(
    runs: Annotated[Path, typer.Option(help="Recorded runs: any file that `replay` reads.")],
    baselines: Annotated[bool, typer.Option(help="Fit the baselines on TOUCHLINE_DATA beside it.")] = False,
    version: Version = None,
    model_dir: ModelDir = None,
    as_json: AsJson = False,
) -> None:
    """Heart rate 5 to 60 s ahead: mean absolute error and coverage of the 80 % band."""
    settings = settings_with(model_dir=model_dir)
    folder = find(settings.model_dir or SHIPPED, "forecast", version)
    from touchline.evaluation.forecast import baselines as fitted
    from touchline.evaluation.forecast import evaluate_forecast

    with progress() as tell:
        figures, origins = evaluate_forecast(folder, runs, tell)
        if baselines:
            figures["baselines"] = fitted(origins, settings.data, tell)
    show(figures, as_json)


@evaluate_app.command("injury")
def injury(
    daily: Annotated[Path, typer.Option(help="Daily rows of athletes, CSV or parquet, `.gz` too.")],
    cv: Annotated[
        bool, typer.Option("--cv", help="Train anew on the file's folds, baselines beside it.")
    ] = False,
    version: Version = None,
    model_dir: ModelDir = None,
    as_json: AsJson = False,
) -> None:
    """Injury risk: ranking with intervals over athletes, calibration, and yes or no at a stated threshold."""
    settings = settings_with(model_dir=model_dir)
    folder = find(settings.model_dir or SHIPPED, "injury", version)
    from touchline.evaluation.injury import evaluate_injury
    from touchline.training.workshop import Workshop

    with training_progress() as tell:
        shop = Workshop(settings.data, settings.data, tell) if cv else None
        figures = evaluate_injury(folder, daily, shop)
    show(figures, as_json)


@evaluate_app.command("performance")
def performance(version: Version = None, model_dir: ModelDir = None, as_json: AsJson = False) -> None:
    """Performance score: level without fatigue and at half intensity, falling with an injected fade; real drift."""
    settings = settings_with(model_dir=model_dir)
    folder = find(settings.model_dir or SHIPPED, "performance", version)
    from touchline.evaluation.performance import evaluate_performance
    from touchline.training.workshop import Workshop

    with training_progress() as tell:
        figures = evaluate_performance(folder, Workshop(settings.data, settings.data, tell))
    show(figures, as_json)


@evaluate_app.command("movement")
def movement(
    recordings: Annotated[
        Path, typer.Option(help="An npz of recordings, laid out as either set in the data.")
    ],
    version: Version = None,
    model_dir: ModelDir = None,
    as_json: AsJson = False,
) -> None:
    """Name the movement of every recording, and say how often that is its label."""
    settings = settings_with(model_dir=model_dir)
    folder = find(settings.model_dir or SHIPPED, "movement", version)
    from touchline.evaluation.movement import evaluate_movement

    show(evaluate_movement(folder, recordings), as_json)


def find(root: Path, name: str, version: str | None) -> Path:
    """The folder of a version, the stable one without any. Raises ModelMissing in words for the command line."""
    try:
        return find_labelled(root, name) if version is None else find_artefact(root, name, version)
    except (ArtefactMissing, ArtefactDamaged) as error:
        raise ModelMissing(f"{error}; name a registry with --model-dir") from None
