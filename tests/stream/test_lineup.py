"""Who is answered by which version: sticky, beside each other, nobody without an answer, and the verdict."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest

from stream.infer import Came, Performed
from stream.lineup import VersionLineup
from stream.roster import Roster
from stream.route import Route
from stream.trial import Canary
from tests.fakes import FakeEngine, FakeForecast, Float32
from tests.stream.feeding import CLOCK, Log, heart, speed

ATHLETES = [f"a{k}" for k in range(40)]
WINDOWS = 120


class Other(FakeEngine):
    """Another version of the forecast: its heart rate is ``off`` by so many bpm, its band ``wide``; or it fails."""

    def __init__(self, version: str, off: float = 0.0, wide: float = 5.0, fails: str = "") -> None:
        self.versions: Mapping[str, str] = {"forecast": version, "performance": "0", "injury": version}
        self.off, self.wide, self.fails = np.float32(off), np.float32(wide), fails

    def forecast(self, x: Float32, anchor: Float32, earlier: Float32) -> FakeForecast:
        if self.fails == "raises":
            raise ValueError("no answer")
        told = super().forecast(x, anchor, earlier)
        middle = told.bands.mean(axis=-1, keepdims=True)
        bands = middle + np.array([-1, 1], np.float32) * self.wide + self.off
        if self.fails == "is no number":
            bands[0] = np.nan
        return replace(told, heart_rate=told.heart_rate + self.off, bands=bands)

    def injury(self, days: Float32) -> Float32:
        return np.full((len(days), 3), 0.5, np.float32)

    def injury_pushes(self, days: Float32, ordinary: Float32) -> Float32:
        return 2 * super().injury_pushes(days, ordinary)

    def performance_pushes(self, given: Performed, ordinary: Performed) -> tuple[Float32, ...]:
        if self.fails == "raises":
            raise ValueError("no answer")
        return super().performance_pushes(given, ordinary)


def lineup(other: FakeEngine, share: float = 0.3, model: str = "forecast") -> VersionLineup:
    made = VersionLineup(FakeEngine())
    made.canaries[model] = Canary(model, "7", other, share)
    return made


def asked(made: VersionLineup, athletes: list[str]) -> tuple[FakeForecast, list[str]]:
    """Heart rates of a call, and the version of each row."""
    rows, count = made.rows(athletes), len(athletes)
    anchor = np.tile(np.array([150, 3, 0], np.float32), (count, 1))
    told = rows.forecast(np.zeros((count, 120, 20), np.float32), anchor, np.zeros((count, 24, 6), np.float32))
    found = FakeForecast(told.heart_rate, told.speed, told.yaw_rate, told.acceleration, told.bands)
    return found, [of_row["forecast"] for of_row in rows.versions_by_row()]


def test_without_a_canary_everybody_is_answered_by_the_stable_version() -> None:
    told, versions = asked(VersionLineup(FakeEngine()), ATHLETES)
    assert versions == ["0"] * len(ATHLETES)
    assert (told.heart_rate == 150).all()


def test_an_athlete_keeps_the_version_and_the_row_has_its_answer() -> None:
    told, versions = asked(lineup(Other("7", off=10)), ATHLETES)
    assert 4 < versions.count("7") < 24
    assert told.heart_rate[:, 0].tolist() == [160 if version == "7" else 150 for version in versions]
    mixed = [ATHLETES[k] for k in np.random.default_rng(0).permutation(len(ATHLETES))]
    _, again = asked(lineup(Other("7")), mixed)
    assert dict(zip(mixed, again, strict=True)) == dict(zip(ATHLETES, versions, strict=True))


@pytest.mark.parametrize("fails", ["raises", "is no number"])
def test_what_a_canary_cannot_answer_the_stable_version_does_and_says_so(fails: str) -> None:
    made = lineup(Other("7", fails=fails), share=1.0)
    told, versions = asked(made, ATHLETES)
    bad = len(ATHLETES) if fails == "raises" else 1
    assert versions == ["0"] * bad + ["7"] * (len(ATHLETES) - bad)
    assert np.isfinite(told.bands).all()
    assert made.rows(ATHLETES).versions_by_row()[0] == FakeEngine.versions


def test_a_version_with_more_members_is_filled_up_and_not_cut() -> None:
    rows = lineup(Other("7"), model="injury").rows(ATHLETES)
    members = rows.injury(np.zeros((len(ATHLETES), 14, 17), np.float32))
    versions = [of_row["injury"] for of_row in rows.versions_by_row()]
    assert members.shape == (len(ATHLETES), 5)
    for told, version in zip(members, versions, strict=True):
        assert np.isnan(told).sum() == (2 if version == "7" else 0)
        assert np.nanmean(told) == pytest.approx(0.5 if version == "7" else 0.015)


def after(other: FakeEngine, share: float = 0.5) -> tuple[VersionLineup, int]:
    """A lineup after some seconds of steady hearts, and the second in which the canary went."""
    made = lineup(other, share)
    slot = np.arange(len(ATHLETES))
    rng = np.random.default_rng(0)
    for second in range(WINDOWS * 5):
        rows = made.rows(ATHLETES)
        came = 150 + rng.normal(0, 3.9, len(ATHLETES))
        anchor = np.tile(np.array([150, 3, 0], np.float32), (len(ATHLETES), 1))
        none = np.zeros((len(ATHLETES), 120, 20), np.float32)
        rows.forecast(none, anchor, np.zeros((len(ATHLETES), 24, 6), np.float32))
        at = np.full(len(ATHLETES), 1000 + second)
        made.look(rows, slot, at, Came(came, np.full(len(ATHLETES), np.nan)))
        if not made.canaries:
            return made, second
    return made, WINDOWS * 5


@pytest.mark.parametrize(
    ("other", "measure"),
    [
        (Other("7", fails="raises"), "errors"),
        (Other("7", off=30), "outside"),
        (Other("7", wide=0.5), "outside"),
    ],
)
def test_a_canary_that_is_worse_goes_and_is_told_of_once(other: Other, measure: str) -> None:
    made, second = after(other)
    assert second < 300
    ((canary, verdict),) = made.take_verdicts()
    assert (canary.version, verdict.measure) == ("7", measure)
    assert made.take_verdicts() == []
    assert asked(made, ATHLETES)[1] == ["0"] * len(ATHLETES)


def test_one_stamp_far_ahead_does_not_put_off_the_verdict_for_good() -> None:
    made = lineup(Other("7", fails="raises"), 1.0)
    slot, nothing = np.arange(2), np.full(2, np.nan)
    anchor, none = np.zeros((2, 3), np.float32), np.zeros((2, 120, 20), np.float32)
    for second in [10_000, *range(1000, 1300)]:
        rows = made.rows(ATHLETES[:2])
        rows.forecast(none, anchor, np.zeros((2, 24, 6), np.float32))
        made.look(rows, slot, np.full(2, second), Came(nothing, nothing))
    assert [verdict.measure for _, verdict in made.take_verdicts()] == ["errors"]


def test_a_canary_that_is_as_good_stays() -> None:
    made, _ = after(Other("7"))
    assert set(made.canaries) == {"forecast"}
    assert made.take_verdicts() == []


def test_a_shadow_changes_no_answer_even_where_it_fails() -> None:
    for other in (Other("9", off=50), Other("9", fails="raises")):
        made = VersionLineup(FakeEngine())
        made.shadows["forecast"] = ("9", other)
        told, versions = asked(made, ATHLETES)
        assert (told.heart_rate == 150).all()
        assert set(versions) == {"0"}


def log(athletes: list[str], seconds: int) -> Log:
    made = Log()
    for k in range(seconds):
        for athlete in athletes:
            made.send(k, heart(140) | speed(3.0, rate=1.0), athlete=athlete, end=k == seconds - 1)
    return made


def test_every_score_carries_the_version_that_gave_it_and_none_is_lost_when_versions_change() -> None:
    athletes = ATHLETES[:8]
    made = VersionLineup(FakeEngine())
    route = Route(CLOCK, (), made, Roster())
    found = []
    records = log(athletes, 60).records
    for begin in range(0, len(records), 40):
        if begin == 160:
            made.canaries["forecast"] = Canary("forecast", "7", Other("7"), 0.5)
        if begin == 320:
            made.canaries.clear()
            made.stable = Other("8")
        found += [score for _, score in route.push(records[begin : begin + 40]).scores]
    keys = [(score["athlete"], score["window_end_us"]) for score in found]
    assert len(keys) == len(set(keys)) == 8 * 60
    told = {athlete: [s for s in found if s["athlete"] == athlete] for athlete in athletes}
    sevens = Canary("forecast", "7", Other("7"), 0.5).of(athletes)
    for athlete, seven in zip(athletes, sevens.tolist(), strict=True):
        versions = [score["lineage"]["models"]["forecast"] for score in told[athlete]]
        assert list(dict.fromkeys(versions)) == (["0", "7", "8"] if seven else ["0", "8"])
        assert {score["lineage"]["models"]["injury"] for score in told[athlete]} == {"0"}, "as at its start"


def test_each_row_is_explained_by_the_version_that_answered_it() -> None:
    made = lineup(Other("7"), model="injury")
    rows = made.rows(ATHLETES)
    days = np.ones((len(ATHLETES), 14, 17), np.float32)
    rows.injury(days)
    versions = np.array([of_row["injury"] for of_row in rows.versions_by_row()])
    pushes = rows.injury_pushes(days, np.zeros_like(days))[:, 0, 0]
    np.testing.assert_allclose(pushes, np.where(versions == "7", 0.002, 0.001), rtol=1e-6)
    picked = np.flatnonzero(np.arange(len(ATHLETES)) % 3 == 0)
    made.canaries.clear()
    some = rows.some(picked).injury_pushes(days[picked], np.zeros_like(days[picked]))[:, 0, 0]
    np.testing.assert_allclose(some, pushes[picked], err_msg="also once the canary has gone")


def test_what_a_canary_cannot_explain_is_not_explained_by_another_version() -> None:
    rows = lineup(Other("7", fails="raises"), share=1.0, model="performance").rows(ATHLETES)
    effort, static, output = (
        np.ones((len(ATHLETES), 120, 4)),
        np.ones((len(ATHLETES), 11)),
        np.ones(len(ATHLETES)),
    )
    given = (effort.astype(np.float32), static.astype(np.float32), output)
    assert all(np.isnan(push).all() for push in rows.performance_pushes(given, given))
