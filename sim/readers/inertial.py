"""Inertial sets: accelerometers at places of a body, the hand of a player at a desk, watches during exercises.

Units become those of the contract (g, deg/s). Recordings without a date start on 2020-01-01 and follow each other.
"""

from __future__ import annotations

import re
import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from io import BytesIO
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from sim.readers.activity import nominal_rate
from sim.readers.source import UNDATED_US, Source, identity
from sim.readers.tables import NO_STAMP, Table
from sim.recording import SECOND_US, Recording, Track, athlete_record, session_record

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

STANDARD_G: Final = 9.80665  # m/s²
PLACED: Final = ("loc_id", "date_time", "x", "y", "z")
DESK: Final = ("match", "player", "time", "linaccel_x", "linaccel_y", "linaccel_z")
#: Places nearest to the body's centre first: the first device of an athlete is the one its load is taken from.
PLACES: Final = ("hip", "waist", "back", "trunk", "chest")
#: Samples this close to the grid of the rate are put on it, as a share of the step.
ON_GRID: Final = 0.25
AXES: Final = ("ax", "ay", "az", "gx", "gy", "gz")
WATCH_HZ: Final = 50.0
MOTIONS_HZ: Final = 10.0
MATCH_US: Final = 3 * 3600 * SECOND_US
PAUSE_US: Final = 60 * SECOND_US
#: What damaged archives make numpy and zipfile raise.
DAMAGED: Final = (
    zipfile.BadZipFile, zlib.error, struct.error, ArithmeticError, AttributeError, EOFError, LookupError,
    NotImplementedError, OSError, RuntimeError, SyntaxError, TypeError, ValueError,
)  # fmt: skip


def on_grid(t_us: Ints, rate: float) -> Ints:
    """Stamps put on the grid of the rate where they jitter about it; as they are where they do not."""
    step = SECOND_US / rate
    place = np.rint((t_us - t_us[0]) / step)
    grid = t_us[0] + np.rint(place * step).astype(np.int64)
    fits = np.abs(grid - t_us).max() <= ON_GRID * step and (np.diff(place) > 0).all()
    return grid if fits else t_us


def read_placed(source: Source, table: Table) -> list[Recording]:
    """Accelerometers (g) of one adult, a device per place, hip before ankle."""
    places, place = table.labels("loc_id")
    t_us = table.stamps("date_time")
    axes = {channel: table.numbers(name) for channel, name in zip(AXES, "xyz", strict=False)}
    tracks = []
    for number in sorted(range(len(places)), key=lambda n: (_from_centre(places[n]), places[n])):
        rows = np.flatnonzero((place == number) & (t_us != NO_STAMP))
        rows = rows[np.unique(t_us[rows], return_index=True)[1]]
        if len(rows):
            rate = nominal_rate(t_us[rows])
            channels = {channel: values[rows] for channel, values in axes.items()}
            device = identity(places[number], source.stem)
            tracks.append(Track(source.stem, device, rate, on_grid(t_us[rows], rate), channels))
    if not tracks:
        raise source.unreadable("no row has a readable time")
    start_us = min(int(track.t_us[0]) for track in tracks)
    activity = "run" if "run" in source.name.lower() else "other"
    return [_recording(source, (source.session_id(start_us), activity), tracks, table.notes)]


def _from_centre(place: str) -> int:
    return next((i for i, part in enumerate(PLACES) if part in place.lower()), len(PLACES))


def read_desk(source: Source, table: Table) -> list[Recording]:
    """Esports at 1 Hz: heart rate, and what the right hand's accelerometer (linear plus gravity) and gyroscope read.

    A seat is not a person, so an athlete is a match and a seat; matches start three hours apart.
    """
    matches, match = table.labels("match")
    players, player = table.labels("player")
    t_us = np.rint(np.nan_to_num(table.numbers("time")) * SECOND_US).astype(np.int64)
    channels = _desk_channels(table)
    found = []
    for number, name in enumerate(matches):
        start_us = UNDATED_US + _trailing_number(name, number) * MATCH_US
        tracks = []
        for seat in np.unique(player[match == number]).tolist():
            rows = np.flatnonzero((match == number) & (player == seat))
            rows = rows[np.unique(t_us[rows], return_index=True)[1]]
            own = {channel: values[rows] for channel, values in channels.items()}
            who = identity(f"{name}-{players[seat]}", source.stem)
            tracks.append(Track(who, f"right-hand-{who}"[:128], 1.0, start_us + t_us[rows], own))
        found.append(
            _recording(source, (identity(f"esports-{name}", "esports"), "other"), tracks, table.notes)
        )
    return found


