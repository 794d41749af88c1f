"""Wet-bulb globe temperature from air and globe temperature and humidity. Pure formulas."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def wet_bulb(air: Floats, humidity: Floats) -> Floats:
    """Wet-bulb temperature (°C) of air (°C) at a relative humidity (%), by Stull 2011, eq. 1.

    J. Appl. Meteor. Climatol. 50, 2267; stated for 5 to 99 % and -20 to 50 °C. It is the psychrometric one
    and stands for the natural wet bulb, which sun and wind move by up to about a degree.
    """
    relative = np.clip(humidity, 5, 99)
    return np.asarray(
        air * np.arctan(0.151977 * np.sqrt(relative + 8.313659))
        + np.arctan(air + relative)
        - np.arctan(relative - 1.676331)
        + 0.00391838 * relative**1.5 * np.arctan(0.023101 * relative)
        - 4.686035
    )


def wbgt(air: Floats, globe: Floats, humidity: Floats) -> Floats:
    """Outdoor WBGT (°C) after ISO 7243; without a globe thermometer the air stands for it (shade)."""
    globe = np.where(np.isnan(globe), air, globe)
    return 0.7 * wet_bulb(air, humidity) + 0.2 * globe + 0.1 * air
