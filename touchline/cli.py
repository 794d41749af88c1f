"""The command line. Parses, calls, prints; everything else is elsewhere.

With ``--json`` stdout is one JSON object; progress and logs go to stderr. Exit 0 fine, 1 a check failed, 2 usage, 3
something needed is missing.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Annotated, Literal, NoReturn

import typer

from models.artefact import ArtefactDamaged, ArtefactMissing
from stream.errors import MissingError, ModelMissing, ModelRefused, TouchlineError, UsageError
from stream.settings import Settings
from touchline.cli_bench import bench_app
from touchline.cli_evaluate import evaluate_app
from touchline.cli_models import models_app
from touchline.cli_serve import route, serve
from touchline.terminal import (
    AsJson,
    ModelDir,
    console,
    print_json,
    progress,
    run,
    settings_with,
    show,
    training_progress,
)

app = typer.Typer(
    name="touchline", no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False
)
topics_app = typer.Typer(no_args_is_help=True, help="Make or check the Kafka topics.")
app.add_typer(topics_app, name="topics")
app.add_typer(evaluate_app, name="evaluate")
app.add_typer(bench_app, name="bench")
models_app.command("serve")(serve)
models_app.command("route")(route)
app.add_typer(models_app, name="models")
RETRY_S = 1.0

Broker = Annotated[
    str | None, typer.Option(help="Kafka bootstrap `host:port`; none starts the embedded one.")
]
NamedBroker = Annotated[str | None, typer.Option("--broker", help="Kafka bootstrap `host:port`.")]
Influx = Annotated[str | None, typer.Option(help="InfluxDB 2 address; none stores in SQLite.")]
StoreFile = Annotated[Path | None, typer.Option("--store", help="SQLite file of the embedded store.")]
MetricsPort = Annotated[int | None, typer.Option(help="Port of Prometheus metrics; 0 takes a free one.")]
Ready = Annotated[Path | None, typer.Option(help="A file to make once this process can work.")]
Kind = Literal["match", "training", "run"]
Fatigue = Literal["none", "natural", "fade"]
Trainable = Literal["all", "forecast", "performance", "injury", "movement"]
Encoder = Literal["own", "lstm", "mlp", "cnn", "transformer"]


def main() -> None:
    """Entry point: errors of ours, and files that cannot be read or written, become one line and their exit code."""
    try:
        app(standalone_mode=True)
    except TouchlineError as error:
        _end(str(error), error.exit_code)
    except ArtefactDamaged as error:
        _end(str(error), ModelRefused.exit_code)
    except ArtefactMissing as error:
        _end(str(error), ModelMissing.exit_code)
    except OSError as error:
        if error.filename is None:
            raise
        _end(f"{error.filename}: {error.strerror}", MissingError.exit_code)


def _end(told: str, exit_code: int) -> NoReturn:
    console.print(f"touchline: {told}", style="red", markup=False, highlight=False, soft_wrap=True)
    sys.exit(exit_code)


@app.command()
def demo(
    headless: Annotated[bool, typer.Option(help="Without the page.")] = False,
    seconds: Annotated[int | None, typer.Option(min=10, help="How long; without it until Ctrl-C.")] = None,
    athletes: Annotated[int, typer.Option(min=1, max=2000, help="Size of the squad.")] = 22,
    kind: Annotated[Kind, typer.Option(help="What the squad does.")] = "match",
    seed: Annotated[int, typer.Option(help="Seed of the simulation.")] = 1,
    report: Annotated[Path | None, typer.Option("--json", help="Write the figures to this file.")] = None,
    broker: Broker = None,
    influx_url: Influx = None,
    store: StoreFile = None,
    web_port: Annotated[int | None, typer.Option(help="Port of the page; 0 takes a free one.")] = None,
    models_port: Annotated[
        int | None, typer.Option(help="Port of the model service; 0 takes a free one.")
    ] = None,
    model_dir: ModelDir = None,
) -> None:
    """Everything at once: broker, worker, sink, page, model service and a simulated squad."""
    from touchline.demo import Around, DemoConfig, run_demo

    settings = settings_with(
        broker=broker,
        influx_url=influx_url,
        store=store,
        web_port=web_port,
        serving_port=models_port,
        model_dir=model_dir,
    )
    if headless and seconds is None:
        raise UsageError("--headless needs --seconds")
    _check_report(report)
    with progress() as tell:
        around = Around(say=lambda line: console.print(line, highlight=False, soft_wrap=True), tell=tell)
        config = DemoConfig(athletes, seconds, headless, seed, kind)
        result = run(run_demo(config, settings, around), endless=seconds is None)
    if report is not None:
        report.write_text(json.dumps(result, allow_nan=False, indent=1) + "\n")
    console.print_json(json.dumps(result))
    raise typer.Exit(1 if result["lost"] != 0 else 0)


def _check_report(report: Path | None) -> None:
    """Say before a minute of work that its result could not be written."""
    if report is not None and not report.resolve().parent.is_dir():
        raise UsageError(f"--json {report}: its folder does not exist")


@app.command()
def worker(
    broker: NamedBroker = None,
    ready: Ready = None,
    metrics_port: MetricsPort = None,
    model_dir: ModelDir = None,
    rules: Annotated[Path | None, typer.Option(help="Alert rules TOML; none takes the shipped ones.")] = None,
) -> None:
    """Score telemetry: frames in, scores and alerts out."""
    from touchline.run import run_worker

    settings = settings_with(broker=broker, metrics_port=metrics_port, model_dir=model_dir, rules=rules)
    run(_reachable(settings))
    run_worker(settings, ready)


@app.command()
def sink(
    broker: NamedBroker = None,
    influx_url: Influx = None,
    store: StoreFile = None,
    ready: Ready = None,
    metrics_port: MetricsPort = None,
) -> None:
    """Store scores and alerts; acknowledged after the write."""
    from touchline.run import run_sink

    settings = settings_with(broker=broker, influx_url=influx_url, store=store, metrics_port=metrics_port)
    run(_reachable(settings))
    run_sink(settings, ready)


@app.command()
def web(
    broker: NamedBroker = None,
    influx_url: Influx = None,
    store: StoreFile = None,
    web_host: Annotated[str | None, typer.Option(help="Address the page listens on.")] = None,
    web_port: Annotated[int | None, typer.Option(help="Port of the page; 0 takes a free one.")] = None,
) -> None:
    """Serve the page; prints its login link."""
    from stream.web.serve import serve

    settings = settings_with(
        broker=broker, influx_url=influx_url, store=store, web_host=web_host, web_port=web_port
    )
    _needs_broker(settings)
    work = serve(settings, lambda link: console.print(f"Open {link}", highlight=False, soft_wrap=True))
    run(work, endless=True)


@app.command()
def simulate(
    athletes: Annotated[int, typer.Option(min=1, help="Size of the squad.")] = 22,
    seconds: Annotated[int, typer.Option(min=1, help="Length of the session.")] = 300,
    kind: Annotated[Kind, typer.Option(help="What the squad does.")] = "match",
    speed: Annotated[float, typer.Option(min=0, help="Seconds a second; 0 is as fast as it goes.")] = 1.0,
    seed: Annotated[int, typer.Option(help="Seed: the same numbers again.")] = 1,
    fault: Annotated[
        list[str] | None, typer.Option(help="e.g. dropout:A03:20:40, late:0.01; repeatable.")
    ] = None,
    fatigue: Annotated[Fatigue, typer.Option(help="How athletes tire.")] = "natural",
    intensity: Annotated[float, typer.Option(min=0.1, max=2, help="Factor on all speeds.")] = 1.0,
    broker: Broker = None,
    as_json: AsJson = False,
) -> None:
    """Send a simulated squad to the broker; without one, run it through a worker of its own."""
    from touchline.simulate import Simulation, run_simulation

    settings = settings_with(broker=broker)
    simulation = Simulation(
        athletes, seconds, kind, seed, tuple(fault or ()), fatigue, intensity, speed or None
    )
    with progress() as tell:
        result = run(run_simulation(simulation, settings, tell))
    show(result, as_json)


@app.command()
def replay(
    files: Annotated[
        list[Path], typer.Argument(help="FIT, TCX, GPX, CSV, parquet, npz, vendor files; .gz too.")
    ],
    verify: Annotated[bool, typer.Option(help="One worker against two, chunks cut at random.")] = False,
    vendor: Annotated[
        str | None, typer.Option("--format", help="Vendor's tracking format, for kloppy.")
    ] = None,
    companion: Annotated[Path | None, typer.Option(help="Vendor's metadata file.")] = None,
    workers: Annotated[
        int | None, typer.Option(min=0, help="Workers to start; 1, or 0 with --broker.")
    ] = None,
    broker: Broker = None,
    as_json: AsJson = False,
) -> None:
    """Send recorded files through the whole path and say what came of them."""
    from touchline import replay as replaying

    settings = settings_with(broker=broker)
    if verify and settings.broker:
        raise UsageError("--verify runs on embedded brokers of its own: leave --broker out")
    recordings = replaying.read_all(files, vendor, companion)
    notes = [note for recording in recordings for note in recording.notes]
    for note in notes:
        console.print(f"note: {note}", style="yellow", markup=False, highlight=False, soft_wrap=True)
    with progress() as tell:
        if verify:
            result = run(replaying.verify(recordings, settings, tell))
        else:
            count = workers if workers is not None else int(settings.broker is None)
            how = replaying.Run(count, bootstrap=settings.broker)
            result = replaying.report_of(files, *run(replaying.replay(recordings, settings, how, tell)))
            result["notes"] = notes
    show(result, as_json)
    raise typer.Exit(0 if result.get("equal", True) else 1)


@app.command()
def train(
    model: Annotated[Trainable, typer.Argument(help="Which model.")] = "all",
    out: Annotated[Path | None, typer.Option(help="Where versions go; the shipped models otherwise.")] = None,
    network: Annotated[
        Encoder, typer.Option(help="Encoder of the sequence; `own` is the one that is shipped.")
    ] = "own",
    search: Annotated[int, typer.Option(min=0, help="Trials of a search over settings first.")] = 0,
    select: Annotated[
        bool, typer.Option("--select", help="Leave out inputs it does no worse without.")
    ] = False,
    choose: Annotated[
        list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="A setting, say rate=0.001.")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on where a training was broken off.")] = False,
    thrift: Annotated[
        float, typer.Option(min=0.001, max=1, help="Share of the steps, to try the way.")
    ] = 1.0,
) -> None:
    """Train models on the recordings in TOUCHLINE_DATA and the simulator; write artefacts with their cards."""
    from models.artefact import SHIPPED
    from touchline.registry import finish, keep_stable
    from touchline.training.run import TRAINERS, Tuning, choices_of
    from touchline.training.run import train as trained
    from touchline.training.workshop import Workshop

    settings = settings_with()
    names = list(TRAINERS) if model == "all" else [model]
    choices = choices_of([f"network={network}", *(choose or [])], names)
    kept = settings.cache.expanduser() / "training"
    for name in names:
        keep_stable(out or SHIPPED, name)
    with training_progress() as tell:
        shop = Workshop(settings.data, out or SHIPPED, tell, thrift, choices, kept, resume)
        for folder in trained(names, shop, Tuning(search, select)):
            finish(folder, settings)
            console.print(f"{folder}", markup=False, highlight=False, soft_wrap=True)


@topics_app.command("create")
def create(
    broker: NamedBroker = None,
    partitions: Annotated[int | None, typer.Option(min=1, help="Partitions of every athlete topic.")] = None,
) -> None:
    """Make the topics that are not there."""
    from stream.admin import check_topics, create_topics

    settings = settings_with(broker=broker, partitions=partitions)
    bootstrap = _needs_broker(settings)
    made = run(create_topics(bootstrap, settings.partitions, settings.replication))
    console.print(f"made {', '.join(made)}" if made else "all topics are there", highlight=False)
    run(check_topics(bootstrap))


@topics_app.command("check")
def check(broker: NamedBroker = None, as_json: AsJson = False) -> None:
    """Compare the topics with the contract; exit 1 where they differ."""
    from stream.admin import check_topics

    settings = settings_with(broker=broker)
    partitions, differences = run(check_topics(_needs_broker(settings)))
    show({"partitions": partitions, "differences": differences}, as_json)
    raise typer.Exit(1 if differences else 0)


@app.command()
def doctor(
    broker: Broker = None, influx_url: Influx = None, store: StoreFile = None, as_json: AsJson = False
) -> None:
    """Say what Touchline would connect to, and whether it can; exit 3 where it cannot."""
    from touchline.doctor import examine

    settings = settings_with(broker=broker, influx_url=influx_url, store=store)
    result = run(examine(settings))
    if as_json:
        print_json(result)
    else:
        for entry in result["checks"]:
            typer.echo(f"{'ok' if entry['ok'] else 'no'}  {entry['name']}: {entry['detail']}")
    raise typer.Exit(0 if result["ok"] else 3)


def _needs_broker(settings: Settings) -> str:
    if settings.broker is None:
        raise UsageError("this needs a broker: set --broker or TOUCHLINE_BROKER")
    return settings.broker


async def _reachable(settings: Settings) -> None:
    """Wait for the broker and its topics, saying so; a worker may be started before either."""
    from stream.admin import check_topics
    from stream.errors import BrokerUnavailable, TopicsMissing

    bootstrap = _needs_broker(settings)
    while True:
        try:
            await check_topics(bootstrap)
        except (BrokerUnavailable, TopicsMissing) as error:
            console.print(
                f"{error} Trying again.", style="yellow", markup=False, highlight=False, soft_wrap=True
            )
            await asyncio.sleep(RETRY_S)
        else:
            return


if __name__ == "__main__":
    main()
