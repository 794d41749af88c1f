"""Diary: what a session leaves in the athlete's record when it ends: its load, and how the athlete was in it.

The record lists sessions, each once; the day's load and the athlete's own baselines follow from the list. So a
session told twice (a crash in between) leaves the same, and one that begins again finds the baselines it found
before: those of the sessions that were opened earlier. No clock: the day is that of the first stamp, in UTC.

Load is RPE times minutes (Foster). Where nobody reported it, it is estimated from time at shares of heart-rate
reserve: the bands of the ACSM position stand (Garber et al. 2011, doi 10.1249/MSS.0b013e318213fefb, table 1) say
which RPE on Borg's 6-20 scale goes with which share, and the verbal anchors that both scales have in common turn
that into CR-10. The bands' width is the estimate's range.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from stream import efficiency
from stream.clock import SECOND_US
from stream.days import HISTORY
from stream.normalise import CHANNELS
from stream.slots import Field, Slots
from stream.window import Seconds

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

#: Upper bounds of all bands of heart-rate reserve but the last; CR-10 at the lower end, middle and upper end of each.
BANDS: Final = np.array([0.30, 0.40, 0.60, 0.90])
CR10: Final = np.array([[0.0, 0.5, 1.0], [1.0, 1.5, 2.0], [2.0, 3.0, 4.0], [4.0, 5.5, 7.0], [7.0, 8.5, 10.0]])
#: A session's load is estimated where at least this share of its seconds has a heart rate.
LEAST_SHARE: Final = 0.5
#: Own estimates are scaled by own reports once this many days have both.
BOTH_DAYS: Final = 8
MINUTE_S: Final = 60
#: How many sessions a record lists; older ones go into its baselines.
SESSIONS: Final = 40
#: Seconds of own baseline beyond which older ones fade: 40 hours.
MEMORY_S: Final = 144_000.0

FIELDS: Final = (
    Field("own_seconds", "f8", (len(CHANNELS),)),
    Field("own_sum", "f8", (len(CHANNELS),)),  # in own spreads from the own centre
    Field("own_square", "f8", (len(CHANNELS),)),
    Field("band_s", "f8", (len(BANDS) + 1,)),
)


def day_of(at_us: int) -> date:
    """The day an event time belongs to, UTC."""
    return datetime.fromtimestamp(at_us / 1e6, UTC).date()


@dataclass(frozen=True, slots=True)
class Marks:
    """Seconds at which K athletes' sessions were whole minutes old, in order of their ``row (K,)``.

    ``slot (K,)``, ``end_s (K,)`` of the second; ``band_s (K, 5)`` seconds in each band of heart-rate reserve by then.
    """

    row: Ints
    slot: Ints
    end_s: Ints
    band_s: Floats


def add_seconds(seconds: Seconds, own: NDArray[np.float32], reserve: Floats, slots: Slots) -> Marks:
    """Add R closed seconds: ``own (R, 2 channels)`` as the networks see them, ``reserve (R,)`` of the heart rate.

    Values stand in own spreads and end at :data:`stream.normalise.LIMIT` of them: a sensor's spikes move little.
    """
    state = slots.state
    end_s = seconds.second + 1
    marked = (end_s - state["opened_us"][seconds.slot] // SECOND_US) % MINUTE_S == 0
    bands = np.zeros((len(seconds), len(BANDS) + 1))
    terms, there = np.split(own.astype(np.float64), 2, axis=1)
    band = np.searchsorted(BANDS, reserve, side="right")
    beats = ~np.isnan(reserve)
    for rows in seconds.waves():
        slot = seconds.slot[rows]
        state["own_seconds"][slot] += there[rows]
        state["own_sum"][slot] += terms[rows]
        state["own_square"][slot] += terms[rows] ** 2
        beating = rows[beats[rows]]
        state["band_s"][seconds.slot[beating], band[beating]] += 1
        bands[rows] = state["band_s"][slot]
    row = np.flatnonzero(marked)
    return Marks(row, seconds.slot[row], end_s[row], bands[row])


def record_after(record: Mapping[str, Any], slots: Slots, slot: int) -> dict[str, Any]:
    """The athlete record after the session in ``slot``; everything else in it stays."""
    athlete, state = slots.of(slot), slots.state[slot]
    opened_us, seconds = int(state["opened_us"]), int(state["newest_us"] - state["opened_us"]) / 1e6
    entry = {
        "session": athlete.session,
        "opened_us": opened_us,
        "load": estimated_load(state["band_s"], seconds),
        "own": _own(state) | efficiency.left(state),
    }
    known = record or {"v": 1, "athlete": athlete.name, "name": None, "squad": None, "profile": {}}
    this = (athlete.session, opened_us)
    others = [e for e in known.get("sessions") or [] if (e["session"], e["opened_us"]) != this]
    listed = sorted([*others, entry], key=lambda e: (e["opened_us"], e["session"]))
    return {
        **known,
        "sessions": listed[-SESSIONS:],
        "baselines": pooled(known.get("baselines") or {}, listed[:-SESSIONS]),
        "days": days_after(known.get("days") or [], listed, day_of(opened_us)),
    }


def baselines(record: Mapping[str, Any], opened_us: int) -> dict[str, list[float]]:
    """An athlete's own terms for a session opened then: channel or efficiency to centre, spread and seconds."""
    earlier = [e for e in record.get("sessions") or [] if e["opened_us"] < opened_us]
    return pooled(record.get("baselines") or {}, earlier)


