"""FIT: the records of a Garmin, Wahoo, Zwift or Stryd file, through ``fitdecode``.

A file with several activities (multisport, or chained FIT files) is one session: the athlete went out once, and its
distance runs through all legs although each leg's own starts from zero. Heart rate is that of the ``record``
messages; the beats a chest strap stores under water and hands over later (``hr`` messages) are left alone.
Running cadence is counted in strides of one leg there and leaves here in steps. Where native power or heart
rate is missing from the whole file, the developer field of that name stands in.
"""

from __future__ import annotations

import struct
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from io import BytesIO
from typing import Any, Final

import fitdecode
import numpy as np

from sim.readers.activity import STEPS_PER_STRIDE, About, activity_recording, readings_of
from sim.readers.source import Source, identity
from sim.recording import SECOND_US, Recording

EPOCH_S: Final = 631_065_600  # 1989-12-31T00:00:00Z, where FIT begins to count
#: Stamps below this count from the device's power-on and are no dates.
DATED: Final = 0x1000_0000
DEGREES: Final = 180 / 2**31  # per semicircle

#: Fields of a record, best first, and the channel they fill.
FIELDS: Final[Mapping[str, tuple[str, ...]]] = {
    "speed": ("enhanced_speed", "speed"),
    "altitude": ("enhanced_altitude", "altitude"),
    "distance": ("distance",),
    "hr": ("heart_rate",),
    "cadence": ("cadence",),
    "power": ("power",),
}
DEVELOPER: Final[Mapping[str, str]] = {"hr": "heart rate", "power": "power"}
STRIDING: Final = frozenset({"running", "walking", "hiking"})
ACTIVITY: Final[Mapping[str, str]] = {
    "running": "run",
    "cycling": "ride",
    "swimming": "swim",
    "soccer": "football",
    "fitness_equipment": "indoor",
    "training": "indoor",
}
#: What damaged bytes make ``fitdecode`` raise beside its own errors.
DAMAGED: Final = (
    fitdecode.FitError, ArithmeticError, AssertionError, AttributeError, LookupError, TypeError, ValueError,
    struct.error,
)  # fmt: skip


@dataclass(slots=True)
class _Contents:
    """What of a file matters here. ``sports``: (start in seconds of FIT, sport) of each leg."""

    t_us: list[int] = field(default_factory=list)
    rows: list[dict[str, float]] = field(default_factory=list)
    sports: list[tuple[int, str]] = field(default_factory=list)
    about: dict[str, dict[str, Any]] = field(default_factory=dict)
    undated: int = 0
    notes: list[str] = field(default_factory=list)


def read_fit(source: Source) -> list[Recording]:
    """The one recording of a FIT file; what comes before damage is kept."""
    contents = _Contents()
    for name, values in _messages(source, contents):
        _take(contents, name, values)
    if not contents.rows:
        raise source.unreadable(
            "; ".join((*source.notes, *contents.notes)) or "it holds no records of an activity"
        )
    if contents.undated:
        contents.notes.append(f"{contents.undated} records have no date")
    _developer_fields(contents.rows)
    sport = _sport_of_each(contents)
    _steps(contents.rows, sport)
    readings = readings_of(contents.t_us, contents.rows, [0] * len(contents.rows))
    return [activity_recording(source, readings, _about(contents, sport))]


def _messages(source: Source, contents: _Contents) -> Iterator[tuple[str, dict[str, Any]]]:
    """Name and values of every data message, up to the first damage. Developer fields are under ``dev <name>``."""
    options = {"check_crc": fitdecode.CrcCheck.READONLY, "error_handling": fitdecode.ErrorHandling.IGNORE}
    try:
        with fitdecode.FitReader(BytesIO(source.content), processor=None, **options) as frames:
            for frame in frames:
                if frame.frame_type == fitdecode.FIT_FRAME_DATA:
                    yield frame.name, _values(frame)
                elif frame.frame_type == fitdecode.FIT_FRAME_CRC and not frame.matched:
                    contents.notes.append("the checksum does not match: some values may be wrong")
    except DAMAGED as error:
        contents.notes.append(f"the file is cut off or damaged ({str(error) or type(error).__name__})")


def _values(message: Any) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for entry in message.fields:
        if entry.value is not None:
            developed = entry.field_def is not None and entry.field_def.is_dev
            values.setdefault(f"dev {entry.name}".lower() if developed else entry.name, entry.value)
    return values


