"""A registry on disk with real networks: copies of the shipped injury model under other numbers, signed here."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from models.artefact import MANIFEST, SHIPPED, WEIGHTS, find_artefact
from models.signature import Trusted, local_key, sign, trusted


def add_version(root: Path, version: str, keys: Path) -> Path:
    """The shipped injury model as another version of itself."""
    folder = root / "injury" / version
    shutil.copytree(find_artefact(SHIPPED, "injury"), folder)
    manifest = json.loads((folder / MANIFEST).read_bytes()) | {"version": version}
    (folder / MANIFEST).write_text(json.dumps(manifest))
    sign(folder, local_key(keys))
    return folder


def flip_a_byte(folder: Path) -> None:
    """Damage the weights."""
    data = bytearray((folder / WEIGHTS).read_bytes())
    data[len(data) // 2] ^= 1
    (folder / WEIGHTS).write_bytes(data)


def trust_in(keys: Path) -> Trusted:
    """The key made here."""
    return trusted([keys])
