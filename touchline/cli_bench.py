"""``touchline bench``: how fast, beside what one would build with others, on this machine in one run."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from touchline.terminal import AsJson, progress, settings_with, show

bench_app = typer.Typer(no_args_is_help=True, help="Measure: ratios within one run on this machine.")

Broker = Annotated[
    str | None, typer.Option(help="Kafka bootstrap `host:port`; none starts the embedded one.")
]


@bench_app.callback()
def bench() -> None:
    """Measure: ratios within one run on this machine."""


@bench_app.command("dispatch")
def dispatch(
    raw: Annotated[bool, typer.Option("--raw", help="Bytes, without decoding.")] = False,
    records: Annotated[int, typer.Option(min=20_000, help="Frames in the topic.")] = 300_000,
    runs: Annotated[int, typer.Option(min=1, help="Runs of each; medians are told.")] = 3,
    broker: Broker = None,
    as_json: AsJson = False,
) -> None:
    """Records per second from broker to agent, beside Faust as it comes, plain loops, Quix Streams and Bytewax."""
    from touchline.bench.dispatch import DispatchConfig, run_dispatch

    settings = settings_with(broker=broker)
    with progress() as tell:
        found = run_dispatch(DispatchConfig(records=records, runs=runs, raw=raw), settings.broker, tell)
    show(found, as_json)


@bench_app.command("live")
def live(
    athletes: Annotated[int, typer.Option(min=1, help="How many send.")] = 1000,
    seconds: Annotated[int, typer.Option(min=5, help="How long is measured.")] = 30,
    broker: Broker = None,
    as_json: AsJson = False,
) -> None:
    """One worker at a fixed load, frames in to scores out: lag, latency, CPU time and memory."""
    from touchline.bench.live import LiveConfig, run_live

    settings = settings_with(broker=broker)
    with progress() as tell:
        found = asyncio.run(run_live(LiveConfig(athletes, seconds), settings, tell))
    show(found, as_json)
