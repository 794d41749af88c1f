"""Features: closed seconds to metrics. Every live metric that the channels at hand allow, and what they add up to.

What needs only the second's own samples is measured for all rows at once; what looks back a second goes wave
by wave. Formulas stand in ``locomotion impact physiology metabolic heat``; here they are joined.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from stream import impact, locomotion, physiology
from stream.chain import mean_per_row, summed
from stream.clock import SECOND_US
from stream.heat import wbgt
from stream.slots import Field, Slots
from stream.window import Seconds, Table, empty

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

#: Channels of the history the models see, in order, with units.
HISTORY: Final[Mapping[str, str]] = {
    "heart_rate": "bpm",
    "speed": "m/s",
    "acceleration": "m/s²",
    "yaw_rate": "deg/s",
    "climb": "m/s",
    "cadence": "1/min",
    "power": "W",
    "metabolic_power": "W/kg",
    "player_load": "AU/s",
    "wbgt": "°C",
}
GROUPS: Final = ("heart", "position", "imu", "motion")

_SUMS: Final = (
    "distance_m", "hsr_distance_m", "sprint_distance_m", "hmld_m", "sprints", "accelerations", "decelerations",
    "player_load_au", "impacts", "energy_j_per_kg", "heart_samples", "heart_sum_bpm", "windows", "frames",
)  # fmt: skip

FIELDS: Final = (
    *impact.FIELDS,
    *locomotion.FIELDS,
    *physiology.FIELDS,
    Field("heart_max_bpm", "f8", blank=np.nan),
    Field("start_us", "i8", blank=-1),  # first stamp in closed seconds
    Field("stamp_us", "i8", blank=-1),  # newest stamp in closed seconds
    *(Field(name, "f8") for name in _SUMS),
)


@dataclass(frozen=True, slots=True)
class Measures:
    """Metrics of R closed seconds. ``live`` and ``totals`` by the names of the score; ``history (R, channels)``.

    ``place (R, 4)``: last x, y (m), latitude, longitude (deg). ``missing``: share of the second without each
    group. ``sources``: device index per row, -1 without one.
    """

    live: dict[str, Floats]
    totals: dict[str, Floats]
    history: Floats
    place: Floats
    missing: dict[str, Floats]
    sources: dict[str, Ints]


def begin_session(slots: Slots, slot: int, profile: Mapping[str, Any], age: float | None) -> None:
    """Put what the roster knows of an athlete into a fresh slot.

    Maximal heart rate where not given: 208 - 0.7 x age (Tanaka 2001, JACC 37:153), without an age 190 bpm; at
    rest 60 bpm.
    """
    state = slots.state
    by_age = 190.0 if age is None else 208 - 0.7 * age
    state["heart_rest"][slot] = profile.get("heart_rate_rest") or 60.0
    state["heart_max"][slot] = profile.get("heart_rate_max") or by_age
    sex = profile.get("sex")
    state["male"][slot] = {"male": 1.0, "female": 0.0}.get(sex, np.nan) if sex else np.nan
    state["critical_power"][slot] = profile.get("critical_power_w") or np.nan
    state["w_prime"][slot] = profile.get("w_prime_j") or np.nan


def measure(seconds: Seconds, slots: Slots, venue_wbgt: Floats) -> Measures:
    """Measure closed seconds; ``venue_wbgt (R,)`` is the venue's heat at each, NaN unknown."""
    state, rows = slots.state, len(seconds)
    motion = locomotion.measure_motion(seconds, state)
    load, peak, impacts = impact.measure_impact(state, _samples(seconds, "imu"), rows)
    beats = _beats(seconds)
    live = _own_second(seconds, motion, venue_wbgt) | {
        "heart_rate": beats.mean,
        "player_load": _or_nan(load, seconds, "imu"),
        "impact_peak": peak,
    }
    sums = {
        "distance_m": motion.distance,
        "player_load_au": load,
        "impacts": impacts,
        "frames": seconds.frames,
    }
    sums |= {"heart_samples": beats.count, "heart_sum_bpm": beats.total, "windows": np.ones(rows)}
    looked_back = _look_back(seconds, state, motion, live)
    live |= looked_back.live
    totals = _add_up(seconds, state, sums | looked_back.sums, beats.highest)
    totals |= looked_back.totals
    history = np.stack([live[name] for name in HISTORY], axis=1) if rows else np.zeros((0, len(HISTORY)))
    return Measures(live, totals, history, motion.place, _missing(seconds), _sources(seconds))


def _samples(seconds: Seconds, group: str) -> tuple[Ints, Table]:
    found = seconds.samples.get(group)
    return (np.zeros(0, dtype=np.int64), empty(group)) if found is None else found


def _or_nan(values: Floats, seconds: Seconds, group: str) -> Floats:
    row, _ = _samples(seconds, group)
    return np.where(np.bincount(row, minlength=len(seconds)) > 0, values, np.nan)


@dataclass(frozen=True, slots=True)
class _Beats:
    mean: Floats
    total: Floats
    count: Floats
    highest: Floats


def _beats(seconds: Seconds) -> _Beats:
    row, table = _samples(seconds, "heart")
    rate, rows = table.values[:, 0], len(seconds)
    there = ~np.isnan(rate)
    highest = np.full(rows, -np.inf)
    np.maximum.at(highest, row[there], rate[there])
    return _Beats(
        mean=mean_per_row(row, rate, rows),
        total=summed(row, rate, rows),
        count=summed(row, there.astype(np.float64), rows),
        highest=np.where(np.isfinite(highest), highest, np.nan),
    )


