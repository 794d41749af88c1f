"""Raw frames in, scores out: what the worker publishes for the same log, and no more than is allowed."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any

import httpx
import msgpack
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from models.artefact import SHIPPED
from models.engine import Engine
from models.signature import trusted
from stream.alert import Rule, load_rules
from stream.cut import CLOCK
from stream.records import Record
from stream.roster import Roster
from stream.route import Route
from stream.serving.library import DiskLibrary
from stream.serving.scoring import UNDER_WAY, Stages
from stream.serving.shelf import Shelf
from tests.fakes import FakeEngine
from tests.stream.feeding import T0_S, Log, Told, heart, motion, speed, told
from tests.stream.serving.fakes import Shelved, app_over, client_of, scoring_models, shelf_over
from tests.stream.serving.test_app import counted
from tests.stream.test_route import EAGER, Event, events, written
from touchline.fit import check_fit

PATH = "/v1/frames:score"
PACKED = {"content-type": "application/msgpack"}


@pytest.fixture
def library() -> Shelved:
    """The models that score frames, in place of the usual two."""
    return scoring_models()


def serving(shelf: Shelf, stages: Stages | None = None) -> httpx.AsyncClient:
    """Asks a service with room for bodies."""
    return client_of(app_over(shelf, timeout_s=30, body_bytes=1 << 22, stages=stages))


@pytest.fixture
async def client(shelf: Shelf) -> AsyncIterator[httpx.AsyncClient]:
    async with serving(shelf) as asking:
        yield asking


def sent(record: Record, *, timed: bool = True) -> dict[str, Any]:
    """A record as a client sends it, in msgpack."""
    frame: dict[str, Any] = msgpack.unpackb(record.value)
    at = {"at_us": record.at_us} if timed else {}
    return frame | at | {"venue": record.venue}


def as_json(record: Record) -> dict[str, Any]:
    """The same in JSON, samples in base64."""
    frame = sent(record)
    for group in frame.values():
        if isinstance(group, dict):
            group["samples"] = base64.b64encode(group["samples"]).decode()
    return frame


def of_worker(
    records: Sequence[Record], rules: Sequence[Rule] | None = None, people: Roster | None = None
) -> Told:
    """What a worker says of a log with the same networks."""
    route = Route(CLOCK, load_rules(None) if rules is None else rules, FakeEngine(), people or Roster())
    return told([route.push(records)])


def check_same(answer: httpx.Response, wanted: Told) -> None:
    """See that the scores are the worker's but for the versions and the time of publishing."""
    assert answer.status_code == 200, answer.text
    found: dict[str, list[dict[str, Any]]] = {}
    for score in answer.json()["scores"]:
        assert score["lineage"].pop("scored_us") > T0_S * 1_000_000
        assert score["lineage"].pop("models") == {"forecast": "1", "performance": "1", "injury": "1"}
        found.setdefault(score["athlete"], []).append(score)
    for scores in wanted.scores.values():
        for score in scores:
            del score["lineage"]["models"]
    assert found == wanted.scores


def a_log(seconds: int = 100) -> Log:
    """Somebody runs with a watch and a pod; some frames come late, twice, or broken."""
    log = Log()
    for second in range(seconds):
        log.send(second, heart(100 + second % 50))
        log.send(second, speed(*np.linspace(2, 4, 10)) | motion(cadence=[160], power=[220]), device="pod")
        if second % 20 == 10:
            log.again(log.records[-1])
            log.send(second - 9, device="slow")
    log.send(seconds, heart(120), end=True)
    log.send(seconds, device="pod", end=True)
    return log


async def test_scores_are_what_the_worker_publishes(client: httpx.AsyncClient) -> None:
    log = a_log()
    wanted = of_worker(log.records)
    assert len(wanted.of()) > 90
    assert any(wanted.column("performance", "score"))
    answer = await client.post(PATH, content=msgpack.packb([sent(r) for r in log.records]), headers=PACKED)
    check_same(answer, wanted)
    assert [entry["reason"] for entry in answer.json()["rejected"]].count("duplicate") == 5
    assert {entry["reason"] for entry in answer.json()["rejected"]} == {"duplicate", "late"}
    check_same(
        await client.post(PATH, json={"frames": [as_json(r) for r in log.records]}), of_worker(log.records)
    )


