"""The stored fields are those of the written encodings, and nothing else gets through."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from stream.sinks.flatten import FIELDS, FORECASTS, GROUPS, HORIZONS, MISSING, TODAY, flatten
from tests.stream.sinks.examples import NOON, score

ENCODINGS = (Path(__file__).parents[3] / "docs/reference/encodings.md").read_text()

keys = st.sampled_from(
    ["score", "risk", "heart_rate", "speed", "missing", "imu", "5", "30", "stale", "other"]
)
scalars = st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats() | st.just("text")
anything = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3),
    max_leaves=8,
)
parts = st.sampled_from([*GROUPS, "forecast", "final"])


def documented(group: str) -> set[str]:
    """The names in backquotes of the paragraph that starts with the group's."""
    paragraph = re.search(rf"^`{group}`: (.*?)\n\n", ENCODINGS, re.MULTILINE | re.DOTALL)
    assert paragraph is not None
    names = set(re.findall(r"`(\w+)`", paragraph[1]))
    return names | ({"zone2_s", "zone3_s", "zone4_s"} if "zone1_s" in names else set())


def test_the_live_metrics_and_totals_are_those_of_the_written_encodings() -> None:
    assert set(GROUPS["live"]) == documented("live")
    assert set(GROUPS["totals"]) == documented("totals")


def test_field_names_are_distinct_and_fit_for_a_column() -> None:
    assert len(set(FIELDS)) == len(FIELDS)
    assert all(re.fullmatch(r"[a-z][a-z0-9_]*", field) for field in FIELDS)


def test_every_number_of_a_score_is_found_under_its_joined_name() -> None:
    row = flatten(score(second=3))
    assert row["performance_score"] == 53.0
    assert row["injury_risk"] == 0.03
    assert row["injury_outside_population"] == 0.0
    assert row["live_heart_rate"] == 153.0
    assert row["totals_distance_m"] == 13.5
    assert row["position_y"] == -3.25
    assert row["forecast_heart_rate_30_p50"] == 152.5
    assert row["forecast_acceleration_5_p50"] == 0.25
    assert row["quality_missing_heart"] == 0.5
    assert row["lineage_device_us"] == NOON + 3_100_001
    assert set(row) <= set(FIELDS)


def test_what_is_null_or_not_finite_is_left_out() -> None:
    row = flatten(score(live={"heart_rate": None, "speed": math.nan, "cadence": math.inf, "wbgt": 21.0}))
    assert {name for name in row if name.startswith("live_")} == {"live_wbgt"}


def test_unknown_metrics_do_not_make_new_fields() -> None:
    assert flatten(score(live={"telepathy": 1.0}, totals={"goals": 2})).keys() <= set(FIELDS)


def test_final_is_there_even_where_everything_else_is_missing() -> None:
    assert flatten({}) == {"final": 0.0}
    assert flatten({"final": True}) == {"final": 1.0}


@given(st.dictionaries(parts, anything, max_size=6))
def test_whatever_the_parts_hold_only_finite_floats_of_known_names_come_out(whole: dict[str, Any]) -> None:
    row = flatten(whole)
    assert set(row) <= set(FIELDS)
    assert all(type(value) is float and math.isfinite(value) for value in row.values())


def test_a_full_score_fills_every_field() -> None:
    whole = score(
        quality=dict.fromkeys(GROUPS["quality"], 1) | {"missing": dict.fromkeys(MISSING, 1)},
        forecast={t: {h: [1.0] * len(q) for h in HORIZONS} for t, q in FORECASTS.items()},
    ) | {group: dict.fromkeys(GROUPS[group], 1) for group in GROUPS if group != "quality"}
    whole["injury"]["today"] = dict.fromkeys(TODAY, 1) | {"load": [1, 1, 1]}
    assert tuple(flatten(whole)) == FIELDS
