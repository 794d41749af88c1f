"""Cut sessions made of plain curves, so that tests of training read no files and simulate nobody."""

from __future__ import annotations

import numpy as np

from stream.cut import CutSession
from stream.features import GROUPS
from stream.normalise import CHANNELS
from stream.roster import STATIC

START_S = 1_577_836_800


def session(number: int = 0, seconds: int = 400, *, missing: tuple[str, ...] = ()) -> CutSession:
    """Speed swings, heart rate follows it half a minute later; ``missing`` channels are NaN throughout."""
    rng = np.random.default_rng(number)
    t = np.arange(seconds)
    speed = 3 + np.sin(t / 25 + number) + 0.1 * rng.normal(size=seconds)
    values = {
        "heart_rate": 140 + 12 * np.sin((t - 30) / 25 + number),
        "speed": speed,
        "acceleration": np.gradient(speed),
        "climb": 0.2 * np.sin(t / 60),
        "yaw_rate": rng.normal(0, 20, seconds),
        "metabolic_power": 3.8 * speed,
        "cadence": 150 + 10 * speed,
    }
    history = np.full((seconds, len(CHANNELS)), np.nan)
    for name in values.keys() - set(missing):
        history[:, CHANNELS.index(name)] = values[name]
    static = np.zeros(len(STATIC), np.float32)
    static[STATIC.index("run")] = 1
    return CutSession(
        athlete=f"a{number}",
        session=f"s{number:02d}",
        second=START_S + t,
        history=history,
        missing=np.zeros((seconds, len(GROUPS))),
        heart_rest=60.0,
        heart_max=190.0,
        static=static,
        totals={},
    )
