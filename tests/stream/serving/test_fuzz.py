"""Whatever is sent, nothing is a fault of ours: requests made up from the description, and bodies nearly right."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any, Final

import httpx
import msgpack
import pytest
import schemathesis
from fastapi import FastAPI
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.stream.serving.fakes import all_models, app_over, row, shelf_over
from tests.stream.web.serving import Served

pytestmark = pytest.mark.slow

SETTINGS: Final = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
#: What may be answered; 503 and 504 only with these words.
ANSWERS: Final = {200, 400, 404, 405, 413, 415, 422}
SPARED: Final = ("deadline", "is being loaded", "refused")


@pytest.fixture(scope="module")
def served() -> Iterator[str]:
    """The service on a socket; its address."""
    shelf = shelf_over(all_models())

    @asynccontextmanager
    async def warm(_: FastAPI) -> AsyncIterator[None]:
        await shelf.refresh()
        yield
        await shelf.close()

    app = app_over(shelf)
    app.router.lifespan_context = warm
    with Served(app) as service:
        yield service.url


@schemathesis.serializer("application/msgpack")
def packed_body(_: Any, value: Any) -> bytes:
    """A made-up body in msgpack, as far as msgpack can say it."""
    try:
        packed: bytes = msgpack.packb(value)
    except (OverflowError, ValueError):
        packed = b""
    return packed


schema = schemathesis.openapi.from_dict(app_over(shelf_over(all_models())).openapi())


def check(status: int, text: str) -> None:
    """See that a request was answered or refused by name."""
    if status not in ANSWERS:
        assert status in (503, 504), (status, text)
        assert any(word in text for word in SPARED), text
    assert status == 200 or '"error":' in text or '"ready":false' in text


@schema.parametrize()
@SETTINGS
def test_requests_made_up_from_the_description_are_never_a_fault(
    case: schemathesis.Case[Any], served: str
) -> None:
    answer = case.call(base_url=served)
    check(answer.status_code, answer.text)


@schema.include(path_regex="(predict|explain|infer|metadata)$").parametrize()
@SETTINGS
def test_made_up_bodies_for_real_models_are_never_a_fault(case: schemathesis.Case[Any], served: str) -> None:
    real = {"name": "sums", "version": "1", "label": "stable"}
    case.path_parameters = {name: real[name] for name in case.path_parameters}
    answer = case.call(base_url=served)
    check(answer.status_code, answer.text)


NUMBERS = st.one_of(st.floats(), st.integers(), st.sampled_from([True, None, "1", 3e38, -3e38, 10**400]))
TENSORS = st.recursive(NUMBERS, lambda inner: st.lists(inner, max_size=4), max_leaves=12)
SHAPES = st.one_of(st.just([1, 2]), st.lists(st.integers(-3, 10**20), max_size=4), NUMBERS)


@SETTINGS
@example({"a": [[3e38] * 2] * 3})
@given(st.dictionaries(st.sampled_from(["a", "b", "c"]), TENSORS, max_size=3))
def test_rows_that_are_nearly_right_are_never_a_fault(served: str, change: dict[str, Any]) -> None:
    send(served, "/v1/models/sums:predict", {"instances": [row() | change, row()]})
    send(served, "/v1/models/sums:predict", {"inputs": {"a": [row()["a"]], "b": [row()["b"]]} | change})
    send(served, "/v1/models/sums:explain", {"instances": [row()], "output": "total", "baseline": change})
    send(served, "/v1/models/sums:explain", {"instances": [row() | change], "output": "double", "index": [1]})


@SETTINGS
@given(TENSORS, SHAPES, st.sampled_from(["FP32", "FP64", None]))
def test_tensors_that_are_nearly_right_are_never_a_fault(
    served: str, data: object, shape: object, datatype: str | None
) -> None:
    a = {"name": "a", "shape": [1, 3, 2], "datatype": "FP32", "data": [1.0] * 6}
    b = {"name": "b", "shape": shape, "datatype": datatype, "data": data}
    send(served, "/v2/models/sums/infer", {"inputs": [a, b]})


@SETTINGS
@given(
    st.binary(max_size=60),
    st.dictionaries(st.sampled_from(["x-request-timeout-ms"]), st.from_regex(r"[ -~]{0,12}", fullmatch=True)),
)
def test_bytes_and_headers_of_any_kind_are_never_a_fault(
    served: str, body: bytes, headers: dict[str, str]
) -> None:
    clean = {name: value.strip() for name, value in headers.items()}
    answer = httpx.post(f"{served}/v2/models/sums/infer", content=body, headers=clean)
    check(answer.status_code, answer.text)


FRAME: Final[dict[str, Any]] = {
    "v": 1, "athlete": "a", "device": "d", "session": "s", "boot": 1, "seq": 0, "t0": 1_760_000_000_000_000,
    "heart": {"rate": 1.0, "channels": ["hr"], "samples": [[100], [None], [101]]},
}  # fmt: skip
CHANGES = st.dictionaries(
    st.sampled_from([*FRAME, "end", "at_us", "venue", "tick", "imu", "environment", "backfill"]),
    st.one_of(NUMBERS, st.text(max_size=3), st.integers(1_759_999_990_000_000, 1_760_003_000_000_000)),
    max_size=3,
)
GROUPS = st.dictionaries(
    st.sampled_from(["rate", "channels", "samples", "dtype", "scale", "origin"]),
    st.one_of(TENSORS, NUMBERS, st.sampled_from(["i2", "f4", "AAAA", ["hr", "rr"], ["rr"], [[120]] * 40])),
    max_size=3,
)


@SETTINGS
@given(st.lists(st.tuples(CHANGES, GROUPS), min_size=1, max_size=6), st.booleans())
def test_frames_that_are_nearly_right_are_never_a_fault(
    served: str, changes: list[tuple[dict[str, Any], dict[str, Any]]], packed: bool
) -> None:
    frames = [
        FRAME | {"seq": number, "heart": FRAME["heart"] | group} | change
        for number, (change, group) in enumerate(changes)
    ]
    if not packed:
        send(served, "/v1/frames:score", frames)
        return
    try:
        body = msgpack.packb(frames)
    except OverflowError:
        return
    answer = httpx.post(
        f"{served}/v1/frames:score", content=body, headers={"content-type": "application/msgpack"}
    )
    check(answer.status_code, answer.text)


def send(served: str, path: str, body: object) -> None:
    """Send a body, words for what is not finite and all."""
    answer = httpx.post(served + path, content=json.dumps(body))
    check(answer.status_code, answer.text)
