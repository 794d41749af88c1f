"""Efficiency: the output an athlete gives at an effort over what anybody is expected to give at it, when fresh.

It is what the performance score knows of somebody as somebody. The mean of the own output would not do: it tells how
hard the sessions were, and an easy one would look like a bad one. So the mean is taken of the logarithm of output
over the network's median at the effort of that second, for each kind of output, over the first minutes of every
session, before fatigue is in it. It goes from session to session with the other baselines of the record.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from stream.clock import SECOND_US
from stream.infer import OUTPUTS, Inferred
from stream.normalise import Prior
from stream.slots import Field, Slots
from stream.window import Seconds

Floats = NDArray[np.float64]

#: Seconds of a session that count as fresh.
FRESH_S: Final = 900
#: Fresh seconds that weigh as much as what is expected of anybody. Athletes differ by 0.10 to 0.11 (simulated
#: squads), the days of one by 0.034 (simulated matches) to 0.044 (53 runs of a runner): a quarter of an hour tells
#: nine tenths.
PRIOR_S: Final = 90.0
#: Output below this share of what is expected counts as this much: the logarithm of standing still is no number.
LEAST: Final = 0.02
#: What the baselines of a record are called, a kind of output each.
NAMES: Final = tuple(f"efficiency.{kind}" for kind in OUTPUTS)

FIELDS: Final = (
    Field("efficiency", "f8", (len(OUTPUTS),), blank=1.0),  # the own as far as it is known, else the squad's
    Field("efficiency_known", "f8", (len(OUTPUTS),)),  # how far that is the own, 0 to 1
    Field("fresh_s", "f8", (len(OUTPUTS),)),
    Field("fresh_sum", "f8", (len(OUTPUTS),)),  # of logarithms of output over what is expected of anybody
    Field("fresh_square", "f8", (len(OUTPUTS),)),
)


def begin_session(slots: Slots, slot: int, baselines: Mapping[str, Sequence[float]], prior: Prior) -> None:
    """Set an athlete's efficiency from the baselines (name: mean logarithm, spread, seconds known), by shrinkage."""
    state = slots.state
    own = np.array([baselines.get(name, (0.0, 0.0, 0.0)) for name in NAMES])  # (3, 3)
    squad = np.array([prior.centre[name] for name in NAMES])
    known = weight(own[:, 2])
    state["efficiency"][slot] = np.exp(known * own[:, 0] + (1 - known) * squad)
    state["efficiency_known"][slot] = known


def weight(seconds: Floats) -> Floats:
    """How much to believe own efficiencies that stand on so many fresh ``seconds``, any shape: 0 to 1."""
    return np.asarray(seconds / (seconds + PRIOR_S))


def add_seconds(seconds: Seconds, inferred: Inferred, slots: Slots) -> None:
    """Add those of R scored seconds that are fresh."""
    state = slots.state
    begun_us = seconds.second * SECOND_US - state["opened_us"][seconds.slot]
    counts = (inferred.abstains == 0) & (begun_us < FRESH_S * SECOND_US)
    over_anybody = inferred.over_expected * state["efficiency"][seconds.slot, inferred.kind]
    logarithm = np.log(np.maximum(over_anybody, LEAST))
    for wave in seconds.waves():
        rows = wave[counts[wave]]
        at = seconds.slot[rows], inferred.kind[rows]
        state["fresh_s"][at] += 1
        state["fresh_sum"][at] += logarithm[rows]
        state["fresh_square"][at] += logarithm[rows] ** 2


def left(state: Any) -> dict[str, list[float]]:
    """Mean logarithm, spread and seconds of each kind of output that a session had; ``state`` of its slot."""
    found = {}
    for index in np.flatnonzero(state["fresh_s"] > 0).tolist():
        seconds = float(state["fresh_s"][index])
        mean = float(state["fresh_sum"][index]) / seconds
        variance = max(0.0, float(state["fresh_square"][index]) / seconds - mean**2)
        found[NAMES[index]] = [round(mean, 6), round(variance**0.5, 6), seconds]
    return found
