"""Today: what the load so far says of the injury risk, once a minute, beside the morning risk. Pure; reads no clock.

Load so far is that of earlier sessions of the day, and of this one minutes times RPE where the session's record gives
an RPE, else estimated from heart rate (:mod:`stream.diary`), scaled by the athlete's own reports. Its range goes
into the interval: the ensemble is asked at its lower end, middle and upper end. How much of the day that is
(``fraction_known``) follows from the planned minutes, without a plan from the athlete's usual load of a day.

What the control topics say is read when the session begins, so that a replay finds the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from stream.clock import SECOND_US
from stream.days import COLUMNS, HISTORY, LOAD_PRIOR, calendar, day_features, until
from stream.diary import Marks, estimated_loads, own_scale
from stream.infer import Engine
from stream.slots import Field, Slots

Floats = NDArray[np.float64]

#: Terms of a day's plan, in the order of ``today_plan``: AU before this session, own scale, minutes, RPE (CR-10).
PLAN: Final = ("before", "scale", "minutes", "rpe")
FIELDS: Final = (
    Field("today_days", "f4", (HISTORY, len(COLUMNS)), blank=np.nan),
    Field("today_plan", "f4", (len(PLAN),), blank=np.nan),
)


@dataclass(frozen=True, slots=True)
class Load:
    """Load so far of K athletes, AU: ``range (K, 3)`` lower end, middle, upper end; what was ``planned (K,)``.

    ``fraction (K,)`` of the day that it is; ``reported (K,)``: whether it comes from an RPE that somebody gave.
    """

    range: Floats
    planned: Floats
    fraction: Floats
    reported: NDArray[np.bool_]


def begin_session(
    slots: Slots, slot: int, person: Mapping[str, Any], session: Mapping[str, Any], day: date
) -> None:
    """Keep the days up to this morning and what is planned."""
    rows = person.get("days") or []
    slots.state["today_days"][slot] = calendar(until(rows, day), day).values
    before = next((row.get("load") for row in rows if row["date"] == day.isoformat()), None)
    planned = (session.get("planned_minutes"), session.get("rpe"))
    terms = (
        before or 0.0,
        own_scale(rows),
        *(np.nan if value is None else float(value) for value in planned),
    )
    slots.state["today_plan"][slot] = terms


def load_so_far(marks: Marks, slots: Slots) -> Load:
    """Load at the marks; NaN where neither an RPE nor enough heart rate is there."""
    state, slot = slots.state, marks.slot
    before, scale, minutes, rpe = state["today_plan"][slot].astype(np.float64).T
    done_s = marks.end_s - state["opened_us"][slot] // SECOND_US
    reported = ~np.isnan(rpe)
    own = estimated_loads(marks.band_s, done_s) * scale[:, None]
    own = np.where(reported[:, None], (rpe * done_s / 60)[:, None], own)
    loads = before[:, None] + own
    usual = _usual(state["today_days"][slot][:, :, 0])
    planned = np.where(np.isnan(minutes * rpe), usual, before + minutes * rpe)
    by_load = loads[:, 1] / np.maximum(loads[:, 1], np.maximum(usual, 1.0))
    fraction = np.where(np.isnan(minutes), by_load, np.minimum(1.0, done_s / 60 / np.maximum(minutes, 1.0)))
    return Load(loads, planned, fraction, reported)


def _usual(load: NDArray[np.float32]) -> Floats:
    """Mean load of the days with any, AU, ``(K,)``; the prior's where there was none."""
    there = np.nan_to_num(load) > 0
    total = np.where(there, load, 0.0).sum(axis=1, dtype=np.float64)
    return np.where(there.any(axis=1), total / np.maximum(there.sum(axis=1), 1), LOAD_PRIOR)


def estimates(marks: Marks, slots: Slots, engine: Engine) -> list[dict[str, Any] | None]:
    """Today's estimate at each mark; None where the load so far is not known."""
    load = load_so_far(marks, slots)
    days = np.repeat(slots.state["today_days"][marks.slot].astype(np.float64), 3, axis=0)
    days[:, -1, 0] = load.range.ravel()
    window = day_features(days, np.repeat(np.nan_to_num(load.fraction), 3))
    members = engine.injury(window).astype(np.float64).reshape(len(load.fraction), 3, -1)
    found = [_told(load, k, answers) for k, answers in enumerate(members)]
    return [one and one | {"helps": engine.today_helps} for one in found]


def _told(load: Load, k: int, members: Floats) -> dict[str, Any] | None:
    """The mean at the middle; the interval over the members at all three, ``(3, M)``."""
    if np.isnan(load.range[k]).any():
        return None
    low, high = np.nanpercentile(members, [10, 90])
    return {
        "risk": round(float(np.nanmean(members[1])), 6),
        "low": round(float(low), 6),
        "high": round(float(high), 6),
        "load": [round(float(au), 1) for au in load.range[k]],
        "load_planned": round(float(load.planned[k]), 1),
        "load_source": "reported" if load.reported[k] else "heart_rate",
        "fraction_known": round(float(load.fraction[k]), 3),
    }


def by_row(
    marks: Marks, found: Sequence[dict[str, Any] | None], slots: Slots, slot: NDArray[np.int64]
) -> list[dict[str, Any] | None]:
    """The estimate that stands for each of R seconds of ``slot (R,)``: the newest of its athlete up to it."""
    at_mark = dict(zip(marks.row.tolist(), found, strict=True))
    told: list[dict[str, Any] | None] = []
    for row, one in enumerate(slot.tolist()):
        context = slots.of(one).context
        if row in at_mark:
            context["today"] = at_mark[row] if context["injury"]["abstains"] is None else None
        told.append(context.get("today"))
    return told
