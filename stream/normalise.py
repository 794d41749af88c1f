"""Normalise: an athlete's last two minutes in the athlete's own terms, with missingness beside every channel.

Values become distances from the athlete's own centre in units of the athlete's own spread; a new athlete
starts from the squad's prior (:mod:`stream.squad`) and moves to the own baseline as seconds of it are known
(shrinkage). What was before the two minutes comes in half-minute means (:mod:`stream.earlier`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from stream import earlier
from stream.features import HISTORY, Measures
from stream.slots import Field, Slots
from stream.window import Seconds

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

LENGTH: Final = 120  # seconds of history
CHANNELS: Final = tuple(HISTORY)
#: Seconds of own baseline that weigh as much as the prior.
PRIOR_S: Final = 3600.0
LIMIT: Final = 8.0  # spreads; further out says nothing more

#: Centre and spread that stand for anybody; networks are trained on values in these terms.
PRIOR: Final[Mapping[str, tuple[float, float]]] = {
    "heart_rate": (140.0, 25.0),
    "speed": (2.5, 1.5),
    "acceleration": (0.0, 0.5),
    "yaw_rate": (0.0, 40.0),
    "climb": (0.0, 0.5),
    "cadence": (150.0, 40.0),
    "power": (200.0, 80.0),
    "metabolic_power": (9.0, 6.0),
    "player_load": (0.15, 0.15),
    "wbgt": (20.0, 5.0),
}
#: Channels that stand in own terms. Heat tells of days and not of athletes: in terms of the last few the next is far
#: out, where no network was trained, and forecasts were worse for it.
OWN_TERMS: Final = tuple(channel for channel in CHANNELS if channel != "wbgt")

FIELDS: Final = (
    Field("history", "f4", (LENGTH, len(CHANNELS)), blank=np.nan),  # by second modulo LENGTH
    Field("history_s", "i8", blank=-1),
    Field("centre", "f8", (len(CHANNELS),), blank=np.nan),
    Field("spread", "f8", (len(CHANNELS),), blank=np.nan),
    Field("last_heart_rate", "f8", blank=np.nan),
    Field("last_speed", "f8", blank=np.nan),
    *earlier.FIELDS,
)


@dataclass(frozen=True, slots=True)
class Normalised:
    """Two minutes up to each of R seconds.

    ``raw (R, 120, channels)`` in natural units, NaN missing; ``x (R, 120, 2 channels)`` own terms with 0 for
    missing, then 1 where present; ``anchor (R, 3)`` last heart rate, last speed, 0; ``earlier (R, 24, 6)`` own terms
    and presence of the half-minutes before (:mod:`stream.earlier`).
    """

    raw: NDArray[np.float32]
    x: NDArray[np.float32]
    anchor: NDArray[np.float32]
    earlier: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Prior:
    """What own baselines are shrunk to: ``centre`` and ``spread`` by their names.

    Of channels in natural units, of efficiencies (:data:`stream.efficiency.NAMES`) of logarithms.
    """

    centre: Mapping[str, float]
    spread: Mapping[str, float]


def begin_session(slots: Slots, slot: int, baselines: Mapping[str, Sequence[float]], prior: Prior) -> None:
    """Set an athlete's terms for a session from the own baselines (channel: centre, spread, seconds known)."""
    earlier.begin_session(slots, slot)
    for index, channel in enumerate(CHANNELS):
        centre, spread = prior.centre[channel], prior.spread[channel]
        if channel in baselines and channel in OWN_TERMS:
            own_centre, own_spread, seconds = baselines[channel]
            weight = seconds / (seconds + PRIOR_S)
            centre += weight * (own_centre - centre)
            spread += weight * (own_spread - spread)
        slots.state["centre"][slot, index] = centre
        slots.state["spread"][slot, index] = max(spread, 1e-3)


def normalise(seconds: Seconds, measures: Measures, slots: Slots) -> Normalised:
    """Bring the histories forward, wave by wave, and give each second its window."""
    state = slots.state
    raw = np.full((len(seconds), LENGTH, len(CHANNELS)), np.nan, dtype=np.float32)
    anchor = np.zeros((len(seconds), 3))
    before = np.full((len(seconds), earlier.BLOCKS, len(earlier.EARLIER)), np.nan, dtype=np.float32)
    for rows in seconds.waves():
        slot, second = seconds.slot[rows], seconds.second[rows]
        _remember(state, slot, second, measures.history[rows])
        earlier.remember(state, slot, second, measures.history[rows])
        before[rows] = earlier.recall(state, slot, second)
        order = (second[:, None] + np.arange(1, LENGTH + 1)) % LENGTH  # oldest first
        raw[rows] = state["history"][slot[:, None], order]
        for column, name in enumerate(("heart_rate", "speed")):
            now = measures.live[name][rows]
            state[f"last_{name}"][slot] = np.where(np.isnan(now), state[f"last_{name}"][slot], now)
            anchor[rows, column] = state[f"last_{name}"][slot]
    centre, spread = state["centre"][seconds.slot], state["spread"][seconds.slot]
    anchor[:, :2] = np.where(np.isnan(anchor[:, :2]), centre[:, :2], anchor[:, :2])
    columns = list(earlier.COLUMNS)
    return Normalised(
        raw,
        own_terms(raw, centre, spread),
        anchor.astype(np.float32),
        own_terms(before, centre[:, columns], spread[:, columns]),
    )


def _remember(state: Any, slot: Ints, second: Ints, history: Floats) -> None:
    broken = slot[(state["history_s"][slot] >= 0) & (state["history_s"][slot] != second - 1)]
    state["history"][broken] = np.nan
    state["history"][slot, second % LENGTH] = history
    state["history_s"][slot] = second


def own_terms(raw: NDArray[Any], centre: Floats, spread: Floats) -> NDArray[np.float32]:
    """``raw (R, T, C)`` against ``centre``, ``spread (R, C)``: (R, T, 2C), distances then presence.

    In place and in float32: this is the largest array of the live path.
    """
    present = ~np.isnan(raw)
    terms = np.empty((*raw.shape[:2], 2 * raw.shape[2]), dtype=np.float32)
    own, known = np.split(terms, 2, axis=2)
    np.subtract(raw, centre[:, None].astype(np.float32), out=own, casting="same_kind")
    np.divide(own, spread[:, None].astype(np.float32), out=own)
    np.clip(own, -LIMIT, LIMIT, out=own)
    own[~present] = 0
    known[:] = present
    return terms
