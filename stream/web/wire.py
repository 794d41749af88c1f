"""What goes over the WebSocket, and the live snapshot for machines. Pure; described in ``docs/reference/web.md``.

Text (JSON) and not msgpack: a row is some 90 bytes either way, every browser reads it natively, and a person can too.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any, Final

from stream.web.board import Board, Changes
from stream.web.columns import NAMES
from stream.web.track import Track

WIRE_VERSION: Final = 1


@dataclass(frozen=True, slots=True)
class Moment:
    """``now_us`` wall clock of this process, and after how long without a sample an athlete is stale, µs."""

    now_us: int
    silent_after_us: int


def encode_all(board: Board, moment: Moment) -> str:
    """Everything: for a viewer who just came or fell behind."""
    return _text(
        {
            "kind": "all",
            "v": WIRE_VERSION,
            "now_us": moment.now_us,
            "silent_after_us": moment.silent_after_us,
            "columns": NAMES,
            "feed": asdict(board.status),
            "about": _about(board.shown()),
            "rows": _rows(board.shown()),
        }
    )


def encode_some(changes: Changes, now_us: int) -> str:
    """What changed; with nothing changed it is a sign of life."""
    message: dict[str, Any] = {"kind": "some", "now_us": now_us}
    if changes.rows:
        message["rows"] = _rows(changes.rows)
    if changes.about:
        message["about"] = _about(changes.about)
    if changes.gone:
        message["gone"] = changes.gone
    if changes.status is not None:
        message["feed"] = asdict(changes.status)
    return _text(message)


def snapshot(board: Board, moment: Moment) -> dict[str, Any]:
    """``GET /api/live``: named values, and staleness already decided."""
    return {
        "now_us": moment.now_us,
        "feed": asdict(board.status),
        "athletes": [_named(track, moment) for track in board.shown()],
    }


def _named(track: Track, moment: Moment) -> dict[str, Any]:
    age_us = max(0, moment.now_us - track.heard_us)
    stale = track.silent or age_us > moment.silent_after_us
    return asdict(track.about()) | {
        "window_end_us": track.end_us,
        "published_us": track.published_us,
        "age_s": round(age_us / 1e6, 1),
        "stale": stale and not track.final,
        "values": dict(zip(NAMES, track.row, strict=True)),
    }


def _rows(tracks: Iterable[Track]) -> list[list[Any]]:
    return [[t.index, t.end_us, t.published_us, t.heard_us, *t.row] for t in tracks]


def _about(tracks: Iterable[Track]) -> list[dict[str, Any]]:
    return [{"i": track.index, **asdict(track.about())} for track in tracks]


def _text(message: dict[str, Any]) -> str:
    return json.dumps(message, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
