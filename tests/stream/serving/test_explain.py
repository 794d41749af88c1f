"""``:explain``: pushes of every input that add up, from a baseline that may be given; refusals by name."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from stream.serving.explaining import UNDER_WAY
from tests.stream.serving.fakes import app_over, client_of, row, shelf_over, two_models

EXPLAIN = "/v1/models/sums:explain"


async def test_pushes_add_up_and_channels_with_names_are_added_up(client: httpx.AsyncClient) -> None:
    given = {"a": [[1, 2], [3, 4], [5, 6]], "b": [7, 8]}
    answer = await client.post(EXPLAIN, json={"instances": [given], "output": "total", "index": [0]})
    assert answer.status_code == 200
    told = answer.json()
    assert (told["model_version"], told["output"], told["index"]) == ("1", "total", [0])
    (found,) = told["explanations"]
    assert (found["answer"], found["baseline"], found["gap"]) == (36.0, 0.0, 0.0)
    assert found["pushes"] == {"a": [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], "b": [7.0, 8.0]}
    assert found["channels"] == {"a": {"x": 9.0, "y": 12.0}}


async def test_a_baseline_is_what_pushes_are_counted_from(client: httpx.AsyncClient) -> None:
    body = {"inputs": {"a": [row()["a"]], "b": [[3, 5]]}, "output": "double", "baseline": {"b": [1, 5]}}
    (found,) = (await client.post(EXPLAIN, json=body)).json()["explanations"]
    assert found["pushes"]["b"] == [2.0, 0.0], "the mean of both places, 2 b each"
    assert (found["answer"], found["baseline"]) == (8.0, 6.0)


@pytest.mark.parametrize("where", ["", "/versions/2", "/labels/stable"])
async def test_a_path_names_a_version_or_a_label(client: httpx.AsyncClient, where: str) -> None:
    answer = await client.post(
        f"/v1/models/mean{where}:explain", json={"instances": [[3, 0, 0]], "index": [0]}
    )
    assert answer.json()["model_version"] == "2"
    assert answer.json()["explanations"][0]["pushes"] == {"x": [1.0, 0.0, 0.0]}


@pytest.mark.parametrize(
    ("change", "status", "said"),
    [
        ({"output": None}, 400, "output: one of total, double is wanted"),
        ({"output": "triple"}, 400, "output: one of total, double is wanted"),
        ({"index": [1]}, 400, "index: a place in the shape [1]"),
        ({"index": [0, 0]}, 400, "index: a place in the shape [1]"),
        ({"index": [True]}, 400, "index: a place in the shape [1]"),
        ({"index": "0"}, 400, "index: a place in the shape [1]"),
        ({"baseline": [1]}, 400, "baseline must be an object"),
        ({"baseline": {"c": [1]}}, 400, "baseline: no input 'c'"),
        ({"baseline": {"b": [1]}}, 400, "input 'b': the shape [rows, 2] is wanted"),
        ({"instances": [row()] * 17}, 413, "17 rows; one request for explanations may have 16"),
        ({"instances": []}, 400, "at least one row"),
        ({"instances": [row(13)]}, 500, "the network failed"),
    ],
)
async def test_what_cannot_be_explained_is_refused_by_name(
    client: httpx.AsyncClient, change: dict[str, Any], status: int, said: str
) -> None:
    answer = await client.post(EXPLAIN, json={"instances": [row()], "output": "total"} | change)
    assert answer.status_code == status, answer.text
    assert said in answer.json()["error"]


async def test_explanations_are_bounded_and_predictions_do_not_wait_for_them() -> None:
    library = two_models()
    shelf = shelf_over(library)
    await shelf.refresh()
    body = {"instances": [row()], "output": "total"}
    async with client_of(app_over(shelf)) as client:
        library.sums.open.clear()
        many = [asyncio.create_task(client.post(EXPLAIN, json=body)) for _ in range(UNDER_WAY)]
        await asyncio.to_thread(library.sums.entered.wait, 5)
        while not any(task.done() for task in many):
            full = await client.post(EXPLAIN, json=body)
            if full.status_code == 429:
                break
        assert full.status_code == 429
        assert "Retry-After" in full.headers
        other = await client.post("/v1/models/mean:predict", json={"instances": [[1, 2, 3]]})
        assert other.status_code == 200, "another network answers meanwhile"
        late = await client.post(EXPLAIN, json=body, headers={"x-request-timeout-ms": "10"})
        assert late.status_code == 429
        library.sums.open.set()
        assert {answer.status_code for answer in await asyncio.gather(*many)} == {200}
        assert (await client.post(EXPLAIN, json=body)).status_code == 200
    await shelf.close()


async def test_an_explanation_that_comes_too_late_is_not_waited_for() -> None:
    library = two_models()
    shelf = shelf_over(library)
    await shelf.refresh()
    async with client_of(app_over(shelf)) as client:
        library.sums.open.clear()
        body = {"instances": [row()], "output": "total"}
        late = await client.post(EXPLAIN, json=body, headers={"x-request-timeout-ms": "50"})
        assert late.status_code == 504
        library.sums.open.set()
    await shelf.close()
