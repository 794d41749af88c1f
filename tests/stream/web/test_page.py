"""The built page in headless Chromium, fed by a squad that looks like a match. Needs ``make setup`` and Chromium.

``pytest tests/stream/web/test_page.py --update-picture`` writes ``docs/images/page.png``, the picture in the README.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, ViewportSize, expect, sync_playwright

from stream.settings import load_settings
from stream.web.app import STATIC, Around, create_web
from stream.web.messages import Batch, FeedStatus
from tests.stream.web.fakes import SECOND_US, START_US, Clock, FakeFeed, FakeStore
from tests.stream.web.scores import PEOPLE, Squad, make_alert
from tests.stream.web.serving import Served

pytestmark = [pytest.mark.browser, pytest.mark.slow]

CHROMIUM: Final = Path("/usr/bin/chromium")
ARGUMENTS: Final = [
    "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-quic",
]  # fmt: skip
PICTURE: Final = Path(__file__).resolve().parents[3] / "docs/images/page.png"
WIDE: Final[ViewportSize] = {"width": 1280, "height": 800}
PHONE: Final[ViewportSize] = {"width": 390, "height": 844}
RISKY, TIRED, WATCHED, SILENT, IDLE = "athlete-07", "athlete-12", "athlete-04", "athlete-18", "athlete-10"
SILENT_S: Final = 34


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    for there, reason in (
        (CHROMIUM.is_file(), f"no Chromium at {CHROMIUM}"),
        ((STATIC / "index.html").is_file(), "the page is not built: run `make setup`"),
    ):
        if not there and os.environ.get("CI"):
            pytest.fail(reason)
        if not there:
            pytest.skip(reason)
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield running
        running.close()


@pytest.fixture(scope="module")
def squad() -> Squad:
    return Squad()


@pytest.fixture(scope="module")
def match(squad: Squad) -> Batch:
    """A match with everything in it that a coach must tell apart."""
    return story(squad)


@dataclass
class Screen:
    """The page as somebody sees it, and what its console said."""

    page: Page
    site: Served
    feed: FakeFeed
    clock: Clock
    store: FakeStore
    complaints: list[str] = field(default_factory=list)

    def open(self) -> None:
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.goto(f"{self.site.url}/?token={self.site.app.state.login.new_token()}")

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(message.text)

    def tile(self, name: str) -> Any:
        return self.page.get_by_role("button", name=f"{name}:")

    def names(self) -> list[str]:
        return self.page.locator(".tile .name").all_text_contents()


def story(squad: Squad) -> Batch:
    """Two alerts, one about to be, a silent sensor, a head that abstains; the rest as it should be."""
    on = {
        RISKY: [{"rule": "injury_risk", "state": "firing"}],
        TIRED: [{"rule": "heart_rate_high", "state": "firing"}],
        WATCHED: [{"rule": "heart_rate_high", "state": "pending"}],
    }
    abstaining = {
        "score": None,
        "low": None,
        "high": None,
        "abstains": "effort below 40 % of heart-rate reserve",
    }
    scores = []
    for score in squad.all().scores:
        changed: dict[str, Any] = {**score, "alerts": on.get(score["athlete"], [])}
        if score["athlete"] == IDLE:
            changed["performance"] = abstaining
        if score["athlete"] != SILENT or score["window_end_us"] <= START_US - SILENT_S * SECOND_US:
            scores.append(changed)
    ago = {
        key: START_US - seconds * SECOND_US for key, seconds in (("long", 900), ("short", 40), ("now", 20))
    }
    return Batch(
        scores,
        [
            make_alert(
                RISKY,
                rule="injury_risk",
                message="injury risk 6.4 % is above 5 %",
                event_us=ago["long"],
            ),
            make_alert(TIRED, message="heart rate 93 % of maximum for 120 s", event_us=ago["short"]),
            make_alert(WATCHED, "pending", message="heart rate 92 % of maximum", event_us=ago["now"]),
            make_alert(SILENT, rule="sensor_silent", event_us=START_US - SILENT_S * SECOND_US),
        ],
        squad.names().named,
    )


@pytest.fixture
def screen(browser: Browser, match: Batch, request: pytest.FixtureRequest) -> Iterator[Screen]:
    """A logged-in screen with the story on it; ``parametrize`` with ``indirect`` gives another size or scheme."""
    told: dict[str, Any] = {"viewport": WIDE, "color_scheme": "light", **getattr(request, "param", {})}
    clock, feed, store = Clock(START_US + 400_000), FakeFeed(match), FakeStore()
    context = browser.new_context(**told)
    try:
        with Served(create_web(load_settings(), store, feed, around=Around(clock))) as site:
            seen = Screen(context.new_page(), site, feed, clock, store)
            seen.open()
            expect(seen.page.locator(".tile")).to_have_count(len(PEOPLE))
            yield seen
            context.close()
    finally:
        context.close()
    assert seen.complaints == []


def test_the_login_link_opens_the_page_and_leaves_the_address(screen: Screen) -> None:
    assert screen.page.url == f"{screen.site.url}/"
    expect(screen.page.get_by_text("22 athletes · 2 alerts · 1 without data")).to_be_visible()


def test_every_athlete_has_a_tile_with_units(screen: Screen) -> None:
    assert sorted(screen.names()) == sorted(PEOPLE)
    tile = screen.tile("Ada Brandt")
    for words in ("Performance", "Risk, 7 days", "bpm", "m/s", "AU load", "km", "Live"):
        expect(tile).to_contain_text(words)


def test_who_needs_attention_comes_first_then_by_name(screen: Screen) -> None:
    first = ["Greta Holm", "Lena Vogt", "Dina Osei", "Signe Dahl"]
    assert screen.names() == first + sorted(set(PEOPLE) - set(first))


def test_a_tile_without_data_shows_no_number_as_live(screen: Screen) -> None:
    tile = screen.tile("Signe Dahl")
    expect(tile).to_contain_text(f"No data for {SILENT_S} s")
    expect(tile.locator(".heads")).to_be_hidden()
    expect(tile.locator(".now")).to_be_hidden()


def test_a_tile_turns_stale_when_its_scores_stop_and_comes_back(screen: Screen, squad: Squad) -> None:
    tile = screen.tile("Ada Brandt")
    expect(tile).to_have_attribute("data-condition", "live")
    later = [
        {**score, "athlete": athlete} for athlete in squad.ids[1:] for score in [squad.score(athlete, 599)]
    ]
    screen.clock.forward(12)
    stamp = {"scored_us": screen.clock.now_us}
    screen.feed.push(Batch([{**s, "lineage": stamp, "window_end_us": screen.clock.now_us} for s in later]))
    expect(tile).to_have_attribute("data-condition", "stale")
    expect(tile).to_contain_text("No data for 12 s")
    expect(screen.tile("Bea Lindqvist")).to_have_attribute("data-condition", "live")
    mine = squad.score("athlete-01", 599)
    screen.feed.push(Batch([{**mine, "lineage": stamp, "window_end_us": screen.clock.now_us}]))
    expect(tile).to_have_attribute("data-condition", "live")


def test_a_head_that_abstains_shows_a_dash_and_why(screen: Screen) -> None:
    head = screen.tile("Jana Petrova").locator(".big")
    expect(head.locator(".number")).to_have_text("\N{EN DASH}")
    expect(head).to_contain_text("effort below 40 % of heart-rate reserve")


def test_the_chart_of_an_athlete_opens_grows_and_closes_by_keyboard(screen: Screen, squad: Squad) -> None:
    screen.tile("Lena Vogt").focus()
    screen.page.keyboard.press("Enter")
    details = screen.page.get_by_role("complementary", name="Chosen athlete")
    expect(details.get_by_role("heading", name="Lena Vogt")).to_be_focused()
    expect(details.get_by_text("heart rate 93 % of maximum for 120 s")).to_be_visible()
    expect(details.locator("canvas")).to_have_count(4)
    expect(details.get_by_role("img", name="Heart rate: from")).to_be_visible()
    end_us = START_US + SECOND_US
    score = squad.score(TIRED, 599) | {
        "window_end_us": end_us,
        "alerts": [{"rule": "heart_rate_high", "state": "firing"}],
    }
    score["live"] = score["live"] | {"heart_rate": 199.0}
    screen.feed.push(Batch([score]))
    expect(details.get_by_role("img", name="last 199 bpm")).to_be_visible()
    screen.page.keyboard.press("Escape")
    expect(details).to_be_hidden()
    expect(screen.tile("Lena Vogt")).to_be_focused()


def test_a_longer_time_comes_from_the_store(screen: Screen, squad: Squad) -> None:
    screen.store.write([squad.score(TIRED, second) for second in range(0, 600, 5)], [])
    screen.tile("Lena Vogt").click()
    screen.page.get_by_text("30 min").click()
    expect(screen.page.get_by_role("img", name="Speed: from")).to_be_visible()
    assert [query.every_s for query in screen.store.queries] == [3]


def test_a_store_that_is_away_is_said_and_the_tiles_go_on(screen: Screen) -> None:
    screen.store.away = True
    screen.tile("Lena Vogt").click()
    screen.page.get_by_text("90 min").click()
    expect(screen.page.get_by_text("history is not to be had now")).to_be_visible()
    expect(screen.tile("Ada Brandt")).to_have_attribute("data-condition", "live")
    assert all("503" in complaint for complaint in screen.complaints)
    screen.complaints.clear()


def test_a_broker_that_is_away_is_a_banner(screen: Screen) -> None:
    screen.feed.push(Batch(status=FeedStatus("away", "no Kafka broker answers at here:9092")))
    expect(screen.page.get_by_text("No live data: no Kafka broker answers at here:9092.")).to_be_visible()
    expect(screen.page.get_by_text("Not live", exact=True)).to_be_visible()
    screen.feed.push(Batch(status=FeedStatus("live")))
    expect(screen.page.get_by_text("Live", exact=True).first).to_be_visible()


def test_another_screen_gets_a_link(screen: Screen) -> None:
    screen.page.get_by_role("button", name="Add a screen").click()
    link = screen.page.get_by_role("textbox", name="Login link")
    expect(link).not_to_have_value("…")
    assert link.input_value().startswith(f"{screen.site.url}/?token=")


def test_a_server_that_goes_is_said(browser: Browser, match: Batch) -> None:
    context = browser.new_context(viewport=WIDE)
    clock, feed, store = Clock(), FakeFeed(match), FakeStore()
    with Served(create_web(load_settings(), store, feed, around=Around(clock))) as site:
        seen = Screen(context.new_page(), site, feed, clock, store)
        seen.open()
        expect(seen.tile("Ada Brandt")).to_be_visible()
    expect(seen.page.get_by_text("No connection to the server")).to_be_visible()
    context.close()


def test_without_a_session_the_page_says_how_to_get_a_link(browser: Browser) -> None:
    context = browser.new_context(viewport=WIDE)
    with Served(create_web(load_settings(), FakeStore(), FakeFeed(), around=Around(Clock()))) as site:
        page = context.new_page()
        page.goto(site.url)
        expect(page.get_by_text("You need a login link")).to_be_visible()
        context.close()


@pytest.mark.parametrize(
    "screen", [{"viewport": PHONE}, {"viewport": PHONE, "color_scheme": "dark"}], indirect=True
)
def test_on_a_phone_nothing_is_wider_than_the_screen(screen: Screen) -> None:
    screen.tile("Lena Vogt").click()
    expect(screen.page.locator("canvas")).to_have_count(4)
    width = screen.page.evaluate("document.documentElement.scrollWidth")
    assert width <= PHONE["width"]


def test_the_picture_of_the_page_is_a_picture(
    screen: Screen, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    screen.tile("Lena Vogt").click()
    expect(screen.page.locator("canvas")).to_have_count(4)
    screen.page.wait_for_timeout(500)
    update = request.config.getoption("--update-picture", default=False)
    picture = PICTURE if update else tmp_path / "page.png"
    picture.parent.mkdir(parents=True, exist_ok=True)
    screen.page.screenshot(path=picture)
    content = picture.read_bytes()
    assert content[:8] == b"\x89PNG\r\n\x1a\n"
    assert struct.unpack(">II", content[16:24]) == (WIDE["width"], WIDE["height"])
    assert len(content) > 50_000
