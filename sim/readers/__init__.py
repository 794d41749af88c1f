"""Readers of recorded files: FIT, TCX, GPX, tables, archives of movements, and vendors' tracking through kloppy.

``read`` finds the reader; a reader gives recordings, each of one session. Readers change units and put readings in
order, they judge nothing: what a sensor got wrong is passed on. They never end in a traceback: a file is read as far
as it goes, with notes, or refused with an error that names it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from sim.readers import inertial, skillcorner
from sim.readers.daily import is_daily
from sim.readers.fit import read_fit
from sim.readers.gpx import read_gpx
from sim.readers.inertial import read_movement
from sim.readers.source import Source, open_source
from sim.readers.tables import load_table
from sim.readers.tcx import read_tcx
from sim.readers.telemetry import read_telemetry
from sim.readers.vendors import VENDORS, read_vendor
from sim.recording import Recording

FILES: Final[Mapping[str, Callable[[Source], list[Recording]]]] = {
    ".fit": read_fit,
    ".tcx": read_tcx,
    ".gpx": read_gpx,
    ".npz": read_movement,
}
TABLES: Final = (".csv", ".parquet")


def read(path: Path | str, vendor: str | None = None, companion: Path | None = None) -> list[Recording]:
    """The recordings of a file, one per session, in the order of the file; ``.gz`` of anything too.

    ``vendor`` names a format of tracking data that kloppy reads (:data:`VENDORS`); ``companion`` is the second file
    such formats come with, and SkillCorner's ``match_data.json`` where it does not lie beside the file.
    Raises :class:`stream.errors.MissingError` where a file is not there, :class:`stream.errors.UnreadableFile` where
    nothing can be read.
    """
    source = open_source(Path(path))
    if vendor is not None:
        return read_vendor(source, vendor, companion)
    if source.suffix in FILES:
        return FILES[source.suffix](source)
    if source.suffix in TABLES:
        return _read_table(source, companion)
    understood = ", ".join((*FILES, *TABLES))
    raise source.unreadable(
        f"unknown kind of file; understood are {understood} (each also .gz) and, by naming the format, "
        f"the tracking of {', '.join(VENDORS)}"
    )


def _read_table(source: Source, companion: Path | None) -> list[Recording]:
    table = load_table(source)
    if table.has(*skillcorner.COLUMNS):
        return skillcorner.read_skillcorner(source, table, companion)
    if table.has(*inertial.PLACED):
        return inertial.read_placed(source, table)
    if table.has(*inertial.DESK):
        return inertial.read_desk(source, table)
    if is_daily(table):
        raise source.unreadable("daily rows of load and wellness: there is no telemetry in it to replay")
    return read_telemetry(source, table)
