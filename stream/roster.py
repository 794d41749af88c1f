"""Roster: who an athlete is and what a session is, as the control topics say. Plain records, looked up by key.

A record that the stages could not work with is refused before it gets here, or one bad record would end every
worker whenever that athlete's session begins.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Annotated, Any, Final, TypeVar

import numpy as np
from numpy.typing import NDArray
from pydantic import AfterValidator, BaseModel, FiniteFloat, ValidationError
from pydantic import Field as Limits

from stream.clock import SECOND_US
from stream.slots import Field

Kind = TypeVar("Kind", bound=BaseModel)

#: Kinds of activity the performance model tells apart.
ACTIVITIES: Final = ("football", "run", "ride", "other")
STATIC: Final = ("age", "age_known", "sex", *ACTIVITIES)
FIELDS: Final = (Field("static", "f4", (len(STATIC),)),)
YEAR_US: Final = 31_556_952_000_000
#: No baseline is further out; squares of more are no numbers.
FURTHEST: Final = 1e12


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

    def in_break(self, sessions: Sequence[str], second: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Whether seconds ``(R,)`` since 1970 lie in a break that is marked in their session's record."""
        marked = {name: breaks for name in set(sessions) if (breaks := self.session(name).get("breaks"))}
        at_us, found = SECOND_US * second, np.zeros(len(second), np.bool_)
        for name, breaks in marked.items():
            here = np.array([one == name for one in sessions])
            for begin, end in breaks:
                found |= here & (begin <= at_us) & (at_us < (np.inf if end is None else end))
        return found


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


def check_athlete(packed: Any) -> dict[str, Any]:
    """An athlete record as it is. Raises ValueError with one line that says what is wrong with it."""
    checked(_Athlete, packed)
    record: dict[str, Any] = packed
    return record


def check_session(packed: Any) -> dict[str, Any]:
    """A session record as it is. Raises ValueError with one line that says what is wrong with it."""
    checked(_Session, packed)
    record: dict[str, Any] = packed
    return record


def checked(kind: type[Kind], packed: Any) -> Kind:
    """A control record by its model. Raises ValueError with one line that says what is wrong with it."""
    if not isinstance(packed, dict):
        raise ValueError("not a map")  # noqa: TRY004 (what a reader refuses is a ValueError, as msgpack's)
    try:
        return kind.model_validate(packed)
    except ValidationError as error:
        lines = (f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors(include_url=False))
        raise ValueError("; ".join(lines)) from None


def _iso(text: str) -> str:
    date.fromisoformat(text)
    return text


def _baseline(own: list[float]) -> list[float]:
    centre_spread_seconds = 3
    if len(own) != centre_spread_seconds or min(own[1:]) < 0 or max(map(abs, own)) > FURTHEST:
        raise ValueError(f"needs centre, spread and seconds up to {FURTHEST:g}, the last two not negative")
    return own


def _break(begin_end: list[int | None]) -> list[int | None]:
    both = 2
    if len(begin_end) != both or begin_end[0] is None:
        raise ValueError("needs a beginning and an end, which may be null")
    if begin_end[1] is not None and begin_end[1] <= begin_end[0]:
        raise ValueError("ends before it begins")
    return begin_end


class _Record(BaseModel, strict=True, extra="ignore"):
    """Only what a stage reads is checked."""


class _Profile(_Record):
    birth_year: Annotated[float, Limits(ge=1900, le=2100)] | None = None
    sex: str | None = None
    heart_rate_rest: Annotated[float, Limits(ge=20, le=120)] | None = None
    heart_rate_max: Annotated[float, Limits(ge=130, le=250)] | None = None
    critical_power_w: Annotated[float, Limits(gt=0, le=1000)] | None = None
    w_prime_j: Annotated[float, Limits(gt=0, le=1e6)] | None = None


class _Day(_Record):
    date: Annotated[str, AfterValidator(_iso)]
    load: FiniteFloat | None = None
    load_source: str | None = None
    load_estimated: FiniteFloat | None = None
    fatigue: FiniteFloat | None = None
    mood: FiniteFloat | None = None
    sleep_quality: FiniteFloat | None = None
    soreness: FiniteFloat | None = None
    stress: FiniteFloat | None = None
    readiness: FiniteFloat | None = None
    sleep_duration: FiniteFloat | None = None
    injury_report: bool | None = None


class _Attended(_Record):
    session: str
    opened_us: int
    load: Annotated[list[FiniteFloat], Limits(min_length=3, max_length=3)] | None
    own: dict[str, Annotated[list[FiniteFloat], AfterValidator(_baseline)]]


class _Athlete(_Record):
    squad: str | None = None
    profile: _Profile | None = None
    baselines: dict[str, Annotated[list[FiniteFloat], AfterValidator(_baseline)]] | None = None
    population: str | None = None
    days: list[_Day] | None = None
    sessions: list[_Attended] | None = None


class _Session(_Record):
    activity: str | None = None
    planned_minutes: Annotated[float, Limits(gt=0, le=1440)] | None = None
    rpe: Annotated[float, Limits(ge=0, le=10)] | None = None
    breaks: list[Annotated[list[int | None], AfterValidator(_break)]] | None = None