def _take(contents: _Contents, name: str, values: dict[str, Any]) -> None:
    if name == "record":
        _take_record(contents, values)
    elif name == "session" and isinstance(values.get("start_time"), int):
        contents.sports.append((values["start_time"], str(values.get("sport", "generic"))))
    elif name in ("file_id", "user_profile", "zones_target", "sport"):
        contents.about.setdefault(name, values)


def _take_record(contents: _Contents, values: dict[str, Any]) -> None:
    stamp = values.get("timestamp")
    if not isinstance(stamp, int) or stamp < DATED:
        contents.undated += 1
        return
    row = {channel: _first(values, names) for channel, names in FIELDS.items()}
    row |= {f"dev {channel}": _number(values.get(f"dev {name}")) for channel, name in DEVELOPER.items()}
    row["lat"] = _number(values.get("position_lat")) * DEGREES
    row["lon"] = _number(values.get("position_long")) * DEGREES
    row["cadence"] += _number(values.get("fractional_cadence", 0.0))
    contents.t_us.append((EPOCH_S + stamp) * SECOND_US)
    contents.rows.append(row)


def _first(values: Mapping[str, Any], names: tuple[str, ...]) -> float:
    return next((_number(values[name]) for name in names if name in values), np.nan)


def _number(value: Any) -> float:
    """A field's number, of several the first; NaN for what is none."""
    if isinstance(value, tuple):
        value = next((entry for entry in value if entry is not None), None)
    return float(value) if isinstance(value, int | float) else np.nan


def _developer_fields(rows: list[dict[str, float]]) -> None:
    for channel in DEVELOPER:
        if all(np.isnan(row[channel]) for row in rows):
            for row in rows:
                row[channel] = row[f"dev {channel}"]


def _sport_of_each(contents: _Contents) -> list[str]:
    """The sport of each record: that of the leg it lies in, or of the file."""
    legs = sorted(contents.sports)
    if not legs:
        return [str(contents.about.get("sport", {}).get("sport", "generic"))] * len(contents.rows)
    starts = np.array([(EPOCH_S + start) * SECOND_US for start, _ in legs])
    leg = np.maximum(np.searchsorted(starts, contents.t_us, side="right") - 1, 0)
    return [legs[i][1] for i in leg.tolist()]


def _steps(rows: list[dict[str, float]], sport: list[str]) -> None:
    for row, of in zip(rows, sport, strict=True):
        if of in STRIDING:
            row["cadence"] *= STEPS_PER_STRIDE


def _about(contents: _Contents, sport: list[str]) -> About:
    name = contents.about.get("user_profile", {}).get("friendly_name")
    name = name if isinstance(name, str) and name.strip() else None
    return About(
        activity=_activity(sport),
        athlete=identity(name, "athlete") if name else None,
        name=name,
        device=_device(contents.about.get("file_id", {})),
        profile=_profile(contents),
        notes=tuple(contents.notes),
    )


def _activity(sport: list[str]) -> str:
    """The one sport of the file; several (without the transitions between them) are "other"."""
    found = Counter(of for of in sport if of != "transition")
    return ACTIVITY.get(next(iter(found)), "other") if len(found) == 1 else "other"


def _device(file_id: Mapping[str, Any]) -> str | None:
    product = file_id.get("garmin_product", file_id.get("product"))
    parts = [file_id.get("manufacturer"), product, file_id.get("serial_number")]
    named = "-".join(str(part) for part in parts if part is not None)
    return identity(named, "device") if named else None


def _profile(contents: _Contents) -> dict[str, Any]:
    """The athlete's profile as far as the file holds it; zeros there mean "not set"."""
    user, zones = contents.about.get("user_profile", {}), contents.about.get("zones_target", {})
    born = datetime.fromtimestamp(contents.t_us[0] // SECOND_US, UTC).year
    age = _number(user.get("age"))
    profile = {
        "birth_year": born - int(age) if 5 <= age <= 110 else None,
        "sex": user.get("gender") if user.get("gender") in ("female", "male") else None,
        "mass_kg": _within(user.get("weight"), 20, 300),
        "height_m": _within(user.get("height"), 0.8, 2.5),
        "heart_rate_rest": _within(user.get("resting_heart_rate"), 25, 120),
        "heart_rate_max": _within(zones.get("max_heart_rate"), 100, 240),
    }
    return {key: value for key, value in profile.items() if value is not None}


def _within(value: Any, low: float, high: float) -> float | None:
    number = _number(value)
    return round(number, 3) if low <= number <= high else None
