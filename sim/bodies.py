"""Bodies at work: how capacity falls and comes back, how the heart answers.

The equations are those of oxygen uptake kinetics (two components, faster up than down) and of Skiba's balance of work
above critical power, none of the forms that ``models`` learns. State is one array
``(athletes,)`` per quantity, stepped once a second.
"""

from __future__ import annotations

from typing import Final, Literal

import numpy as np

from sim.squad import Floats, Squad

Fatigue = Literal["none", "natural", "fade"]
FATIGUE_MODES: Final[tuple[Fatigue, ...]] = ("none", "natural", "fade")

STANDING_W_KG: Final = 0.8

SLOW_SHARE: Final = 0.5
SLOW_S: Final = 150.0
AROUSAL: Final = 0.08
HEAT_FROM_WBGT: Final = 18.0
HEAT_PER_DEGREE: Final = 0.004
NOISE_BPM: Final = 1.3
NOISE_MEMORY: Final = 0.85

FLEETING: Final = 0.06
LASTING_PER_J_KG: Final = 2.5e-5
LASTING_S: Final = 5400.0
LEAST_CAPACITY: Final = 0.35
#: A tired athlete goes slower and strains more: speed falls with capacity to this power, the rest is strain.
PACING: Final = 0.6


def _towards(now: Floats, goal: Floats, seconds: Floats | float) -> Floats:
    """One second of exponential approach with the given time constant."""
    return np.asarray(goal + (now - goal) * np.exp(-1 / np.asarray(seconds)))


class Bodies:
    """State of all bodies. ``capacity`` 0…1 and ``heart_rate`` (bpm) are the truth sensors only see part of.

    Fatigue ``none``: capacity stays 1 and the heart does not drift. ``natural``: capacity falls with work above
    critical power and partly comes back. ``fade``: a loss of ``fade_depth`` sets in at ``fade_from`` besides.
    """

    def __init__(self, squad: Squad, fatigue: Fatigue, seconds: int, rng: np.random.Generator) -> None:
        self._squad = squad
        self._fatigue = fatigue
        self._seconds = seconds
        self._rng = rng
        self._second = 0
        self._reserve = np.ones(squad.size)
        self._lasting = np.zeros(squad.size)
        self._fast = rng.uniform(0.15, 0.3, squad.size)
        self._slow = np.zeros(squad.size)
        self._noise = rng.normal(0, NOISE_BPM, squad.size)
        self._wbgt = HEAT_FROM_WBGT
        self.capacity = np.ones(squad.size)
        self.heart_rate = self._beats()

    def step(self, power: Floats, wbgt: float) -> None:
        """One second at metabolic ``power`` (W/kg, ``(athletes,)``) in air of ``wbgt`` (°C).

        Afterwards ``capacity`` and ``heart_rate`` are those of the second's end.
        """
        squad = self._squad
        demand = squad.economy * power + STANDING_W_KG
        self._wbgt = wbgt
        self._second += 1
        self._spend(demand)
        uptake = np.minimum(demand / (squad.aerobic_w_kg * self.capacity), 1.15)
        tau = np.where(uptake > self._fast, squad.rise_s, squad.fall_s)
        self._fast = _towards(self._fast, uptake, tau)
        excess = np.maximum(uptake - squad.critical_w_kg / squad.aerobic_w_kg, 0)
        self._slow = _towards(self._slow, SLOW_SHARE * excess, SLOW_S)
        jitter = self._rng.normal(0, NOISE_BPM * np.sqrt(1 - NOISE_MEMORY**2), squad.size)
        self._noise = NOISE_MEMORY * self._noise + jitter
        self.heart_rate = self._beats()

    def _spend(self, demand: Floats) -> None:
        """Balance of work above critical power (Skiba), and the capacity that is left of it."""
        squad = self._squad
        excess = demand - squad.critical_w_kg
        refill = np.maximum(-excess, 0) * (1 - self._reserve) / squad.reserve_j_kg
        drain = np.maximum(excess, 0) / squad.reserve_j_kg
        self._reserve = np.clip(self._reserve + refill - drain, 0, 1)
        gained = LASTING_PER_J_KG * np.maximum(excess, 0)
        self._lasting = self._lasting * np.exp(-1 / LASTING_S) + gained
        if self._fatigue != "none":
            tired = 1 - FLEETING * (1 - self._reserve) - self._lasting
            self.capacity = np.clip(tired - self._fade(), LEAST_CAPACITY, 1)

    def _fade(self) -> Floats | float:
        """The injected loss: a smooth ramp over a fifth of the session."""
        if self._fatigue != "fade":
            return 0.0
        ramp = np.clip((self._second / self._seconds - self._squad.fade_from) / 0.2, 0, 1)
        return np.asarray(self._squad.fade_depth * ramp**2 * (3 - 2 * ramp))

    def _beats(self) -> Floats:
        """Heart rate in bpm: reserve used, saturating at 1, with heat, drift and beat-to-beat noise."""
        squad = self._squad
        heat = HEAT_PER_DEGREE * (self._wbgt - HEAT_FROM_WBGT)
        hours = self._second / 3600
        drift = 0.0 if self._fatigue == "none" else squad.drift * hours * (1 + max(self._wbgt - 20, 0) / 10)
        used = np.maximum(self._fast + self._slow + AROUSAL + heat + drift, 0)
        share = used / (1 + used**6) ** (1 / 6)
        return np.clip(
            squad.rest_bpm + (squad.max_bpm - squad.rest_bpm) * share + self._noise, 35, squad.max_bpm
        )
