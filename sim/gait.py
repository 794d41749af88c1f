"""Gait in the inertial sensor: 100 Hz acceleration and turn rate of a trunk-worn device, from speed alone.

Axes: x forward, y left, z up; gravity is +1 g on z at rest. Harmonics of stride and step, the force of propulsion and
of curves, noise, and hard contacts. No physiology.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from sim.motion import RATE_HZ, Motion

IMU_HZ: Final = 100
GRAVITY: Final = 9.81
NOISE_G: Final = 0.006
#: Foot strike: extra spread of acceleration, g per m/s of running.
SHOCK_G: Final = 0.02
NOISE_DEG_S: Final = 0.8
RUN_FROM: Final = 2.0
PULSE: Final = np.sin(np.pi * np.arange(1, 7) / 7).astype(np.float32)
IMPACT_G: Final = (5.0, 9.0)

Imu = NDArray[np.floating[Any]]


def running_share(speed: Imu) -> Imu:
    """0 walking to 1 running, smooth around :data:`RUN_FROM` m/s."""
    return np.asarray(1 / (1 + np.exp(-5 * (speed - RUN_FROM))))


def step_rate(speed: Imu) -> Imu:
    """Steps per second at a speed in m/s; fades to none below a slow walk."""
    run = running_share(speed)
    steps = (1 - run) * (1.25 + 0.42 * speed) + run * (2.25 + 0.19 * speed)
    return np.asarray(steps * np.clip(speed / 0.4, 0, 1))


class Gait:
    """Phase of everybody's stride, and the device's tilt. One call makes one second."""

    def __init__(self, athletes: int, rng: np.random.Generator) -> None:
        self._rng = rng
        self._phase = rng.uniform(0, 4 * np.pi, athletes).astype(np.float32)
        self._tilt = rng.normal(0.12, 0.05, athletes).astype(np.float32)
        self._bounce = rng.uniform(0.85, 1.15, athletes).astype(np.float32)

    def step(self, motion: Motion, contacts_per_min: float) -> NDArray[np.float32]:
        """Samples ``(athletes, 100, 6)``: ax ay az in g, gx gy gz in deg/s."""
        speed, push, turn = (
            np.repeat(a.astype(np.float32), IMU_HZ // RATE_HZ, axis=1)
            for a in (motion.speed, motion.acceleration, motion.turn)
        )
        stride = self._advance(speed)
        run = running_share(speed)
        imu = self._rng.standard_normal((*speed.shape, 6), dtype=np.float32)
        imu[..., :3] *= (NOISE_G + SHOCK_G * run * speed)[..., None]
        imu[..., 3:] *= NOISE_DEG_S
        swing = self._bounce[:, None] * ((1 - run) * 0.16 * speed + run * (0.55 + 0.16 * speed))
        _swing(imu, swing, stride)
        imu[..., 0] += push / GRAVITY + np.sin(self._tilt)[:, None]
        imu[..., 1] += speed * turn / GRAVITY
        imu[..., 2] += np.cos(self._tilt)[:, None]
        imu[..., 5] += np.degrees(turn)
        self._collide(imu, contacts_per_min)
        return imu

    def _advance(self, speed: NDArray[np.float32]) -> NDArray[np.float32]:
        """Stride phase (rad, two steps a turn) at each sample; the state moves on by one second."""
        ends = self._phase[:, None] + np.cumsum(np.pi * step_rate(speed) / IMU_HZ, axis=1)
        self._phase = np.mod(ends[:, -1], 2 * np.pi).astype(np.float32)
        return ends.astype(np.float32)

    def _collide(self, imu: NDArray[np.float32], per_min: float) -> None:
        """Now and then a contact: 60 ms of 5 to 9 g from a random side."""
        struck = np.flatnonzero(self._rng.random(len(imu)) < per_min / 60)
        for athlete in struck:
            at = int(self._rng.integers(0, IMU_HZ - len(PULSE)))
            way = self._rng.standard_normal(3)
            blow = self._rng.uniform(*IMPACT_G) * way / np.linalg.norm(way)
            imu[athlete, at : at + len(PULSE), :3] += PULSE[:, None] * blow.astype(np.float32)


def _swing(imu: NDArray[np.float32], size: Imu, stride: NDArray[np.float32]) -> None:
    """Harmonics of the stride (one) and of the step (two, four, six) on all six channels; ``size`` in g."""
    one, first = np.sin(stride), np.cos(stride)
    two = 2 * first**2 - 1
    quad = 2 * one * first
    four = 2 * two**2 - 1
    six = two * (2 * four - 1)
    imu[..., 0] += size * (0.3 * quad + 0.2 * four)
    imu[..., 1] += size * (0.25 * one + 0.15 * quad)
    imu[..., 2] += size * (two + 0.4 * four + 0.25 * six)
    imu[..., 3] += 40 * size * one
    imu[..., 4] += 30 * size * quad
    imu[..., 5] += 55 * size * first
