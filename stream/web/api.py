"""``/api``: what is live, and what was, as JSON for the page and for machines. Reads the store, never writes it.

History counts back from the athlete's newest second in event time, not from the wall clock: a replayed match is from
another day.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import ceil
from typing import Annotated, Any, Final

import structlog
from fastapi import APIRouter, Depends, HTTPException, Query, Request
from pydantic import BaseModel

from stream.errors import StoreUnavailable, UsageError
from stream.sinks.store import HistoryQuery, Store, StoredAlert, StoredAthlete
from stream.web.access import login_of, require_same_origin, require_session
from stream.web.columns import NAMES, Row
from stream.web.live import Live
from stream.web.ring import KEPT_S
from stream.web.track import Track

log = structlog.get_logger(__name__)
router = APIRouter(prefix="/api", dependencies=[Depends(require_session)])

MINUTE_US: Final = 60_000_000
DAY_MINUTES: Final = 24 * 60
#: History is thinned to about this many points.
POINTS: Final = 720

Minutes = Annotated[int, Query(ge=1, le=DAY_MINUTES, description="how far back from the newest second")]


class Athlete(BaseModel):
    """Somebody with a score, live or stored; ``last_us`` is the end of the newest scored second, event time."""

    id: str
    name: str | None
    squad: str | None
    session: str
    last_us: int
    live: bool


class Series(BaseModel):
    """Columns of equal length, oldest first; ``every_s`` is the length of a point, null where nothing is missing."""

    athlete: str
    every_s: int
    times_us: list[int]
    fields: dict[str, list[float | None]]


class Alert(BaseModel):
    """A transition of an alert."""

    id: str
    rule: str
    from_state: str
    state: str
    reason: str
    message: str
    event_us: int
    value: float | None
    threshold: float | None
    unit: str | None


class Link(BaseModel):
    """The path of a login link; it works once."""

    path: str


@router.get("/session", status_code=204)
async def session() -> None:
    """Whether the caller has a session: 204, else 401. A browser cannot see why a WebSocket was refused."""


@router.get("/live")
async def live(request: Request) -> dict[str, Any]:
    """Everybody's newest second with its age, and whether it may still be taken for live."""
    return _live(request).snapshot()


@router.get("/athletes")
def athletes(request: Request) -> list[Athlete]:
    """Everybody, live or stored, by id. While the store is away only who is live."""
    found = {one.athlete: _stored_athlete(one) for one in _stored(request)}
    found |= {track.athlete: _live_athlete(track) for track in _live(request).board.shown()}
    return [found[athlete] for athlete in sorted(found)]


@router.get("/athletes/{athlete:path}/recent")
async def recent(request: Request, athlete: str, minutes: Minutes = KEPT_S // 60) -> Series:
    """The last minutes, second by second, from memory: ten at most."""
    track = _live(request).board.tracks.get(athlete)
    if track is None:
        raise HTTPException(404, f"no live athlete {athlete}")
    kept = track.ring.recent(minutes * 60)
    return Series(athlete=athlete, every_s=1, times_us=kept.times_us, fields=_by_name(kept.rows))


@router.get("/athletes/{athlete:path}/history")
def history(request: Request, athlete: str, minutes: Minutes = 90, fields: str = ",".join(NAMES)) -> Series:
    """The last minutes from the store, thinned by means to some 720 points."""
    end_us = _last_us(request, athlete) + 1
    every_s = ceil(minutes * 60 / POINTS)
    asked = tuple(name.strip() for name in fields.split(","))
    start_us = max(0, end_us - minutes * MINUTE_US)
    try:
        query = HistoryQuery(athlete, start_us, end_us, asked, every_s if every_s > 1 else None)
        found = _store(request).history(query)
    except UsageError as error:
        raise HTTPException(422, str(error)) from None
    except StoreUnavailable as error:
        raise _away(error) from None
    columns = {name: _plain(values.tolist()) for name, values in found.fields.items()}
    return Series(athlete=athlete, every_s=every_s, times_us=found.times_us.tolist(), fields=columns)


@router.get("/athletes/{athlete:path}/alerts")
def alerts(request: Request, athlete: str, minutes: Minutes = 90) -> list[Alert]:
    """Transitions of the last minutes from the store, oldest first."""
    end_us = _last_us(request, athlete) + MINUTE_US
    try:
        found = _store(request).alerts(athlete, max(0, end_us - (minutes + 1) * MINUTE_US), end_us)
    except StoreUnavailable as error:
        raise _away(error) from None
    return [_alert(alert) for alert in found]


@router.post("/login-link", dependencies=[Depends(require_same_origin)])
async def login_link(request: Request) -> Link:
    """One more login link, for another screen. Who may look may let look."""
    return Link(path=f"/?token={login_of(request).new_token()}")


def _live(request: Request) -> Live:
    found: Live = request.app.state.live
    return found


def _store(request: Request) -> Store:
    found: Store = request.app.state.store
    return found


def _stored(request: Request) -> list[StoredAthlete]:
    try:
        return _store(request).athletes()
    except StoreUnavailable as error:
        log.warning("athletes without the stored ones", reason=str(error))
        return []


def _last_us(request: Request, athlete: str) -> int:
    """The athlete's newest second, live or stored. Raises 404 where there is none."""
    track = _live(request).board.tracks.get(athlete)
    if track is not None and track.end_us:
        return track.end_us
    for one in _stored(request):
        if one.athlete == athlete:
            return one.last_us
    raise HTTPException(404, f"no athlete {athlete}")


def _away(error: StoreUnavailable) -> HTTPException:
    return HTTPException(503, f"history is not to be had now: {error}")


def _stored_athlete(one: StoredAthlete) -> Athlete:
    return Athlete(
        id=one.athlete, name=None, squad=None, session=one.session, last_us=one.last_us, live=False
    )


def _live_athlete(track: Track) -> Athlete:
    return Athlete(
        id=track.athlete,
        name=track.name,
        squad=track.squad,
        session=track.session,
        last_us=track.end_us,
        live=True,
    )


def _alert(alert: StoredAlert) -> Alert:
    return Alert.model_validate(alert, from_attributes=True)


def _by_name(rows: list[Row]) -> dict[str, list[float | None]]:
    return {name: [row[k] for row in rows] for k, name in enumerate(NAMES)}


def _plain(values: Iterable[float]) -> list[float | None]:
    return [None if v != v else round(v, 5) for v in values]  # noqa: PLR0124 (NaN is not itself)
