"""Activity: one athlete's readings of one outing become a recording, whether FIT, TCX, GPX or a table held them.

Readings come in the order of the file. Here they are put in the order of time, readings of the same moment become
one sample, and cumulative distance is made to run through the whole file. Sensor faults (a heart rate of 0) are
passed on as recorded; marking them is the worker's part.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from sim.readers.source import Source
from sim.recording import SECOND_US, Recording, Track, athlete_record, session_record
from stream.decode import EARLIEST_US, LATEST_US
from stream.records import CHANNELS

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

#: Canonical order of channels.
ORDER: Final = tuple(channel for group in CHANNELS.values() for channel in group)
EARTH_M: Final = 6_371_008.8  # mean radius
#: A stamp this far from all others in the file is a damaged one, µs.
STRAY_US: Final = 86_400 * SECOND_US
#: A cumulative distance that falls below this share of the reading before has started again from zero,
RESTART: Final = 0.5
#: unless one step within this many readings brings it back: more than this share of the fall, to where it was and at
#: most so much (share, m) beyond. Then it was a slip of the sensor.
SLIP: Final = 5
SLIP_BACK: Final = 0.5
SLIP_BEYOND: Final = (0.1, 100.0)
#: Devices count the strides of one leg; cadence here is steps a minute.
STEPS_PER_STRIDE: Final = 2
#: How words of a sport begin, wherever people write them, and the activity they mean.
WORDS: Final[Mapping[str, str]] = {
    "run": "run", "rid": "ride", "bik": "ride", "cycl": "ride", "swim": "swim", "indoor": "indoor",
    "football": "football", "soccer": "football",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Readings:
    """Readings in the order of the file: ``t_us (n,)`` and channels ``(n,)``, NaN where not measured.

    ``part (n,)`` numbers stretches of a path that hang together; a new one begins after a pause.
    """

    t_us: Ints
    channels: Mapping[str, Floats]
    part: Ints

    def take(self, index: NDArray[Any]) -> Readings:
        """The readings of an index or mask."""
        channels = {name: values[index] for name, values in self.channels.items()}
        return Readings(self.t_us[index], channels, self.part[index])


@dataclass(frozen=True, slots=True)
class About:
    """What a file says beside its readings. ``device`` None takes the file's stem, ``athlete`` too."""

    activity: str = "other"
    athlete: str | None = None
    name: str | None = None
    device: str | None = None
    session: str | None = None
    profile: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def readings_of(t_us: Sequence[int], rows: Sequence[Mapping[str, float]], part: Sequence[int]) -> Readings:
    """Rows of (channel → value) as columns; channels that nobody measured are left out."""
    channels = {name: np.array([row.get(name, np.nan) for row in rows], dtype=np.float64) for name in ORDER}
    measured = {name: values for name, values in channels.items() if np.isfinite(values).any()}
    return Readings(np.array(t_us, dtype=np.int64), measured, np.array(part, dtype=np.int64))


def settle(readings: Readings) -> tuple[Readings, tuple[str, ...]]:
    """Readings in the order of time, one a moment, distance running on; and notes of what was left out."""
    dated = (readings.t_us >= EARLIEST_US) & (readings.t_us < LATEST_US) & ~_stray(readings.t_us)
    lost = int((~dated).sum())
    kept = _with_distance(readings.take(dated))
    kept = _one_a_moment(kept.take(np.argsort(kept.t_us, kind="stable")))
    return _never_falling(kept), (f"{lost} readings have an impossible stamp",) if lost else ()


def _stray(t_us: Ints) -> NDArray[np.bool_]:
    """Stamps that are far from all others; none where there are fewer than three or all are."""
    order = np.argsort(t_us, kind="stable")
    far = np.concatenate([[True], np.diff(t_us[order]) > STRAY_US, [True]])
    stray = np.empty(len(t_us), dtype=bool)
    stray[order] = far[:-1] & far[1:]
    return stray if len(t_us) > 2 and not stray.all() else np.zeros(len(t_us), dtype=bool)


def _with_distance(readings: Readings) -> Readings:
    """Distance made to run through restarts; from the path where positions are all there is."""
    channels = dict(readings.channels)
    if "distance" in channels:
        channels["distance"] = unbroken(channels["distance"])
    elif {"lat", "lon"} <= set(channels):
        channels["distance"] = path_length(channels["lat"], channels["lon"], readings.part)
    return Readings(readings.t_us, channels, readings.part)


