"""The squad: who the simulated athletes are, as arrays ``(athletes,)``, and their profiles as records.

Traits do not change during a session. No session state here.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

#: Positions of one eleven, in the order in which athletes take them, with their home on the pitch.
#: Home is a share of length (own goal 0, other goal 1) and of width.
ROLES: Final = (
    "keeper", "back", "back", "centre_back", "centre_back",
    "midfield", "midfield", "midfield", "wing", "wing", "striker",
)  # fmt: skip
HOMES: Final = np.array([
    (0.06, 0.50), (0.32, 0.14), (0.32, 0.86), (0.26, 0.38), (0.26, 0.62),
    (0.42, 0.50), (0.52, 0.32), (0.52, 0.68), (0.66, 0.15), (0.66, 0.85), (0.72, 0.50),
])  # fmt: skip
SQUADS: Final = ("Reds", "Blues")
GIVEN: Final = (
    "Ada", "Ben", "Caro", "Deniz", "Emma", "Finn", "Grace", "Hugo", "Ida", "Jonas", "Kaya",
    "Liam", "Mina", "Noah", "Olga", "Paul", "Rosa", "Sami", "Tara", "Umut", "Vera", "Yara", "Zoe",
)  # fmt: skip
#: Net cost of level running, J/kg/m (di Prampero), and the share that becomes mechanical power at the foot.
RUNNING_COST: Final = 3.6
MECHANICAL_SHARE: Final = 0.28
CALENDAR_YEAR: Final = 2026
#: What bodies are like: trained adults, or the same twenty years on.
Physiology = Literal["trained", "masters"]
AGED_YEARS: Final = 20


@dataclass(frozen=True, slots=True)
class Squad:
    """Traits of all athletes, each array ``(athletes,)``.

    ``aerobic_w_kg`` metabolic power at the highest oxygen uptake, ``critical_w_kg`` the power that can be held,
    ``reserve_j_kg`` the work that can be done above it; ``rise_s`` and ``fall_s`` time constants of the heart's
    fast answer to more and to less work; ``drift`` share of heart-rate reserve gained per hour at 20 °C;
    ``fade_from`` (share of the session) and ``fade_depth`` (share of capacity) of an injected fade.
    """

    ids: tuple[str, ...]
    role: NDArray[np.int64]
    side: Floats
    female: NDArray[np.bool_]
    birth_year: NDArray[np.int64]
    mass_kg: Floats
    height_m: Floats
    rest_bpm: Floats
    max_bpm: Floats
    aerobic_w_kg: Floats
    critical_w_kg: Floats
    reserve_j_kg: Floats
    economy: Floats
    rise_s: Floats
    fall_s: Floats
    drift: Floats
    fade_from: Floats
    fade_depth: Floats

    @property
    def size(self) -> int:
        """How many athletes."""
        return len(self.ids)

    @property
    def aerobic_speed(self) -> Floats:
        """Speed (m/s) at the highest oxygen uptake."""
        return self.aerobic_w_kg / RUNNING_COST


def athlete_ids(size: int) -> tuple[str, ...]:
    """``A01``, ``A02``, … of equal width."""
    width = max(2, len(str(size)))
    return tuple(f"A{i:0{width}d}" for i in range(1, size + 1))


def _within(values: Floats, low: float, high: float) -> Floats:
    return np.clip(values, low, high)


def draw_squad(size: int, rng: np.random.Generator, physiology: Physiology = "trained") -> Squad:
    """A mixed squad of ``size``; elevens play towards opposite goals in turn."""
    drawn = _trained(size, rng)
    return drawn if physiology == "trained" else _aged(drawn)


def _aged(squad: Squad) -> Squad:
    """The same people twenty years on, still training: other bodies than any that are drawn young.

    Highest heart rate as Tanaka 2001 has it; aerobic power lower, running dearer, hearts slower to answer.
    """
    return replace(
        squad,
        birth_year=squad.birth_year - AGED_YEARS,
        rest_bpm=squad.rest_bpm + 4,
        max_bpm=np.rint(squad.max_bpm - 0.7 * AGED_YEARS),
        aerobic_w_kg=0.8 * squad.aerobic_w_kg,
        critical_w_kg=0.8 * squad.critical_w_kg,
        reserve_j_kg=0.8 * squad.reserve_j_kg,
        economy=1.06 * squad.economy,
        rise_s=1.6 * squad.rise_s,
        fall_s=1.4 * squad.fall_s,
    )


def _trained(size: int, rng: np.random.Generator) -> Squad:
    """Trained adults."""
    order = np.arange(size)
    female = rng.random(size) < 0.5
    age = rng.integers(18, 34, size)
    aerobic = _within(np.where(female, 14.4, 16.2) + rng.normal(0, 1.0, size), 11.5, 19.0)
    height = _within(np.where(female, 1.69, 1.82) + rng.normal(0, 0.06, size), 1.55, 2.0)
    rest = _within(rng.normal(54, 5, size) - 1.5 * (aerobic - 15.3), 40, 70)
    highest = _within(208 - 0.7 * age + rng.normal(0, 6, size), 175, 212)  # Tanaka 2001
    return Squad(
        ids=athlete_ids(size),
        role=order % len(ROLES),
        side=np.where(order // len(ROLES) % 2 == 0, 1.0, -1.0),
        female=female,
        birth_year=CALENDAR_YEAR - age,
        mass_kg=np.round(height**2 * rng.normal(22.8, 1.1, size), 1),
        height_m=np.round(height, 2),
        rest_bpm=np.rint(rest),
        max_bpm=np.rint(highest),
        aerobic_w_kg=aerobic,
        critical_w_kg=aerobic * _within(rng.normal(0.83, 0.03, size), 0.75, 0.9),
        reserve_j_kg=_within(rng.normal(650, 90, size), 400, 900),
        economy=_within(rng.normal(1.0, 0.03, size), 0.9, 1.1),
        rise_s=rng.uniform(16, 28, size),
        fall_s=rng.uniform(32, 58, size),
        drift=rng.uniform(0.02, 0.06, size),
        fade_from=rng.uniform(0.2, 0.5, size),
        fade_depth=rng.uniform(0.2, 0.45, size),
    )


def _profile(squad: Squad, index: int) -> dict[str, Any]:
    mechanical = MECHANICAL_SHARE * float(squad.mass_kg[index])
    return {
        "birth_year": int(squad.birth_year[index]),
        "sex": "female" if squad.female[index] else "male",
        "mass_kg": float(squad.mass_kg[index]),
        "height_m": float(squad.height_m[index]),
        "heart_rate_rest": float(squad.rest_bpm[index]),
        "heart_rate_max": float(squad.max_bpm[index]),
        "critical_power_w": round(mechanical * float(squad.critical_w_kg[index])),
        "w_prime_j": round(mechanical * float(squad.reserve_j_kg[index])),
    }


def athlete_records(
    squad: Squad, days: list[list[dict[str, Any]]], population: str | None = None
) -> list[dict[str, Any]]:
    """Records of the topic ``athletes``; ``days`` holds each athlete's daily rows, oldest first."""
    return [
        {
            "v": 1,
            "athlete": athlete,
            "name": f"{GIVEN[i % len(GIVEN)]} {i + 1}",
            "squad": SQUADS[0] if squad.side[i] > 0 else SQUADS[1],
            "profile": _profile(squad, i),
            "baselines": {},
            "population": population,
            "days": days[i],
        }
        for i, athlete in enumerate(squad.ids)
    ]
