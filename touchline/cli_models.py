"""``touchline models``: the registry on disk. What is there, is it whole and ours, and which version is stable."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from models.labels import DEFAULT_SHARE
from stream.errors import ModelRefused, UsageError
from stream.settings import Settings
from touchline import cli_transfer
from touchline.announce import announce
from touchline.registry import Registry
from touchline.terminal import AsJson, ModelDir, settings_with, show

models_app = typer.Typer(
    no_args_is_help=True, help="The registry: what is there, whose it is, and which version runs."
)

Name = Annotated[str, typer.Argument(help="Model, as `models list` names it.")]
Version = Annotated[str, typer.Argument(help="Version.")]
OffOrVersion = Annotated[str | None, typer.Argument(help="Version; none with --off.")]
Off = Annotated[bool, typer.Option("--off", help="Take the label away.")]
AnyName = Annotated[str | None, typer.Argument(help="Model; all without.")]
ToldTo = Annotated[
    str | None,
    typer.Option("--broker", help="Kafka bootstrap `host:port`: tells the workers, which change at once."),
]
AnyVersion = Annotated[str | None, typer.Argument(help="Version; without, the stable one or all.")]


@models_app.command("list")
def listed(model_dir: ModelDir = None, as_json: AsJson = False) -> None:
    """Every model with its versions and labels."""
    registry = Registry(settings_with(model_dir=model_dir))
    show({"registry": str(registry.root), "models": registry.listed()}, as_json)


@models_app.command("show")
def shown(
    name: Name, version: AnyVersion = None, model_dir: ModelDir = None, as_json: AsJson = False
) -> None:
    """What a version takes and gives, what it was trained on, its figures, and every move of its labels."""
    show(Registry(settings_with(model_dir=model_dir)).shown(name, version), as_json)


@models_app.command("verify")
def verify(
    name: AnyName = None, version: AnyVersion = None, model_dir: ModelDir = None, as_json: AsJson = False
) -> None:
    """Hashes, signatures, nothing unlisted there, and that it fits this release. Ends with 1 where that is not so."""
    checked = Registry(settings_with(model_dir=model_dir)).verified(name, version)
    good = all(one["error"] is None for one in checked)
    show({"ok": good, "versions": checked}, as_json)
    if not good:
        raise typer.Exit(ModelRefused.exit_code)


@models_app.command("promote")
def promote(
    name: Name, version: Version, broker: ToldTo = None, model_dir: ModelDir = None, as_json: AsJson = False
) -> None:
    """Make a version stable: whole, signed by a key that is trusted here, answering as it did when it was saved."""
    settings = settings_with(model_dir=model_dir, broker=broker)
    _told(settings, Registry(settings).promote(name, version), as_json)


@models_app.command("rollback")
def rollback(name: Name, broker: ToldTo = None, model_dir: ModelDir = None, as_json: AsJson = False) -> None:
    """Make the version stable that was so before."""
    settings = settings_with(model_dir=model_dir, broker=broker)
    _told(settings, Registry(settings).rollback(name), as_json)


@models_app.command("canary")
def canary(
    name: Name,
    version: OffOrVersion = None,
    share: Annotated[
        float, typer.Option(help="Share of the athletes, above 0 and at most 1.")
    ] = DEFAULT_SHARE,
    off: Off = False,
    broker: ToldTo = None,
    model_dir: ModelDir = None,
    as_json: AsJson = False,
) -> None:
    """Give a share of the athletes to a version, always the same athletes; `--off` takes them back."""
    settings, wanted = settings_with(model_dir=model_dir, broker=broker), _either(version, off)
    registry = Registry(settings)
    moved = registry.canary(name, wanted, share) if wanted else registry.without(name, "canary")
    _told(settings, moved, as_json)


@models_app.command("shadow")
def shadow(
    name: Name,
    version: OffOrVersion = None,
    off: Off = False,
    broker: ToldTo = None,
    model_dir: ModelDir = None,
    as_json: AsJson = False,
) -> None:
    """Let a version score beside the stable one without anybody seeing it; `--off` ends that."""
    settings, wanted = settings_with(model_dir=model_dir, broker=broker), _either(version, off)
    registry = Registry(settings)
    moved = registry.shadow(name, wanted) if wanted else registry.without(name, "shadow")
    _told(settings, moved, as_json)


def _told(settings: Settings, moved: dict[str, Any], as_json: bool) -> None:
    """Show a move; with a broker the workers are told of it first."""
    if settings.broker is not None:
        announce(settings.broker, Registry(settings).root, moved["name"])
    show({**moved, "announced": settings.broker is not None}, as_json)


def _either(version: str | None, off: bool) -> str | None:
    if (version is None) != off:
        raise UsageError("name a version, or --off, and not both")
    return version


@models_app.command("sign")
def signed(name: Name, version: Version, model_dir: ModelDir = None, as_json: AsJson = False) -> None:
    """Sign a version with this machine's key, which a first use makes: you vouch for what is in it."""
    settings = settings_with(model_dir=model_dir)
    key = Registry(settings).sign(name, version, settings)
    show({"name": name, "version": version, "key": key}, as_json)


models_app.command("backup")(cli_transfer.backup)
models_app.command("restore")(cli_transfer.restore)
models_app.command("export")(cli_transfer.export)
models_app.command("import")(cli_transfer.import_)
