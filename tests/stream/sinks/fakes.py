"""What stands in for the real thing here: a store that is away, and an InfluxDB that answers as it is told."""

from __future__ import annotations

import gzip
import json
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

from stream.errors import StoreUnavailable
from stream.sinks.store import History, HistoryQuery, StoredAlert, StoredAthlete


@dataclass
class MemoryStore:
    """Keeps what it is given in lists; the first ``away`` writes fail, then one fails with ``fault`` if set."""

    away: int = 0
    fault: Exception | None = None
    name: str = "memory"
    scores: list[Mapping[str, Any]] = field(default_factory=list)
    kept_alerts: list[StoredAlert] = field(default_factory=list)
    attempts: int = 0

    def write(self, scores: Sequence[Mapping[str, Any]], alerts: Sequence[StoredAlert]) -> None:
        self.attempts += 1
        if self.attempts <= self.away:
            raise StoreUnavailable("away")
        if self.fault is not None:
            raise self.fault
        self.scores += scores
        self.kept_alerts += alerts

    def history(self, query: HistoryQuery) -> History:
        raise StoreUnavailable(f"no history of {query.athlete}")

    def alerts(self, athlete: str | None, start_us: int, end_us: int) -> list[StoredAlert]:
        within = [one for one in self.kept_alerts if start_us <= one.event_us < end_us]
        return [one for one in within if athlete in (None, one.athlete)]

    def athletes(self) -> list[StoredAthlete]:
        return []

    def count_scores(self) -> int:
        return len({(one["athlete"], one["window_end_us"]) for one in self.scores})

    def close(self) -> None:
        """Nothing to let go of."""


@dataclass
class Request:
    """One request the server got."""

    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    body: bytes


class FakeInflux:
    """An HTTP server on loopback. ``answers`` (status, message) are given to writes in turn, then 204 for ever.

    A write with a line of the field ``poison`` is always refused as a whole. Queries get ``csv``.
    """

    def __init__(self) -> None:
        self.answers: list[tuple[int, str]] = []
        self.poison: str | None = None
        self.poison_status = 422
        self.csv = ""
        self.requests: list[Request] = []
        self.lines: list[str] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        """Serve."""
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def answer(self, request: Request) -> tuple[int, str]:
        """Status and message for one write."""
        if self.answers:
            return self.answers.pop(0)
        lines = request.body.decode().split("\n")
        if self.poison and any(self.poison in one for one in lines):
            return self.poison_status, f"partial write: field type conflict on {self.poison}"
        self.lines += lines
        return 204, ""

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if self.headers.get("Content-Encoding") == "gzip":
                    body = gzip.decompress(body)
                url = urlsplit(self.path)
                request = Request(url.path, parse_qs(url.query), dict(self.headers), body)
                outer.requests.append(request)
                if url.path == "/api/v2/query":
                    self._send(200, outer.csv.encode())
                    return
                status, message = outer.answer(request)
                self._send(status, json.dumps({"message": message}).encode() if message else b"")

            def _send(self, status: int, body: bytes) -> None:
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (the base class names it)
                """Say nothing."""

        return Handler
