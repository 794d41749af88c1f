"""``touchline evaluate``: the commands that judge stored versions on files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from models.artefact import (
    SHIPPED,
    Artefact,
    ArtefactDamaged,
    ArtefactMissing,
    find_artefact,
    load_artefact,
)
from models.labels import find_labelled
from stream.errors import ModelMissing, ModelRefused
from stream.settings import Settings
from touchline.registry import trust
from touchline.terminal import AsJson, ModelDir, progress, settings_with, show, training_progress

evaluate_app = typer.Typer(no_args_is_help=True, help="Judge a stored model on files, without training it.")

Version = Annotated[str | None, typer.Option(help="Version to judge; the stable one otherwise.")]

Report = Annotated[Path | None, typer.Option(help="HTML file to write, with plots; replaced where it is.")]


@evaluate_app.callback()
def evaluate() -> None:
    """Judge a stored model on files, without training it."""


@evaluate_app.command("forecast")
def forecast(
    runs: Annotated[Path, typer.Option(help="Recorded runs: any file that `replay` reads.")],
    baselines: Annotated[bool, typer.Option(help="Fit the baselines on TOUCHLINE_DATA beside it.")] = False,
    version: Version = None,
    model_dir: ModelDir = None,
    report: Report = None,
    as_json: AsJson = False,
) -> None:
    """Heart rate 5 to 60 s ahead: mean absolute error and coverage of the 80 % band."""
    settings = settings_with(model_dir=model_dir)
    artefact = load(settings, "forecast", version)
    from touchline.evaluation.forecast import baselines as fitted
    from touchline.evaluation.forecast import evaluate_forecast

    with progress() as tell:
        figures, origins = evaluate_forecast(artefact, runs, tell)
        if baselines:
            figures["baselines"] = fitted(origins, settings.data, tell)
    told(figures, as_json, report, runs)


@evaluate_app.command("injury")
def injury(
    daily: Annotated[Path, typer.Option(help="Daily rows of athletes, CSV or parquet, `.gz` too.")],
    cv: Annotated[
        bool, typer.Option("--cv", help="Train anew on the file's folds, baselines beside it.")
    ] = False,
    version: Version = None,
    model_dir: ModelDir = None,
    report: Report = None,
    as_json: AsJson = False,
) -> None:
    """Injury risk: ranking with intervals over athletes, calibration, and yes or no at a stated threshold."""
    settings = settings_with(model_dir=model_dir)
    artefact = load(settings, "injury", version)
    from touchline.evaluation.injury import evaluate_injury
    from touchline.training.workshop import Workshop

    with training_progress() as tell:
        shop = Workshop(settings.data, settings.data, tell) if cv else None
        figures = evaluate_injury(artefact, daily, shop)
    told(figures, as_json, report, daily)


@evaluate_app.command("runners")
def runners(
    diaries: Annotated[
        Path, typer.Option(help="Runners' diaries, the day or the week file of Lövdal et al. 2021.")
    ],
    report: Report = None,
    as_json: AsJson = False,
) -> None:
    """Injuries of runners: plain models trained on the file's own folds of athletes; no stored model is asked."""
    from touchline.evaluation.runners import evaluate_runners

    with training_progress() as tell:
        figures = evaluate_runners(diaries, tell)
    told(figures, as_json, report, diaries)


@evaluate_app.command("performance")
def performance(
    version: Version = None, model_dir: ModelDir = None, report: Report = None, as_json: AsJson = False
) -> None:
    """Performance score: level without fatigue and at half intensity, falling with an injected fade; real drift."""
    settings = settings_with(model_dir=model_dir)
    artefact = load(settings, "performance", version)
    from touchline.evaluation.performance import evaluate_performance
    from touchline.training.workshop import Workshop

    with training_progress() as tell:
        figures = evaluate_performance(artefact, Workshop(settings.data, settings.data, tell))
    told(figures, as_json, report)


@evaluate_app.command("movement")
def movement(
    recordings: Annotated[
        Path, typer.Option(help="An npz of recordings, laid out as either set in the data.")
    ],
    cv: Annotated[bool, typer.Option("--cv", help="Train anew on the file's folds.")] = False,
    version: Version = None,
    model_dir: ModelDir = None,
    report: Report = None,
    as_json: AsJson = False,
) -> None:
    """Name the movement of every recording, and say how often that is its label."""
    settings = settings_with(model_dir=model_dir)
    artefact = load(settings, "movement", version)
    from touchline.evaluation.movement import evaluate_movement
    from touchline.training.workshop import Workshop

    with training_progress() as tell:
        shop = Workshop(settings.data, settings.data, tell) if cv else None
        figures = evaluate_movement(artefact, recordings, shop)
    told(figures, as_json, report, recordings)


def load(settings: Settings, name: str, version: str | None) -> Artefact:
    """A version, the stable one without any. Raises ModelMissing or ModelRefused in words for the command line."""
    root = settings.model_dir or SHIPPED
    try:
        folder = find_labelled(root, name) if version is None else find_artefact(root, name, version)
        return load_artefact(folder, trust(settings))
    except ArtefactMissing as error:
        raise ModelMissing(f"{error}; name a registry with --model-dir") from None
    except ArtefactDamaged as error:
        raise ModelRefused(str(error)) from None


def told(figures: dict[str, Any], as_json: bool, report: Path | None, judged: Path | None = None) -> None:
    """The answer, and the report where one is wanted."""
    if report is not None:
        from touchline.evaluation.report import write_report

        write_report(report, figures, judged)
    show(figures, as_json)
