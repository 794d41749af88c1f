"""Movement over the ground: speeds meant become speeds run, headings and places, ten times a second.

One call moves the whole squad by one second. Metres, seconds, radians. No heart, no sensor.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from sim.squad import HOMES, Floats, Squad

RATE_HZ: Final = 10
PITCH_M: Final = (105.0, 68.0)
TIMES: Final = np.arange(RATE_HZ + 1) / RATE_HZ
SPEED_UP_S: Final = 1.2
SLOW_DOWN_S: Final = 1.0
BALL_MEMORY: Final = float(np.exp(-1 / 12))
BALL_SPREAD_M: Final = np.array([20.0, 13.0])
WANDER_MEMORY: Final = float(np.exp(-1 / 15))
WANDER_M: Final = 7.0
EDGE_M: Final = 6.0
EDGE_SPEED: Final = 2.5


@dataclass(frozen=True, slots=True)
class Motion:
    """One second of a squad at 10 Hz, arrays ``(athletes, 10)``.

    ``speed`` m/s, ``acceleration`` m/s² along the path, ``heading`` rad from the x axis, ``turn`` rad/s,
    ``xy`` ``(athletes, 10, 2)`` m; on the pitch the origin is a corner.
    """

    speed: Floats
    acceleration: Floats
    heading: Floats
    turn: Floats
    xy: Floats


class Movement:
    """Where everybody is and how fast. ``on_pitch`` False lets the path leave the pitch (a run on roads)."""

    def __init__(self, squad: Squad, rng: np.random.Generator, *, on_pitch: bool = True) -> None:
        self._rng = rng
        self._on_pitch = on_pitch
        self._home = HOMES[squad.role] * np.array(PITCH_M)
        self._home[:, 0] = np.where(squad.side > 0, self._home[:, 0], PITCH_M[0] - self._home[:, 0])
        self._ball = np.zeros(2)
        self._wander = np.zeros((squad.size, 2))
        self._xy = self._home.copy() if on_pitch else np.zeros((squad.size, 2))
        self._speed = np.zeros(squad.size)
        self._heading = rng.uniform(-np.pi, np.pi, squad.size)
        self._turn = np.zeros(squad.size)

    def step(self, target: Floats, area: float = 1.0) -> Motion:
        """The next second, towards ``target`` speeds ``(athletes,)``; ``area`` is the share of the pitch in use."""
        if self._on_pitch:
            target = self._slowed_at_edge(target)
        turn, heading = self._turned(self._towards_anchor(area) if self._on_pitch else self._along_road())
        speed, acceleration, steps = self._sped(target)
        middle = (heading[:, :-1] + heading[:, 1:]) / 2
        moved = np.cumsum(steps[..., None] * np.stack([np.cos(middle), np.sin(middle)], axis=-1), axis=1)
        xy = np.concatenate([self._xy[:, None], self._xy[:, None] + moved], axis=1)
        if self._on_pitch:
            xy, heading, turn = _folded(xy, heading, turn)
        self._xy, self._speed = xy[:, -1], speed[:, -1]
        self._heading, self._turn = heading[:, -1], turn[:, -1]
        return Motion(speed[:, :-1], acceleration[:, :-1], heading[:, :-1], turn[:, :-1], xy[:, :-1])

    def _sped(self, target: Floats) -> tuple[Floats, Floats, Floats]:
        """Exponential approach: speed and acceleration at ``TIMES``, and the ten distances between."""
        gap = (self._speed - target)[:, None]
        tau = np.where(gap < 0, SPEED_UP_S, SLOW_DOWN_S)
        left = gap * np.exp(-TIMES / tau)
        covered = target[:, None] * TIMES + tau * (gap - left)
        return target[:, None] + left, -left / tau, np.diff(covered, axis=1)

    def _turned(self, turn_meant: Floats) -> tuple[Floats, Floats]:
        """Turn rate going linearly to what is meant, and the heading it gives, at ``TIMES``."""
        limit = 3.5 / (1 + 0.5 * self._speed)
        change = np.clip(turn_meant, -limit, limit) - self._turn
        turn = self._turn[:, None] + change[:, None] * TIMES
        heading = self._heading[:, None] + self._turn[:, None] * TIMES + change[:, None] * TIMES**2 / 2
        return turn, heading

    def _towards_anchor(self, area: float) -> Floats:
        """Turn rates meant on the pitch: towards the athlete's place, which follows play and wanders."""
        size = len(self._speed)
        spread = BALL_SPREAD_M * np.sqrt(1 - BALL_MEMORY**2)
        self._ball = BALL_MEMORY * self._ball + self._rng.normal(0, 1, 2) * spread
        noise = self._rng.normal(0, WANDER_M * np.sqrt(1 - WANDER_MEMORY**2), (size, 2))
        self._wander = WANDER_MEMORY * self._wander + noise
        centre = np.array(PITCH_M) / 2
        anchor = centre + area * (self._home - centre + 0.5 * self._ball + self._wander)
        way = np.clip(anchor, EDGE_M, np.array(PITCH_M) - EDGE_M) - self._xy
        bearing = np.arctan2(way[:, 1], way[:, 0]) + self._rng.normal(0, 0.5, size)
        return 0.8 * _wrapped(bearing - self._heading)

    def _along_road(self) -> Floats:
        """Turn rates meant on the road: mostly straight, slow bends."""
        return 0.9 * self._turn + self._rng.normal(0, 0.012, len(self._speed))

    def _slowed_at_edge(self, target: Floats) -> Floats:
        """Nobody sprints over the line: slower where the next second and a half would end beyond it."""
        ahead = np.stack([np.cos(self._heading), np.sin(self._heading)], axis=-1)
        there = self._xy + ahead * (1.5 * np.maximum(self._speed, target))[:, None]
        beyond = np.any((there < 0) | (there > np.array(PITCH_M)), axis=1)
        return np.where(beyond, np.minimum(target, EDGE_SPEED), target)


def _wrapped(angle: Floats) -> Floats:
    """Angle in (-pi, pi]."""
    return np.asarray(np.pi - (np.pi - angle) % (2 * np.pi))


def _folded(xy: Floats, heading: Floats, turn: Floats) -> tuple[Floats, Floats, Floats]:
    """Paths reflected at the lines: length is kept, heading and turn mirror with the path."""
    size = np.array(PITCH_M)
    mirrored = np.floor(xy / size) % 2 != 0
    heading = np.where(mirrored[..., 0], np.pi - heading, heading)
    heading = np.where(mirrored[..., 1], -heading, heading)
    turn = np.where(mirrored[..., 0] ^ mirrored[..., 1], -turn, turn)
    return size - np.abs(size - xy % (2 * size)), heading, turn
