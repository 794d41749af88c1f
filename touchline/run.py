"""Run: a Faust app as this process. A fault of ours ends it with a status that is not 0."""

from __future__ import annotations

import asyncio
import logging
import sys
from pathlib import Path
from typing import Any

import faust

from stream import metrics
from stream.app import create_worker
from stream.driver import share_one_heap, spare_garbage_collection
from stream.settings import Settings
from stream.sinks.open_store import open_store
from stream.sinks.sink import create_sink
from touchline.fleet import RegistryFleet


def run_worker(settings: Settings, ready: Path | None) -> None:
    """Run a worker until it is stopped. Missing models are said before anything else starts."""
    share_one_heap()
    fleet = RegistryFleet(settings)
    fleet.check()
    metrics.serve(settings.metrics_host, settings.metrics_port)
    run_app(create_worker(settings, fleet, ready))


def run_sink(settings: Settings, ready: Path | None) -> None:
    """Run a sink until it is stopped."""
    store = open_store(settings)
    try:
        app: Any = create_sink(settings, store)
        metrics.serve(settings.metrics_host, settings.metrics_port)
        spare_garbage_collection()
        if ready is not None:
            app.on_partitions_assigned.connect(lambda *_, **__: ready.touch(), weak=False)
        run_app(app)
    finally:
        store.close()


def run_app(app: faust.App) -> None:
    """Hand the process to Faust; it returns by SystemExit."""
    if sys.platform != "win32":
        import uvloop  # noqa: PLC0415 (not made for Windows)

        asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
    for name in ("faust", "aiokafka", "mode"):
        logging.getLogger(name).setLevel(logging.WARNING)
    faust.Worker(app, loglevel="WARNING", quiet=True, redirect_stdouts=False).execute_from_commandline()
