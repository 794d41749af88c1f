"""Score: what a second says of an athlete, for people and for the wire. Turns columns into score records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from stream.clock import SECOND_US
from stream.diary import Marks
from stream.features import GROUPS, Measures
from stream.infer import ABSTENTIONS, SEEN_S, Inferred
from stream.slots import Athlete, Field, Slots
from stream.window import Seconds

Floats = NDArray[np.float64]

SCORE_VERSION: Final = 1
HORIZONS: Final = (5, 10, 20, 30, 40, 60)
HEADS: Final = ("heart_rate", "speed", "yaw_rate")
MEDIAN_S: Final = 60  # the score is the median percentile of a minute
LEAST_S: Final = 30  # of which this many must be there
#: How many digits a published number keeps: floats of different batches agree far below that.
DIGITS: Final = 5

LIVE: Final = (
    "heart_rate", "heart_rate_reserve", "speed", "acceleration", "yaw_rate", "altitude", "cadence", "power",
    "metabolic_power", "player_load", "impact_peak", "wbgt", "distance", "w_balance", "cardiac_drift",
)  # fmt: skip
TOTALS: Final = (
    "distance_m", "hsr_distance_m", "sprint_distance_m", "hmld_m", "sprints", "accelerations", "decelerations",
    "player_load_au", "impacts", "trimp", "heart_samples", "heart_sum_bpm", "heart_max_bpm",
    "zone1_s", "zone2_s", "zone3_s", "zone4_s", "zone5_s", "energy_j_per_kg", "duration_s", "windows", "frames",
)  # fmt: skip

FIELDS: Final = (
    Field("percentiles", "f4", (MEDIAN_S,), blank=np.nan),
    Field("percentiles_s", "i8", blank=-1),
)


@dataclass(frozen=True, slots=True)
class Performance:
    """Of R seconds, 0 to 100, NaN where it abstains; ``abstains`` indexes :data:`~stream.infer.ABSTENTIONS`."""

    score: Floats
    low: Floats
    high: Floats
    abstains: NDArray[np.int64]


def judge_performance(seconds: Seconds, inferred: Inferred, slots: Slots) -> Performance:
    """Median and central 80 % of the last minute's percentiles, wave by wave."""
    state, rows = slots.state, len(seconds)
    out = np.full((rows, 3), np.nan)
    for wave in seconds.waves():
        slot, second = seconds.slot[wave], seconds.second[wave]
        broken = slot[state["percentiles_s"][slot] != second - 1]
        state["percentiles"][broken] = np.nan
        state["percentiles"][slot, second % MEDIAN_S] = inferred.percentile[wave]
        state["percentiles_s"][slot] = second
        out[wave] = _spread_of(state["percentiles"][slot])
    abstains = np.where(
        (inferred.abstains == 0) & np.isnan(out[:, 0]), ABSTENTIONS.index("too little seen"), 0
    )
    abstains = np.where(inferred.abstains > 0, inferred.abstains, abstains)
    out[abstains > 0] = np.nan
    return Performance(out[:, 0], out[:, 1], out[:, 2], abstains)


def _spread_of(ring: NDArray[np.float32]) -> Floats:
    """Median, 10th and 90th percentile over each row of (n, 60), times 100; NaN below LEAST_S values."""
    result = np.full((len(ring), 3), np.nan)
    enough = (~np.isnan(ring)).sum(axis=1) >= LEAST_S
    if enough.any():
        result[enough] = 100 * np.nanpercentile(ring[enough].astype(np.float64), [50, 10, 90], axis=1).T
    return result


@dataclass(frozen=True, slots=True)
class Scored:
    """Everything known of R closed seconds, still as columns."""

    seconds: Seconds
    measures: Measures
    inferred: Inferred
    performance: Performance
    marks: Marks


def to_records(
    scored: Scored,
    slots: Slots,
    versions: Sequence[Mapping[str, str]],
    todays: Sequence[Mapping[str, Any] | None],
) -> list[dict[str, Any]]:
    """Score records of ``docs/reference/encodings.md`` without ``alerts`` and without the time of publishing.

    ``versions``: of each second, model to the version that answered; ``todays``: the estimate of today's risk.
    """
    columns = _Columns(scored)
    return [
        _record(row, columns, slots.of(int(slot)), versions[row])
        | {"injury": _injury(slots, int(slot), today)}
        for row, (slot, today) in enumerate(zip(scored.seconds.slot, todays, strict=True))
    ]


