"""Because: the inputs that pushed a score most, by name, with value and unit. Pushes come from the engine.

A push is how far an input moved the score away from what it would be in an *ordinary* case, in the score's own unit;
the pushes of all inputs add up to that distance. What is ordinary is said here: for the injury risk days of the own
usual load and of common wellness, known where these are; for the performance score an effort of
:data:`RESERVE` of the heart-rate reserve in mild weather, and the output that is expected then.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from stream.days import COLUMNS, UNITS, newest_values
from stream.infer import EFFORT, OUTPUTS, Asked, Engine

Float32 = NDArray[np.float32]
Ints = NDArray[np.int64]

#: How many inputs are named.
MOST: Final = 3
#: Digits of a value and of a push that are told.
DIGITS: Final = 4
#: An ordinary effort: share of the heart-rate reserve, WBGT in °C.
RESERVE: Final = 0.7
MILD_C: Final = 15.0
#: Units of the kinds of output.
OUTPUT_UNITS: Final[Mapping[str, str]] = {"power": "W", "metabolic_power": "W/kg", "speed": "m/s"}


@dataclass(frozen=True, slots=True)
class Pushed:
    """An input, its newest ``value`` in ``unit``, and how far it pushed the score; None where nobody knows."""

    name: str
    value: float
    unit: str
    push: float | None = None

    def __str__(self) -> str:
        """In words: ``soreness 4 of 5 (+0.012)``."""
        pushed = "" if self.push is None else f" ({self.push:+.2g})"
        return f"{self.name.replace('_', ' ')} {self.value:.4g} {self.unit}{pushed}"

    def as_map(self) -> dict[str, Any]:
        """As records carry it."""
        return {"name": self.name, "value": self.value, "unit": self.unit, "push": self.push}


def of_days(rows: Sequence[Mapping[str, Any]], pushes: Float32) -> tuple[Pushed, ...]:
    """What pushed the risk of days: ``pushes (14, D)`` in probability, ``rows`` the days they were cut from."""
    total = pushes[:, : len(COLUMNS)].sum(axis=0)
    values = newest_values(rows)
    entries = zip(COLUMNS, values, total, strict=True)
    return most([(name, float(value), UNITS[name], float(push)) for name, value, push in entries])


def of_performance(asked: Asked, engine: Engine) -> list[tuple[Pushed, ...]]:
    """What pushed the percentiles of R seconds away from 50, in points of 100."""
    calm = ordinary_effort(asked.effort)
    usual = engine.performance(calm, asked.static)[0][:, engine.quantile_levels.index(0.5)]
    pushes, _, of_output = engine.performance_pushes(
        (asked.effort, asked.static, asked.over_own), (calm, asked.static, usual)
    )
    half = len(EFFORT) // 2
    of_effort = pushes[:, :, :half].sum(axis=1)
    return [_of_second(asked, row, of_effort[row], of_output[row]) for row in range(len(of_output))]


def ordinary_effort(effort: Float32) -> Float32:
    """``effort (R, 120, 4)`` as it would be in an ordinary case; what is missing stays so."""
    values = np.array([RESERVE, MILD_C / 40.0], dtype=np.float32)
    present = effort[:, :, len(values) :]
    return np.concatenate([present * values, present], axis=2).astype(np.float32)


def _of_second(asked: Asked, row: int, of_effort: Float32, of_output: np.float32) -> tuple[Pushed, ...]:
    kind = OUTPUTS[asked.kind[row]]
    reserve, heat = _present_mean(asked.effort[row])
    return most(
        [
            ("heart_rate_reserve", 100 * reserve, "%", 100 * float(of_effort[0])),
            ("wbgt", 40 * heat, "°C", 100 * float(of_effort[1])),
            (kind, float(asked.output[row]), OUTPUT_UNITS[kind], 100 * float(of_output)),
        ]
    )


def _present_mean(effort: Float32) -> tuple[float, float]:
    """Means of reserve and heat over what is present of the last minute of ``(120, 4)``."""
    recent = effort[-60:].astype(np.float64)
    count = np.maximum(recent[:, 2:].sum(axis=0), 1)
    reserve, heat = recent[:, :2].sum(axis=0) / count
    return float(reserve), float(heat)


def most(entries: Sequence[tuple[str, float, str, float]]) -> tuple[Pushed, ...]:
    """The :data:`MOST` entries ``(name, value, unit, push)`` that pushed furthest, such as pushed at all."""
    told = [
        (name, value, unit, round(push, DIGITS)) for name, value, unit, push in entries if np.isfinite(push)
    ]
    told.sort(key=lambda entry: -abs(entry[3]))
    return tuple(
        Pushed(name, round(value, DIGITS), unit, push) for name, value, unit, push in told[:MOST] if push
    )
