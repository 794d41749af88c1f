"""The REST shape of TensorFlow Serving: rows for rows, columns for columns, and errors that name the input."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.stream.serving.fakes import row

PREDICT = "/v1/models/sums:predict"


async def test_rows_are_answered_in_rows(client: httpx.AsyncClient) -> None:
    answer = await client.post(
        PREDICT, json={"signature_name": "serving_default", "instances": [row(1), row(2)]}
    )
    assert answer.status_code == 200
    assert answer.json() == {
        "predictions": [{"total": [8.0], "double": [2.0, 2.0]}, {"total": [16.0], "double": [4.0, 4.0]}]
    }
    assert "queue;dur=" in answer.headers["server-timing"]


async def test_columns_are_answered_in_columns(client: httpx.AsyncClient) -> None:
    columns = {"a": [row(1)["a"], row(2)["a"]], "b": [row(1)["b"], row(2)["b"]]}
    answer = await client.post(PREDICT, json={"inputs": columns})
    assert answer.json() == {"outputs": {"total": [[8.0], [16.0]], "double": [[2.0, 2.0], [4.0, 4.0]]}}


@pytest.mark.parametrize(
    ("body", "answered"),
    [
        ({"instances": [[1, 2, 3]]}, {"predictions": [[2.0, 2.0]]}),
        ({"instances": [{"x": [1, 2, 3]}]}, {"predictions": [[2.0, 2.0]]}),
        ({"inputs": [[1, 2, 3]]}, {"outputs": [[2.0, 2.0]]}),
        ({"inputs": {"x": [[1, 2, 3]]}}, {"outputs": [[2.0, 2.0]]}),
    ],
)
async def test_a_single_input_or_output_may_go_without_its_name(
    client: httpx.AsyncClient, body: dict[str, Any], answered: dict[str, Any]
) -> None:
    assert (await client.post("/v1/models/mean:predict", json=body)).json() == answered


@pytest.mark.parametrize(
    ("where", "version"),
    [("", 2), ("/versions/1", 1), ("/versions/3", 3), ("/labels/stable", 2), ("/labels/canary", 3)],
)
async def test_a_path_names_a_version_or_a_label(client: httpx.AsyncClient, where: str, version: int) -> None:
    answer = await client.post(f"/v1/models/mean{where}:predict", json={"instances": [[0, 0, 0]]})
    assert answer.json() == {"predictions": [[0.0, float(version)]]}
    metadata = (await client.get(f"/v1/models/mean{where}/metadata")).json()
    assert metadata["model_spec"] == {"name": "mean", "signature_name": "", "version": str(version)}


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({}, "either `instances`"),
        ({"instances": [row()], "inputs": {}}, "either `instances`"),
        ({"signature_name": "other", "instances": [row()]}, "signature_name"),
        ({"instances": []}, "at least one row"),
        ({"instances": {}}, "at least one row"),
        ({"instances": [[1, 2]]}, "must name the inputs a, b"),
        ({"inputs": [[1, 2]]}, "must name the inputs a, b"),
        ({"instances": [row(), [1]]}, r"instances[1] must be an object"),
        ({"instances": [row(), {"a": 1}]}, "instances[1]: input 'b' is missing"),
        ({"instances": [row() | {"c": 1}]}, "instances[0]: no input 'c'"),
        ({"instances": [row() | {"b": [1]}]}, "input 'b': the shape [rows, 2] is wanted, but it is [1, 1]"),
        ({"instances": [row() | {"b": [1, "2"]}]}, "input 'b': numbers are wanted, there is text"),
        ({"inputs": {"a": [row()["a"]], "b": [[1, 2], [1, 2]]}}, "differ in rows: 'a' has 1, 'b' has 2"),
        ({"inputs": {"a": [row()["a"]]}}, "inputs: input 'b' is missing"),
    ],
)
async def test_what_is_no_input_is_refused_by_name(
    client: httpx.AsyncClient, body: dict[str, Any], said: str
) -> None:
    answer = await client.post(PREDICT, json=body)
    assert answer.status_code == 400
    assert said in answer.json()["error"]


@pytest.mark.parametrize("word", ["NaN", "Infinity", "-Infinity", "1e999"])
async def test_what_is_not_finite_is_refused_by_name(client: httpx.AsyncClient, word: str) -> None:
    body = f'{{"instances": [{{"a": [[0,0],[0,0],[0,0]], "b": [0, {word}]}}]}}'
    answer = await client.post(PREDICT, content=body)
    assert answer.status_code == 400
    assert "input 'b': number 1" in answer.json()["error"]


@pytest.mark.parametrize(
    "path",
    [
        "/v1/models/nobody",
        "/v1/models/mean/versions/9",
        "/v1/models/mean/labels/shadow",
        "/v1/models/mean/labels/x",
    ],
)
async def test_what_is_not_there_is_404(client: httpx.AsyncClient, path: str) -> None:
    for answer in (
        await client.get(path),
        await client.get(f"{path}/metadata"),
        await client.post(f"{path}:predict", json={"instances": [[1, 2, 3]]}),
    ):
        assert answer.status_code == 404
        assert "there is" in answer.json()["error"]


async def test_states_are_in_the_words_of_tensorflow_serving(client: httpx.AsyncClient) -> None:
    states = (await client.get("/v1/models/mean")).json()["model_version_status"]
    assert [(state["version"], state["state"]) for state in states] == [
        ("1", "START"),
        ("2", "AVAILABLE"),
        ("3", "AVAILABLE"),
    ]
    assert (await client.get("/v1/models/mean/labels/canary")).json()["model_version_status"] == [states[2]]
    assert states[2]["status"] == {"error_code": "OK", "error_message": ""}


async def test_metadata_has_names_and_shapes(client: httpx.AsyncClient) -> None:
    metadata = (await client.get("/v1/models/sums/metadata")).json()["metadata"]
    signature = metadata["signature_def"]["signature_def"]["serving_default"]
    assert signature["inputs"]["a"]["dtype"] == "DT_FLOAT"
    assert [dim["size"] for dim in signature["inputs"]["a"]["tensor_shape"]["dim"]] == ["-1", "3", "2"]
    assert list(signature["outputs"]) == ["total", "double"]


async def test_all_models_are_listed(client: httpx.AsyncClient) -> None:
    found = (await client.get("/v1/models")).json()["models"]
    assert [(model["name"], model["default"]) for model in found] == [("mean", "2"), ("sums", "1")]
    assert found[0]["labels"] == {"stable": "2", "canary": "3"}
