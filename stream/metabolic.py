"""Metabolic power of running and walking from speed and acceleration. Pure formulas, any array shape.

Sources: di Prampero & Osgnach 2018 (equivalent slope, walking cost, walk-run transition), Minetti & Pavei
2018 (running cost). Whether metabolic power says much about real energy use in team sport is disputed
(PMC9729919): read it as an index of locomotor demand.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

G: Final = 9.81
FLAT_COST: Final = 3.6  # J/kg/m of constant running on grass
DRAG: Final = 0.0037
RUNNING_ABOVE: Final = 2.5  # m/s, at any slope
#: Beyond what anybody runs (m/s, m/s²): a fault of tracking or a vehicle, of which the formulas say nothing.
FASTEST: Final = 13.0
HARDEST: Final = 10.0
TRANSITION: Final = (-107.05, 113.13, -1.13, -15.84, -1.7, 2.27)  # m/s over slope^5 … slope^0
#: Walking cost over speed^4 … speed^0 (J/kg/m) at each of these equivalent slopes, linear in between.
WALK_SLOPES: Final = np.array([-0.3, -0.2, -0.1, 0.0, 0.1, 0.2, 0.3, 0.4])
WALK_COST: Final = np.array(
    [
        [0.28, -1.66, 3.81, -3.96, 4.01],
        [0.03, -0.15, 0.98, -2.25, 3.14],
        [0.69, -3.21, 5.94, -5.07, 2.79],
        [1.25, -6.57, 13.14, -11.15, 5.35],
        [0.68, -4.17, 10.17, -10.31, 8.66],
        [3.80, -14.91, 22.94, -14.53, 11.24],
        [44.95, -122.88, 126.94, -57.46, 21.39],
        [94.62, -213.94, 184.43, -68.49, 25.04],
    ]
)


def metabolic_power(speed: Floats, acceleration: Floats) -> Floats:
    """Metabolic power in W/kg from speed (m/s) and acceleration (m/s²); NaN where either is, or nobody runs so."""
    human = (speed <= FASTEST) & (np.abs(acceleration) <= HARDEST)
    slope = acceleration / G + DRAG * speed**2 / G
    mass = np.sqrt(slope**2 + 1)
    running = (speed > RUNNING_ABOVE) | (speed >= np.polyval(TRANSITION, slope))
    cost = np.where(running, _running_cost(slope), _walking_cost(slope, speed))
    return np.where(human, cost * mass * speed, np.nan)


def _running_cost(slope: Floats) -> Floats:
    """J/kg/m, without the equivalent mass."""
    up = np.clip(slope, 0, None)
    down = np.clip(slope, None, 0)
    return np.where(
        slope >= 0, 39.5 * up + FLAT_COST * np.exp(-4 * up), -8.34 * down + FLAT_COST * np.exp(13 * down)
    )


def _walking_cost(slope: Floats, speed: Floats) -> Floats:
    """J/kg/m, without the equivalent mass."""
    place = np.clip((slope - WALK_SLOPES[0]) * 10, 0, len(WALK_SLOPES) - 1)
    below = np.minimum(np.nan_to_num(place).astype(int), len(WALK_SLOPES) - 2)
    share = (place - below)[..., None]
    terms = WALK_COST[below] * (1 - share) + WALK_COST[below + 1] * share
    powers = np.asarray(speed)[..., None] ** np.arange(4, -1, -1)
    return np.asarray((terms * powers).sum(axis=-1))
