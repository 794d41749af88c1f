"""Who may look: one-time login links, and the sessions they are exchanged for. Keeps digests only, does no I/O.

A secret is 256 random bits, so it is looked up by its digest: the time a look-up takes tells nothing of the secret.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from hashlib import sha256
from typing import Final

COOKIE: Final = "touchline_session"
SESSION_LIVES_S: Final = 14 * 3600
#: More links than this are not open at once; the oldest goes.
OPEN_LINKS: Final = 32
SECRET_BYTES: Final = 32


class Login:
    """``clock`` is wall time in µs; ``token`` opens the first link, empty makes one up (see :meth:`new_token`)."""

    def __init__(self, clock: Callable[[], int], token: str = "") -> None:
        self._clock = clock
        self._tokens: list[bytes] = []
        self._sessions: dict[bytes, int] = {}
        if token:
            self._open(token)

    def new_token(self) -> str:
        """A token for one more link; it works once."""
        token = secrets.token_urlsafe(SECRET_BYTES)
        self._open(token)
        return token

    def _open(self, token: str) -> None:
        self._tokens = [*self._tokens[-OPEN_LINKS + 1 :], _digest(token)]

    def exchange(self, token: str) -> str | None:
        """A session for a token that is still open, else None. Every open token is compared, in constant time."""
        offered = _digest(token)
        matches = [kept for kept in self._tokens if secrets.compare_digest(kept, offered)]
        if not matches:
            return None
        self._tokens = [kept for kept in self._tokens if kept not in matches]
        return self._new_session()

    def _new_session(self) -> str:
        now_us = self._clock()
        self._sessions = {digest: until for digest, until in self._sessions.items() if until > now_us}
        session = secrets.token_urlsafe(SECRET_BYTES)
        self._sessions[_digest(session)] = now_us + SESSION_LIVES_S * 1_000_000
        return session

    def knows(self, session: str | None) -> bool:
        """Whether the session is one of ours and not over."""
        return session is not None and self._sessions.get(_digest(session), 0) > self._clock()


def _digest(secret: str) -> bytes:
    return sha256(secret.encode()).digest()