def unbroken(distance: Floats) -> Floats:
    """Cumulative distance ``(n,)`` with what stood before each restart added to all that follows."""
    there = np.flatnonzero(np.isfinite(distance))
    values = distance[there]
    if len(values) < 2:
        return distance
    before, after = values[:-1], values[1:]
    restart = (after < RESTART * before) & ~_back_soon(before, after)
    result = distance.copy()
    result[there[1:]] += np.cumsum(np.where(restart, before, 0.0))
    return result


def _back_soon(before: Floats, after: Floats) -> NDArray[np.bool_]:
    """Whether a fall ``(n,)`` from one reading to the next is undone by one of the steps that follow."""
    padded = np.concatenate([after, np.full(SLIP, after[-1])])
    back = np.zeros(len(after), dtype=bool)
    for k in range(1, SLIP + 1):
        level, rise = padded[k : k + len(after)], np.diff(padded)[k - 1 : k - 1 + len(after)]
        there = (level >= before) & (level <= before * (1 + SLIP_BEYOND[0]) + SLIP_BEYOND[1])
        back |= there & (rise > SLIP_BACK * (before - after))
    return back


def path_length(lat: Floats, lon: Floats, part: Ints) -> Floats:
    """Length (m) of the path up to each fix, over the sphere, within parts only; NaN where there is no fix."""
    there = np.flatnonzero(np.isfinite(lat) & np.isfinite(lon))
    north, east = np.radians(lat[there]), np.radians(lon[there])
    half = (
        np.sin(np.diff(north) / 2) ** 2
        + np.cos(north[:-1]) * np.cos(north[1:]) * np.sin(np.diff(east) / 2) ** 2
    )
    step = 2 * EARTH_M * np.arcsin(np.minimum(np.sqrt(half), 1.0))
    step[np.diff(part[there]) != 0] = 0.0
    length = np.full(len(lat), np.nan)
    length[there] = np.concatenate([[0.0], np.cumsum(step)]) if len(there) else 0.0
    return length


def _one_a_moment(readings: Readings) -> Readings:
    """Readings of equal stamps as one: of each channel the last that was measured."""
    first = np.flatnonzero(np.diff(readings.t_us, prepend=-1) != 0)
    channels = {name: _last_of_each(values, first) for name, values in readings.channels.items()}
    return Readings(readings.t_us[first], channels, readings.part[first])


def _last_of_each(values: Floats, first: Ints) -> Floats:
    if len(first) == len(values):
        return values
    index = np.where(np.isfinite(values), np.arange(len(values)), -1)
    last = np.maximum.reduceat(index, first)
    return np.where(last >= first, values[last], np.nan)


def _never_falling(readings: Readings) -> Readings:
    """Cumulative distance without slips: it stays where it was until it is passed."""
    if "distance" not in readings.channels:
        return readings
    distance = readings.channels["distance"]
    level = np.where(np.isfinite(distance), np.fmax.accumulate(distance), np.nan)
    return Readings(readings.t_us, {**readings.channels, "distance": level}, readings.part)


def activity_in(text: str) -> str:
    """The activity that a free text (a sport, a session's name) speaks of, "other" without any."""
    for word in re.findall("[a-z]+", text.lower()):
        for beginning, activity in WORDS.items():
            if word.startswith(beginning):
                return activity
    return "other"


def nominal_rate(t_us: Ints) -> float:
    """Hertz of samples that mostly follow each other as fast as this; 1 for a second and slower.

    Whole numbers are taken where they are within 2 % of the median step.
    """
    step = float(np.median(np.diff(t_us))) if len(t_us) > 1 else float(SECOND_US)
    if step <= 0 or step >= 0.75 * SECOND_US:
        return 1.0
    rate = SECOND_US / step
    return float(round(rate)) if abs(rate - round(rate)) <= 0.02 * rate else rate


def activity_recording(source: Source, readings: Readings, about: About) -> Recording:
    """The recording of one athlete with one device.

    Raises :class:`stream.errors.UnreadableFile` where no reading has a date and a known channel.
    """
    settled, lost = settle(readings)
    if not len(settled.t_us) or not settled.channels:
        raise source.unreadable(
            "; ".join((*source.notes, *about.notes, *lost)) or "it holds no dated readings"
        )
    athlete = about.athlete or source.stem
    start_us = int(settled.t_us[0])
    session = about.session or source.session_id(start_us)
    device = about.device or source.stem
    track = Track(athlete, device, nominal_rate(settled.t_us), settled.t_us, settled.channels)
    return Recording(
        source=source.name,
        session=session_record(session, about.activity, start_us),
        athletes=[athlete_record(athlete, about.name, profile=about.profile)],
        tracks=(track,),
        boot=source.boot(session),
        notes=(*source.notes, *about.notes, *lost),
    )
