"""``/v1``: the REST shape of TensorFlow Serving. Row format (``instances``) and columnar format (``inputs``)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final

from fastapi import APIRouter, Path, Request
from fastapi.responses import JSONResponse

from models.tensors import Tensor
from stream.serving import schemas
from stream.serving.inference import Inferred, Wanted, infer, only_known, same_rows, service_of
from stream.serving.network import Arrays, Network
from stream.serving.refusals import BadInput
from stream.serving.shelf import State
from stream.serving.values import nested

router = APIRouter(prefix="/v1", tags=["TensorFlow Serving"], responses=schemas.ERRORS)

#: The one signature a network has.
SIGNATURE: Final = "serving_default"

Name = Annotated[str, Path(description="Model.")]
Version = Annotated[str, Path(description="Version, a whole number.")]
Label = Annotated[str, Path(description="Label: `stable`, `canary` or `shadow`.")]

_PREDICT: Final[dict[str, Any]] = {"responses": schemas.PREDICTED, "openapi_extra": schemas.PREDICT}


@router.get("/models")
async def models(request: Request) -> dict[str, Any]:
    """Every model with its versions in service and its labels (an addition to the shape)."""
    shelf = service_of(request).shelf
    return {
        "models": [
            {
                "name": name,
                "default": shelf.default(name),
                "labels": shelf.labels(name),
                "versions": [state.version for state in shelf.states(name)],
            }
            for name in shelf.names()
        ]
    }


@router.post("/models/{name}:predict", **_PREDICT)
async def predict(request: Request, name: Name) -> JSONResponse:
    """Predict with the version in service."""
    return _predicted(await infer(request, Wanted(name), read))


@router.post("/models/{name}/versions/{version}:predict", **_PREDICT)
async def predict_version(request: Request, name: Name, version: Version) -> JSONResponse:
    """Predict with a version."""
    return _predicted(await infer(request, Wanted(name, version=version), read))


@router.post("/models/{name}/labels/{label}:predict", **_PREDICT)
async def predict_label(request: Request, name: Name, label: Label) -> JSONResponse:
    """Predict with the version that has a label."""
    return _predicted(await infer(request, Wanted(name, label=label), read))


@router.get("/models/{name}/metadata")
async def metadata(request: Request, name: Name) -> dict[str, Any]:
    """Inputs and outputs of the version in service."""
    return await _metadata(request, Wanted(name))


@router.get("/models/{name}/versions/{version}/metadata")
async def metadata_version(request: Request, name: Name, version: Version) -> dict[str, Any]:
    """Inputs and outputs of a version."""
    return await _metadata(request, Wanted(name, version=version))


@router.get("/models/{name}/labels/{label}/metadata")
async def metadata_label(request: Request, name: Name, label: Label) -> dict[str, Any]:
    """Inputs and outputs of the version that has a label."""
    return await _metadata(request, Wanted(name, label=label))


@router.get("/models/{name}")
async def status(request: Request, name: Name) -> dict[str, Any]:
    """State of every version."""
    return _statuses(service_of(request).shelf.states(name))


@router.get("/models/{name}/versions/{version}")
async def status_version(request: Request, name: Name, version: Version) -> dict[str, Any]:
    """State of a version."""
    return _status_of(request, Wanted(name, version=version))


@router.get("/models/{name}/labels/{label}")
async def status_label(request: Request, name: Name, label: Label) -> dict[str, Any]:
    """State of the version that has a label."""
    return _status_of(request, Wanted(name, label=label))


def read(asked: Mapping[str, Any], network: Network) -> Arrays:
    """A network's inputs from a body. Raises BadInput."""
    if asked.get("signature_name") not in (None, "", SIGNATURE):
        raise BadInput(f"signature_name: there is only {SIGNATURE!r}")
    if ("instances" in asked) == ("inputs" in asked):
        raise BadInput("either `instances` (row format) or `inputs` (columnar format) is wanted")
    columns = _columns(asked, network)
    return same_rows({t.name: nested(t.name, columns[t.name], t.shape) for t in network.inputs})


def _columns(asked: Mapping[str, Any], network: Network) -> Mapping[str, Any]:
    """Input to its rows. Where there is one input only its name may be left out."""
    if "instances" in asked:
        return _turned(asked["instances"], network)
    given = asked["inputs"]
    if not isinstance(given, dict):
        return {_only(network, "inputs"): given}
    only_known(given, network, "inputs")
    return given


def _turned(rows: object, network: Network) -> Mapping[str, Any]:
    """Rows of inputs to inputs of rows."""
    if not isinstance(rows, list) or not rows:
        raise BadInput("instances must be a list of at least one row")
    if not isinstance(rows[0], dict):
        return {_only(network, "instances"): rows}
    for number, row in enumerate(rows):
        if not isinstance(row, dict):
            raise BadInput(f"instances[{number}] must be an object like the first")
        only_known(row, network, f"instances[{number}]")
    return {tensor.name: [row[tensor.name] for row in rows] for tensor in network.inputs}


def _only(network: Network, where: str) -> str:
    if len(network.inputs) > 1:
        names = ", ".join(tensor.name for tensor in network.inputs)
        raise BadInput(f"{where} must name the inputs {names}")
    return network.inputs[0].name


def _predicted(inferred: Inferred) -> JSONResponse:
    """The answer in the format of the question; a single output goes without its name."""
    columns = {name: values.tolist() for name, values in inferred.answer.outputs.items()}
    bare = next(iter(columns.values())) if len(columns) == 1 else None
    if "inputs" in inferred.asked:
        return JSONResponse({"outputs": columns if bare is None else bare}, headers=inferred.timing())
    rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    return JSONResponse({"predictions": rows if bare is None else bare}, headers=inferred.timing())


async def _metadata(request: Request, wanted: Wanted) -> dict[str, Any]:
    network = (await service_of(request).shelf.find(wanted.name, wanted.version, wanted.label)).network
    signature = {
        "inputs": _described(network.inputs),
        "outputs": _described(network.outputs),
        "method_name": "tensorflow/serving/predict",
    }
    return {
        "model_spec": {"name": network.name, "signature_name": "", "version": network.version},
        "metadata": {"signature_def": {"signature_def": {SIGNATURE: signature}}},
    }


def _described(tensors: Sequence[Tensor]) -> dict[str, Any]:
    """Names and shapes as TensorFlow Serving writes them: sizes are text, -1 is any number of rows."""
    return {
        tensor.name: {
            "dtype": "DT_FLOAT",
            "name": tensor.name,
            "tensor_shape": {
                "dim": [{"size": str(size), "name": ""} for size in (-1, *tensor.shape)],
                "unknown_rank": False,
            },
        }
        for tensor in tensors
    }


def _status_of(request: Request, wanted: Wanted) -> dict[str, Any]:
    shelf = service_of(request).shelf
    version = shelf.resolve(wanted.name, wanted.version, wanted.label)
    return _statuses([state for state in shelf.states(wanted.name) if state.version == version])


def _statuses(states: Sequence[State]) -> dict[str, Any]:
    """States in TensorFlow Serving's words; START is on disk and not loaded, END is refused."""
    return {"model_version_status": [_status(state) for state in states]}


def _status(state: State) -> dict[str, Any]:
    word = "AVAILABLE" if state.loaded else "END" if state.fault else "START"
    fault = state.fault if word == "END" else None
    return {
        "version": state.version,
        "state": word,
        "status": {"error_code": "FAILED_PRECONDITION" if fault else "OK", "error_message": fault or ""},
    }
