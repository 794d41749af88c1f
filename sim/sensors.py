"""What wearables measure of the truth: place with a slowly wandering error, Doppler speed, cadence, power."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sim.gait import step_rate
from sim.motion import RATE_HZ, Motion
from sim.squad import MECHANICAL_SHARE, Floats, Squad

#: Error of place: standard deviation (m) and memory (s). It moves so slowly that paths keep their length.
PLACE_ERROR_M: Final = 0.25
PLACE_MEMORY: Final = float(np.exp(-1 / 40))
SPEED_ERROR: Final = 0.04
SPEED_MEMORY: Final = float(np.exp(-1 / 2))
SHARE: Final = np.arange(RATE_HZ) / RATE_HZ


@dataclass(frozen=True, slots=True)
class Readings:
    """One second of a squad as measured.

    ``imu`` ``(athletes, 100, 6)`` g and deg/s; ``position`` ``(athletes, 10, 3)`` x, y (m), speed (m/s);
    ``heart`` ``(athletes,)`` bpm; ``motion`` ``(athletes, 2)`` cadence (1/min), mechanical power (W).
    """

    imu: NDArray[np.float32]
    position: Floats
    heart: Floats
    motion: Floats


class Wander:
    """A correlated error: first-order at 1 Hz, straight lines between at 10 Hz. Shape ``(athletes, channels)``."""

    def __init__(
        self, shape: tuple[int, int], spread: float, memory: float, rng: np.random.Generator
    ) -> None:
        self._rng = rng
        self._memory = memory
        self._jump = spread * np.sqrt(1 - memory**2)
        self._now = rng.normal(0, spread, shape)

    def step(self) -> Floats:
        """Errors of the next second, ``(athletes, 10, channels)``."""
        after = self._memory * self._now + self._rng.normal(0, self._jump, self._now.shape)
        errors = self._now[:, None] + (after - self._now)[:, None] * SHARE[:, None]
        self._now = after
        return np.asarray(errors)


class Sensors:
    """The squad's sensors, except the inertial one, which ``gait`` makes."""

    def __init__(self, squad: Squad, rng: np.random.Generator) -> None:
        self._squad = squad
        self._rng = rng
        self._place = Wander((squad.size, 2), PLACE_ERROR_M, PLACE_MEMORY, rng)
        self._doppler = Wander((squad.size, 1), SPEED_ERROR, SPEED_MEMORY, rng)

    def position(self, motion: Motion) -> Floats:
        """x, y, speed as measured, ``(athletes, 10, 3)``; speed is never below 0."""
        speed = np.maximum(motion.speed[..., None] + self._doppler.step(), 0)
        return np.concatenate([motion.xy + self._place.step(), speed], axis=-1)

    def motion(self, motion: Motion, power: Floats) -> Floats:
        """Cadence in steps a minute and mechanical power from metabolic ``power`` (W/kg), ``(athletes, 2)``."""
        size = self._squad.size
        cadence = 60 * step_rate(motion.speed.mean(axis=1)) + self._rng.normal(0, 1, size)
        watts = MECHANICAL_SHARE * power * self._squad.mass_kg * self._rng.normal(1, 0.03, size)
        return np.stack([np.maximum(cadence, 0), np.maximum(watts, 0)], axis=-1)
