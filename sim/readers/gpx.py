"""GPX: the points of all tracks of a file, through ``gpxpy``, with heart rate, cadence and power of extensions.

GPX knows no cumulative distance: it is the length of the path within segments, which GPX defines as unbroken.
Points without a time are no telemetry. A file that is cut off is closed behind its last whole point.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any, Final
from xml.parsers import expat

import gpxpy
import numpy as np
from gpxpy.gpx import GPX, GPXException, GPXTrackPoint

from sim.readers.activity import STEPS_PER_STRIDE, About, activity_in, activity_recording, readings_of
from sim.readers.moments import since_1970
from sim.readers.source import Source, identity
from sim.recording import Recording

#: Extensions of a point, by the last part of their name in lower case.
CHANNEL: Final[Mapping[str, str]] = {
    "hr": "hr",
    "heartrate": "hr",
    "cad": "cadence",
    "cadence": "cadence",
    "power": "power",
    "powerinwatts": "power",
    "watts": "power",
    "speed": "speed",
}
POINT: Final = "trkpt"
DAMAGED: Final = (GPXException, LookupError, TypeError, ValueError)


def read_gpx(source: Source) -> list[Recording]:
    """The one recording of a GPX file."""
    gpx, notes = _parsed(source)
    kinds = {activity_in(str(track.type or "")) for track in gpx.tracks}
    activity = kinds.pop() if len(kinds) == 1 else "other"
    points = list(_points(gpx))
    dated = [(part, point, point.time) for part, point in points if point.time is not None]
    if not dated:
        raise source.unreadable("it holds no track points with a time")
    if len(dated) < len(points):
        notes += (f"{len(points) - len(dated)} points have no time",)
    readings = readings_of(
        [since_1970(time) for _, _, time in dated],
        [_row(point, running=activity == "run") for _, point, _ in dated],
        [part for part, _, _ in dated],
    )
    author = identity(str(gpx.author_name or ""), "") or None
    about = About(activity=activity, athlete=author, name=author, notes=notes)
    return [activity_recording(source, readings, about)]


def _parsed(source: Source) -> tuple[GPX, tuple[str, ...]]:
    content = source.content.lstrip()
    try:
        return gpxpy.parse(content), ()
    except DAMAGED as error:
        reason = f"the file is cut off or damaged ({error})"
    try:
        return gpxpy.parse(_whole_points(content)), (reason,)
    except DAMAGED:
        raise source.unreadable(reason) from None


def _whole_points(content: bytes) -> bytes:
    """What stands before the damage, closed behind the last point that is whole."""
    parser = expat.ParserCreate()
    last = [(0, "")]

    def close(name: str) -> None:
        if name.endswith(POINT):
            last[0] = (parser.CurrentByteIndex, name.removesuffix(POINT))

    parser.EndElementHandler = close
    with suppress(expat.ExpatError, ValueError, LookupError):
        parser.Parse(content, True)
    at, prefix = last[0]
    return content[:at] + "".join(f"</{prefix}{tag}>" for tag in (POINT, "trkseg", "trk", "gpx")).encode()


def _points(gpx: GPX) -> Iterator[tuple[int, GPXTrackPoint]]:
    """Points in the order of the file, with the number of their segment."""
    segments = (segment for track in gpx.tracks for segment in track.segments)
    return ((number, point) for number, segment in enumerate(segments) for point in segment.points)


def _row(point: GPXTrackPoint, *, running: bool) -> dict[str, float]:
    row = {"lat": float(point.latitude), "lon": float(point.longitude)}
    row |= {"altitude": _number(point.elevation), "speed": _number(point.speed)}
    for extension in point.extensions:
        for element in extension.iter():
            channel = CHANNEL.get(str(element.tag).rpartition("}")[2].lower())
            if channel and np.isfinite(_number(element.text)):
                row[channel] = _number(element.text)
    if running and "cadence" in row:
        row["cadence"] *= STEPS_PER_STRIDE
    return row


def _number(value: Any) -> float:
    try:
        return np.nan if value is None else float(value)
    except ValueError:
        return np.nan
