"""Telemetry tables: a row a moment, columns named after what they measure, as runs at 1 Hz are published.

A column ``session`` (or alike) splits the table into sessions, a column ``athlete`` into athletes; without them all
rows are one session of one athlete who is named after the file. Cadence of runs counts strides of one leg in such
files and leaves here in steps a minute: it is doubled where nobody could run that slowly.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from sim.readers.activity import STEPS_PER_STRIDE, About, Readings, activity_in, activity_recording
from sim.readers.fit import DEGREES
from sim.readers.source import Source, identity
from sim.readers.tables import NO_STAMP, Table
from sim.recording import Recording

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

TIME: Final = ("timestamp", "time", "datetime", "date_time", "utc", "t_us", "t_s", "seconds", "secs")
SESSION: Final = ("session", "session_id", "activity_id", "run", "workout", "match")
ATHLETE: Final = ("athlete", "athlete_id", "player", "subject", "user")
SPORT: Final = ("sport", "activity", "activity_type")
#: Channels and the names of their columns, best first.
COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    "ax": ("ax", "acc_x", "accel_x"),
    "ay": ("ay", "acc_y", "accel_y"),
    "az": ("az", "acc_z", "accel_z"),
    "gx": ("gx", "gyro_x", "gyr_x"),
    "gy": ("gy", "gyro_y", "gyr_y"),
    "gz": ("gz", "gyro_z", "gyr_z"),
    "x": ("x_m", "x"),
    "y": ("y_m", "y"),
    "lat": ("lat", "latitude", "position_lat"),
    "lon": ("lon", "lng", "long", "longitude", "position_long"),
    "speed": ("enhanced_speed", "speed", "speed_mps", "speed_m_s", "velocity"),
    "altitude": ("enhanced_altitude", "altitude", "altitude_m", "elevation", "ele"),
    "distance": ("distance", "distance_m", "cumulative_distance"),
    "hr": ("heart_rate", "hr", "heartrate", "heart_rate_bpm", "hr_bpm", "bpm"),
    "rr": ("rr", "rr_ms", "rr_interval"),
    "cadence": ("cadence", "cad"),
    "power": ("power", "watts", "power_w"),
}
#: Runners take at least this many steps a minute; a median below it counts strides of one leg.
FEWEST_STEPS: Final = 120


def is_telemetry(table: Table) -> bool:
    """Whether there are a time and at least one channel."""
    return table.first(TIME) is not None and any(table.first(names) for names in COLUMNS.values())


def read_telemetry(source: Source, table: Table) -> list[Recording]:
    """One recording per session and athlete, in the order of the file."""
    if not is_telemetry(table):
        raise source.unreadable(f"no column of time and of a known channel among {', '.join(table.columns)}")
    t_us = table.stamps(table.first(TIME) or "")
    channels = _channels(table)
    found = []
    for rows, named in _groups(table, t_us != NO_STAMP):
        about = _about(source, table, named)
        readings = Readings(t_us[rows], {k: v[rows] for k, v in channels.items()}, np.zeros_like(rows))
        found.append(activity_recording(source, _steps(readings, about), about))
    if not found:
        raise source.unreadable("no row has a readable time")
    return found


@dataclass(frozen=True, slots=True)
class _Named:
    """What the table says of a group of rows; empty where it says nothing."""

    session: str
    athlete: str
    sport: str


def _groups(table: Table, dated: NDArray[np.bool_]) -> Iterator[tuple[Ints, _Named]]:
    """Dated rows of each session and athlete, the first seen first."""
    sessions, session = _labels(table, SESSION)
    athletes, athlete = _labels(table, ATHLETE)
    sports, sport = _labels(table, SPORT)
    key = session * len(athletes) + athlete
    groups, first = np.unique(key[dated], return_index=True)
    for group in groups[np.argsort(first)].tolist():
        rows = np.flatnonzero((key == group) & dated)
        yield rows, _Named(sessions[session[rows[0]]], athletes[athlete[rows[0]]], sports[sport[rows[0]]])


def _labels(table: Table, names: tuple[str, ...]) -> tuple[list[str], Ints]:
    name = table.first(names)
    return ([""], np.zeros(table.rows, dtype=np.int64)) if name is None else table.labels(name)


def _channels(table: Table) -> dict[str, Floats]:
    channels = {}
    for channel, names in COLUMNS.items():
        name = table.first(names)
        values = None if name is None else table.numbers(name)
        if values is not None and np.isfinite(values).any():
            channels[channel] = values
    for channel in ("lat", "lon"):
        if channel in channels and np.nanmax(np.abs(channels[channel])) > 360:
            channels[channel] = channels[channel] * DEGREES
    return channels


def _about(source: Source, table: Table, named: _Named) -> About:
    athlete = identity(named.athlete, "") or None
    return About(
        activity=activity_in(f"{named.sport} {named.session} {source.stem}"),
        athlete=athlete,
        name=athlete,
        device=f"{source.stem[:60]}-{athlete[:60]}" if athlete else None,
        session=_session_id(source, named.session),
        notes=table.notes[len(source.notes) :],
    )


def _session_id(source: Source, session: str) -> str | None:
    """The table's own id, told apart by the file's name where it is only a number."""
    name = identity(session, "")
    return None if not name else f"{source.stem[:60]}-{name}"[:128] if name.isdigit() else name


def _steps(readings: Readings, about: About) -> Readings:
    cadence: Any = readings.channels.get("cadence")
    moving = np.zeros(0) if cadence is None else cadence[cadence > 0]
    if about.activity != "run" or not len(moving) or np.median(moving) >= FEWEST_STEPS:
        return readings
    channels = {**readings.channels, "cadence": cadence * STEPS_PER_STRIDE}
    return Readings(readings.t_us, channels, readings.part)