def estimated_load(band_s: Floats, seconds: float) -> list[float] | None:
    """Load (AU) of a session of ``seconds`` from seconds in each band: lower end, middle, upper end.

    None where fewer than half of the seconds have a heart rate.
    """
    loads = estimated_loads(band_s[None], np.array([seconds]))[0]
    return None if np.isnan(loads).any() else [round(float(au), 1) for au in loads]


def estimated_loads(band_s: Floats, seconds: Floats) -> Floats:
    """The same of K sessions of ``seconds (K,)``, ``band_s (K, 5)``: ``(K, 3)``, NaN where too little was seen."""
    seen = band_s.sum(axis=1)
    enough = (seconds > 0) & (seen >= LEAST_SHARE * seconds)
    loads = (band_s @ CR10) * (seconds / np.maximum(seen, 1e-9) / 60)[:, None]
    return np.where(enough[:, None], loads, np.nan)


def days_after(
    rows: Sequence[Mapping[str, Any]], sessions: Sequence[Mapping[str, Any]], day: date
) -> list[dict[str, Any]]:
    """The daily rows with the load of a day's sessions in them: the newest 28, oldest first.

    What somebody reported for the day stands, with the estimate beside it.
    """
    by_date = {row["date"]: dict(row) for row in rows}
    iso = day.isoformat()
    row = by_date.setdefault(iso, {"date": iso, "load": None, "load_source": "none", "injury_report": False})
    known = [e["load"][1] for e in sessions if day_of(e["opened_us"]) == day and e["load"] is not None]
    row["load_estimated"] = round(sum(known), 1) if known else None
    if row.get("load_source") != "reported":
        row["load"] = round(sum(known) * own_scale(rows), 1) if known else None
        row["load_source"] = "heart_rate" if known else "none"
    return [by_date[date] for date in sorted(by_date)][-HISTORY:]


def own_scale(rows: Sequence[Mapping[str, Any]]) -> float:
    """Reported over estimated load, over the days that have both; 1 before there are eight of them."""
    reported = [row for row in rows if row.get("load_source") == "reported"]
    both = [
        (float(row["load"]), float(row["load_estimated"])) for row in reported if row.get("load_estimated")
    ]
    if len(both) < BOTH_DAYS:
        return 1.0
    return sum(load for load, _ in both) / sum(estimated for _, estimated in both)


def _own(state: Any) -> dict[str, list[float]]:
    """Mean, spread and seconds of each channel the session had."""
    own = {}
    for index in np.flatnonzero(state["own_seconds"] > 0).tolist():
        seconds = float(state["own_seconds"][index])
        mean = float(state["own_sum"][index]) / seconds
        variance = max(0.0, float(state["own_square"][index]) / seconds - mean**2)
        centre, spread = float(state["centre"][index]), float(state["spread"][index])
        own[CHANNELS[index]] = [round(centre + spread * mean, 6), round(spread * variance**0.5, 6), seconds]
    return own


def pooled(
    before: Mapping[str, Sequence[float]], sessions: Sequence[Mapping[str, Any]]
) -> dict[str, list[float]]:
    """Baselines with sessions added to them in order; what was there before counts for 40 h at most."""
    after = {channel: [float(value) for value in own] for channel, own in before.items()}
    for session in sessions:
        for channel, own in session["own"].items():
            if own[2] > 0:
                after[channel] = _together(after.get(channel, [0.0, 0.0, 0.0]), own)
    return after


def _together(before: Sequence[float], own: Sequence[float]) -> list[float]:
    """Centre, spread and seconds of two sets of seconds as one."""
    (old_centre, old_spread, old_seconds), (centre, spread, seconds) = before, own
    kept = min(old_seconds, MEMORY_S)
    mean = (kept * old_centre + seconds * centre) / (kept + seconds)
    square = kept * (old_spread**2 + (old_centre - mean) ** 2) + seconds * (spread**2 + (centre - mean) ** 2)
    return [round(mean, 6), round((square / (kept + seconds)) ** 0.5, 6), kept + seconds]
