"""The Open Inference Protocol: tensors flat or nested in, flat out, ids echoed, errors that name the input."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

INFER = "/v2/models/sums/infer"
A: dict[str, Any] = {"name": "a", "shape": [1, 3, 2], "datatype": "FP32", "data": [1, 1, 1, 1, 1, 1]}
B: dict[str, Any] = {"name": "b", "shape": [1, 2], "datatype": "FP32", "data": [[1, 1]]}


async def test_tensors_are_answered_with_tensors(client: httpx.AsyncClient) -> None:
    answer = await client.post(INFER, json={"id": "42", "inputs": [B, A]})
    assert answer.status_code == 200
    assert answer.json() == {
        "id": "42",
        "model_name": "sums",
        "model_version": "1",
        "outputs": [
            {"name": "total", "datatype": "FP32", "shape": [1, 1], "data": [8.0]},
            {"name": "double", "datatype": "FP32", "shape": [1, 2], "data": [2.0, 2.0]},
        ],
    }


async def test_only_the_outputs_asked_for_are_sent(client: httpx.AsyncClient) -> None:
    answer = (await client.post(INFER, json={"inputs": [A, B], "outputs": [{"name": "double"}]})).json()
    assert [output["name"] for output in answer["outputs"]] == ["double"]
    assert "id" not in answer


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({}, "inputs must be a list"),
        ({"inputs": [1]}, "inputs[0] must be an object with a name"),
        ({"inputs": [A, A]}, "'a' is there twice"),
        ({"inputs": [A]}, "input 'b' is missing"),
        ({"inputs": [A, B, B | {"name": "c"}]}, "no input 'c'"),
        ({"inputs": [A, B | {"datatype": "INT64"}]}, "input 'b': datatype FP32"),
        ({"inputs": [A, B | {"shape": "2"}]}, "input 'b': shape must be"),
        ({"inputs": [A, B | {"shape": [True, 2]}]}, "input 'b': shape must be"),
        ({"inputs": [A, B | {"shape": [2, 2]}]}, "input 'b': 2 rows are stated, data has 1"),
        ({"inputs": [A, B | {"data": [1]}]}, "input 'b': [1, 2] needs 2 numbers, data has 1"),
        ({"inputs": [A, B | {"shape": [2, 2], "data": [1, 1, 1, 1]}]}, "differ in rows"),
        ({"inputs": [A, B], "outputs": [{"name": "x"}]}, "outputs: no 'x'; there is total, double"),
        ({"inputs": [A, B], "outputs": 5}, "outputs must be a list"),
        ({"inputs": [A, B], "id": 5}, "id must be text"),
    ],
)
async def test_what_is_no_input_is_refused_by_name(
    client: httpx.AsyncClient, body: dict[str, Any], said: str
) -> None:
    answer = await client.post(INFER, json=body)
    assert answer.status_code == 400
    assert said in answer.json()["error"]


async def test_a_version_can_be_named(client: httpx.AsyncClient) -> None:
    x = {"name": "x", "shape": [1, 3], "datatype": "FP32", "data": [0, 0, 0]}
    answer = (await client.post("/v2/models/mean/versions/1/infer", json={"inputs": [x]})).json()
    assert (answer["model_version"], answer["outputs"][0]["data"]) == ("1", [0.0, 1.0])


async def test_metadata_has_names_shapes_and_units(client: httpx.AsyncClient) -> None:
    assert (await client.get("/v2")).json()["name"] == "touchline"
    metadata = (await client.get("/v2/models/sums")).json()
    assert metadata["versions"] == ["1"]
    assert metadata["inputs"] == [
        {"name": "a", "datatype": "FP32", "shape": [-1, 3, 2], "parameters": {"channels": ["x", "y"]}},
        {"name": "b", "datatype": "FP32", "shape": [-1, 2], "parameters": {}},
    ]
    assert (await client.get("/v2/models/mean/versions/1")).json()["versions"] == ["1", "2", "3"]


async def test_health_is_told_for_the_process_and_for_each_version(client: httpx.AsyncClient) -> None:
    assert (await client.get("/v2/health/live")).json() == {"live": True}
    assert (await client.get("/v2/health/ready")).json() == {"ready": True}
    assert (await client.get("/v2/models/mean/ready")).json() == {
        "name": "mean",
        "version": "2",
        "ready": True,
    }
    unloaded = await client.get("/v2/models/mean/versions/1/ready")
    assert (unloaded.status_code, unloaded.json()["ready"]) == (503, False)
    assert (await client.get("/v2/models/mean/versions/9/ready")).status_code == 404
    assert (await client.get("/v2/models/nobody/ready")).status_code == 404
