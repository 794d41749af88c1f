"""Frames per second through the route, without a broker: chunks of many frames against one frame at a time.

``python -m tests.benchmarks.route`` prints medians over runs and their ratio. Not a test: machines are noisy.
"""

from __future__ import annotations

import json
import statistics
import sys
import time

import numpy as np

from sim.sessions import SessionConfig, simulate_session
from stream import topics
from stream.alert import load_rules
from stream.cut import CLOCK
from stream.records import Record
from stream.roster import Roster
from stream.route import Route
from tests.fakes import FakeEngine

START_US = 1_790_000_000_000_000
ATHLETES = 100
SECONDS = 20
RUNS = 3


def records() -> list[Record]:
    """A simulated match as one partition would hold it."""
    session = simulate_session(SessionConfig(ATHLETES, SECONDS, START_US), np.random.default_rng(1))
    found = []
    offsets = {True: 0, False: 0}
    for delivery in session.deliveries:
        venue = delivery.topic == topics.VENUE
        found.append(Record(venue, 0, offsets[venue], delivery.at_us, delivery.key, delivery.value))
        offsets[venue] += 1
    return found


def frames_per_second(log: list[Record], chunk: int) -> float:
    """One pass of the log, cut into chunks."""
    route = Route(CLOCK, load_rules(None), FakeEngine(), Roster())
    began = time.perf_counter()
    for start in range(0, len(log), chunk):
        route.push(log[start : start + chunk])
    return len(log) / (time.perf_counter() - began)


def main() -> None:
    """Measure and print one JSON object."""
    log = records()
    few = log[: len(log) // 10]
    chunked = [frames_per_second(log, ATHLETES) for _ in range(RUNS)]
    single = [frames_per_second(few, 1) for _ in range(RUNS)]
    median = statistics.median(chunked), statistics.median(single)
    result = {
        "athletes": ATHLETES,
        "chunked_frames_per_s": round(median[0]),
        "chunked_spread": [round(min(chunked)), round(max(chunked))],
        "single_frames_per_s": round(median[1]),
        "ratio": round(median[0] / median[1], 1),
    }
    sys.stdout.write(json.dumps(result) + "\n")


if __name__ == "__main__":
    main()
