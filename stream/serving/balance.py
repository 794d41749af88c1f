"""Balancing: several serving processes behind one address. The one with the fewest requests outstanding is asked.

A request goes to another process only where the connection failed or the first one answered 503: inference changes
nothing, so asking twice is safe, but what is merely slow is not asked again. Parses no bodies, loads no networks.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import httpx
import structlog

from stream.serving import metrics
from stream.serving.inference import TIMEOUT_HEADER
from stream.serving.refusals import BadInput, DeadlinePassed, NotReady

log = structlog.get_logger(__name__)

READY: Final = "/v2/health/ready"
#: Between two looks at the health of each process, s; and how long one may take.
CHECK_S: Final = 1.0
CONNECT_S: Final = 2.0
#: Kept connections go before uvicorn closes them from its side (after 5 s), s.
KEPT_S: Final = 2.0
#: How long an answer may take beyond the deadline: the process itself answers 504 before that, s.
GRACE_S: Final = 0.5
#: The process is not there, or went while we spoke to it. A timeout of reading is none of these.
GONE: Final = (httpx.NetworkError, httpx.RemoteProtocolError, httpx.ConnectTimeout)


@dataclass(slots=True, eq=False)
class Upstream:
    """A serving process. ``sent`` breaks ties, so that idle ones take turns."""

    url: str
    ready: bool = False
    outstanding: int = 0
    sent: int = 0


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as it is passed on; ``deadline`` on the event loop's clock."""

    method: str
    path: str
    deadline: float
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


def open_client() -> httpx.AsyncClient:
    """Connections to the processes: as many as there are requests, no proxy, no redirects."""
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=64, keepalive_expiry=KEPT_S)
    return httpx.AsyncClient(limits=limits, trust_env=False)


class Balancer:
    """Passes requests on. :meth:`check` once before serving, then :meth:`watch`."""

    def __init__(self, urls: Iterable[str], client: httpx.AsyncClient) -> None:
        self.upstreams: Sequence[Upstream] = [Upstream(url) for url in urls]
        self._client = client

    @property
    def ready(self) -> bool:
        """Whether any process is."""
        return any(upstream.ready for upstream in self.upstreams)

    async def watch(self) -> None:
        """Follow everybody's health until cancelled."""
        while True:
            await asyncio.sleep(CHECK_S)
            await self.check()

    async def check(self) -> None:
        """Ask every process whether it is ready."""
        await asyncio.gather(*map(self._check, self.upstreams))

    async def send(self, asked: Asked) -> httpx.Response:
        """The answer of the least busy process that gives one.

        Raises NotReady where there is none, DeadlinePassed where it does not come in time, BadInput for a path that
        is none.
        """
        tried: set[Upstream] = set()
        refused: httpx.Response | None = None
        while (upstream := self._least(tried)) is not None:
            tried.add(upstream)
            answer = await self._ask(upstream, asked)
            if answer is not None and answer.status_code != NotReady.status:
                return answer
            refused = answer or refused
        if refused is not None:
            return refused
        raise NotReady("no serving process is ready")

    def _least(self, tried: set[Upstream]) -> Upstream | None:
        free = [upstream for upstream in self.upstreams if upstream.ready and upstream not in tried]
        return min(free, key=lambda upstream: (upstream.outstanding, upstream.sent), default=None)

    async def _ask(self, upstream: Upstream, asked: Asked) -> httpx.Response | None:
        """One process's answer; None where it is gone, which takes it out until it is ready again."""
        upstream.sent += 1
        self._count(upstream, 1)
        status = "failed"
        try:
            answer = await self._request(upstream, asked)
            status = str(answer.status_code)
        except GONE as error:
            self._note(upstream, False, repr(error))
            return None
        except httpx.InvalidURL as error:
            raise BadInput(f"path: {error}") from None
        except httpx.TimeoutException:
            raise DeadlinePassed("the serving process did not answer in time") from None
        finally:
            self._count(upstream, -1)
            metrics.FORWARDED.labels(upstream.url, status).inc()
        return answer

    async def _request(self, upstream: Upstream, asked: Asked) -> httpx.Response:
        left_s = max(0.0, asked.deadline - asyncio.get_running_loop().time())
        return await self._client.request(
            asked.method,
            upstream.url + asked.path,
            content=asked.body,
            headers={**asked.headers, TIMEOUT_HEADER: str(int(left_s * 1e3))},
            timeout=httpx.Timeout(left_s + GRACE_S, connect=CONNECT_S),
        )

    def _count(self, upstream: Upstream, change: int) -> None:
        upstream.outstanding += change
        metrics.OUTSTANDING.labels(upstream.url).set(upstream.outstanding)

    async def _check(self, upstream: Upstream) -> None:
        try:
            answer = await self._client.get(upstream.url + READY, timeout=CONNECT_S)
        except httpx.TransportError as error:
            self._note(upstream, False, repr(error))
        else:
            self._note(upstream, answer.status_code == httpx.codes.OK, f"answered {answer.status_code}")

    def _note(self, upstream: Upstream, ready: bool, why: str) -> None:
        if upstream.ready != ready:
            log.info("serving process", url=upstream.url, ready=ready, why=why)
        upstream.ready = ready
        metrics.HEALTHY.labels(upstream.url).set(ready)
