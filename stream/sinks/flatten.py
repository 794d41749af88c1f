"""A score as one flat row of floats: the only place that names stored fields. Pure; it stores nothing.

The names are those of ``docs/reference/encodings.md`` joined with ``_``: ``performance_score``,
``live_heart_rate``, ``totals_distance_m``, ``forecast_heart_rate_30_p50``. The set is closed, so that no
record can grow a store's columns; a name that is not listed here is ignored.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import inf, isfinite
from typing import Any, Final

#: Maps of a score whose numbers are stored, and which.
GROUPS: Final[Mapping[str, tuple[str, ...]]] = {
    "performance": ("score", "low", "high"),
    "injury": ("risk", "low", "high", "horizon_days", "outside_population"),
    "position": ("x", "y", "lat", "lon"),
    "live": (
        "heart_rate", "heart_rate_reserve", "speed", "acceleration", "yaw_rate", "altitude", "cadence",
        "power", "metabolic_power", "player_load", "impact_peak", "wbgt", "distance", "w_balance",
        "cardiac_drift",
    ),
    "totals": (
        "distance_m", "hsr_distance_m", "sprint_distance_m", "hmld_m", "sprints", "accelerations",
        "decelerations", "player_load_au", "impacts", "trimp", "heart_samples", "heart_sum_bpm",
        "heart_max_bpm", "zone1_s", "zone2_s", "zone3_s", "zone4_s", "zone5_s", "energy_j_per_kg",
        "duration_s", "windows", "frames",
    ),
    "quality": ("late", "clamped", "frames", "stale"),
    "lineage": ("device_us", "ingest_us", "scored_us"),
}  # fmt: skip
MISSING: Final = ("imu", "position", "heart", "motion", "environment")
HORIZONS: Final = ("5", "10", "20", "30", "40", "60")
QUANTILES: Final = ("p10", "p50", "p90")
FORECASTS: Final[Mapping[str, tuple[str, ...]]] = {
    "heart_rate": QUANTILES, "speed": QUANTILES, "yaw_rate": QUANTILES, "acceleration": ("p50",),
}  # fmt: skip

#: Numbers of today's estimate of the injury risk.
TODAY: Final = ("risk", "low", "high", "load_planned", "fraction_known")

_TODAY_FIELDS: Final = [(key, f"injury_today_{key}") for key in TODAY]
_LOAD_FIELDS: Final = [f"injury_today_load_{end}" for end in ("low", "middle", "high")]
_GROUP_FIELDS: Final = {group: [(k, f"{group}_{k}") for k in keys] for group, keys in GROUPS.items()}
_MISSING_FIELDS: Final = [(key, f"quality_missing_{key}") for key in MISSING]
_FORECAST_FIELDS: Final = {
    target: [(h, [f"forecast_{target}_{h}_{q}" for q in quantiles]) for h in HORIZONS]
    for target, quantiles in FORECASTS.items()
}

#: Fields that are whole numbers, or true or false, where they are as they should be.
_WHOLE: Final = (
    "injury_horizon_days", "injury_outside_population", "quality_late", "quality_clamped", "quality_frames",
    "quality_stale", "lineage_device_us", "lineage_ingest_us", "lineage_scored_us",
)  # fmt: skip

#: Every stored field, in the order of the encodings. ``final`` (0 or 1) is in every score.
FIELDS: Final[tuple[str, ...]] = (
    "final",
    *(field for fields in _GROUP_FIELDS.values() for _, field in fields),
    *(field for _, field in _TODAY_FIELDS),
    *_LOAD_FIELDS,
    *(field for _, field in _MISSING_FIELDS),
    *(name for horizons in _FORECAST_FIELDS.values() for _, names in horizons for name in names),
)


def flatten(score: Mapping[str, Any]) -> dict[str, float]:
    """The finite numbers of one decoded score, field name → float.

    What is null, NaN, infinite or of another type is left out; true and false are 1 and 0.
    ``final`` is always there, so that every score makes a row.
    """
    row: dict[str, Any] = {"final": float(score.get("final") is True)}
    for group, fields in _GROUP_FIELDS.items():
        _take(row, score.get(group), fields)
    injury, quality = score.get("injury"), score.get("quality")
    if isinstance(injury, Mapping):
        _take_today(row, injury.get("today"))
    if isinstance(quality, Mapping):
        _take(row, quality.get("missing"), _MISSING_FIELDS)
    forecast = score.get("forecast")
    if isinstance(forecast, Mapping):
        _take_quantiles(row, forecast)
    return _finite(row)


def _take(row: dict[str, Any], values: Any, fields: list[tuple[str, str]]) -> None:
    if isinstance(values, Mapping):
        get: Any = values.get
        row.update([(field, value) for key, field in fields if (value := get(key)) is not None])


def _take_today(row: dict[str, Any], today: Any) -> None:
    _take(row, today, _TODAY_FIELDS)
    load = today.get("load") if isinstance(today, Mapping) else None
    row.update(zip(_LOAD_FIELDS, load if isinstance(load, list) else [], strict=False))


def _take_quantiles(row: dict[str, Any], forecast: Mapping[str, Any]) -> None:
    for target, horizons in _FORECAST_FIELDS.items():
        by_horizon = forecast.get(target)
        if isinstance(by_horizon, Mapping):
            for horizon, names in horizons:
                values = by_horizon.get(horizon)
                row.update(zip(names, values if isinstance(values, list) else [values], strict=False))


def _finite(row: dict[str, Any]) -> dict[str, float]:
    """Without what is no finite number. Usually all are, which is told at once."""
    for name in _WHOLE:
        if isinstance(row.get(name), int):
            row[name] = float(row[name])
    if set(map(type, row.values())) == {float} and isfinite(sum(row.values())):
        return row
    return {name: float(v) for name, v in row.items() if isinstance(v, (float, int)) and -inf < v < inf}
