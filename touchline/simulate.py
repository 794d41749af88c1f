"""Simulate: a squad sent to a broker, or through a worker of its own where none was named."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np

from sim.delivery import Session
from sim.faults import parse_faults
from sim.send import SendReport, SendSettings, send
from sim.sessions import SessionConfig, simulate_session
from stream.admin import check_topics
from stream.settings import Settings
from touchline.replay import Run, run_through

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Simulation:
    """What to simulate; ``speed`` simulated seconds a second, None as fast as it goes."""

    athletes: int
    seconds: int
    kind: Literal["match", "training", "run"]
    seed: int
    faults: tuple[str, ...]
    fatigue: Literal["none", "natural", "fade"]
    intensity: float
    speed: float | None

    def session(self, start_us: int) -> Session:
        """The session, lazily simulated."""
        config = SessionConfig(
            self.athletes,
            self.seconds,
            start_us,
            self.kind,
            seed=self.seed,
            intensity=self.intensity,
            fatigue=self.fatigue,
            faults=parse_faults(self.faults),
        )
        return simulate_session(config, np.random.default_rng(self.seed))


async def run_simulation(simulation: Simulation, settings: Settings, tell: Progress) -> dict[str, Any]:
    """Send it; with an embedded broker also score it. The JSON object of ``simulate --json``."""
    start_us = round((time.time() + 1) * 1e6)
    session = simulation.session(start_us)
    if settings.broker is None:
        report, seen = await run_through(session, settings, Run(1), tell, simulation.speed)
        return _sent(report) | {
            "frames_scored": seen.frames_scored,
            "frames_rejected": seen.frames_rejected,
            "frames_late": seen.reasons["late"],
            "frames_duplicate": seen.reasons["duplicate"],
            "scores": len(seen.scores),
            "alerts": len(seen.alerts),
        }
    await check_topics(settings.broker)
    how = SendSettings(settings.broker, speed=simulation.speed, starts_at=start_us / 1e6)

    def progress(at_s: float, frames: int) -> None:
        tell(f"{at_s:.0f} of {simulation.seconds} s, {frames} frames")

    return _sent(await send(session, how, progress))


def _sent(report: SendReport) -> dict[str, Any]:
    return {
        "frames_sent": report.frames_sent,
        "venue_frames_sent": report.venue_frames_sent,
        "faults": asdict(report.faults),
        "max_behind_s": round(report.max_behind_s, 3),
        "wall_s": round(report.wall_s, 3),
    }
