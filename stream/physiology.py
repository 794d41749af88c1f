"""Heart and power metrics of a second, and what they add up to. Formulas on columns; the state is passed in.

TRIMP: Banister 1991; zones: shares of maximal heart rate, after Firstbeat; W'bal: the differential form
(Skiba; Froncioni-Clarke), streaming and causal, so the live and the stored value are one number.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from stream.slots import Field

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

#: Lower bounds of the five zones as shares of maximal heart rate; red is the last.
ZONES: Final = np.array([0.5, 0.6, 0.7, 0.8, 0.9])
#: A heart rate stands for the time since the one before, at most this long, s.
HOLD_S: Final = 10
#: Cardiac drift: the first part of a session is its first 15 minutes; the current part fades over 10 minutes.
FIRST_PART_S: Final = 900
FADE: Final = float(np.exp(-1 / 600))
DRIFT_BINS: Final = np.array([2.0, 4, 6, 8, 10, 13, 16])  # W/kg, upper bounds of all but the last bin
SMOOTH: Final = 1 - float(np.exp(-1 / 30))

FIELDS: Final = (
    Field("heart_s", "i8", blank=-1),  # second of the newest heart rate
    Field("trimp", "f8"),
    Field("zone_s", "f8", (5,)),
    Field("w_balance", "f8", blank=np.nan),
    Field("smooth_power", "f8", blank=np.nan),
    Field("drift_first", "f8", (len(DRIFT_BINS) + 1, 2)),  # per power bin: sum of heart rate, seconds
    Field("drift_now", "f8", (len(DRIFT_BINS) + 1, 2)),
    Field("worked_s", "i8"),
    # from the roster, at session start
    Field("heart_rest", "f8", blank=np.nan),
    Field("heart_max", "f8", blank=np.nan),
    Field("male", "f8", blank=np.nan),
    Field("critical_power", "f8", blank=np.nan),
    Field("w_prime", "f8", blank=np.nan),
)


def heart_rate_reserve(heart_rate: Floats, rest: Floats, highest: Floats) -> Floats:
    """Share of the heart-rate reserve, x = (HR - HRrest) / (HRmax - HRrest), not below 0."""
    return np.maximum((heart_rate - rest) / (highest - rest), 0.0)


def trimp_rate(reserve: Floats, male: Floats) -> Floats:
    """Banister's TRIMP per minute at a share of reserve; ``male`` 1 or 0, unknown (NaN): the mean of both."""
    men = 0.64 * np.exp(1.92 * reserve)
    women = 0.86 * np.exp(1.67 * reserve)
    share = np.where(np.isnan(male), 0.5, male)
    return reserve * (share * men + (1 - share) * women)


def add_heart(state: Any, slot: Ints, second: Ints, heart_rate: Floats) -> Floats:
    """Add one second's heart rate (bpm, NaN if none) to TRIMP and zones; gives the share of reserve."""
    seen = ~np.isnan(heart_rate)
    reserve = heart_rate_reserve(heart_rate, state["heart_rest"][slot], state["heart_max"][slot])
    here, before = slot[seen], state["heart_s"][slot[seen]]
    stands_s = np.where(before < 0, 1, np.clip(second[seen] - before, 0, HOLD_S))
    state["trimp"][here] += trimp_rate(reserve[seen], state["male"][here]) * stands_s / 60
    zone = np.searchsorted(ZONES, heart_rate[seen] / state["heart_max"][here], side="right") - 1
    inside = zone >= 0
    state["zone_s"][here[inside], zone[inside]] += stands_s[inside]
    state["heart_s"][here] = second[seen]
    return np.asarray(reserve)


def add_power(state: Any, slot: Ints, power: Floats) -> Floats:
    """Drain or refill W' by one second of mechanical power (W, NaN if none); gives W'bal (J)."""
    critical, whole = state["critical_power"][slot], state["w_prime"][slot]
    left, spare = state["w_balance"][slot], critical - power
    left = np.where(np.isnan(left) & ~np.isnan(spare), whole, left)  # full when power is first seen
    change = np.where(spare > 0, spare * (whole - left) / whole, spare)
    left = np.where(np.isnan(change), left, left + change)
    state["w_balance"][slot] = left
    return np.asarray(left)


def add_drift(state: Any, slot: Ints, heart_rate: Floats, metabolic: Floats) -> Floats:
    """Cardiac drift (%): heart rate now against the first part of the session, bin by bin of equal power."""
    smooth = state["smooth_power"][slot]
    smooth = np.where(np.isnan(smooth), metabolic, smooth + SMOOTH * (metabolic - smooth))
    state["smooth_power"][slot] = np.where(np.isnan(smooth), state["smooth_power"][slot], smooth)
    used = ~np.isnan(smooth) & ~np.isnan(heart_rate)
    here, beats = slot[used], heart_rate[used]
    early = state["worked_s"][here] < FIRST_PART_S
    bins = np.searchsorted(DRIFT_BINS, smooth[used])
    for name, who in (("drift_first", early), ("drift_now", ~early)):
        state[name][here[who], bins[who], 0] += beats[who]
        state[name][here[who], bins[who], 1] += 1
    state["drift_now"][here] *= FADE
    state["worked_s"][here] += 1
    return _drift(state["drift_first"][slot], state["drift_now"][slot])


def _drift(first: Floats, now: Floats) -> Floats:
    """Weighted over the bins seen at least half a minute in both parts; NaN without any."""
    weight = np.where((first[..., 1] >= 30) & (now[..., 1] >= 30), now[..., 1], 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = (now[..., 0] / now[..., 1]) / (first[..., 0] / first[..., 1])
        change = (np.where(weight > 0, ratio, 0.0) * weight).sum(axis=-1) / weight.sum(axis=-1)
    return np.asarray(100 * (change - 1))
