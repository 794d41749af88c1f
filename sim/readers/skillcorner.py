"""SkillCorner: broadcast tracking as a parquet of positions at 10 Hz with ``match_data.json`` beside it.

Players only: no ball, no referee, nobody whom the tracking could not name. An object is in view less than half of
the time, and gaps stay gaps. Event time is kick-off plus match clock; the clock goes back to 45:00 for the second
half while the first ran on past it, so every later period is moved on by the break.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from sim.readers.moments import microseconds
from sim.readers.source import Source, identity, open_source
from sim.readers.tables import Table
from sim.recording import SECOND_US, Recording, Track, athlete_record, session_record
from stream import topics
from stream.errors import MissingError

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

COLUMNS: Final = ("trackable_object", "period", "t_s", "x_m", "y_m")
COMPANION: Final = "match_data.json"
RATE: Final = 10.0
BREAK_US: Final = 15 * 60 * SECOND_US


def read_skillcorner(source: Source, table: Table, companion: Path | None) -> list[Recording]:
    """The one recording of a file: a track per player.

    Raises :class:`MissingError` where the match's description is not there, :class:`UnreadableFile` where it is
    not one or nobody of it is in the table.
    """
    match = _match(source, companion)
    players = {
        int(p["trackable_object"]): p for p in match["players"] if p.get("trackable_object") is not None
    }
    paths = _paths(table, _kick_off(source, match), tuple(players))
    if not paths:
        raise source.unreadable(f"nobody in it is a player of {COMPANION}")
    tracks = tuple(_track(_athlete_id(players[number]), path) for number, path in paths.items())
    session = _session_id(match, table)
    start_us = min(int(track.t_us[0]) for track in tracks)
    venue = (match.get("stadium") or {}).get("name")
    return [
        Recording(
            source=source.name,
            session=session_record(session, "football", start_us, venue),
            athletes=[_athlete(players[number], _squads(match)) for number in paths],
            tracks=tracks,
            boot=source.boot(session),
            topic=topics.VENUE,
            notes=table.notes,
        )
    ]


_Path = tuple[Ints, Floats, Floats]


def _paths(table: Table, kick_off_us: int, players: Sequence[int]) -> dict[int, _Path]:
    """Stamps, x and y of each player's object; of two positions at one moment the first."""
    objects, x, y = (table.numbers(name) for name in ("trackable_object", "x_m", "y_m"))
    period = np.nan_to_num(table.numbers("period"), nan=1).astype(np.int64)
    clock_us = np.rint(np.nan_to_num(table.numbers("t_s")) * RATE).astype(np.int64) * round(SECOND_US / RATE)
    t_us = kick_off_us + clock_us + (period - 1) * BREAK_US
    known = np.isfinite(x) & np.isfinite(y) & np.isin(objects, players)
    paths = {}
    for number in np.unique(objects[known]).astype(int).tolist():
        rows = np.flatnonzero(known & (objects == number))
        stamps, first = np.unique(t_us[rows], return_index=True)
        paths[number] = stamps, x[rows[first]], y[rows[first]]
    return paths


def _track(athlete: str, path: _Path) -> Track:
    t_us, x, y = path
    return Track(athlete, f"skillcorner-{athlete}"[:128], RATE, t_us, {"x": x, "y": y})


def _match(source: Source, companion: Path | None) -> Mapping[str, Any]:
    beside = source.path.parent / COMPANION
    places = [companion] if companion else [beside, beside.with_name(COMPANION + ".gz")]
    path = next((place for place in places if place.exists()), None)
    if path is None:
        raise MissingError(f"{source.path}: {places[0]} is not there; it names the players of the tracking")
    about = open_source(path)
    try:
        match = json.loads(about.content)
    except ValueError as error:
        raise about.unreadable(f"no readable JSON ({error})") from None
    if not isinstance(match, dict) or not isinstance(match.get("players"), list):
        raise about.unreadable("it names no players")
    return match


def _kick_off(source: Source, match: Mapping[str, Any]) -> int:
    kick_off = microseconds(str(match.get("date_time", "")))
    if kick_off is None:
        raise source.unreadable(f"{COMPANION} has no readable date_time")
    return kick_off


def _session_id(match: Mapping[str, Any], table: Table) -> str:
    """``skillcorner-<match>-<period>``, with all periods of the file."""
    periods = np.unique(table.numbers("period"))
    halves = "-".join(str(int(period)) for period in periods if np.isfinite(period))
    return identity(f"skillcorner-{match.get('id', 'match')}-{halves}", "skillcorner")


def _athlete_id(player: Mapping[str, Any]) -> str:
    """``<player id>-<last name>``, stable over matches."""
    return identity(f"{player.get('id')}-{player.get('last_name') or 'unnamed'}", "unnamed")


def _squads(match: Mapping[str, Any]) -> dict[Any, str | None]:
    teams = (match.get("home_team") or {}, match.get("away_team") or {})
    return {team.get("id"): team.get("short_name") or team.get("name") for team in teams}


def _athlete(player: Mapping[str, Any], squads: Mapping[Any, str | None]) -> dict[str, Any]:
    name = " ".join(str(player[key]) for key in ("first_name", "last_name") if player.get(key))
    born = str(player.get("birthday") or "")[:4]
    profile = {"birth_year": int(born)} if born.isdigit() else {}
    return athlete_record(_athlete_id(player), name or None, squads.get(player.get("team_id")), profile)
