"""Scores and alerts for these tests: whole ones, as the worker would publish them."""

from __future__ import annotations

import json
from typing import Any, Final

import msgpack

from stream.sinks.store import AlertInput, StoredAlert

SECOND: Final = 1_000_000
#: 2026-05-01T12:00:00Z.
NOON: Final = 1_777_636_800 * SECOND


def score(athlete: str = "ann", second: int = 0, **parts: Any) -> dict[str, Any]:
    """The score of the window that ends ``second`` seconds after noon; ``parts`` replace whole keys."""
    end_us = NOON + second * SECOND
    whole: dict[str, Any] = {
        "v": 1,
        "athlete": athlete,
        "session": "match",
        "window_start_us": end_us - SECOND,
        "window_end_us": end_us,
        "final": False,
        "position": {"x": 10.5, "y": -3.25, "lat": None, "lon": None},
        "performance": {"score": 50.0 + second, "low": 40.0, "high": 60.0, "abstains": None},
        "injury": {
            "risk": 0.03, "low": 0.01, "high": 0.08, "horizon_days": 7, "load_source": "reported",
            "outside_population": False, "abstains": None,
            "because": [{"name": "load", "value": 900.0, "unit": "AU", "push": 0.012}],
            "today": {"risk": 0.04, "low": 0.01, "high": 0.09, "load": [100.0, 140.0, 180.0], "load_planned": 600.0,
                      "load_source": "heart_rate", "fraction_known": 0.25, "helps": False},
        },
        "forecast": {
            "heart_rate": {"5": [140.0, 150.0, 160.0], "30": [135.0, 152.5, 170.0]},
            "speed": None, "yaw_rate": None, "acceleration": {"5": 0.25}, "abstains": None,
        },
        "live": {"heart_rate": 150.0 + second, "speed": 4.5, "power": None},
        "totals": {"distance_m": 4.5 * second, "sprints": 2},
        "quality": {
            "missing": {"imu": 1.0, "position": 0.0, "heart": 0.5}, "late": 1, "clamped": 0, "frames": 10,
            "stale": False, "position_source": "wearable", "heart_source": "strap", "imu_source": None,
        },
        "alerts": [{"rule": "heart_rate_high", "state": "pending"}],
        "lineage": {
            "models": {"performance": "1"}, "device_us": end_us + 100_001, "ingest_us": end_us + 150_000,
            "scored_us": end_us + 180_003,
        },
    }  # fmt: skip
    return whole | parts


def packed(whole: dict[str, Any]) -> bytes:
    """A score as it travels."""
    return bytes(msgpack.packb(whole))


def alert(number: int = 0, athlete: str = "ann", **parts: Any) -> StoredAlert:
    """The transition at ``number`` seconds and one microsecond after noon."""
    fields: dict[str, Any] = {
        "id": f"heart_rate_high/{athlete}/{number}",
        "athlete": athlete,
        "session": "match",
        "rule": "heart_rate_high",
        "from_state": "pending",
        "state": "firing",
        "reason": "held_long_enough",
        "message": 'heart rate 188 bpm, above 95 % of "maximum" for 2 min\nsee the chart',
        "event_us": NOON + number * SECOND + 1,
        "value": 188.0,
        "threshold": 185.5,
        "unit": "bpm",
        "inputs": (AlertInput("heart_rate", 188.0, "bpm"), AlertInput("source", None, None)),
    }
    return StoredAlert(**fields | parts)


def as_event(one: StoredAlert) -> tuple[list[tuple[str, bytes]], bytes]:
    """An alert as it travels: headers and JSON data."""
    data = {
        "rule": one.rule, "athlete": one.athlete, "session": one.session, "from": one.from_state,
        "state": one.state, "reason": one.reason, "message": one.message, "value": one.value,
        "threshold": one.threshold, "unit": one.unit, "event_us": one.event_us,
        "inputs": [{"name": i.name, "value": i.value, "unit": i.unit} for i in one.inputs],
    }  # fmt: skip
    return [("ce_id", one.id.encode()), ("ce_specversion", b"1.0")], json.dumps(data).encode()
