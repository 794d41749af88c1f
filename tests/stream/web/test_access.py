"""Tests of stream/web/access.py and headers.py, over HTTP."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from stream.settings import load_settings
from stream.web.app import Around, create_web
from tests.stream.web.conftest import Site
from tests.stream.web.fakes import Clock, FakeFeed, FakeStore
from tests.stream.web.serving import Served

COOKIE = "touchline_session"


def test_the_link_gives_a_cookie_and_goes_to_the_clean_address(site: Site) -> None:
    answer = site.page.ask("/?token=first")
    assert (answer.status, answer.headers["location"]) == (303, "/")
    cookie = answer.headers["set-cookie"].lower()
    assert COOKIE in cookie
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert "first" not in cookie


def test_the_link_works_once(site: Site) -> None:
    site.page.ask("/?token=first")
    second = site.page.ask("/?token=first")
    assert (second.status, "set-cookie" in second.headers) == (401, False)
    assert "login link" in second.text


def test_a_session_opens_the_api(site: Site) -> None:
    site.page.log_in()
    assert site.page.ask("/api/session").status == 204
    assert site.page.ask("/api/live").status == 200


@pytest.mark.parametrize(
    "path",
    ["session", "live", "athletes", "athletes/a1/recent", "athletes/a1/history", "athletes/a1/alerts"],
)
def test_without_a_session_the_api_answers_401_and_says_what_to_do(site: Site, path: str) -> None:
    answer = site.page.ask(f"/api/{path}")
    assert answer.status == 401
    assert "login link" in answer.json["detail"]
    assert site.page.ask(f"/api/{path}", cookie=f"{COOKIE}=made-up").status == 401


def test_the_page_itself_health_and_metrics_are_open(site: Site) -> None:
    assert "the page" in site.page.ask("/").text
    assert site.page.ask("/health").status == 200
    assert "touchline_web_viewers" in site.page.ask("/metrics").text


def test_fetching_ahead_of_time_does_not_use_the_link_up(site: Site) -> None:
    assert site.page.ask("/?token=first", sec_purpose="prefetch;prerender").status == 503
    assert site.page.ask("/?token=first").status == 303


def test_a_viewer_gets_a_link_for_another_screen(site: Site) -> None:
    site.page.log_in()
    made = site.page.ask("/api/login-link", "POST", origin=site.page.url)
    site.page.cookie = ""
    assert site.page.ask(made.json["path"]).status == 303


def test_another_site_gets_no_link(site: Site) -> None:
    site.page.log_in()
    assert site.page.ask("/api/login-link", "POST", origin="http://elsewhere.example").status == 403
    assert site.page.ask("/api/login-link", "POST").status == 403


@pytest.mark.parametrize("path", ["/", "/api/live", "/health", "/assets/index-1a2b.js", "/nothing"])
def test_every_answer_has_the_security_headers(site: Site, path: str) -> None:
    headers = site.page.ask(path).headers
    assert re.search(r"default-src 'none'; script-src 'self';", headers["content-security-policy"])
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["x-frame-options"] == "DENY"
    assert "server" not in headers


def test_hashed_files_are_kept_for_good_and_nothing_else_is(site: Site) -> None:
    assert "immutable" in site.page.ask("/assets/index-1a2b.js").headers["cache-control"]
    assert site.page.ask("/assets/gone.js").headers["cache-control"] == "no-store"
    assert site.page.ask("/").headers["cache-control"] == "no-store"


def test_a_page_that_is_not_built_says_make_setup(tmp_path: Path) -> None:
    around = Around(Clock(), tmp_path / "nothing")
    with Served(create_web(load_settings(), FakeStore(), FakeFeed(), around=around)) as page:
        answer = page.ask("/")
        assert (answer.status, answer.text) == (503, "the page is not built: run `make setup`\n")
        assert page.ask("/assets/x.js").status == 404


def test_nothing_outside_the_static_folder_is_served(site: Site) -> None:
    assert site.page.ask("/../app.py").status == 404
    assert site.page.ask("/%2e%2e/app.py").status == 404
