"""How fast each athlete means to go, once a second: free play as a semi-Markov chain of activities, or a set pace.

Intentions of a fresh athlete; what a tired body makes of them is ``motion``'s and ``bodies``' matter.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from sim.schedule import ACTIVITIES, Phase
from sim.squad import ROLES, Floats, Squad

#: Typical speed (m/s) and how long one bout lasts (s), in the order of ``ACTIVITIES``.
SPEEDS: Final = np.array([0.08, 1.35, 2.8, 4.6, 6.1, 7.6])
BOUTS_S: Final = np.array([6.0, 8.0, 5.0, 3.0, 2.5, 2.5])
#: Chance that a bout ends within a second.
LEAVING: Final = 1 - np.exp(-1 / BOUTS_S)
#: Shares of time by position in a match, of the size that match analyses report (about 9.5 to 11.5 km in 90 min).
MATCH_SHARES: Final = {
    "keeper": (0.22, 0.66, 0.10, 0.015, 0.004, 0.001),
    "centre_back": (0.08, 0.60, 0.25, 0.055, 0.012, 0.003),
    "back": (0.06, 0.575, 0.25, 0.08, 0.025, 0.01),
    "midfield": (0.04, 0.53, 0.31, 0.095, 0.02, 0.005),
    "wing": (0.06, 0.57, 0.24, 0.085, 0.03, 0.015),
    "striker": (0.08, 0.59, 0.225, 0.07, 0.023, 0.012),
}
PACE_WANDER: Final = 0.03
PACE_MEMORY_S: Final = 60.0


class Intent:
    """Speeds meant, ``(athletes,)`` m/s, one call a second."""

    def __init__(self, squad: Squad, rng: np.random.Generator) -> None:
        self._squad = squad
        self._rng = rng
        self._by_role = np.array([MATCH_SHARES[ROLES[r]] for r in squad.role])
        self._agility = np.sqrt(squad.aerobic_w_kg / 16)
        self._activity = np.full(squad.size, ACTIVITIES.index("walk"))
        self._bout = np.ones(squad.size)
        self._wander = np.zeros(squad.size)

    def step(self, phase: Phase, since_s: float) -> Floats:
        """Speeds meant for the second that lies ``since_s`` into ``phase``."""
        return self._free(phase) if phase.pace is None else self._paced(phase, phase.pace, since_s)

    def _free(self, phase: Phase) -> Floats:
        shares = self._by_role if phase.shares is None else np.tile(phase.shares, (self._squad.size, 1))
        size = self._squad.size
        leaves = self._rng.random(size) < LEAVING[self._activity]
        # A bout is entered in proportion to share x chance of leaving: its stationary share is then ``shares``.
        steps = np.cumsum(shares * LEAVING, axis=1)
        entered = np.sum(self._rng.random((size, 1)) * steps[:, -1:] > steps, axis=1)
        self._activity = np.where(leaves, entered, self._activity)
        self._bout = np.where(leaves, np.clip(self._rng.normal(1, 0.08, size), 0.8, 1.2), self._bout)
        agility = np.where(self._activity >= ACTIVITIES.index("jog"), self._agility, 1.0)
        return np.asarray(SPEEDS[self._activity] * self._bout * agility)

    def _paced(self, phase: Phase, pace: float, since_s: float) -> Floats:
        keep = np.exp(-1 / PACE_MEMORY_S)
        noise = self._rng.normal(0, PACE_WANDER * np.sqrt(1 - keep**2), self._squad.size)
        self._wander = keep * self._wander + noise
        share = pace if phase.works(since_s) else phase.rest_pace
        return np.asarray(share * self._squad.aerobic_speed * (1 + self._wander))
