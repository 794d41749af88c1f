"""Run: a Faust app as this process. A fault of ours ends it with a status that is not 0."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any, Final

import faust

from models.artefact import SHIPPED, ArtefactDamaged, ArtefactMissing, read_manifest
from models.labels import find_labelled
from stream import metrics
from stream.app import create_worker
from stream.errors import ModelMissing, ModelRefused
from stream.infer import Engine
from stream.settings import Settings
from stream.sinks.open_store import open_store
from stream.sinks.sink import create_sink
from touchline.fit import check_fit
from touchline.registry import trust

NEEDED: Final = ("forecast", "performance", "injury")


def run_worker(settings: Settings, ready: Path | None) -> None:
    """Run a worker until it is stopped. Missing models are said before anything else starts."""
    check_models(settings)
    metrics.serve(settings.metrics_host, settings.metrics_port)
    run_app(create_worker(settings, lambda: load_engine(settings), ready))


def check_models(settings: Settings) -> dict[str, str]:
    """Folder of each model the worker needs. Raises ModelMissing, or ModelRefused for one that may not be used."""
    root, keys = settings.model_dir or SHIPPED, trust(settings)
    try:
        folders = {name: find_labelled(root, name) for name in NEEDED}
    except ArtefactMissing as error:
        raise ModelMissing(
            f"{error}; train models with `make train` or name a folder with --model-dir"
        ) from None
    try:
        for folder in folders.values():
            check_fit(read_manifest(folder, keys))
    except (ArtefactMissing, ArtefactDamaged) as error:
        raise ModelRefused(
            f"{error}; see `touchline models verify`, or sign it with `touchline models sign`"
        ) from None
    return {name: str(folder) for name, folder in folders.items()}


def load_engine(settings: Settings) -> Engine:
    """Load the stable versions, signed by a trusted key, and compile their smallest batch size.

    Raises ModelRefused naming what is wrong with a version.
    """
    from models.engine import Engine as Networks  # noqa: PLC0415 (TensorFlow takes seconds to import)

    try:
        engine = Networks(settings.model_dir or SHIPPED, trust=trust(settings))
    except (ArtefactMissing, ArtefactDamaged) as error:
        raise ModelRefused(str(error)) from None
    engine.warm_up(engine.batch_sizes[:1])
    return engine


def run_sink(settings: Settings, ready: Path | None) -> None:
    """Run a sink until it is stopped."""
    store = open_store(settings)
    try:
        app: Any = create_sink(settings, store)
        metrics.serve(settings.metrics_host, settings.metrics_port)
        if ready is not None:
            app.on_partitions_assigned.connect(lambda *_, **__: ready.touch(), weak=False)
        run_app(app)
    finally:
        store.close()


def run_app(app: faust.App) -> None:
    """Hand the process to Faust; it returns by SystemExit."""
    for name in ("faust", "aiokafka", "mode"):
        logging.getLogger(name).setLevel(logging.WARNING)
    faust.Worker(app, loglevel="WARNING", quiet=True, redirect_stdouts=False).execute_from_commandline()
