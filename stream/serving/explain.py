"""``:explain``: what pushed an answer, beside ``:predict`` in the shape of TensorFlow Serving (an addition to it)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from numpy.typing import NDArray

from models.tensors import Explained, Tensor
from stream.serving import schemas
from stream.serving.inference import Wanted, counted, deadline_of, find_network, read_asked, service_of
from stream.serving.network import Arrays, Network
from stream.serving.refusals import BadInput, NotFinite, TooLarge
from stream.serving.tensorflow_shape import Label, Name, Version, read
from stream.serving.values import nested

router = APIRouter(prefix="/v1", tags=["TensorFlow Serving"], responses=schemas.ERRORS)

#: Rows of one request.
ROWS: Final = 16

_EXPLAIN: Final[dict[str, Any]] = {"responses": schemas.EXPLAINED, "openapi_extra": schemas.EXPLAIN}


class Question:
    """What is asked: ``inputs (B, …)``, a ``baseline`` row, and an entry of an output, or the mean of all of them."""

    def __init__(self, asked: Mapping[str, Any], network: Network) -> None:
        self.inputs = read({key: asked[key] for key in asked if key in ("instances", "inputs")}, network)
        rows = len(next(iter(self.inputs.values())))
        if rows > ROWS:
            raise TooLarge(f"{rows} rows; one request for explanations may have {ROWS}")
        self.baseline = _baseline(asked.get("baseline"), network)
        self.output = _output(asked.get("output"), network)
        self.index, self.weights = _weights(asked.get("index"), self.output)

    def ask(self, network: Network) -> Explained:
        """Have a network explained."""
        return network.explain(self.inputs, self.baseline, self.output.name, self.weights)


def _baseline(given: object, network: Network) -> Arrays:
    """A row of every input; zeros where none is given. Raises BadInput."""
    row = {} if given is None else given
    if not isinstance(row, dict):
        raise BadInput("baseline must be an object: input to one row of it")
    if strange := row.keys() - {tensor.name for tensor in network.inputs}:
        raise BadInput(f"baseline: no input {', '.join(map(repr, sorted(strange)))}")
    return {
        t.name: nested(t.name, [row[t.name]], t.shape)
        if t.name in row
        else np.zeros((1, *t.shape), np.float32)
        for t in network.inputs
    }


def _output(name: object, network: Network) -> Tensor:
    if name is None and len(network.outputs) == 1:
        return network.outputs[0]
    for tensor in network.outputs:
        if tensor.name == name:
            return tensor
    there = ", ".join(tensor.name for tensor in network.outputs)
    raise BadInput(f"output: one of {there} is wanted")


def _weights(index: object, output: Tensor) -> tuple[list[int] | None, NDArray[np.float32]]:
    """1 for the one entry that is asked about, or the same for all. Raises BadInput."""
    weights = np.zeros(output.shape, np.float32)
    if index is None:
        return None, weights + np.float32(1 / weights.size)
    found = index if isinstance(index, list) else []
    within = [type(i) is int and 0 <= i < n for i, n in zip(found, output.shape, strict=False)]
    if len(found) != len(output.shape) or not all(within):
        raise BadInput(f"index: a place in the shape {list(output.shape)} is wanted, counted from 0")
    weights[tuple(found)] = 1
    return found, weights


@router.post("/models/{name}:explain", **_EXPLAIN)
async def explain(request: Request, name: Name) -> JSONResponse:
    """Explain the version in service."""
    return await _explain(request, Wanted(name))


@router.post("/models/{name}/versions/{version}:explain", **_EXPLAIN)
async def explain_version(request: Request, name: Name, version: Version) -> JSONResponse:
    """Explain a version."""
    return await _explain(request, Wanted(name, version=version))


@router.post("/models/{name}/labels/{label}:explain", **_EXPLAIN)
async def explain_label(request: Request, name: Name, label: Label) -> JSONResponse:
    """Explain the version that has a label."""
    return await _explain(request, Wanted(name, label=label))


async def _explain(request: Request, wanted: Wanted) -> JSONResponse:
    service = service_of(request)
    with counted() as known:
        service.shelf.check_ready()
        known[:] = wanted.name, service.shelf.resolve(wanted.name, wanted.version, wanted.label)
        deadline = deadline_of(request, service)
        asked = await read_asked(request, service.body_bytes)
        network = (await find_network(service.shelf, wanted, deadline)).network
        question = Question(asked, network)
        found = await service.explaining.explain(network, question.ask, deadline)
        return JSONResponse(_answer(question, network, found))


def _answer(question: Question, network: Network, found: Explained) -> dict[str, Any]:
    """By row; of inputs whose channels have names also the pushes of each channel, added up. Raises NotFinite."""
    numbers = (found.answer, found.baseline, *found.pushes.values())
    if not all(np.isfinite(values).all() for values in numbers):
        raise NotFinite("there is no finite explanation: the inputs are out of range")
    return {
        "model_version": network.version,
        "output": question.output.name,
        "index": question.index,
        "explanations": [
            {
                "answer": float(found.answer[row]),
                "baseline": float(found.baseline[row]),
                "gap": float(found.gap[row]),
                "pushes": {name: push[row].tolist() for name, push in found.pushes.items()},
                "channels": _by_channel(network, found.pushes, row),
            }
            for row in range(len(found.answer))
        ],
    }


def channels_of(tensor: Tensor) -> list[str]:
    """Names of the last dimension of an input, as far as the manifest has them."""
    channels = list(tensor.about.get("channels", ()))
    return channels + [f"{name}_present" for name in channels] if "then" in tensor.about else channels


def _by_channel(network: Network, pushes: Arrays, row: int) -> dict[str, dict[str, float]]:
    told = {}
    for tensor in network.inputs:
        channels = channels_of(tensor)
        if len(channels) == tensor.shape[-1]:
            total = pushes[tensor.name][row].reshape(-1, len(channels)).sum(axis=0)
            told[tensor.name] = dict(zip(channels, total.tolist(), strict=True))
    return told
