"""A second for people and for the wire: the median of a minute, abstentions, and the keys of the documentation."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any

import msgpack
import numpy as np
import pytest

from stream.align import Closing
from stream.infer import ABSTENTIONS, Asked, Inferred
from stream.records import CHANNELS
from stream.roster import Roster
from stream.score import FIELDS, HORIZONS, LIVE, TOTALS, Performance, judge_performance, plain
from stream.slots import Field, Slots
from stream.window import Seconds, Windows
from tests.stream.feeding import (
    SILENT,
    T0_S,
    Log,
    agree,
    heart,
    imu,
    make_route,
    motion,
    position,
    speed,
    told,
)

PAGE = (Path(__file__).parents[2] / "docs/reference/encodings.md").read_text()


# Performance


def seconds_of(begin: int, count: int, slots: Slots) -> Seconds:
    slots.state["next_s"] = T0_S + begin + count
    return Windows().close([Closing(0, T0_S + begin, T0_S + begin + count, 0, 0)], slots)


def one_slot() -> Slots:
    slots = Slots((*FIELDS, Field("next_s", "i8")))
    slots.slot("a", 0)
    return slots


def inferred(percentiles: list[float], abstains: int = 0) -> Inferred:
    n = len(percentiles)
    values = np.array(percentiles, dtype=float)
    reasons = np.full(n, abstains)
    none = np.zeros((n, 60), np.float32)
    return Inferred(
        np.zeros((n, 3, 60), np.float32),
        none,
        np.zeros((n, 3, 6, 2), np.float32),
        values,
        values,
        reasons,
        reasons,
        Asked(none, none, values, values, reasons),
    )


def judged(percentiles: list[float], slots: Slots | None = None, begin: int = 0, **how: int) -> Performance:
    slots = slots or one_slot()
    return judge_performance(seconds_of(begin, len(percentiles), slots), inferred(percentiles, **how), slots)


def test_the_score_is_the_median_of_the_last_minute_with_its_middle_eighty_per_cent() -> None:
    rng = np.random.default_rng(3)
    values = rng.random(150)
    found = judged(values.tolist())
    for k in (29, 59, 60, 149):
        minute = 100 * values[max(0, k - 59) : k + 1]
        expected = np.percentile(minute, [50, 10, 90])
        assert [found.score[k], found.low[k], found.high[k]] == pytest.approx(expected, abs=1e-4)


def test_below_half_a_minute_it_has_seen_too_little() -> None:
    found = judged([0.5] * 40)
    assert np.isnan(found.score).tolist() == [True] * 29 + [False] * 11
    assert ABSTENTIONS[found.abstains[28]] == "too little seen"
    assert found.abstains[29] == 0


def test_seconds_that_abstained_are_left_out_of_the_median() -> None:
    values = [0.2, math.nan] * 40
    found = judged(values)
    assert np.isnan(found.score[57])
    assert found.score[-1] == pytest.approx(20)


def test_a_reason_to_abstain_hides_the_median_of_the_minute_before() -> None:
    slots = one_slot()
    judged([0.5] * 60, slots)
    found = judged([math.nan], slots, begin=60, abstains=4)
    assert np.isnan(found.score[0])
    assert ABSTENTIONS[found.abstains[0]] == "effort below 40 % of heart-rate reserve"
    back = judged([0.5], slots, begin=61)
    assert back.score[0] == pytest.approx(50)


def test_a_gap_begins_a_new_minute() -> None:
    slots = one_slot()
    judged([0.5] * 60, slots)
    assert np.isnan(judged([0.5], slots, begin=1000).score[0])


# Records


def everything(seconds: int) -> dict[str, Any]:
    """All groups at once."""
    xs = np.linspace(0, 3 * seconds, 10 * seconds)
    n = len(xs)
    columns = np.stack([xs, 0 * xs, np.full(n, 3.0), np.full(n, 20.0)], axis=1)
    return (
        heart(*[150.0] * seconds)
        | position(columns, ("x", "y", "speed", "altitude"))
        | imu(np.ones((50 * seconds, 6)), rate=50)
        | motion(cadence=[170] * seconds, power=[250] * seconds)
    )


@pytest.fixture(scope="module")
def full() -> list[dict[str, Any]]:
    """Eighty seconds of everything, of somebody of whom everything is known."""
    days = [
        {"date": f"2025-09-{day:02}", "load": 300, "load_source": "reported", "fatigue": 3}
        for day in range(1, 29)
    ]
    profile = {"birth_year": 2000, "heart_rate_max": 200, "heart_rate_rest": 50}
    people = Roster(
        athletes={"a": {"profile": profile, "days": days, "population": "elite women footballers"}}
    )
    log = Log()
    for k in range(0, 80, 2):
        log.send(k, everything(2), end=k == 78)
    return told([make_route(people=people).push(log.records)]).of()


def table(title: str) -> list[str]:
    """First cells of the table below a heading, with all names in each."""
    body = PAGE.split(f"## {title}", 1)[1].split("\n## ", 1)[0]
    rows = [line for line in body.splitlines() if line.startswith("| `")]
    return [name for row in rows for name in re.findall(r"`([^`]+)`", row.split("|")[1])]


def listed(name: str) -> set[str]:
    """Names that follow ``name``: in the text, with zones written out."""
    paragraph = PAGE.split(f"\n`{name}`:", 1)[1].split("\n\n", 1)[0]
    names = re.findall(r"`([a-z_0-9]+)`", paragraph.replace("`zone1_s`…`zone5_s`", " ".join(ZONES)))
    return set(names)


ZONES = tuple(f"`zone{k}_s`" for k in range(1, 6))


def within(row: str) -> set[str]:
    """Names in backquotes in the meaning of a row of the score's table."""
    body = PAGE.split("## Score", 1)[1].split("\n## ", 1)[0]
    line = next(line for line in body.splitlines() if line.startswith(f"| `{row}` |"))
    return set(re.findall(r"`([a-z_]+)`", line.split("|", 3)[3]))


