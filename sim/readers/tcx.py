"""TCX: the trackpoints of a Training Center file, read as far as its XML goes.

Read here and not by ``tcxreader``, which refuses a file that is cut off, prints on stdout and loses whose zone a
stamp is in. Several activities in a file are one session, as in ``fit``; each ``Track`` is a stretch of the path.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final
from xml.etree.ElementTree import Element, ParseError, XMLPullParser

import numpy as np

from sim.readers.activity import STEPS_PER_STRIDE, About, activity_recording, readings_of
from sim.readers.moments import microseconds
from sim.readers.source import PIECE, Source, identity
from sim.recording import Recording

CHANNEL: Final[Mapping[str, str]] = {
    "LatitudeDegrees": "lat",
    "LongitudeDegrees": "lon",
    "AltitudeMeters": "altitude",
    "DistanceMeters": "distance",
    "Speed": "speed",
    "Value": "hr",
    "Cadence": "cadence",
    "RunCadence": "cadence",
    "Watts": "power",
}
ACTIVITY: Final[Mapping[str, str]] = {"running": "run", "biking": "ride", "swimming": "swim"}


@dataclass(slots=True)
class _Contents:
    t_us: list[int] = field(default_factory=list)
    rows: list[dict[str, float]] = field(default_factory=list)
    part: list[int] = field(default_factory=list)
    sports: list[str] = field(default_factory=list)
    tracks: int = 0
    device: str | None = None
    undated: int = 0
    notes: list[str] = field(default_factory=list)


def read_tcx(source: Source) -> list[Recording]:
    """The one recording of a TCX file; what comes before damage is kept."""
    contents = _Contents()
    for event, element in _elements(source, contents):
        if event == "start":
            _open(contents, element)
        else:
            _close(contents, element)
    if not contents.rows:
        raise source.unreadable(
            "; ".join((*source.notes, *contents.notes)) or "it holds no trackpoints with a time"
        )
    if contents.undated:
        contents.notes.append(f"{contents.undated} trackpoints have no readable time")
    readings = readings_of(contents.t_us, contents.rows, contents.part)
    sports = {sport.lower() for sport in contents.sports}
    activity = ACTIVITY.get(sports.pop(), "other") if len(sports) == 1 else "other"
    about = About(activity=activity, device=contents.device, notes=tuple(contents.notes))
    return [activity_recording(source, readings, about)]


def _elements(source: Source, contents: _Contents) -> Iterator[tuple[str, Element]]:
    """Elements as they open and close, up to the first damage."""
    parser: XMLPullParser[Element] = XMLPullParser(("start", "end"))
    content = source.content.lstrip()
    try:
        for at in range(0, len(content), PIECE):
            parser.feed(content[at : at + PIECE])
            yield from parser.read_events()  # type: ignore[misc]
        parser.close()
    except (ParseError, LookupError, ValueError) as error:
        contents.notes.append(f"the file is cut off or damaged ({error})")


def _tag(element: Element) -> str:
    return str(element.tag).rpartition("}")[2]


def _open(contents: _Contents, element: Element) -> None:
    match _tag(element):
        case "Activity":
            contents.sports.append(element.get("Sport", "Other"))
        case "Track":
            contents.tracks += 1


def _close(contents: _Contents, element: Element) -> None:
    match _tag(element):
        case "Trackpoint":
            _take_point(contents, element)
            element.clear()
        case "Creator":
            contents.device = _device(element)


def _take_point(contents: _Contents, point: Element) -> None:
    texts = {_tag(child): child.text or "" for child in point.iter()}
    t_us = microseconds(texts.get("Time", ""))
    if t_us is None:
        contents.undated += 1
        return
    row = {channel: _number(texts[tag]) for tag, channel in CHANNEL.items() if tag in texts}
    if contents.sports and contents.sports[-1].lower() == "running" and "cadence" in row:
        row["cadence"] *= STEPS_PER_STRIDE
    contents.t_us.append(t_us)
    contents.rows.append(row)
    contents.part.append(contents.tracks)


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return np.nan


def _device(creator: Element) -> str | None:
    texts = {_tag(child): (child.text or "").strip() for child in creator.iter()}
    named = "-".join(texts[tag] for tag in ("Name", "UnitId") if texts.get(tag))
    return identity(named, "device") if named else None
