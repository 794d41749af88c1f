"""The InfluxDB store against a server that answers as it is told: what is sent, and what errors become."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from stream.errors import StoreUnavailable
from stream.sinks.influx import LANES, LINES_A_REQUEST, InfluxStore
from stream.sinks.store import MAX_TIME_US, HistoryQuery
from tests.stream.sinks.examples import NOON, SECOND, alert, score
from tests.stream.sinks.fakes import FakeInflux


@pytest.fixture
def server() -> Iterator[FakeInflux]:
    with FakeInflux() as running:
        yield running


@pytest.fixture
def fake_store(server: FakeInflux) -> Iterator[InfluxStore]:
    opened = InfluxStore(server.url, "secret", "club", "squad")
    yield opened
    opened.close()


def refused_points() -> float:
    labels = {"store": "influx", "reason": "refused"}
    return REGISTRY.get_sample_value("touchline_store_errors_total", labels) or 0.0


def test_scores_go_in_seconds_and_alerts_in_microseconds(server: FakeInflux, fake_store: InfluxStore) -> None:
    fake_store.write([score("ann", 1)], [alert(1)])
    assert [request.query["precision"] for request in server.requests] == [["s"], ["us"]]
    assert server.lines[0].startswith("scores,athlete=ann,session=match final=0.0,performance_score=51.0,")
    assert server.lines[0].endswith(f" {NOON // SECOND + 1}")
    assert server.lines[1].startswith(
        "alerts,athlete=ann,from=pending,rule=heart_rate_high,session=match,state=firing "
    )


def test_ids_of_scores_and_events_are_not_tags(server: FakeInflux, fake_store: InfluxStore) -> None:
    fake_store.write([score()], [alert()])
    series = [line.split(" ")[0] for line in server.lines]
    assert not any(alert().id in one or str(NOON) in one for one in series)


def test_requests_are_compressed_and_not_too_long(server: FakeInflux, fake_store: InfluxStore) -> None:
    fake_store.write([score("ann", second) for second in range(LINES_A_REQUEST + 1)], [])
    counts = [len(request.body.decode().split("\n")) for request in server.requests]
    assert counts == [LINES_A_REQUEST, 1]
    assert all(request.headers["Content-Encoding"] == "gzip" for request in server.requests)
    assert all(request.headers["Authorization"] == "Token secret" for request in server.requests)


def test_an_athletes_scores_go_out_in_order_beside_those_of_others(
    server: FakeInflux, fake_store: InfluxStore
) -> None:
    names = [f"a{number}" for number in range(20)]
    fake_store.write([score(name, second) for second in range(300) for name in names], [])
    assert len(server.requests) > LANES
    stamps: dict[str, list[int]] = {}
    for line in server.lines:
        stamps.setdefault(line.split(",")[1], []).append(int(line.rsplit(" ", 1)[1]))
    assert len(stamps) == len(names)
    assert all(of == list(range(of[0], of[0] + 300)) for of in stamps.values())


def test_one_lane_that_fails_leaves_nothing_under_way(server: FakeInflux, fake_store: InfluxStore) -> None:
    server.answers = [(503, "not now")]
    with pytest.raises(StoreUnavailable):
        fake_store.write([score(f"a{number}", 1) for number in range(40)], [])
    assert len(server.requests) == LANES
    fake_store.write([score(f"a{number}", 1) for number in range(40)], [])
    assert len({line.split(",")[1] for line in server.lines}) == 40


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_server_that_cannot_now_is_unavailable_and_asked_once(
    server: FakeInflux, fake_store: InfluxStore, status: int
) -> None:
    server.answers = [(status, "not now")]
    with pytest.raises(StoreUnavailable, match=f"{status} not now"):
        fake_store.write([score()], [])
    assert len(server.requests) == 1
    fake_store.write([score()], [])
    assert len(server.lines) == 1


@pytest.mark.parametrize(
    ("status", "hint"), [(401, "TOUCHLINE_INFLUX_TOKEN"), (403, "TOKEN"), (404, "TOUCHLINE_INFLUX_BUCKET")]
)
def test_a_wrong_token_or_bucket_loses_nothing_and_says_what_to_set(
    server: FakeInflux, fake_store: InfluxStore, status: int, hint: str
) -> None:
    server.answers = [(status, "no")]
    with pytest.raises(StoreUnavailable, match=hint):
        fake_store.write([score()], [])


def test_nobody_there_is_unavailable() -> None:
    store = InfluxStore("http://127.0.0.1:1", "", "club", "squad")
    with pytest.raises(StoreUnavailable, match="does not answer"):
        store.write([score()], [])
    with pytest.raises(StoreUnavailable, match="does not answer"):
        store.count_scores()
    store.close()


@pytest.mark.parametrize("status", [400, 413, 422])
def test_points_the_server_will_never_take_are_named_and_the_rest_is_stored(
    server: FakeInflux, fake_store: InfluxStore, status: int
) -> None:
    before = refused_points()
    server.poison, server.poison_status = "athlete=bea", status
    scores = [score("bea" if second in (17, 64) else "ann", second) for second in range(100)]
    with capture_logs() as logs:
        fake_store.write(scores, [])
    assert len(set(server.lines)) == 98
    assert refused_points() - before == 2
    assert [(entry["log_level"], entry["id"]) for entry in logs] == [
        ("error", f"bea {NOON + second * SECOND}") for second in (17, 64)
    ]


def test_points_that_are_dropped_together_cost_one_request(
    server: FakeInflux, fake_store: InfluxStore
) -> None:
    before = refused_points()
    server.answers = [
        (422, "failure writing points to database: partial write: points beyond retention dropped=50")
    ]
    fake_store.write([score("ann", second) for second in range(50)], [])
    assert len(server.requests) == 1
    assert refused_points() - before == 50


def test_a_400_that_does_not_blame_the_lines_loses_nothing(
    server: FakeInflux, fake_store: InfluxStore
) -> None:
    server.answers = [(400, "a proxy on the way does not know gzip")]
    with pytest.raises(StoreUnavailable, match="proxy"):
        fake_store.write([score()], [])


def test_an_athletes_id_never_enters_the_text_of_a_query(server: FakeInflux, fake_store: InfluxStore) -> None:
    server.csv = "\r\n"
    hostile = 'x") |> drop() //'
    fake_store.history(HistoryQuery(hostile, NOON, NOON + SECOND, ("live_speed",), every_s=1))
    fake_store.alerts(hostile, 0, MAX_TIME_US)
    for request in server.requests:
        sent = json.loads(request.body)
        assert "drop() //" not in sent["query"]
        assert hostile in json.dumps(sent["extern"]).encode().decode("unicode_escape")


def test_the_question_for_history_is_this_one(server: FakeInflux, fake_store: InfluxStore) -> None:
    server.csv = "\r\n"
    fake_store.history(HistoryQuery("ann", NOON + SECOND, NOON + 9 * SECOND, ("live_speed",), every_s=5))
    sent = json.loads(server.requests[0].body)
    assert " ".join(sent["query"].split()) == (
        "from(bucket: bucket_name) |> range(start: from_time, stop: to_time)"
        ' |> filter(fn: (r) => r._measurement == "scores") |> filter(fn: (r) => r.athlete == athlete_id)'
        ' |> filter(fn: (r) => r._field == "final" or r._field == "live_speed") |> group(columns: ["_field"])'
        ' |> aggregateWindow(every: every, fn: mean, timeSrc: "_start", createEmpty: false)'
        ' |> keep(columns: ["_time", "_field", "_value"])'
        ' |> pivot(rowKey: ["_time"], columnKey: ["_field"], valueColumn: "_value") |> sort(columns: ["_time"])'
    )
    bound = {one["assignment"]["id"]["name"]: one["assignment"]["init"] for one in sent["extern"]["body"]}
    assert bound["bucket_name"]["value"] == "squad"
    assert bound["from_time"]["value"] == "2026-05-01T12:00:00.000000000Z"
    assert bound["to_time"]["value"] == "2026-05-01T12:00:10.000000000Z"
    assert bound["every"]["values"] == [{"magnitude": 5_000_000, "unit": "us"}]


def test_an_answer_is_read_into_columns(server: FakeInflux, fake_store: InfluxStore) -> None:
    server.csv = (
        ",result,table,_time,final,live_speed\r\n"
        ",_result,0,2026-05-01T12:00:01Z,0,4.5\r\n"
        ",_result,0,2026-05-01T12:00:02.25Z,0,\r\n\r\n"
    )
    history = fake_store.history(HistoryQuery("ann", NOON, NOON + 9 * SECOND, ("live_speed", "live_power")))
    assert (history.times_us - NOON).tolist() == [1_000_000, 2_250_000]
    assert history.fields["live_speed"].tolist()[0] == 4.5
    assert str(history.fields["live_speed"].tolist()[1]) == "nan"
    assert [str(value) for value in history.fields["live_power"].tolist()] == ["nan", "nan"]


def test_an_answer_that_breaks_off_is_an_error_and_not_half_a_history(
    server: FakeInflux, fake_store: InfluxStore
) -> None:
    server.csv = (
        ",result,table,_time,final\r\n,_result,0,2026-05-01T12:00:01Z,0\r\n\r\n"
        ",error,reference\r\n,out of memory,897\r\n"
    )
    with pytest.raises(StoreUnavailable, match="out of memory"):
        fake_store.history(HistoryQuery("ann", NOON, NOON + SECOND, ("final",)))
