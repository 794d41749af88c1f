"""``touchline bench``: how fast, beside what one would build with others, on this machine in one run."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Annotated, Any

import typer

from touchline.terminal import AsJson, progress, settings_with, show

bench_app = typer.Typer(no_args_is_help=True, help="Measure: ratios within one run on this machine.")

Tell = Callable[[str], None]
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
    athletes: Annotated[int, typer.Option(min=1, help="How many send; a search begins there.")] = 1000,
    seconds: Annotated[int, typer.Option(min=5, help="How long is measured.")] = 30,
    workers: Annotated[int, typer.Option(min=1, help="Worker processes that share the load.")] = 1,
    search: Annotated[bool, typer.Option("--search", help="Find the most that are kept up with.")] = False,
    peers: Annotated[
        bool, typer.Option("--peers", help="Also the same stages behind other engines.")
    ] = False,
    broker: Broker = None,
    as_json: AsJson = False,
) -> None:
    """One worker at a fixed load, frames in to scores out: lag, latency, CPU time and memory."""
    from touchline.bench.live import LiveConfig, run_live, run_peers, run_search

    settings = settings_with(broker=broker)
    run = run_search if search else run_live

    async def measure(tell: Tell) -> dict[str, Any]:
        found = await run(LiveConfig(athletes, seconds, workers=workers), settings, tell)
        asked = LiveConfig(athletes, seconds)
        return found | ({"peers": await run_peers(asked, settings, tell)} if peers else {})

    with progress() as tell:
        found = asyncio.run(measure(tell))
    show(found, as_json)


@bench_app.command("infer")
def infer(
    runs: Annotated[int, typer.Option(min=1, help="Runs of each; medians are told.")] = 5,
    as_json: AsJson = False,
) -> None:
    """Windows per second through the forecast network, beside `model.predict`, `tf.function` and ONNX Runtime."""
    from touchline.bench.infer import InferConfig, run_infer

    settings_with()
    with progress() as tell:
        found = run_infer(InferConfig(runs=runs), tell)
    show(found, as_json)


@bench_app.command("store")
def store(
    scores: Annotated[int, typer.Option(min=1_000, help="How many are written.")] = 20_000,
    runs: Annotated[int, typer.Option(min=1, help="Runs of each; medians are told.")] = 3,
    as_json: AsJson = False,
) -> None:
    """Scores per second into line protocol, SQLite and, where TOUCHLINE_INFLUX_URL names one, InfluxDB."""
    from touchline.bench.store import StoreConfig, run_store

    settings = settings_with()
    with progress() as tell:
        found = run_store(StoreConfig(scores=scores, runs=runs), settings, tell)
    show(found, as_json)


@bench_app.command("push")
def push(
    viewers: Annotated[int, typer.Option(min=1, help="How many watch.")] = 200,
    athletes: Annotated[int, typer.Option(min=1, help="Size of the squad they watch.")] = 22,
    seconds: Annotated[int, typer.Option(min=1, help="How long is measured.")] = 10,
    broker: Broker = None,
    as_json: AsJson = False,
) -> None:
    """Viewers of one web process: its CPU time for each, and how late frames reach them."""
    from touchline.bench.push import PushConfig, run_push

    settings = settings_with(broker=broker)
    with progress() as tell:
        found = asyncio.run(run_push(PushConfig(viewers, athletes, seconds), settings, tell))
    show(found, as_json)
