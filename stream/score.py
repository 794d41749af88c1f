"""Score: what a second says of an athlete, for people and for the wire. Turns columns into score records."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
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
AHEAD: Final = tuple(str(h) for h in HORIZONS)
HEADS: Final = ("heart_rate", "speed", "yaw_rate")
PLACE: Final = ("x", "y", "lat", "lon")
#: The source that a score names, and the group it is the source of.
SOURCES: Final = {"position_source": "position", "heart_source": "heart", "imu_source": "imu"}
MEDIAN_S: Final = 60  # the score is the median percentile of a minute
LEAST_S: Final = 30  # of which this many must be there
#: The median, and the ends of what is told with it.
SHARES: Final = np.array([0.5, 0.1, 0.9])
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
    """Median, 10th and 90th percentile over each row of (n, 60), times 100; NaN below LEAST_S values.

    As ``np.nanpercentile``, which goes row by row: 0.1 ms each.
    """
    rising = np.sort(ring, axis=1).astype(np.float64)  # NaN last
    count = (~np.isnan(ring)).sum(axis=1)[:, None]
    last = np.maximum(count - 1, 0)
    place = last * SHARES
    below = place.astype(np.int64)
    low = np.take_along_axis(rising, below, axis=1)
    high = np.take_along_axis(rising, np.minimum(below + 1, last), axis=1)
    found = 100 * (low + (high - low) * (place - below))
    return np.where(count >= LEAST_S, found, np.nan)


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
    athletes = [slots.of(slot) for slot in scored.seconds.slot.tolist()]
    parts = zip(
        athletes,
        _windows(scored.seconds),
        _positions(scored.measures),
        _performances(scored.performance),
        _forecasts(scored.inferred),
        _named(LIVE, scored.measures.live),
        _named(TOTALS, scored.measures.totals),
        _qualities(scored, athletes),
        _lineages(scored.seconds, athletes, versions),
        todays,
        strict=True,
    )
    return [
        {
            "v": SCORE_VERSION,
            "athlete": athlete.name,
            "session": athlete.session,
            **window,
            "position": position,
            "performance": performance,
            "forecast": forecast,
            "live": live,
            "totals": totals,
            "quality": quality,
            "lineage": lineage,
            "injury": {**athlete.context["injury"], "today": today},
        }
        for athlete, window, position, performance, forecast, live, totals, quality, lineage, today in parts
    ]


def plain(columns: Iterable[NDArray[Any]], digits: int = DIGITS) -> list[list[float | None]]:
    """Columns as rows of Python numbers, None for NaN."""
    table = np.round(np.stack([np.asarray(c, dtype=np.float64) for c in columns], axis=1), digits)
    rows = table.astype(object)
    rows[np.isnan(table)] = None
    return rows.tolist()  # type: ignore[no-any-return]


def _named(names: Sequence[str], columns: Mapping[str, NDArray[Any]]) -> Iterable[dict[str, float | None]]:
    for row in plain(columns[name] for name in names):
        yield dict(zip(names, row, strict=True))


def _windows(seconds: Seconds) -> Iterable[dict[str, Any]]:
    begin_us = seconds.second * SECOND_US
    end_us = begin_us + SECOND_US
    for begin, end, final in zip(begin_us.tolist(), end_us.tolist(), seconds.final.tolist(), strict=True):
        yield {"window_start_us": begin, "window_end_us": end, "final": final}


def _positions(measures: Measures) -> Iterable[dict[str, float | None] | None]:
    for row in plain(measures.place.T, 9):
        yield None if row.count(None) == len(row) else dict(zip(PLACE, row, strict=True))


def _performances(performance: Performance) -> Iterable[dict[str, Any]]:
    rows = plain([performance.score, performance.low, performance.high])
    for (score, low, high), reason in zip(rows, performance.abstains.tolist(), strict=True):
        yield {"score": score, "low": low, "high": high, "abstains": ABSTENTIONS[reason]}


def _forecasts(inferred: Inferred) -> Iterable[dict[str, Any]]:
    picked = [h - 1 for h in HORIZONS]
    low, high = inferred.bands[..., 0], inferred.bands[..., 1]
    heads = np.stack([low, inferred.median[:, :, picked], high], axis=-1)  # (R, 3, 6, 3)
    silent = np.isnan(heads[:, :, 0, 1])
    rounded = np.round(heads.astype(np.float64), DIGITS).tolist()
    accelerations = np.round(inferred.acceleration[:, picked].astype(np.float64), DIGITS).tolist()
    for row, gone, acceleration in zip(rounded, silent.tolist(), accelerations, strict=True):
        found: dict[str, Any] = {
            name: None if nothing else dict(zip(AHEAD, head, strict=True))
            for name, head, nothing in zip(HEADS, row, gone, strict=True)
        }
        found["acceleration"] = None if gone[1] else dict(zip(AHEAD, acceleration, strict=True))
        found["abstains"] = f"fewer than {SEEN_S} s seen" if all(gone) else None
        yield found


def _qualities(scored: Scored, athletes: Sequence[Athlete]) -> Iterable[dict[str, Any]]:
    seconds, measures = scored.seconds, scored.measures
    missing = np.stack([measures.missing[group] for group in GROUPS], axis=1)
    stale = (missing == 1.0).all(axis=1).tolist()
    counts = zip(seconds.late.tolist(), seconds.clamped.tolist(), seconds.frames.tolist(), strict=True)
    sources = np.stack([measures.sources[group] for group in SOURCES.values()], axis=1).tolist()
    rows = zip(athletes, missing.tolist(), counts, stale, sources, strict=True)
    for athlete, shares, (late, clamped, frames), nothing, devices in rows:
        yield {
            "missing": dict(zip(GROUPS, shares, strict=True)),
            "late": late,
            "clamped": clamped,
            "frames": frames,
            "stale": nothing,
        } | {
            name: None if device < 0 else athlete.devices[device].name
            for name, device in zip(SOURCES, devices, strict=True)
        }


def _lineages(
    seconds: Seconds, athletes: Sequence[Athlete], versions: Sequence[Mapping[str, str]]
) -> Iterable[dict[str, Any]]:
    rows = zip(athletes, versions, seconds.newest_us.tolist(), seconds.at_us.tolist(), strict=True)
    for athlete, answered, device_us, ingest_us in rows:
        models = {**answered, **athlete.context.get("scored_by", {})}
        yield {"models": models, "device_us": device_us, "ingest_us": ingest_us}
