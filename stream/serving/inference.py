"""From a request to an answer, whatever the shape: body, deadline, network, queue, counting. Shapes are elsewhere."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from fastapi import Request

from stream.errors import RequestRefused
from stream.serving import metrics, values
from stream.serving.batcher import Answer, Batcher
from stream.serving.explaining import Explaining
from stream.serving.network import Arrays, Network
from stream.serving.refusals import BadInput, DeadlinePassed, NotJson, TooLarge
from stream.serving.scoring import Scorer
from stream.serving.shelf import Shelf

#: How long a client waits, ms.
TIMEOUT_HEADER: Final = "x-request-timeout-ms"
#: The binary form of the Open Inference Protocol announces itself by this.
BINARY_HEADER: Final = "inference-header-content-length"
#: Longer bodies are parsed beside the event loop, bytes.
LONG: Final = 1 << 16

#: Takes a network's inputs out of a body. Raises BadInput.
Reader = Callable[[Mapping[str, Any], Network], Arrays]


@dataclass(frozen=True, slots=True)
class Service:
    """What requests are answered with: ``timeout_s`` at most and where none is given, ``body_bytes`` at most."""

    shelf: Shelf
    scorer: Scorer
    timeout_s: float = 10.0
    body_bytes: int = 1 << 24
    explaining: Explaining = field(default_factory=Explaining)


@dataclass(frozen=True, slots=True)
class Wanted:
    """The network a path names; by version, by label, or by neither the one in service."""

    name: str
    version: str | None = None
    label: str | None = None


@dataclass(frozen=True, slots=True)
class Inferred:
    """What was asked, of which network, and the answer."""

    asked: Mapping[str, Any]
    network: Network
    answer: Answer

    def timing(self) -> dict[str, str]:
        """The header that says how long it waited and what its batch took."""
        queue, compute = self.answer.queue_s * 1e3, self.answer.compute_s * 1e3
        return {"Server-Timing": f"queue;dur={queue:.3f}, compute;dur={compute:.3f}"}


def service_of(request: Request) -> Service:
    """The service this app was made with."""
    service: Service = request.app.state.service
    return service


@contextmanager
def counted() -> Iterator[list[str]]:
    """Count a request by what came of it; who answers it puts model and version into the list once known."""
    begin = time.monotonic()
    known = ["", ""]
    outcome = "failed"
    try:
        yield known
        outcome = "success"
    except RequestRefused as refused:
        outcome = refused.outcome
        raise
    finally:
        metrics.REQUESTS.labels(*known, outcome).inc()
        metrics.REQUEST_SECONDS.observe(time.monotonic() - begin)


async def infer(request: Request, wanted: Wanted, read: Reader) -> Inferred:
    """Answer a request. Raises RequestRefused of any kind; every outcome is counted."""
    with counted() as known:
        return await _infer(request, wanted, read, known)


async def _infer(request: Request, wanted: Wanted, read: Reader, known: list[str]) -> Inferred:
    service = service_of(request)
    service.shelf.check_ready()
    known[:] = wanted.name, service.shelf.resolve(wanted.name, wanted.version, wanted.label)
    deadline = deadline_of(request, service)
    asked = await read_asked(request, service.body_bytes)
    batcher = await find_network(service.shelf, wanted, deadline)
    answer = await batcher.submit(read(asked, batcher.network), deadline)
    values.finite(answer.outputs)
    return Inferred(asked, batcher.network, answer)


def deadline_of(request: Request, service: Service) -> float:
    """When this client's time is over, on the event loop's clock. Raises BadInput."""
    return asyncio.get_running_loop().time() + timeout_s(request, service.timeout_s)


async def find_network(shelf: Shelf, wanted: Wanted, deadline: float) -> Batcher:
    """The network; loading goes on where the client cannot wait for it."""
    try:
        async with asyncio.timeout_at(deadline):
            return await shelf.find(wanted.name, wanted.version, wanted.label)
    except TimeoutError:
        raise DeadlinePassed("the version is still being loaded; ask again") from None


def timeout_s(request: Request, most_s: float) -> float:
    """How long this client waits, s. Raises BadInput where the header is no whole number of milliseconds."""
    text = request.headers.get(TIMEOUT_HEADER)
    if text is None:
        return most_s
    if not (text.isascii() and text.isdigit() and 0 < len(text) <= 9):
        raise BadInput(f"{TIMEOUT_HEADER}: a whole number of milliseconds is wanted")
    return min(int(text) / 1e3, most_s)


async def read_asked(request: Request, most: int) -> dict[str, Any]:
    """The JSON object of the body. Raises TooLarge, NotJson or BadInput."""
    body = await read_body(request, most)
    return await asyncio.to_thread(values.parse, body) if len(body) > LONG else values.parse(body)


async def read_body(request: Request, most: int) -> bytes:
    """The body. Raises TooLarge before it is in memory, NotJson for compressed or binary ones."""
    if request.headers.get("content-encoding", "identity") != "identity":
        raise NotJson("send the body uncompressed")
    if BINARY_HEADER in request.headers:
        raise NotJson("binary tensors are not taken: send data as JSON")
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > most:
            raise TooLarge(f"the body is larger than {most} bytes")
        parts.append(part)
    return b"".join(parts)


def same_rows(inputs: Arrays) -> Arrays:
    """The inputs as they are. Raises BadInput where they differ in rows."""
    rows = {name: len(values) for name, values in inputs.items()}
    if len(set(rows.values())) > 1:
        counts = ", ".join(f"{name!r} has {count}" for name, count in rows.items())
        raise BadInput(f"inputs differ in rows: {counts}")
    return inputs


def only_known(given: Mapping[str, Any], network: Network, where: str) -> None:
    """See that every input is there and no other. Raises BadInput naming them."""
    names = {tensor.name for tensor in network.inputs}
    if absent := names - given.keys():
        raise BadInput(f"{where}: input {', '.join(map(repr, sorted(absent)))} is missing")
    if strange := given.keys() - names:
        there = ", ".join(sorted(names))
        raise BadInput(f"{where}: no input {', '.join(map(repr, sorted(strange)))}; there is {there}")