def _own_second(seconds: Seconds, motion: locomotion.Motion, venue_wbgt: Floats) -> dict[str, Floats]:
    rows = len(seconds)
    row, table = _samples(seconds, "motion")
    own_row, own = _samples(seconds, "environment")
    air, globe, humidity = (mean_per_row(own_row, own.values[:, k], rows) for k in range(3))
    own_wbgt = wbgt(air, globe, humidity)
    return {
        "speed": motion.speed,
        "altitude": motion.altitude,
        "distance": _or_nan(motion.distance, seconds, "position"),
        "cadence": mean_per_row(row, table.values[:, 0], rows),
        "power": mean_per_row(row, table.values[:, 1], rows),
        "wbgt": np.where(np.isnan(own_wbgt), venue_wbgt, own_wbgt),
    }


@dataclass(frozen=True, slots=True)
class _LookedBack:
    live: dict[str, Floats]
    sums: dict[str, Floats]
    totals: dict[str, Floats]


_BACK_LIVE: Final = (
    "acceleration", "yaw_rate", "climb", "metabolic_power", "heart_rate_reserve", "w_balance", "cardiac_drift",
)  # fmt: skip
_BACK_SUMS: Final = (
    "hsr_distance_m", "sprint_distance_m", "hmld_m", "sprints", "accelerations", "decelerations",
    "energy_j_per_kg",
)  # fmt: skip
_BACK_TOTALS: Final = ("trimp", "zone1_s", "zone2_s", "zone3_s", "zone4_s", "zone5_s")


def _look_back(
    seconds: Seconds, state: Any, motion: locomotion.Motion, live: Mapping[str, Floats]
) -> _LookedBack:
    out = {name: np.full(len(seconds), np.nan) for name in (*_BACK_LIVE, *_BACK_SUMS, *_BACK_TOTALS)}
    for rows in seconds.waves():
        slot, second = seconds.slot[rows], seconds.second[rows]
        gait = locomotion.follow_motion(state, slot, second, (motion, rows))
        heart_rate, distance = live["heart_rate"][rows], motion.distance[rows]
        results = {
            "acceleration": gait.acceleration,
            "yaw_rate": gait.yaw_rate,
            "climb": gait.climb,
            "metabolic_power": gait.metabolic,
            "heart_rate_reserve": physiology.add_heart(state, slot, second, heart_rate),
            "w_balance": physiology.add_power(state, slot, live["power"][rows]),
            "cardiac_drift": physiology.add_drift(state, slot, heart_rate, gait.metabolic),
            "hsr_distance_m": distance * gait.fast_share,
            "sprint_distance_m": distance * gait.sprint_share,
            "hmld_m": distance * gait.demanding_share,
            "sprints": gait.sprints,
            "accelerations": gait.accelerations,
            "decelerations": gait.decelerations,
            "energy_j_per_kg": gait.metabolic,  # W/kg over one second
            "trimp": state["trimp"][slot],
        }
        results |= {f"zone{k + 1}_s": state["zone_s"][slot, k] for k in range(5)}
        for name, values in results.items():
            out[name][rows] = values
    return _LookedBack(
        *({name: out[name] for name in names} for names in (_BACK_LIVE, _BACK_SUMS, _BACK_TOTALS))
    )


def _add_up(seconds: Seconds, state: Any, sums: Mapping[str, Any], highest: Floats) -> dict[str, Floats]:
    """Running totals as of each second, wave by wave."""
    totals = {name: np.zeros(len(seconds)) for name in (*_SUMS, "heart_max_bpm", "duration_s")}
    first, last = _stamps(seconds)
    added = {name: np.nan_to_num(np.asarray(sums[name], dtype=np.float64)) for name in _SUMS}
    for rows in seconds.waves():
        slot = seconds.slot[rows]
        for name in _SUMS:
            state[name][slot] += added[name][rows]
            totals[name][rows] = state[name][slot]
        state["heart_max_bpm"][slot] = np.fmax(state["heart_max_bpm"][slot], highest[rows])
        totals["heart_max_bpm"][rows] = state["heart_max_bpm"][slot]
        totals["duration_s"][rows] = _lasted(state, slot, first[rows], last[rows])
    return totals


def _lasted(state: Any, slot: Ints, first: Ints, last: Ints) -> Floats:
    """Last minus first stamp of the session as of one wave, s; brings both forward."""
    start = state["start_us"][slot]
    state["start_us"][slot] = np.where(start < 0, first, start)
    state["stamp_us"][slot] = np.maximum(state["stamp_us"][slot], last)
    return np.asarray((state["stamp_us"][slot] - state["start_us"][slot]) / SECOND_US)


def _stamps(seconds: Seconds) -> tuple[Ints, Ints]:
    """First and last sample stamp in each second, -1 without samples."""
    none = np.iinfo(np.int64).max
    first, last = np.full(len(seconds), none), np.full(len(seconds), -1)
    for row, table in seconds.samples.values():  # sorted by (row, stamp)
        begins = np.flatnonzero(np.diff(row, prepend=-1))
        ends = np.append(begins[1:], len(row)) - 1
        of = row[begins]
        first[of] = np.minimum(first[of], table.t_us[begins])
        last[of] = np.maximum(last[of], table.t_us[ends])
    return np.where(first == none, -1, first), last


def _missing(seconds: Seconds) -> dict[str, Floats]:
    """Share of each second without samples of a group, 0 to 1."""
    missing = {}
    for group in GROUPS:
        row, table = _samples(seconds, group)
        covered = summed(row, table.step_us / SECOND_US, len(seconds))
        missing[group] = np.round(1 - np.minimum(covered, 1.0), 6)
    return missing


def _sources(seconds: Seconds) -> dict[str, Ints]:
    """Which device each group of a second came from, -1 for none."""
    sources = {}
    for group in GROUPS:
        row, table = _samples(seconds, group)
        source = np.full(len(seconds), -1, dtype=np.int64)
        source[row] = table.device
        sources[group] = source
    return sources