def _injury(slots: Slots, slot: int, today: Mapping[str, Any] | None) -> dict[str, Any]:
    return {**slots.of(slot).context["injury"], "today": today}


class _Columns:
    """The columns as lists of plain numbers with None for NaN: converted once, not once per row."""

    def __init__(self, scored: Scored) -> None:
        seconds, measures, inferred = scored.seconds, scored.measures, scored.inferred
        self.second, self.at_us = seconds.second.tolist(), seconds.at_us.tolist()
        self.newest_us = seconds.newest_us.tolist()
        self.final = seconds.final.tolist()
        self.live = {name: plain(measures.live[name]) for name in LIVE}
        self.totals = {name: plain(measures.totals[name]) for name in TOTALS}
        self.place = [plain(measures.place[:, k], 9) for k in range(4)]
        self.performance = [plain(getattr(scored.performance, k)) for k in ("score", "low", "high")]
        self.abstains = scored.performance.abstains.tolist()
        picked = [h - 1 for h in HORIZONS]
        heads = np.stack(
            [inferred.bands[..., 0], inferred.median[:, :, picked], inferred.bands[..., 1]], axis=-1
        )  # (R, 3, 6, 3)
        self.silent_head = np.isnan(heads[:, :, 0, 1]).tolist()
        self.heads = np.round(heads.astype(np.float64), DIGITS).tolist()
        self.acceleration = np.round(inferred.acceleration[:, picked].astype(np.float64), DIGITS).tolist()
        self.missing = {group: measures.missing[group].tolist() for group in GROUPS}
        self.sources = {group: measures.sources[group].tolist() for group in GROUPS}
        self.late, self.clamped = seconds.late.tolist(), seconds.clamped.tolist()
        self.frames = seconds.frames.tolist()


def plain(values: Floats, digits: int = DIGITS) -> list[float | None]:
    """A column as Python numbers, None for NaN."""
    rounded = np.round(np.asarray(values, dtype=np.float64), digits)
    return [None if v != v else v for v in rounded.tolist()]  # noqa: PLR0124 (NaN is not itself)


def _record(row: int, columns: _Columns, athlete: Athlete, versions: Mapping[str, str]) -> dict[str, Any]:
    begin_us = columns.second[row] * SECOND_US
    return {
        "v": SCORE_VERSION,
        "athlete": athlete.name,
        "session": athlete.session,
        "window_start_us": begin_us,
        "window_end_us": begin_us + SECOND_US,
        "final": columns.final[row],
        "position": _position([place[row] for place in columns.place]),
        "performance": dict(zip(("score", "low", "high"), (c[row] for c in columns.performance), strict=True))
        | {"abstains": ABSTENTIONS[columns.abstains[row]]},
        "forecast": _forecast(row, columns),
        "live": {name: values[row] for name, values in columns.live.items()},
        "totals": {name: values[row] for name, values in columns.totals.items()},
        "quality": _quality(row, columns, athlete),
        "lineage": {
            "models": {**versions, **athlete.context.get("scored_by", {})},
            "device_us": columns.newest_us[row],
            "ingest_us": columns.at_us[row],
        },
    }


def _position(place: list[float | None]) -> dict[str, float | None] | None:
    names = ("x", "y", "lat", "lon")
    return None if place.count(None) == len(place) else dict(zip(names, place, strict=True))


def _forecast(row: int, columns: _Columns) -> dict[str, Any]:
    silent = columns.silent_head[row]
    heads: dict[str, Any] = {
        name: None if silent[k] else {str(h): columns.heads[row][k][i] for i, h in enumerate(HORIZONS)}
        for k, name in enumerate(HEADS)
    }
    accelerations = zip(HORIZONS, columns.acceleration[row], strict=True)
    heads["acceleration"] = None if silent[1] else {str(h): a for h, a in accelerations}
    heads["abstains"] = f"fewer than {SEEN_S} s seen" if all(silent) else None
    return heads


def _quality(row: int, columns: _Columns, athlete: Athlete) -> dict[str, Any]:
    missing = {group: values[row] for group, values in columns.missing.items()}
    quality: dict[str, Any] = {
        "missing": missing,
        "late": columns.late[row],
        "clamped": columns.clamped[row],
        "frames": columns.frames[row],
        "stale": all(share == 1.0 for share in missing.values()),
    }
    for name, group in (("position", "position"), ("heart", "heart"), ("imu", "imu")):
        device = columns.sources[group][row]
        quality[f"{name}_source"] = None if device < 0 else athlete.devices[device].name
    return quality