async def test_packed_frames_need_no_unpacking_and_no_times(client: httpx.AsyncClient) -> None:
    log = Log()
    for second in range(40):
        log.send(second, heart(100 + second), end=second == 39)
    body = msgpack.packb({"frames": [record.value for record in log.records]})
    check_same(await client.post(PATH, content=body, headers=PACKED), of_worker(log.records))


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(events)
async def test_whatever_happens_in_a_log_the_answer_is_the_workers(happened: list[Event]) -> None:
    shelf = shelf_over(scoring_models())
    await shelf.refresh()
    records = written(happened)
    async with serving(shelf, Stages(rules=EAGER)) as client:
        body = msgpack.packb([sent(record) for record in records])
        answer = await client.post(PATH, content=body, headers=PACKED)
    await shelf.close()
    wanted = of_worker(records, EAGER)
    check_same(answer, wanted)
    assert sorted(r["reason"] for r in answer.json()["rejected"]) == sorted(wanted.reasons)


async def test_who_the_athlete_is_comes_with_the_request(client: httpx.AsyncClient) -> None:
    log = a_log(60)
    athlete = {"athlete": "a", "profile": {"heart_rate_rest": 40.0, "heart_rate_max": 200.0, "sex": "female"}}
    session = {"session": "s", "activity": "run"}
    people = Roster({"a": athlete}, {"s": session})
    asked = {"frames": [sent(r) for r in log.records], "athletes": [athlete], "sessions": [session]}
    answer = await client.post(PATH, content=msgpack.packb(asked), headers=PACKED)
    check_same(answer, of_worker(log.records, people=people))
    reserve = [score["live"]["heart_rate_reserve"] for score in answer.json()["scores"]]
    assert reserve != of_worker(log.records).column("live", "heart_rate_reserve")


async def test_requests_know_nothing_of_each_other(client: httpx.AsyncClient) -> None:
    body = msgpack.packb([sent(record) for record in a_log(5).records])
    first, second = [(await client.post(PATH, content=body, headers=PACKED)).json() for _ in range(2)]
    for answer in (first, second):
        for score in answer["scores"]:
            score["lineage"].pop("scored_us")
    assert first == second


@pytest.mark.parametrize(("named", "version"), [("canary", "2"), ("2", "2"), ("stable", "1")])
async def test_versions_go_by_label_or_number(client: httpx.AsyncClient, named: str, version: str) -> None:
    frames = [as_json(record) for record in a_log(3).records]
    answer = (await client.post(PATH, json={"frames": frames, "models": {"forecast": named}})).json()
    assert answer["models"] == {"forecast": version, "performance": "1", "injury": "1"}
    assert {score["lineage"]["models"]["forecast"] for score in answer["scores"]} == {version}


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        (5, 400, "a list of frames"),
        ({}, 400, "frames is missing"),
        ({"frames": 5}, 400, "frames must be a list"),
        ({"frames": [], "athlete": []}, 400, "no 'athlete'"),
        ({"frames": [], "athletes": [{"profile": {}}]}, 400, "athletes[0]: athlete must be text"),
        (
            {"frames": [], "athletes": [{"athlete": "a", "profile": {"heart_rate_max": 9}}]},
            400,
            "athletes[0]",
        ),
        ({"frames": [], "sessions": [5]}, 400, "sessions[0]: not a map"),
        ({"frames": [], "models": {"sums": "1"}}, 400, "no 'sums'"),
        ({"frames": [], "models": {"forecast": 1}}, 400, "as text"),
        ({"frames": [], "models": {"forecast": "9"}}, 404, "no version '9'"),
        ({"frames": [], "models": {"forecast": "beta"}}, 404, "no label 'beta'"),
        ({"frames": [], "models": {"forecast": "3"}}, 400, "trained on other channels"),
        ({"frames": [{}] * 51}, 413, "51 frames"),
    ],
)
async def test_what_cannot_be_meant_is_said(shelf: Shelf, body: object, status: int, said: str) -> None:
    async with serving(shelf, Stages(frames=50)) as client:
        answer = await client.post(PATH, json=body)
    assert answer.status_code == status
    assert said in answer.json()["error"]


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        (b"{", "application/json", 400),
        (b"[" * 100_000, "application/json", 400),
        (b"\xc1", "application/msgpack", 400),
        (b"[]", "application/octet-stream", 415),
        (b"[]", "", 200),
    ],
)
async def test_bodies_are_json_or_msgpack(
    client: httpx.AsyncClient, content: bytes, kind: str, status: int
) -> None:
    answer = await client.post(PATH, content=content, headers={"content-type": kind} if kind else {})
    assert answer.status_code == status


