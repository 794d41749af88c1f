"""What a session asks of its athletes, second by second: the phases of a match, a training session and a run."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from itertools import accumulate
from typing import Final, Literal

Kind = Literal["match", "training", "run"]
KINDS: Final[tuple[Kind, ...]] = ("match", "training", "run")
#: Activities of free play, slowest first. Shares of time in this order.
ACTIVITIES: Final = ("stand", "walk", "jog", "run", "high_speed", "sprint")

IDLE: Final = (0.55, 0.45, 0.0, 0.0, 0.0, 0.0)
EASY: Final = (0.08, 0.42, 0.48, 0.02, 0.0, 0.0)
WARM_UP: Final = (0.08, 0.38, 0.42, 0.09, 0.02, 0.01)
SMALL_GAME: Final = (0.05, 0.42, 0.36, 0.14, 0.025, 0.005)


@dataclass(frozen=True, slots=True)
class Phase:
    """One part of a session.

    ``seconds`` its length; ``shares`` of time per activity, None for what the athlete's position plays in a match;
    ``pace`` instead sets the speed as a share of the aerobic speed, for ``work_s`` seconds out of every
    ``work_s + rest_s``, and ``rest_pace`` for the others; ``area`` share of the pitch in use; ``contacts`` hard
    contacts per athlete and minute.
    """

    name: str
    seconds: float
    shares: tuple[float, ...] | None = None
    pace: float | None = None
    work_s: int = 1
    rest_s: int = 0
    rest_pace: float = 0.32
    area: float = 1.0
    contacts: float = 0.0

    def works(self, since_s: float) -> bool:
        """Whether ``since_s`` seconds into the phase lies in a work interval."""
        return since_s % (self.work_s + self.rest_s) < self.work_s


@dataclass(frozen=True, slots=True)
class Schedule:
    """Phases one after the other; ``ends`` are seconds since the session's start."""

    phases: tuple[Phase, ...]
    ends: tuple[float, ...]

    def at(self, second: int) -> tuple[Phase, float]:
        """The phase of this second and the seconds since it began; the last phase goes on for good."""
        index = min(bisect_right(self.ends, second), len(self.phases) - 1)
        return self.phases[index], second - (self.ends[index] - self.phases[index].seconds)


def _match() -> tuple[Phase, ...]:
    half, rest = 45 * 60.0, 15 * 60.0
    return (
        Phase("first half", half, contacts=0.35),
        Phase("break", rest, shares=IDLE, area=0.4),
        Phase("second half", half, contacts=0.35),
        Phase("after", rest, shares=IDLE),
    )


def _training(seconds: int) -> tuple[Phase, ...]:
    return (
        Phase("warm-up", 0.18 * seconds, shares=WARM_UP, area=0.5),
        Phase("intervals", 0.22 * seconds, pace=1.02, work_s=60, rest_s=60, area=0.9),
        Phase("drinks", 0.04 * seconds, shares=IDLE, area=0.3),
        Phase("small game", 0.42 * seconds, shares=SMALL_GAME, area=0.4, contacts=0.25),
        Phase("cool-down", 0.14 * seconds, shares=EASY, area=0.6),
    )


def _run(seconds: int) -> tuple[Phase, ...]:
    return (
        Phase("easy", 0.15 * seconds, pace=0.62),
        Phase("steady", 0.5 * seconds, pace=0.74),
        Phase("tempo", 0.25 * seconds, pace=0.84, work_s=240, rest_s=60, rest_pace=0.55),
        Phase("easy", 0.1 * seconds, pace=0.58),
    )


def schedule_of(kind: Kind, seconds: int) -> Schedule:
    """The schedule of a session; a match keeps its clock, the others are fitted to ``seconds``."""
    phases = _match() if kind == "match" else _training(seconds) if kind == "training" else _run(seconds)
    return Schedule(phases, tuple(accumulate(phase.seconds for phase in phases)))
