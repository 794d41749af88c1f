"""Scores and alerts as the worker writes them, for tests: plain ones, and a squad in a match that looks like one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from stream.sinks.store import StoredAlert
from stream.web.messages import Batch, Named
from tests.stream.web.fakes import SECOND_US, START_US

Floats = NDArray[np.float64]


def make_score(athlete: str = "a1", end_us: int = START_US, **parts: Any) -> dict[str, Any]:
    """A score with every part; ``parts`` replace or, where both are maps, overlay."""
    score: dict[str, Any] = {
        "v": 1,
        "athlete": athlete,
        "session": "match",
        "window_start_us": end_us - SECOND_US,
        "window_end_us": end_us,
        "final": False,
        "position": None,
        "performance": {"score": 61.26, "low": 48.0, "high": 74.0, "abstains": None},
        "injury": {
            "risk": 0.0213, "low": 0.011, "high": 0.041, "horizon_days": 7, "load_source": "reported",
            "outside_population": False, "abstains": None,
            "because": [{"name": "load", "value": 900.0, "unit": "AU", "push": 0.012}],
            "today": {"risk": 0.04, "low": 0.01, "high": 0.09, "load": [100.0, 140.0, 180.0], "load_planned": 600.0,
                      "load_source": "heart_rate", "fraction_known": 0.25, "helps": False},
        },
        "forecast": {"heart_rate": None, "speed": None, "yaw_rate": None, "acceleration": None, "abstains": "x"},
        "live": {"heart_rate": 161.7, "heart_rate_reserve": 0.8123, "speed": 4.237},
        "totals": {
            "player_load_au": 312.44, "distance_m": 5432.1, "hsr_distance_m": 412.0, "sprints": 7,
            "duration_s": 2700.0,
        },
        "quality": {"missing": {}, "late": 0, "clamped": 0, "frames": 10, "stale": False},
        "alerts": [],
        "lineage": {"models": {}, "device_us": end_us, "ingest_us": end_us, "scored_us": end_us},
    }  # fmt: skip
    for name, part in parts.items():
        both = isinstance(part, dict) and isinstance(score[name], dict)
        score[name] = score[name] | part if both else part
    return score


def make_alert(
    athlete: str = "a1", state: str = "firing", event_us: int = START_US, **parts: Any
) -> StoredAlert:
    """A transition of the heart-rate rule unless ``parts`` say otherwise."""
    known: dict[str, Any] = {
        "id": f"{athlete}-{state}-{event_us}",
        "athlete": athlete,
        "session": "match",
        "rule": "heart_rate_high",
        "from_state": "pending",
        "state": state,
        "reason": "held",
        "message": "heart rate 94 % of maximum for 120 s",
        "event_us": event_us,
    }
    return StoredAlert(**(known | parts))


PEOPLE: Final = (
    "Ada Brandt", "Bea Lindqvist", "Carla Moreau", "Dina Osei", "Elif Kaya", "Fenna de Wit", "Greta Holm",
    "Hana Novak", "Ida Solberg", "Jana Petrova", "Kaja Nilsen", "Lena Vogt", "Mira Castel", "Nora Quinn",
    "Olga Marin", "Petra Zeman", "Rosa Ibarra", "Signe Dahl", "Tove Ekman", "Una Farrell", "Vera Kovac",
    "Wilma Berg",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Courses:
    """Seconds of one athlete, each ``(seconds,)``: performance (0 to 100), heart rate (bpm), speed (m/s)."""

    performance: Floats
    heart: Floats
    speed: Floats


class Squad:
    """22 athletes, the last ten minutes of a half; ``seed`` makes it the same every time."""

    def __init__(self, seconds: int = 600, seed: int = 7, end_us: int = START_US) -> None:
        self.seconds, self.end_us = seconds, end_us
        self._rng = np.random.default_rng(seed)
        self.ids = [f"athlete-{k + 1:02d}" for k in range(len(PEOPLE))]
        self._courses = {athlete: self._course(k) for k, athlete in enumerate(self.ids)}
        self._risk = dict(zip(self.ids, self._rng.gamma(2.2, 0.007, len(self.ids)), strict=True))
        self._risk[self.ids[6]] = 0.064
        self._before = dict(zip(self.ids, self._rng.uniform(3300, 4700, len(self.ids)), strict=True))

    def names(self) -> Batch:
        people = zip(self.ids, PEOPLE, strict=True)
        return Batch(named=[Named(athlete, name, "First team") for athlete, name in people])

    def all(self) -> Batch:
        """Everything up to the end."""
        seconds = range(self.seconds)
        return Batch([self.score(athlete, k) for athlete in self.ids for k in seconds])

    def score(self, athlete: str, second: int) -> dict[str, Any]:
        course, risk = self._courses[athlete], self._risk[athlete]
        end_us = self.end_us - (self.seconds - 1 - second) * SECOND_US
        score, heart, speed = (float(c[second]) for c in (course.performance, course.heart, course.speed))
        run = self._before[athlete] + float(course.speed[: second + 1].sum())
        fast = float(np.where(course.speed[: second + 1] > 5.5, course.speed[: second + 1], 0).sum())
        return make_score(
            athlete,
            end_us,
            performance={"score": score, "low": max(0, score - 12), "high": min(100, score + 11)},
            injury={"risk": risk, "low": risk * 0.55, "high": risk * 1.7},
            live={"heart_rate": heart, "heart_rate_reserve": (heart - 52) / 142, "speed": speed},
            totals={
                "player_load_au": run / 10.4,
                "distance_m": run,
                "hsr_distance_m": 0.06 * self._before[athlete] + fast,
                "sprints": int(run // 640),
                "duration_s": 2100.0 + second,
            },
        )

    def _course(self, k: int) -> Courses:
        """Bouts of running over a jog, a heart that follows with its lag, a performance that drifts."""
        count = self.seconds
        bouts = np.zeros(count)
        for start in self._rng.integers(0, count, max(1, count // 45)):
            length = int(self._rng.integers(4, 14))
            part = bouts[start : start + length]
            bouts[start : start + length] = np.maximum(part, self._rng.uniform(2.5, 6.0))
        jog = 1.9 + 0.6 * np.sin(np.arange(count) / 23 + k) + self._rng.normal(0, 0.25, count)
        speed = np.convolve(np.clip(jog + bouts, 0, 9.3), np.ones(5) / 5, "same")
        heart = np.empty(count)
        level = 148 + 14 * np.sin(k * 1.7)
        for second, pace in enumerate(speed):
            level += ((128 + 11.5 * pace + 4 * np.sin(k)) - level) / 38
            heart[second] = level
        drift = np.cumsum(self._rng.normal(0, 0.55, count))
        fade = -26 * np.linspace(0, 1, count) if k in (3, 11) else 0
        performance = np.clip(54 + 11 * np.sin(k * 2.1) + drift - drift[-1] * 0.4 + fade, 3, 97)
        return Courses(performance, heart, speed)
