"""``/v1/frames:score``: raw frames in, scores out. What the worker would have published for them."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping
from typing import Any, Final

from fastapi import APIRouter, Request, Response

from stream.serving import schemas
from stream.serving.frames_body import MODELS, read_frames
from stream.serving.inference import (
    Service,
    Wanted,
    counted,
    deadline_of,
    find_network,
    read_body,
    service_of,
)
from stream.serving.networks import Networks
from stream.serving.refusals import NotFinite, NotJson
from stream.serving.scoring import Scores

router = APIRouter(prefix="/v1", tags=["Raw frames"], responses=schemas.ERRORS)

#: What the metrics call these requests in place of a model.
COUNTED_AS: Final = "frames"
#: Media types of a msgpack body.
PACKED: Final = ("application/msgpack", "application/x-msgpack", "application/vnd.msgpack")
BINARY: Final = "application/octet-stream"

_SCORE: Final[dict[str, Any]] = {"responses": schemas.SCORED, "openapi_extra": schemas.SCORE}


@router.post("/frames:score", **_SCORE)
async def score(request: Request) -> Response:
    """Score raw frames as the worker would: the same stages, on a state of this request's own."""
    with counted() as known:
        known[0] = COUNTED_AS
        return await _score(request)


async def _score(request: Request) -> Response:
    service = service_of(request)
    service.shelf.check_ready()
    deadline = deadline_of(request, service)
    with service.scorer.place():
        body = await read_body(request, service.body_bytes)
        most = service.scorer.stages.frames
        asked = await asyncio.to_thread(read_frames, body, packed=_is_packed(request), most=most)
        engine = Networks(await _networks(service, asked.models, deadline))
        scores = await service.scorer.score(asked, engine, deadline)
        content = await asyncio.to_thread(_answer, scores, engine.versions, time.time_ns() // 1000)
    return Response(content, media_type="application/json")


def _is_packed(request: Request) -> bool:
    """Whether the body is msgpack. Raises NotJson for what is neither."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == BINARY:
        raise NotJson(f"send JSON, or msgpack as {PACKED[0]}")
    return kind in PACKED


async def _networks(service: Service, chosen: Mapping[str, str], deadline: float) -> dict[str, Any]:
    """The network of each model: a whole number names a version, other text a label, nothing the one in service."""
    found = {}
    for name in MODELS:
        one = chosen.get(name)
        is_version = one is not None and one.isascii() and one.isdigit()
        wanted = Wanted(name, version=one if is_version else None, label=None if is_version else one)
        found[name] = (await find_network(service.shelf, wanted, deadline)).network
    return found


def _answer(scores: Scores, versions: Mapping[str, str], scored_us: int) -> bytes:
    """JSON. Raises NotFinite where a network gave what JSON cannot say."""
    records = [
        record | {"lineage": record["lineage"] | {"scored_us": scored_us}} for record in scores.records
    ]
    rejected = [
        {"frame": one.record.offset, "reason": one.reason, "detail": one.detail} for one in scores.rejected
    ]
    answer = {"scores": records, "rejected": rejected, "models": versions}
    try:
        return json.dumps(answer, allow_nan=False).encode()
    except ValueError:
        raise NotFinite("a network has no finite answer for these frames") from None
