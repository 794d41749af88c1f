"""``touchline models backup|restore|export|import``: models as files that go from one machine to another."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from models.quantise import Kind
from models.signature import local_key
from stream.errors import UsageError
from stream.settings import Settings
from touchline.registry import Registry
from touchline.terminal import AsJson, ModelDir, settings_with, show

NewFile = Annotated[Path, typer.Argument(help="A new file, NAME.tar.zst or NAME.tar.gz.")]
File = Annotated[Path, typer.Argument(help="The file.")]
Passphrase = Annotated[
    Path | None, typer.Option(help="File whose first line is the passphrase that seals the file.")
]


def backup(
    file: NewFile, passphrase_file: Passphrase = None, model_dir: ModelDir = None, as_json: AsJson = False
) -> None:
    """Write the whole registry to one file, and prove by hash that it is in there."""
    from touchline.backup import back_up
    from touchline.registry import passphrase_in

    registry = Registry(settings_with(model_dir=model_dir))
    show(back_up(registry, file, passphrase_in(passphrase_file)), as_json)


def restore(
    file: File, passphrase_file: Passphrase = None, model_dir: ModelDir = None, as_json: AsJson = False
) -> None:
    """Make a registry out of a backup, in a folder that is new or empty, and prove by hash that it is the same."""
    from touchline.backup import restore
    from touchline.registry import passphrase_in

    registry = Registry(_own(settings_with(model_dir=model_dir)))
    show(restore(registry, file, passphrase_in(passphrase_file)), as_json)


def export(
    name: Annotated[str, typer.Argument(help="Model.")],
    place: Annotated[list[str], typer.Argument(metavar="[VERSION] FILE", help="Version and new file.")],
    quantise: Annotated[str | None, typer.Option(help="Smaller weights: int8 or float16.")] = None,
    passphrase_file: Passphrase = None,
    model_dir: ModelDir = None,
    as_json: AsJson = False,
) -> None:
    """Write one version, the stable one without any, to one file; with `--quantise` say what that costs."""
    from touchline.registry import passphrase_in
    from touchline.transfer import Wanted, export_quantised, export_version

    if len(place) > 2 or quantise not in {None, "int8", "float16"}:
        raise UsageError("export takes NAME [VERSION] FILE, and --quantise int8 or float16")
    settings = settings_with(model_dir=model_dir)
    wanted = Wanted(
        name, place[0] if len(place) > 1 else None, Path(place[-1]), passphrase_in(passphrase_file)
    )
    if quantise is None:
        show(export_version(Registry(settings), wanted), as_json)
    else:
        key = local_key(settings.keys.expanduser())
        kind: Kind = "int8" if quantise == "int8" else "float16"
        show(export_quantised(Registry(settings), wanted, kind, key), as_json)


def import_(
    file: File, passphrase_file: Passphrase = None, model_dir: ModelDir = None, as_json: AsJson = False
) -> None:
    """Take a version out of a file, if a key that is trusted here signed it; which version is stable stays."""
    from touchline.registry import passphrase_in
    from touchline.transfer import import_version

    settings = _own(settings_with(model_dir=model_dir))
    key = local_key(settings.keys.expanduser())
    show(import_version(Registry(settings), file, passphrase_in(passphrase_file), key), as_json)


def _own(settings: Settings) -> Settings:
    if settings.model_dir is None:
        raise UsageError("the models that come with the package stay as they are; name a --model-dir")
    return settings
