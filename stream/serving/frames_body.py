"""The body of ``/v1/frames:score``: frames as records of a log, who they are of, and which versions shall score them.

JSON or msgpack. A frame that cannot be read is kept with its reason, as the worker would; what else cannot be read is
refused by name. Knows no HTTP and no networks.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgpack

from stream.decode import EARLIEST_US, LATEST_US
from stream.errors import FrameRejected
from stream.json_frame import from_json
from stream.records import VENUE, Record, Rejected
from stream.roster import Roster, check_athlete, check_session
from stream.serving.refusals import BadInput, TooLarge

#: The models that score frames.
MODELS: Final = ("forecast", "performance", "injury")
KEYS: Final = ("frames", "athletes", "sessions", "models")
#: Beside what a frame has on its topic: when it came in, and whether it is the venue's.
AT: Final = "at_us"
FROM_VENUE: Final = "venue"


@dataclass(frozen=True, slots=True)
class Sent:
    """A frame in the log of this request; its offset is its number. ``timed``: the sender said when it came in."""

    record: Record
    timed: bool


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be scored: frames in order, who is who, and model to version or label where one is named."""

    frames: Sequence[Sent]
    rejected: Sequence[Rejected]
    people: Roster
    models: Mapping[str, str]


def read_frames(body: bytes, *, packed: bool, most: int) -> Asked:
    """A body as it came, ``packed`` in msgpack. Raises BadInput, TooLarge for more than ``most`` frames."""
    parsed = _unpacked(body) if packed else _parsed(body)
    asked = {"frames": parsed} if isinstance(parsed, list) else parsed
    if not isinstance(asked, dict):
        raise BadInput("the body must be a list of frames, or a map that has one")
    if strange := [str(key) for key in asked if key not in KEYS]:
        raise BadInput(f"no {', '.join(map(repr, strange))}; there is {', '.join(KEYS)}")
    if "frames" not in asked:
        raise BadInput("frames is missing: a list, which may be empty")
    entries = _list(asked, "frames")
    if len(entries) > most:
        raise TooLarge(f"{len(entries)} frames; one request may have {most}")
    taken: list[Sent] = []
    rejected: list[Rejected] = []
    for number, entry in enumerate(entries):
        try:
            taken.append(_sent(number, entry, packed=packed))
        except FrameRejected as error:
            rejected.append(Rejected(_nobody(number), error.reason, error.detail))
    people = Roster(
        _known(asked, "athletes", "athlete", check_athlete),
        _known(asked, "sessions", "session", check_session),
    )
    return Asked(taken, rejected, people, _models(asked.get("models") or {}))


def _parsed(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise BadInput(f"the body is not JSON: {error}") from None


def _unpacked(body: bytes) -> Any:
    try:
        return msgpack.unpackb(body, strict_map_key=True)
    except ValueError as error:  # every msgpack error is one
        raise BadInput(f"the body is not msgpack: {error}") from None


def _list(asked: Mapping[str, Any], name: str) -> list[Any]:
    entries = asked.get(name, [])
    if not isinstance(entries, list):
        raise BadInput(f"{name} must be a list")
    return entries


def _known(
    asked: Mapping[str, Any], name: str, key: str, check: Callable[[Any], dict[str, Any]]
) -> dict[str, Mapping[str, Any]]:
    """Records of a control topic by their key."""
    found: dict[str, Mapping[str, Any]] = {}
    for number, entry in enumerate(_list(asked, name)):
        try:
            record = check(entry)
        except ValueError as error:
            raise BadInput(f"{name}[{number}]: {error}") from None
        if not isinstance(record.get(key), str):
            raise BadInput(f"{name}[{number}]: {key} must be text")
        found[record[key]] = record
    return found


def _models(given: Any) -> dict[str, str]:
    if not isinstance(given, dict) or not all(isinstance(one, str) for one in given.values()):
        raise BadInput("models must map a model to a version or a label, both as text")
    if strange := [str(name) for name in given if name not in MODELS]:
        raise BadInput(f"models: no {', '.join(map(repr, strange))}; there is {', '.join(MODELS)}")
    return given


def _sent(number: int, entry: Any, *, packed: bool) -> Sent:
    """A frame as a record. Raises FrameRejected for what cannot be one; the rest is for ``decode``."""
    if packed and isinstance(entry, bytes):
        return Sent(_record(number, _inner(entry), entry, EARLIEST_US), timed=False)
    if not isinstance(entry, dict):
        raise FrameRejected("malformed", f"a frame is a map, this is {type(entry).__name__}")
    frame = {key: value for key, value in entry.items() if key not in (AT, FROM_VENUE)}
    at_us = entry.get(AT, frame.get("tick"))
    if at_us is not None and (type(at_us) is not int or not EARLIEST_US <= at_us <= LATEST_US):
        raise FrameRejected("impossible_value", f"{AT} {str(at_us)[:40]}")
    try:
        value = msgpack.packb(frame if packed else from_json(frame))
    except (ValueError, TypeError, OverflowError, RecursionError) as error:
        raise FrameRejected("malformed", str(error)[:100]) from None
    return Sent(
        _record(number, entry, value, EARLIEST_US if at_us is None else at_us), timed=at_us is not None
    )


def _inner(value: bytes) -> Mapping[str, Any]:
    """What is in a packed frame, nothing where it cannot be read: ``decode`` will say so."""
    try:
        frame = msgpack.unpackb(value, strict_map_key=True)
    except ValueError:
        return {}
    return frame if isinstance(frame, dict) else {}


def _record(number: int, frame: Mapping[str, Any], value: bytes, at_us: int) -> Record:
    """The record that a door would have written."""
    athlete = frame.get("athlete")
    venue = frame.get(FROM_VENUE, athlete == VENUE or "tick" in frame)
    if type(venue) is not bool:
        raise FrameRejected("wrong_type", f"{FROM_VENUE} is {type(venue).__name__}")
    key = athlete.encode() if isinstance(athlete, str) and athlete != VENUE else None
    return Record(venue, 0, number, at_us, key, value)


def _nobody(number: int) -> Record:
    return Record(False, 0, number, EARLIEST_US, None, b"")