async def test_frames_that_are_none_are_listed_with_their_reason(client: httpx.AsyncClient) -> None:
    good = as_json(a_log(1).records[0])
    bad: list[Any] = [
        5, {}, good | {"v": 2}, good | {"at_us": "now"}, good | {"venue": 1}, good | {"seq": 2**70},
        good | {"athlete": "\ud800"}, good | {"heart": {"samples": 5}}, good, good,
    ]  # fmt: skip
    answer = (await client.post(PATH, content=json.dumps(bad))).json()
    assert [(entry["frame"], entry["reason"]) for entry in answer["rejected"]] == [
        (0, "malformed"), (1, "wrong_version"), (2, "wrong_version"), (3, "impossible_value"), (4, "wrong_type"),
        (5, "malformed"), (6, "malformed"), (7, "wrong_type"), (9, "duplicate"),
    ]  # fmt: skip


async def test_two_frames_far_apart_do_not_buy_an_hour(shelf: Shelf) -> None:
    log = Log()
    for hour in range(5):
        log.send(800 * hour)
    body = msgpack.packb([sent(record) for record in log.records])
    async with serving(shelf, Stages(seconds=1000)) as client:
        answer = await client.post(PATH, content=body, headers=PACKED)
    assert (answer.status_code, "more than 1000 seconds" in answer.text) == (413, True)


@pytest.mark.slow
async def test_the_shipped_networks_score_as_the_workers_engine_does() -> None:
    """Other batch sizes and no XLA here: equal within the tolerance of a replay."""
    shelf = shelf_over(DiskLibrary(SHIPPED, trusted([SHIPPED]), check_fit))
    await shelf.refresh()
    records = a_log(90).records
    async with serving(shelf) as client:
        answer = await client.post(PATH, content=msgpack.packb([sent(r) for r in records]), headers=PACKED)
    await shelf.close()
    engine = Engine(SHIPPED, batch_sizes=[32], trust=trusted([SHIPPED]))
    wanted = told([Route(CLOCK, load_rules(None), engine, Roster()).push(records)]).of()
    found = answer.json()["scores"]
    assert [score["lineage"]["models"] for score in found] == [score["lineage"]["models"] for score in wanted]
    assert [score["window_end_us"] for score in found] == [score["window_end_us"] for score in wanted]
    for path in (("performance", "score"), ("forecast", "heart_rate"), ("injury",), ("live",), ("totals",)):
        for one, other in zip(found, wanted, strict=True):
            np.testing.assert_allclose(numbers(one, path), numbers(other, path), rtol=1e-5, atol=1e-3)


def numbers(score: Any, path: tuple[str, ...]) -> list[float]:
    """The numbers at a place of a score, NaN for none."""
    for key in path:
        score = score[key]
    return list(leaves(score))


def leaves(value: Any) -> Iterator[float]:
    """The numbers in maps and lists, in order."""
    if isinstance(value, dict | list):
        for entry in value.values() if isinstance(value, dict) else value:
            yield from leaves(entry)
    elif not isinstance(value, str):
        yield float("nan") if value is None else float(value)


async def test_who_cannot_wait_gets_504_and_who_comes_too_many_429(
    client: httpx.AsyncClient,
) -> None:
    body = msgpack.packb([sent(record) for record in a_log(5).records])
    before = counted("deadline", "frames", "")
    late = await client.post(PATH, content=body, headers=PACKED | {"x-request-timeout-ms": "0"})
    assert late.status_code == 504
    assert counted("deadline", "frames", "") == before + 1
    scorer = client._transport.app.state.service.scorer  # type: ignore[attr-defined]  # noqa: SLF001
    scorer._under_way = UNDER_WAY  # noqa: SLF001
    assert (await client.post(PATH, content=body, headers=PACKED)).status_code == 429
    scorer._under_way = 0  # noqa: SLF001
    assert (await client.post(PATH, content=body, headers=PACKED)).status_code == 200
    assert scorer._under_way == 0  # noqa: SLF001
