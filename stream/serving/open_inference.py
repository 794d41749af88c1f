"""``/v2``: the Open Inference Protocol, version 2, in its JSON form."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.metadata import version as version_of
from typing import Annotated, Any, Final

from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import JSONResponse

from models.tensors import Tensor
from stream.serving import schemas
from stream.serving.inference import Inferred, Wanted, infer, only_known, same_rows, service_of
from stream.serving.network import Arrays, Float32, Network
from stream.serving.refusals import BadInput, NotReady
from stream.serving.values import flat

router = APIRouter(prefix="/v2", tags=["Open Inference Protocol"], responses=schemas.ERRORS)

#: The only datatype of ours.
DATATYPE: Final = "FP32"
PLATFORM: Final = "tensorflow_keras"

Name = Annotated[str, Path(description="Model.")]
Version = Annotated[str, Path(description="Version, a whole number.")]

_INFER: Final[dict[str, Any]] = {"responses": schemas.INFERRED, "openapi_extra": schemas.INFER}


@router.get("")
async def server() -> dict[str, Any]:
    """What serves here."""
    return {"name": "touchline", "version": version_of("touchline"), "extensions": []}


@router.get("/health/live")
async def live() -> dict[str, bool]:
    """Whether the process answers."""
    return {"live": True}


@router.get("/health/ready")
async def ready(request: Request, response: Response) -> dict[str, bool]:
    """Whether the networks are warm; 503 before that and when going."""
    is_ready = service_of(request).shelf.ready
    response.status_code = 200 if is_ready else NotReady.status
    return {"ready": is_ready}


@router.get("/models/{name}")
async def model(request: Request, name: Name) -> dict[str, Any]:
    """What the version in service takes and gives."""
    return await _metadata(request, Wanted(name))


@router.get("/models/{name}/versions/{version}")
async def model_version(request: Request, name: Name, version: Version) -> dict[str, Any]:
    """What a version takes and gives."""
    return await _metadata(request, Wanted(name, version))


@router.get("/models/{name}/ready")
async def model_ready(request: Request, response: Response, name: Name) -> dict[str, Any]:
    """Whether a model can be asked; 503 where not."""
    return _ready(request, response, Wanted(name))


@router.get("/models/{name}/versions/{version}/ready")
async def version_ready(request: Request, response: Response, name: Name, version: Version) -> dict[str, Any]:
    """Whether a version can be asked without being loaded first; 503 where not."""
    return _ready(request, response, Wanted(name, version))


@router.post("/models/{name}/infer", **_INFER)
async def infer_model(request: Request, name: Name) -> JSONResponse:
    """Infer with the version in service."""
    return _inferred(await infer(request, Wanted(name), read))


@router.post("/models/{name}/versions/{version}/infer", **_INFER)
async def infer_version(request: Request, name: Name, version: Version) -> JSONResponse:
    """Infer with a version."""
    return _inferred(await infer(request, Wanted(name, version), read))


def read(asked: Mapping[str, Any], network: Network) -> Arrays:
    """A network's inputs from a body; what it asks for else is looked at as well. Raises BadInput."""
    if not isinstance(asked.get("id", ""), str):
        raise BadInput("id must be text")
    given = _by_name(asked.get("inputs"), "inputs")
    only_known(given, network, "inputs")
    _wanted_outputs(asked, network)
    return same_rows({tensor.name: _tensor(given[tensor.name], tensor) for tensor in network.inputs})


def _by_name(entries: object, where: str) -> dict[str, Mapping[str, Any]]:
    """Objects by their names. Raises BadInput."""
    if not isinstance(entries, list):
        raise BadInput(f"{where} must be a list")
    found: dict[str, Mapping[str, Any]] = {}
    for number, entry in enumerate(entries):
        if not isinstance(entry, dict) or not isinstance(entry.get("name"), str):
            raise BadInput(f"{where}[{number}] must be an object with a name")
        if entry["name"] in found:
            raise BadInput(f"{where}: {entry['name']!r} is there twice")
        found[entry["name"]] = entry
    return found


def _tensor(entry: Mapping[str, Any], tensor: Tensor) -> Float32:
    if entry.get("datatype") != DATATYPE:
        raise BadInput(f"input {tensor.name!r}: datatype {DATATYPE} is wanted")
    shape = entry.get("shape")
    if not isinstance(shape, list) or not all(type(size) is int for size in shape):
        raise BadInput(f"input {tensor.name!r}: shape must be a list of whole numbers")
    return flat(tensor.name, entry.get("data"), shape, tensor.shape)


def _wanted_outputs(asked: Mapping[str, Any], network: Network) -> list[str]:
    """Names of the outputs to send: those asked for, else all. Raises BadInput."""
    names = [tensor.name for tensor in network.outputs]
    if not asked.get("outputs"):
        return names
    wanted = list(_by_name(asked["outputs"], "outputs"))
    if strange := [name for name in wanted if name not in names]:
        raise BadInput(f"outputs: no {', '.join(map(repr, strange))}; there is {', '.join(names)}")
    return wanted


def _inferred(inferred: Inferred) -> JSONResponse:
    network, outputs = inferred.network, inferred.answer.outputs
    content: dict[str, Any] = {
        "model_name": network.name,
        "model_version": network.version,
        "outputs": [
            {
                "name": name,
                "datatype": DATATYPE,
                "shape": list(outputs[name].shape),
                "data": outputs[name].ravel().tolist(),
            }
            for name in _wanted_outputs(inferred.asked, network)
        ],
    }
    if "id" in inferred.asked:
        content["id"] = inferred.asked["id"]
    return JSONResponse(content, headers=inferred.timing())


async def _metadata(request: Request, wanted: Wanted) -> dict[str, Any]:
    shelf = service_of(request).shelf
    network = (await shelf.find(wanted.name, wanted.version)).network
    return {
        "name": network.name,
        "versions": [state.version for state in shelf.states(wanted.name) if state.fault is None],
        "platform": PLATFORM,
        "inputs": _described(network.inputs),
        "outputs": _described(network.outputs),
    }


def _described(tensors: Sequence[Tensor]) -> list[dict[str, Any]]:
    """Names and shapes, -1 for any number of rows; ``parameters`` has units and channels."""
    return [
        {
            "name": tensor.name,
            "datatype": DATATYPE,
            "shape": [-1, *tensor.shape],
            "parameters": dict(tensor.about),
        }
        for tensor in tensors
    ]


def _ready(request: Request, response: Response, wanted: Wanted) -> dict[str, Any]:
    shelf = service_of(request).shelf
    version = shelf.resolve(wanted.name, wanted.version)
    is_ready = shelf.ready and any(s.version == version and s.loaded for s in shelf.states(wanted.name))
    response.status_code = 200 if is_ready else NotReady.status
    return {"name": wanted.name, "version": version, "ready": is_ready}
