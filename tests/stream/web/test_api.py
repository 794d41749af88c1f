"""Tests of stream/web/api.py, over HTTP."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest

from stream.web.messages import Batch, Named
from tests.stream.web.conftest import Site
from tests.stream.web.fakes import SECOND_US, START_US
from tests.stream.web.scores import make_alert, make_score


@pytest.fixture
def inside(site: Site) -> Site:
    """Logged in, with one live athlete of three seconds."""
    site.page.log_in()
    scores = [make_score("a1", START_US + k * SECOND_US, live={"speed": k + 0.5}) for k in range(3)]
    site.feed.push(Batch(scores, [make_alert("a1")], [Named("a1", "Ada", None)]))
    wait_for(lambda: site.page.ask("/api/live").json["athletes"])
    return site


def wait_for(there: Callable[[], Any]) -> None:
    deadline = time.monotonic() + 5
    while not there():
        assert time.monotonic() < deadline, "it did not come"
        time.sleep(0.01)


def test_live_gives_everybody_with_age_and_alerts(inside: Site) -> None:
    inside.clock.forward(3)
    live = inside.page.ask("/api/live").json
    (athlete,) = live["athletes"]
    assert (athlete["id"], athlete["name"], athlete["stale"], athlete["age_s"]) == ("a1", "Ada", False, 1.0)
    assert athlete["alerts"][0]["rule"] == "heart_rate_high"
    inside.clock.forward(10)
    assert inside.page.ask("/api/live").json["athletes"][0]["stale"]


def test_athletes_are_those_live_and_those_stored(inside: Site) -> None:
    found = inside.page.ask("/api/athletes").json
    assert [(one["id"], one["live"], one["name"]) for one in found] == [
        ("a1", True, "Ada"),
        ("stored", False, None),
    ]
    assert found[0]["last_us"] == START_US + 2 * SECOND_US


def test_while_the_store_is_away_athletes_are_those_live(inside: Site) -> None:
    inside.store.away = True
    assert [one["id"] for one in inside.page.ask("/api/athletes").json] == ["a1"]


def test_recent_seconds_come_from_memory(inside: Site) -> None:
    inside.store.away = True
    series = inside.page.ask("/api/athletes/a1/recent").json
    assert series["times_us"] == [START_US + k * SECOND_US for k in range(3)]
    assert series["fields"]["live_speed"] == [0.5, 1.5, 2.5]
    assert inside.page.ask("/api/athletes/stored/recent").status == 404


def test_history_counts_back_from_the_newest_second_in_event_time(inside: Site) -> None:
    inside.clock.forward(5 * 3600)
    path = "/api/athletes/stored/history?minutes=5&fields=live_speed,performance_score"
    series = inside.page.ask(path).json
    assert series["times_us"] == [START_US]
    assert series["fields"] == {"live_speed": [4.237], "performance_score": [61.26]}
    (query,) = inside.store.queries
    assert (query.start_us, query.end_us) == (START_US + 1 - 300 * SECOND_US, START_US + 1)


def test_a_long_history_is_thinned(inside: Site) -> None:
    series = inside.page.ask("/api/athletes/stored/history?minutes=90").json
    assert series["every_s"] == 8
    assert inside.store.queries[0].every_s == 8
    inside.page.ask("/api/athletes/stored/history?minutes=10")
    assert inside.store.queries[1].every_s is None


def test_a_value_that_is_missing_is_null(inside: Site) -> None:
    series = inside.page.ask("/api/athletes/stored/history?minutes=1&fields=live_power").json
    assert series["fields"] == {"live_power": [None]}


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("athletes/nobody/history", 404),
        ("athletes/nobody/alerts", 404),
        ("athletes/a1/history?fields=heart_of_gold", 422),
        ("athletes/a1/history?fields=", 422),
        ("athletes/a1/history?minutes=0", 422),
        ("athletes/a1/history?minutes=99999", 422),
    ],
)
def test_what_cannot_be_asked_is_refused_with_a_reason(inside: Site, path: str, status: int) -> None:
    answer = inside.page.ask(f"/api/{path}")
    assert (answer.status, bool(answer.json["detail"])) == (status, True)


@pytest.mark.parametrize("path", ["history", "alerts"])
def test_a_store_that_is_away_is_503(inside: Site, path: str) -> None:
    inside.store.away = True
    answer = inside.page.ask(f"/api/athletes/a1/{path}")
    assert answer.status == 503
    assert "the store is away" in answer.json["detail"]


def test_alerts_of_the_last_minutes_are_given_oldest_first(inside: Site) -> None:
    old = make_alert("a1", "pending", START_US - 3600 * SECOND_US)
    inside.store.write([], [old, make_alert("a1", "pending"), make_alert("a1", event_us=START_US + 1)])
    found = inside.page.ask("/api/athletes/a1/alerts?minutes=30").json
    assert [alert["state"] for alert in found] == ["pending", "firing"]
    assert found[1]["message"] == "heart rate 94 % of maximum for 120 s"


def test_an_id_may_have_a_slash_and_other_signs(inside: Site) -> None:
    inside.store.write([make_score("squad/7 ü")], [])
    path = f"/api/athletes/{quote('squad/7 ü', safe='')}/history?minutes=1"
    assert inside.page.ask(path).json["athlete"] == "squad/7 ü"


def test_the_api_describes_itself(site: Site) -> None:
    paths = site.page.ask("/openapi.json").json["paths"]
    assert {"/api/live", "/api/athletes", "/health"} <= set(paths)
