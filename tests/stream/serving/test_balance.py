"""Balancing over processes that are handlers in memory: the least busy is asked, who is gone is passed over."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import httpx
import pytest

from stream.errors import UsageError
from stream.serving.balance import READY, Asked, Balancer
from stream.serving.balance_app import checked, create_balancer
from stream.serving.refusals import DeadlinePassed, NotReady
from stream.settings import load_settings
from tests.stream.serving.fakes import app_over, client_of, row, shelf_over, two_models

Answering = Callable[[httpx.Request], Awaitable[httpx.Response]]


@dataclass
class Processes(httpx.AsyncBaseTransport):
    """Serving processes by host. One that is ``gone`` breaks its connections; others do as told."""

    hosts: dict[str, Answering]
    gone: set[str] = field(default_factory=set)
    asked: list[str] = field(default_factory=list)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        host = request.url.host
        if request.url.path != READY:
            self.asked.append(host)
        if host in self.gone:
            raise httpx.ReadError("connection reset")
        return httpx.Response(200) if request.url.path == READY else await self.hosts[host](request)


async def fine(request: httpx.Request) -> httpx.Response:
    return httpx.Response(200, text=request.url.host)


async def busy(_: httpx.Request) -> httpx.Response:
    return httpx.Response(503, text="going")


async def slow(_: httpx.Request) -> httpx.Response:
    raise httpx.ReadTimeout("no answer yet")


async def balancing(processes: Processes) -> Balancer:
    """A balancer that knows everybody's health."""
    balancer = Balancer(
        [f"http://{host}" for host in processes.hosts], httpx.AsyncClient(transport=processes)
    )
    await balancer.check()
    return balancer


def asked() -> Asked:
    """A request with time."""
    return Asked("POST", "/v1/models/m:predict", asyncio.get_running_loop().time() + 5, b"{}")


async def test_idle_processes_take_turns() -> None:
    processes = Processes(dict.fromkeys("abc", fine))
    balancer = await balancing(processes)
    assert [(await balancer.send(asked())).text for _ in range(6)] == ["a", "b", "c"] * 2


async def test_the_one_with_the_fewest_outstanding_is_asked() -> None:
    release = asyncio.Event()

    async def held(request: httpx.Request) -> httpx.Response:
        await release.wait()
        return await fine(request)

    processes = Processes({"a": held, "b": fine})
    balancer = await balancing(processes)
    first = asyncio.create_task(balancer.send(asked()))
    await asyncio.sleep(0)
    assert [(await balancer.send(asked())).text for _ in range(3)] == ["b", "b", "b"]
    release.set()
    assert (await first).text == "a"
    assert [upstream.outstanding for upstream in balancer.upstreams] == [0, 0]


async def test_who_is_gone_loses_no_request_and_is_not_asked_again() -> None:
    processes = Processes(dict.fromkeys("abc", fine))
    balancer = await balancing(processes)
    processes.gone.add("a")
    assert [(await balancer.send(asked())).text for _ in range(4)] == ["b", "c", "b", "c"]
    assert processes.asked == ["a", "b", "c", "b", "c"]


async def test_who_comes_back_is_asked_again() -> None:
    processes = Processes(dict.fromkeys("ab", fine), gone={"a"})
    balancer = await balancing(processes)
    assert (await balancer.send(asked())).text == "b"
    processes.gone.clear()
    await balancer.check()
    assert (await balancer.send(asked())).text == "a"


async def test_who_answers_503_is_passed_over_and_where_all_do_it_is_the_answer() -> None:
    balancer = await balancing(Processes({"a": busy, "b": fine}))
    assert [(await balancer.send(asked())).text for _ in range(2)] == ["b", "b"]
    balancer = await balancing(Processes({"a": busy, "b": busy}))
    assert (await balancer.send(asked())).status_code == 503


async def test_what_is_only_slow_is_not_asked_twice() -> None:
    processes = Processes({"a": slow, "b": fine})
    balancer = await balancing(processes)
    with pytest.raises(DeadlinePassed):
        await balancer.send(asked())
    assert processes.asked == ["a"]


@pytest.mark.parametrize("status", [400, 429, 500, 504])
async def test_other_errors_are_the_answer(status: int) -> None:
    async def failing(_: httpx.Request) -> httpx.Response:
        return httpx.Response(status)

    processes = Processes({"a": failing, "b": fine})
    balancer = await balancing(processes)
    assert (await balancer.send(asked())).status_code == status
    assert processes.asked == ["a"]


async def test_without_anybody_it_is_not_ready() -> None:
    balancer = await balancing(Processes(dict.fromkeys("ab", fine), gone={"a", "b"}))
    assert not balancer.ready
    with pytest.raises(NotReady):
        await balancer.send(asked())


async def test_a_retry_has_only_the_time_that_is_left() -> None:
    told: list[int] = []

    async def noting(request: httpx.Request) -> httpx.Response:
        told.append(int(request.headers["x-request-timeout-ms"]))
        await asyncio.sleep(0.05)
        return httpx.Response(503)

    balancer = await balancing(Processes({"a": noting, "b": noting}))
    await balancer.send(asked())
    assert 4_000 < told[1] <= told[0] - 50


async def test_the_app_passes_both_shapes_on_and_keeps_its_own_paths() -> None:
    library = two_models()
    shelf = shelf_over(library)
    await shelf.refresh()
    behind = httpx.AsyncClient(transport=httpx.ASGITransport(app_over(shelf)))
    balancer = Balancer(["http://one"], behind)
    async with client_of(create_balancer(balancer, load_settings())) as client:
        assert (await client.get("/v2/health/ready")).status_code == 503
        await balancer.check()
        predicted = await client.post("/v1/models/sums:predict", json={"instances": [row()]})
        assert predicted.json()["predictions"][0]["total"] == [8.0]
        assert "queue;dur=" in predicted.headers["server-timing"]
        assert (await client.get("/v2/models/mean/versions/3")).json()["name"] == "mean"
        assert (await client.get("/v1/models/nobody")).status_code == 404
        assert (await client.get("/openapi.json")).json()["info"]["title"] == "Touchline models"
        assert (await client.get("/etc/passwd")).json()["error"].startswith("nothing at /etc/passwd")
        assert (await client.delete("/v1/models/mean")).status_code == 405
        assert (await client.get("/v2/health/ready")).json() == {"ready": True}
        assert (await client.get("/upstreams")).json() == [
            {"url": "http://one", "ready": True, "outstanding": 0}
        ]
        assert (
            'touchline_route_requests_total{status="200",upstream="http://one"}'
            in (await client.get("/metrics")).text
        )
    await shelf.close()


@pytest.mark.parametrize("url", ["ftp://a", "localhost:8501", "http://", "http://a?x=1"])
def test_an_upstream_that_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(UsageError, match="--upstream"):
        checked(url)


def test_a_slash_at_the_end_of_an_address_goes() -> None:
    assert checked("http://a:1/") == "http://a:1"
