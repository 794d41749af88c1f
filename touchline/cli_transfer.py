"""``touchline models backup|restore|export|import``: models as files that go from one machine to another."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

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
    from touchline.backup import back_up, passphrase_in

    registry = Registry(settings_with(model_dir=model_dir))
    show(back_up(registry, file, passphrase_in(passphrase_file)), as_json)


def restore(
    file: File, passphrase_file: Passphrase = None, model_dir: ModelDir = None, as_json: AsJson = False
) -> None:
    """Make a registry out of a backup, in a folder that is new or empty, and prove by hash that it is the same."""
    from touchline.backup import passphrase_in, restore

    registry = Registry(_own(settings_with(model_dir=model_dir)))
    show(restore(registry, file, passphrase_in(passphrase_file)), as_json)


def _own(settings: Settings) -> Settings:
    if settings.model_dir is None:
        raise UsageError("the models that come with the package stay as they are; name a --model-dir")
    return settings
