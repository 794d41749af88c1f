"""Air over the venue: temperature, globe temperature and humidity that wander through a session."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

EVERY_S: Final = 10
MEMORY: Final = float(np.exp(-EVERY_S / 1800))


@dataclass(frozen=True, slots=True)
class Air:
    """One reading: ``air`` and ``globe`` °C, ``humidity`` %."""

    air: float
    globe: float
    humidity: float

    @property
    def wbgt(self) -> float:
        """WBGT (°C) in the simplified form of the Australian Bureau of Meteorology, sun by the globe's excess."""
        vapour = self.humidity / 100 * 6.105 * float(np.exp(17.27 * self.air / (237.7 + self.air)))
        return 0.567 * self.air + 0.393 * vapour + 3.94 + 0.1 * (self.globe - self.air - 7)


class Weather:
    """Each call is ten seconds later. ``air_c`` None draws a mild day."""

    def __init__(self, rng: np.random.Generator, air_c: float | None = None) -> None:
        self._rng = rng
        mild = float(rng.uniform(10, 26))
        self._air = mild if air_c is None else air_c
        self._sun = float(rng.uniform(2, 14))
        self._humidity = float(rng.uniform(35, 75))
        self._off = np.zeros(3)

    def step(self) -> Air:
        """The next reading."""
        jump = self._rng.normal(0, 1, 3) * np.array([0.6, 1.5, 3.0]) * np.sqrt(1 - MEMORY**2)
        self._off = MEMORY * self._off + jump
        air, sun, humidity = (float(o) for o in self._off)
        return Air(
            air=self._air + air,
            globe=self._air + air + max(self._sun + sun, 0.0),
            humidity=float(np.clip(self._humidity + humidity, 5, 100)),
        )
