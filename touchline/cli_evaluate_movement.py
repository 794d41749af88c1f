"""`touchline evaluate movement`: the stored movement model on a file of recordings."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from touchline.terminal import AsJson, ModelDir, settings_with, show


def evaluate_movement(
    recordings: Annotated[
        Path, typer.Option(help="An npz of recordings, laid out as either set in the data.")
    ],
    model_dir: ModelDir = None,
    version: Annotated[str | None, typer.Option(help="Which version; none takes the newest.")] = None,
    as_json: AsJson = False,
) -> None:
    """Name the movement of every recording, and say how often that is its label."""
    from models.artefact import SHIPPED
    from touchline.training.movement_evaluate import evaluate_file

    settings = settings_with(model_dir=model_dir)
    show(evaluate_file(settings.model_dir or SHIPPED, version, recordings), as_json)