def _trailing_number(name: str, otherwise: int) -> int:
    digits = re.search(r"(\d{1,4})$", name)
    return int(digits[1]) if digits else otherwise


def _desk_channels(table: Table) -> dict[str, Floats]:
    channels = {"hr": table.numbers("heart_rate")} if table.has("heart_rate") else {}
    for axis in "xyz":
        gravity = table.numbers(f"gravity_{axis}") if table.has(f"gravity_{axis}") else 0.0
        channels[f"a{axis}"] = (table.numbers(f"linaccel_{axis}") + gravity) / STANDARD_G
        if table.has(f"gyro_{axis}"):
            channels[f"g{axis}"] = np.degrees(table.numbers(f"gyro_{axis}"))
    return channels


def read_movement(source: Source) -> list[Recording]:
    """Watches during exercises: every recording of the archive is a session of its own."""
    arrays = _arrays(source)
    if {"accel_mg", "gyro", "length"} <= set(arrays):
        parts = list(_watch(source, arrays))
    elif "samples" in arrays and arrays["samples"].ndim == 3 and arrays["samples"].shape[1] == len(AXES):
        parts = list(_motions(source, arrays["samples"]))
    else:
        raise source.unreadable(f"no known set of movements among its arrays {', '.join(arrays)}")
    found, start_us = [], UNDATED_US
    for number, (athlete, device, rate, samples) in enumerate(parts):
        t_us = start_us + np.rint(np.arange(len(samples)) * SECOND_US / rate).astype(np.int64)
        track = Track(athlete, device, rate, t_us, dict(zip(AXES, samples.T, strict=True)))
        session = identity(f"{source.stem[:100]}-{number:03d}", "movement")
        found.append(_recording(source, (session, "indoor"), [track], source.notes))
        start_us = (int(t_us[-1]) // SECOND_US + 1) * SECOND_US + PAUSE_US
    if not found:
        raise source.unreadable("it holds no recordings")
    return found


_Part = tuple[str, str, float, Floats]


def _watch(source: Source, arrays: Mapping[str, NDArray[Any]]) -> Iterator[_Part]:
    """Recordings of accelerations in 1/1000 g and rad/s, laid end to end; ``length`` says where each stops."""
    length = arrays["length"].astype(np.int64)
    accel, gyro = arrays["accel_mg"], arrays["gyro"]
    if (
        (length < 1).any()
        or length.sum() != len(accel)
        or accel.shape != gyro.shape
        or accel.shape[1:] != (3,)
    ):
        raise source.unreadable("its lengths and samples do not fit together")
    samples = np.concatenate([accel.astype(np.float64) / 1000, np.degrees(gyro.astype(np.float64))], axis=1)
    stops = np.cumsum(length)
    for number, (start, stop) in enumerate(zip(stops - length, stops, strict=True)):
        subject = f"subject-{int(arrays['subject'][number]):02d}" if "subject" in arrays else source.stem
        side = ("left", "right")[int(arrays["side"][number] == 1)] if "side" in arrays else "wrist"
        yield subject, f"watch-{side}-{subject}", WATCH_HZ, samples[start:stop]


def _motions(source: Source, samples: NDArray[Any]) -> Iterator[_Part]:
    """Recordings ``(recordings, 6, times)``, m/s² without gravity and rad/s; nobody says who wore the watch."""
    factors = np.array([1 / STANDARD_G] * 3 + [np.degrees(1.0)] * 3)
    for number, one in enumerate(samples.astype(np.float64)):
        athlete = f"{source.stem[:100]}-{number:03d}"
        yield athlete, f"watch-{athlete}", MOTIONS_HZ, one.T * factors


def _arrays(source: Source) -> dict[str, NDArray[Any]]:
    try:
        with np.load(BytesIO(source.content), allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}
    except DAMAGED as error:
        raise source.unreadable(f"no readable npz archive ({error})") from None


def _recording(source: Source, of: tuple[str, str], tracks: list[Track], notes: tuple[str, ...]) -> Recording:
    session, activity = of
    return Recording(
        source=source.name,
        session=session_record(session, activity, min(int(track.t_us[0]) for track in tracks)),
        athletes=[athlete_record(athlete) for athlete in dict.fromkeys(track.athlete for track in tracks)],
        tracks=tuple(tracks),
        boot=source.boot(session),
        notes=notes,
    )
