"""What both shapes share: bounds, deadlines, readiness, errors as JSON, and what is counted."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
from prometheus_client import REGISTRY

from stream.serving.refusals import NotReady
from stream.serving.shelf import Shelf
from tests.stream.serving.fakes import Shelved, app_over, client_of, row, shelf_over, two_models

PREDICT = "/v1/models/sums:predict"


def counted(outcome: str, model: str = "sums", version: str = "1") -> float:
    """Requests so far that ended so."""
    labels = {"model": model, "version": version, "outcome": outcome}
    return REGISTRY.get_sample_value("touchline_serving_requests_total", labels) or 0.0


def seconds(name: str) -> float:
    """How often a time of ``sums`` was taken."""
    return REGISTRY.get_sample_value(f"{name}_count", {"model": "sums", "version": "1"}) or 0.0


async def blocked(client: httpx.AsyncClient, library: Shelved, rows: int) -> asyncio.Task[httpx.Response]:
    """A request that is being computed and does not end."""
    library.sums.open.clear()
    task = asyncio.create_task(client.post(PREDICT, json={"instances": [row()] * rows}))
    assert await asyncio.to_thread(library.sums.entered.wait, 5)
    return task


@pytest.mark.parametrize(
    ("outcome", "body", "headers", "status"),
    [
        ("success", {"instances": [row()]}, {}, 200),
        ("invalid", {"instances": [5]}, {}, 400),
        ("invalid", {"instances": [row()] * 9}, {}, 413),
        ("invalid", {"instances": [row()] * 1000}, {}, 413),
        ("invalid", {"instances": [row()]}, {"content-encoding": "gzip"}, 415),
        ("invalid", {"instances": [row()]}, {"inference-header-content-length": "5"}, 415),
        ("invalid", {"instances": [row()]}, {"x-request-timeout-ms": "soon"}, 400),
        ("invalid", {"instances": [row()]}, {"x-request-timeout-ms": "-1"}, 400),
        ("invalid", {"instances": [row(3e38)]}, {}, 422),
        ("failed", {"instances": [row(13)]}, {}, 500),
        ("deadline", {"instances": [row()]}, {"x-request-timeout-ms": "0"}, 504),
    ],
)
async def test_every_outcome_has_its_status_and_is_counted(
    client: httpx.AsyncClient, outcome: str, body: dict[str, object], headers: dict[str, str], status: int
) -> None:
    before = counted(outcome)
    answer = await client.post(PREDICT, json=body, headers=headers)
    assert answer.status_code == status
    assert ("error" in answer.json()) == (status != 200)
    assert counted(outcome) == before + 1


async def test_a_full_queue_says_when_to_come_back(client: httpx.AsyncClient, library: Shelved) -> None:
    running = await blocked(client, library, 8)
    waiting = [asyncio.create_task(client.post(PREDICT, json={"instances": [row()] * 8})) for _ in range(2)]
    await asyncio.sleep(0.03)
    refused = await client.post(PREDICT, json={"instances": [row()]})
    library.sums.open.set()
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "1")
    assert [(await task).status_code for task in (running, *waiting)] == [200, 200, 200]


async def test_a_deadline_that_passes_in_the_queue_is_504_and_nothing_is_computed(
    client: httpx.AsyncClient, library: Shelved
) -> None:
    running = await blocked(client, library, 1)
    late = await client.post(PREDICT, json={"instances": [row()] * 2}, headers={"x-request-timeout-ms": "20"})
    library.sums.open.set()
    assert (late.status_code, (await running).status_code) == (504, 200)
    assert library.sums.batches == [1]


async def test_nobody_waits_longer_than_the_service_allows(library: Shelved, shelf: Shelf) -> None:
    async with client_of(app_over(shelf, timeout_s=0.02)) as client:
        running = await blocked(client, library, 1)
        late = await client.post(
            PREDICT, json={"instances": [row()]}, headers={"x-request-timeout-ms": "99999"}
        )
        library.sums.open.set()
        assert (late.status_code, (await running).status_code) == (504, 504)


@pytest.fixture
async def cold() -> AsyncIterator[httpx.AsyncClient]:
    """A service before its networks are warm."""
    async with client_of(app_over(shelf_over(two_models()))) as client:
        yield client


@pytest.mark.parametrize("path", [PREDICT, "/v2/models/sums/infer"])
async def test_before_the_networks_are_warm_it_is_503(cold: httpx.AsyncClient, path: str) -> None:
    answer = await cold.post(path, json={"instances": [row()]})
    assert (answer.status_code, answer.headers["retry-after"]) == (NotReady.status, "1")
    ready = await cold.get("/v2/health/ready")
    assert (ready.status_code, ready.json()) == (503, {"ready": False})
    assert (await cold.get("/v2/health/live")).status_code == 200


async def test_going_is_503_for_new_requests_while_old_ones_are_answered(
    client: httpx.AsyncClient, library: Shelved, shelf: Shelf
) -> None:
    running = await blocked(client, library, 1)
    closing = asyncio.create_task(shelf.close())
    await asyncio.sleep(0)  # it has begun
    refused = await client.post(PREDICT, json={"instances": [row()]})
    assert (refused.status_code, (await client.get("/v2/health/ready")).status_code) == (503, 503)
    library.sums.open.set()
    await closing
    assert (await running).status_code == 200


async def test_queue_and_compute_are_measured_apart(client: httpx.AsyncClient) -> None:
    names = (
        "touchline_serving_queue_seconds",
        "touchline_serving_compute_seconds",
        "touchline_serving_batch_rows",
    )
    before = [seconds(name) for name in names]
    await client.post(PREDICT, json={"instances": [row()]})
    assert [seconds(name) for name in names] == [count + 1 for count in before]
    text = (await client.get("/metrics")).text
    assert 'touchline_serving_loaded{model="mean",version="2"} 1.0' in text


async def test_names_that_clients_make_up_are_not_counted_by_name(client: httpx.AsyncClient) -> None:
    before = counted("unknown", "", "")
    await client.post("/v1/models/made-up:predict", json={})
    assert counted("unknown", "", "") == before + 1
    assert "made-up" not in (await client.get("/metrics")).text


@pytest.mark.parametrize(
    ("method", "path", "status"), [("GET", "/nothing", 404), ("DELETE", "/v1/models/mean", 405)]
)
async def test_what_the_service_does_not_know_is_said_in_json(
    client: httpx.AsyncClient, method: str, path: str, status: int
) -> None:
    answer = await client.request(method, path)
    assert (answer.status_code, list(answer.json())) == (status, ["error"])


async def test_everything_is_described(client: httpx.AsyncClient) -> None:
    described = (await client.get("/openapi.json")).json()
    infer = described["paths"]["/v2/models/{name}/infer"]["post"]
    assert infer["requestBody"]["content"]["application/json"]["schema"]["required"] == ["inputs"]
    assert {"200", "400", "404", "413", "429", "503", "504"} <= infer["responses"].keys()
    assert (await client.get("/docs")).status_code == 200
