"""Roster: who an athlete is and what a session is, as the control topics say. Plain records, looked up by key."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from stream.slots import Field

#: Kinds of activity the performance model tells apart.
ACTIVITIES: Final = ("football", "run", "ride", "other")
STATIC: Final = ("age", "age_known", "sex", *ACTIVITIES)
FIELDS: Final = (Field("static", "f4", (len(STATIC),)),)
YEAR_US: Final = 31_556_952_000_000


@dataclass(slots=True)
class Roster:
    """Newest record of each athlete and session; unknown ones read as empty."""

    athletes: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    sessions: dict[str, Mapping[str, Any]] = field(default_factory=dict)

    def athlete(self, name: str) -> Mapping[str, Any]:
        """The athlete record, empty when there is none."""
        return self.athletes.get(name, {})

    def session(self, name: str) -> Mapping[str, Any]:
        """The session record, empty when there is none."""
        return self.sessions.get(name, {})


def age(profile: Mapping[str, Any], at_us: int) -> float | None:
    """Age in years at an event time, None when the birth year is not known."""
    born = profile.get("birth_year")
    return None if born is None else 1970 + at_us / YEAR_US - float(born)


def static_features(profile: Mapping[str, Any], activity: str | None, at_us: int) -> NDArray[np.float32]:
    """``(7,)`` by :data:`STATIC`: age / 100 and whether known, sex (1 male, -1 female, 0 unknown), activity."""
    years = age(profile, at_us)
    sex = {"male": 1.0, "female": -1.0}.get(str(profile.get("sex")), 0.0)
    kind = activity if activity in ACTIVITIES else "other"
    one_hot = [float(kind == name) for name in ACTIVITIES]
    return np.array([(years or 0.0) / 100, float(years is not None), sex, *one_hot], dtype=np.float32)