def test_a_score_has_the_keys_that_are_written_down(full: list[dict[str, Any]]) -> None:
    assert all(set(score) == set(table("Score")) for score in full)


@pytest.mark.parametrize("part", ["position", "performance", "injury", "forecast", "quality", "alerts"])
def test_its_parts_have_the_keys_that_are_written_down(part: str) -> None:
    log = Log()
    log.send(0, everything(2))
    log.tick(20)
    log.send(21, {}, at=21, end=True)
    log.send(30, everything(1), session="t")
    log.send(31.5, heart(100), session="t")
    (*_, score) = told([make_route(rules=(SILENT,)).push(log.records)]).of()
    found = score[part]
    if part == "alerts":
        assert found == []
        return
    assert set(found) <= within(part)
    assert within(part) - set(found) <= {"position_source", "heart_source", "imu_source", "missing"}


def test_live_metrics_and_totals_are_those_written_down(full: list[dict[str, Any]]) -> None:
    assert set(full[-1]["live"]) == listed("live") == set(LIVE)
    assert set(full[-1]["totals"]) == listed("totals") == set(TOTALS)


def test_a_rich_second_leaves_no_head_out(full: list[dict[str, Any]]) -> None:
    score = full[-1]
    assert score["performance"]["abstains"] is None
    assert (
        0
        <= score["performance"]["low"]
        <= score["performance"]["score"]
        <= score["performance"]["high"]
        <= 100
    )
    assert score["injury"]["risk"] == pytest.approx(0.015)
    assert score["injury"]["low"] < score["injury"]["risk"] < score["injury"]["high"]
    assert score["injury"]["load_source"] == "reported"
    assert score["injury"]["outside_population"] is False
    assert score["forecast"]["abstains"] is None
    for head in ("heart_rate", "speed", "yaw_rate"):
        assert list(score["forecast"][head]) == [str(h) for h in HORIZONS]
        assert all(low <= middle <= high for low, middle, high in score["forecast"][head].values())
    assert list(score["forecast"]["acceleration"]) == [str(h) for h in HORIZONS]
    lacking = {name for name, value in score["live"].items() if value is None}
    assert lacking == {"wbgt", "w_balance", "cardiac_drift"}
    assert score["final"] is True
    assert [s["final"] for s in full[:-1]] == [False] * (len(full) - 1)


def test_lineage_says_where_a_score_comes_from() -> None:
    log = Log()
    log.send(0, heart(100), at=0.2)
    log.send(1.5, heart(100), at=1.75)
    (score,) = agree(log.records).of()
    assert score["lineage"] == {
        "models": {"forecast": "0", "performance": "0", "injury": "0"},
        "device_us": (T0_S * 1000 + 1500) * 1000,
        "ingest_us": (T0_S * 1000 + 1750) * 1000,
    }
    assert set(score["lineage"]) | {"scored_us"} == within("lineage")


def test_a_score_is_msgpack_without_a_nan() -> None:
    log = Log()
    for k in range(3):
        log.send(k, imu(np.full((10, 6), np.nan)) | speed(float("nan")), end=k == 2)
    for score in told([make_route().push(log.records)]).of():
        packed = msgpack.unpackb(msgpack.packb(score))
        assert packed == score
        assert "nan" not in repr(packed).lower()


def test_heads_without_their_input_abstain_by_name() -> None:
    log = Log()
    for k in range(40):
        log.send(k, heart(150), end=k == 39)
    score = told([make_route().push(log.records)]).of()[-1]
    assert score["performance"] == {"score": None, "low": None, "high": None, "abstains": "no output"}
    assert (
        score["forecast"]["speed"]
        is score["forecast"]["yaw_rate"]
        is score["forecast"]["acceleration"]
        is None
    )
    assert score["forecast"]["heart_rate"] is not None
    assert score["forecast"]["abstains"] is None
    assert score["injury"]["risk"] is None
    assert score["injury"]["abstains"] == "no daily rows"
    assert score["position"] is None


def test_plain_numbers_have_none_for_nan_and_few_digits() -> None:
    columns = np.array([1 / 3, np.nan, 2.0]), np.array([1, 2, 3], dtype=np.float32)
    rows = plain(columns)
    assert rows == [[0.33333, 1.0], [None, 2.0], [2.0, 3.0]]
    assert all(type(value) is float for row in rows for value in row if value is not None)


# The rest of the page


def test_the_frame_table_is_that_of_the_encoder() -> None:
    groups = set(CHANNELS)
    assert set(table("Frame (msgpack map)")) == {
        "v", "athlete", "device", "session", "boot", "seq", "t0", "end", "backfill", *groups,
        "rate", "channels", "dtype", "scale", "origin", "samples",
    }  # fmt: skip


def test_channels_stand_with_their_groups() -> None:
    sentence = PAGE.split("\nChannels: ", 1)[1].split("\nValues", 1)[0].replace("\n", " ")
    for name, channels in CHANNELS.items():
        listed_here = sentence.split(f"`{name}`", 1)[1].split(";", 1)[0]
        words = re.findall(r"[a-z]+", re.sub(r"\([^)]*\)", "", listed_here))
        assert [word for word in words if word != "or"] == list(channels)
