"""The gate: a session cookie before anything is told of athletes, and the link that gives one."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

from fastapi import HTTPException, Request
from starlette.datastructures import Headers
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse, RedirectResponse, Response

from stream.web.login import COOKIE, SESSION_LIVES_S, Login

NO_SESSION: Final = "no session: open the newest login link that `touchline web` printed; each works once"
LINK_USED: Final = "This login link was used before or is not one of ours. " + NO_SESSION.capitalize() + ".\n"


def login_of(connection: HTTPConnection) -> Login:
    """The app's :class:`~stream.web.login.Login`."""
    login: Login = connection.app.state.login
    return login


def has_session(connection: HTTPConnection) -> bool:
    """Whether the request carries a session of ours."""
    return login_of(connection).knows(connection.cookies.get(COOKIE))


def require_session(request: Request) -> None:
    """A dependency: answers 401 without a session."""
    if not has_session(request):
        raise HTTPException(401, NO_SESSION)


def require_same_origin(request: Request) -> None:
    """A dependency: answers 403 to what another site sent."""
    if not same_origin(request.headers):
        raise HTTPException(403, "the request comes from another origin")


def same_origin(headers: Headers) -> bool:
    """Whether ``Origin`` names the host the request was sent to. Browsers always say it where it matters."""
    origin = headers.get("origin")
    return origin is not None and urlsplit(origin).netloc == headers.get("host")


def is_guess_ahead(request: Request) -> bool:
    """Whether a browser fetches the link before anybody followed it, which must not use it up."""
    purpose = request.headers.get("sec-purpose", request.headers.get("purpose", ""))
    return "prefetch" in purpose or "prerender" in purpose


def exchange(request: Request, token: str) -> Response:
    """``/?token=…``: the session cookie and a clean address, or a plain word that the link is spent."""
    if is_guess_ahead(request):
        return PlainTextResponse("not ahead of time\n", 503)
    session = login_of(request).exchange(token)
    if session is None:
        return PlainTextResponse(LINK_USED, 401)
    request.app.state.used()
    response = RedirectResponse("/", 303)
    response.set_cookie(
        COOKIE,
        session,
        max_age=SESSION_LIVES_S,
        httponly=True,
        samesite="strict",
        secure=request.url.scheme == "https",
    )
    return response
