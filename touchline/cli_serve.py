"""``touchline models serve``: the model service as a process of its own. ``cli`` hangs it into ``models``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from stream.errors import UsageError
from touchline.terminal import ModelDir, console, run, settings_with

Host = Annotated[str | None, typer.Option(help="Address to listen on.")]
Port = Annotated[int | None, typer.Option(help="Port; 0 takes a free one.")]
Ready = Annotated[Path | None, typer.Option(help="File to make once requests are answered.")]
Policy = Literal["label", "latest", "pinned"]


def serve(
    host: Host = None,
    port: Port = None,
    model_dir: ModelDir = None,
    policy: Annotated[Policy | None, typer.Option(help="Version taken where a request names none.")] = None,
    pin: Annotated[
        list[str] | None, typer.Option(help="e.g. forecast=2: this version and no other; repeatable.")
    ] = None,
    ready: Ready = None,
) -> None:
    """Serve the models over REST, in the shapes of TensorFlow Serving and the Open Inference Protocol."""
    from models.artefact import SHIPPED
    from stream.serving.library import DiskLibrary
    from stream.serving.serve import serve as serving
    from touchline.registry import trust

    pins = _pins(pin or [])
    chosen = "pinned" if pins and policy is None else policy
    if pins and chosen != "pinned":
        raise UsageError(f"--pin goes with --policy pinned, not with {chosen}")
    settings = settings_with(serving_host=host, serving_port=port, serving_policy=chosen, model_dir=model_dir)
    library = DiskLibrary(settings.model_dir or SHIPPED, trust(settings))
    run(serving(settings, library, pins, lambda url: _say("models", url, ready)), endless=True)


def _pins(pairs: list[str]) -> dict[str, str]:
    """Model to version. Raises UsageError."""
    pins = {}
    for pair in pairs:
        name, equals, version = pair.partition("=")
        if not (name and equals and version):
            raise UsageError(f"--pin {pair}: MODEL=VERSION is wanted")
        pins[name] = version
    return pins


def _say(what: str, url: str, ready: Path | None) -> None:
    """Where it serves, for people, and a file for whoever started us."""
    console.print(f"Serving {what} at {url}, described at {url}/docs", highlight=False, soft_wrap=True)
    if ready is not None:
        ready.write_text(url)


def route(
    upstream: Annotated[list[str], typer.Option(help="Address of a serving process; repeatable.")],
    host: Host = None,
    port: Port = None,
    ready: Ready = None,
) -> None:
    """Spread requests over several serving processes: to the one with the fewest outstanding."""
    from stream.serving.balance_app import balance

    settings = settings_with(serving_host=host, serving_port=port)
    run(balance(settings, upstream, lambda url: _say("several processes", url, ready)), endless=True)
