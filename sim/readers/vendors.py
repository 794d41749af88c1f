"""Vendors' optical tracking, through ``kloppy``.

A match is two files, of which the second names the players or holds the other team. Positions become metres from
the pitch's centre; players only. Kloppy's frames are objects, so here, and only here, samples pass one by one.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any, Final

import numpy as np
from kloppy import metrica, secondspectrum, sportec, statsperform, tracab
from kloppy import skillcorner as skillcorner_json
from kloppy.exceptions import KloppyError

from sim.readers.inertial import on_grid
from sim.readers.moments import MICROSECOND, since_1970
from sim.readers.source import UNDATED_US, Source, identity, open_source
from sim.recording import SECOND_US, Recording, Track, athlete_record, session_record
from stream import topics

#: Metres from the centre, x along the pitch, y up.
COORDINATES: Final = "secondspectrum"
#: Start of a period that does not say when it began, after the one before it.
PERIOD_US: Final = 3600 * SECOND_US

Load = Callable[[BytesIO, BytesIO], Any]

#: How each format is loaded from the file named and its companion.
VENDORS: Final[Mapping[str, Load]] = {
    "epts": lambda raw, meta: metrica.load_tracking_epts(meta, raw, coordinates=COORDINATES),
    "metrica": lambda home, away: metrica.load_tracking_csv(home, away, coordinates=COORDINATES),
    "secondspectrum": lambda raw, meta: secondspectrum.load(meta, raw, coordinates=COORDINATES),
    "skillcorner": lambda raw, meta: skillcorner_json.load(meta, raw, coordinates=COORDINATES),
    "sportec": lambda raw, meta: sportec.load_tracking(meta, raw, coordinates=COORDINATES),
    "statsperform": lambda raw, meta: statsperform.load_tracking(meta, raw, coordinates=COORDINATES),
    "tracab": lambda raw, meta: tracab.load(meta, raw, coordinates=COORDINATES),
}
#: What files of another format or damaged ones make kloppy's parsers raise.
DAMAGED: Final = (
    KloppyError, ArithmeticError, AssertionError, AttributeError, LookupError, NameError, SyntaxError, TypeError,
    ValueError, NotImplementedError,
)  # fmt: skip


@dataclass(slots=True)
class _Path:
    t_us: list[int] = field(default_factory=list)
    xy: list[tuple[float, float]] = field(default_factory=list)


def read_vendor(source: Source, vendor: str, companion: Path | None) -> list[Recording]:
    """The one recording of a match, or of the part of it in the file: a track per player.

    Raises :class:`stream.errors.UnreadableFile` for an unknown vendor, without the companion, and where kloppy cannot
    read the two.
    """
    if vendor not in VENDORS:
        raise source.unreadable(f"unknown format {vendor!r}: one of {', '.join(VENDORS)}")
    if companion is None:
        raise source.unreadable(f"{vendor} comes in two files: name the second one as companion")
    dataset, notes = _load(source, vendor, open_source(companion))
    tracks, athletes = _tracks(dataset, vendor)
    if not tracks:
        raise source.unreadable("no player has a position in it")
    start_us = min(int(track.t_us[0]) for track in tracks)
    session = source.session_id(start_us)
    return [
        Recording(
            source=source.name,
            session=session_record(session, "football", start_us),
            athletes=athletes,
            tracks=tuple(tracks),
            boot=source.boot(session),
            topic=topics.VENUE,
            notes=(*source.notes, *notes),
        )
    ]


def _load(source: Source, vendor: str, companion: Source) -> tuple[Any, tuple[str, ...]]:
    """Kloppy's dataset; its warnings become notes (those of files it leaves to the collector do not)."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            dataset = VENDORS[vendor](BytesIO(source.content), BytesIO(companion.content))
        except DAMAGED as error:
            reason = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise source.unreadable(f"not readable as {vendor} with {companion.name} ({reason})") from None
    said = [
        str(w.message) for w in caught if not issubclass(w.category, ResourceWarning | DeprecationWarning)
    ]
    return dataset, tuple(dict.fromkeys(said))


def _tracks(dataset: Any, vendor: str) -> tuple[list[Track], list[dict[str, Any]]]:
    """Tracks and records of the players who have a position, by player id."""
    paths = _paths(dataset)
    people = {p.player_id: (p, team) for team in dataset.metadata.teams for p in team.players}
    tracks, athletes = [], []
    for player_id in sorted(paths.keys() & people.keys()):
        athlete, record = _athlete(*people[player_id])
        tracks.append(_track(athlete, vendor, paths[player_id], float(dataset.metadata.frame_rate)))
        athletes.append(record)
    return tracks, athletes


def _paths(dataset: Any) -> dict[str, _Path]:
    """Stamps and positions of each player; a player without a position in a frame has none there."""
    date = dataset.metadata.date
    start_us = UNDATED_US if date is None else since_1970(date)
    offsets = _offsets(dataset.metadata.periods)
    paths: dict[str, _Path] = {}
    for frame in dataset.records:
        t_us = start_us + offsets[frame.period.id] + frame.timestamp // MICROSECOND
        for player, data in frame.players_data.items():
            if data.coordinates is not None:
                path = paths.setdefault(player.player_id, _Path())
                path.t_us.append(t_us)
                path.xy.append((data.coordinates.x, data.coordinates.y))
    return paths


def _offsets(periods: Iterable[Any]) -> dict[int, int]:
    """Start of each period after that of the first, µs."""
    periods = list(periods)
    first = periods[0].start_timestamp if periods else None
    return {
        period.id: number * PERIOD_US
        if first is None or period.start_timestamp is None
        else (period.start_timestamp - first) // MICROSECOND
        for number, period in enumerate(periods)
    }


def _track(athlete: str, vendor: str, path: _Path, rate: float) -> Track:
    t_us, first = np.unique(np.array(path.t_us, dtype=np.int64), return_index=True)
    xy = np.array(path.xy, dtype=np.float64)[first]
    device = identity(f"{vendor}-{athlete}", vendor)
    return Track(athlete, device, rate, on_grid(t_us, rate), {"x": xy[:, 0], "y": xy[:, 1]})


def _athlete(player: Any, team: Any) -> tuple[str, dict[str, Any]]:
    name = " ".join(part for part in (player.first_name, player.last_name) if part) or player.name
    athlete = identity("-".join(str(p) for p in (player.player_id, player.last_name) if p), "unnamed")
    return athlete, athlete_record(athlete, name, team.name or None)
