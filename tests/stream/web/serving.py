"""A web app served on a free loopback port from a thread, and the plainest of HTTP clients. No mock of either."""

from __future__ import annotations

import asyncio
import http.client
import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.cookies import SimpleCookie
from types import TracebackType
from typing import Any, Self

from fastapi import FastAPI

from stream.listen import Server, listen

WITHIN_S = 10.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back; header names in small letters."""

    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text)


class Served:
    """``with Served(app) as page``; ``page.url`` has no path."""

    def __init__(self, app: FastAPI) -> None:
        self.app = app
        self.cookie = ""
        self._listener = listen("127.0.0.1", 0)
        self.port = int(self._listener.getsockname()[1])
        self.host = f"127.0.0.1:{self.port}"
        self.url = f"http://{self.host}"
        self._ready = threading.Event()
        self._stop: Callable[[], None] = lambda: None
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()))

    def __enter__(self) -> Self:
        """Serve."""
        self._thread.start()
        assert self._ready.wait(WITHIN_S), "the app did not start"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop, and wait for it."""
        self._stop()
        self._thread.join(WITHIN_S)
        assert not self._thread.is_alive(), "the app did not stop"

    async def _serve(self) -> None:
        server, loop = Server(self.app), asyncio.get_running_loop()

        def stop() -> None:
            loop.call_soon_threadsafe(setattr, server, "should_exit", True)

        self._stop = stop
        serving = asyncio.create_task(server.serve([self._listener]))
        await server.listening.wait()
        self._ready.set()
        await serving

    def ask(self, path: str, method: str = "GET", **headers: str) -> Answer:
        """One request, with the session cookie where :meth:`log_in` got one."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.cookie:
            sent.setdefault("cookie", self.cookie)
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=WITHIN_S)
        try:
            connection.request(method, path, headers=sent)
            answer = connection.getresponse()
            found = {name.lower(): value for name, value in answer.getheaders()}
            return Answer(answer.status, found, answer.read().decode())
        finally:
            connection.close()

    def log_in(self) -> Answer:
        """Use up a fresh login link and keep the session."""
        answer = self.ask(f"/?token={self.app.state.login.new_token()}")
        morsels = SimpleCookie(answer.headers.get("set-cookie", ""))
        self.cookie = "; ".join(f"{name}={morsel.value}" for name, morsel in morsels.items())
        return answer
