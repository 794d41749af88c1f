"""What a session gave before any stage was made faster, and gives since.

The digest was the same at every commit that was tried, from 2026-11-25 (c38f041, before there were columns of frames,
moulds, ordinary frames, metrics of all athletes at once) on. Whoever makes a stage faster must not move it; whoever
means to change what is scored makes it anew and says so.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from typing import Any, Final

import pytest

from stream.alert import load_rules
from stream.records import Record
from stream.roster import Roster
from stream.route import Route
from tests.fakes import FakeEngine
from tests.stream.feeding import CLOCK
from touchline.simulate import Simulation
from touchline.training.sessions import records_of

FAULTS: Final = (
    "dropout:A02:10:30",
    "late:0.02",
    "duplicate:0.02",
    "corrupt:0.002",
    "reboot:A04:20",
    "skew:A05:30",
)
START_US: Final = 1_790_000_000_000_000
COUNTS: Final = ("windows", "frames", "heart_samples", "sprints", "impacts")

GIVEN: Final = "47d67ffcce77d71400fdba53f6594427"
SCORED: Final = "588da5f522e58297c9fe8f88e6556499"
REFUSED: Final = "c44d05b33fbd1a1ece6a2ad52ce1cbd3"


@pytest.mark.parametrize("size", [25, 10_000])
def test_a_session_with_every_fault_gives_what_it_gave_before_anything_was_made_faster(size: int) -> None:
    session = Simulation(8, 90, "match", 3, FAULTS, "natural", 1.0, None).session(START_US)
    records = list(records_of(session.deliveries))
    if hashed((record.at_us, record.value.hex()) for record in records) != GIVEN:
        pytest.skip("the simulator gives other samples: it was changed, or this machine rounds otherwise")
    people = Roster(
        {athlete["athlete"]: athlete for athlete in session.athletes},
        {one["session"]: one for one in session.sessions},
    )
    scored, refused = played(records, people, size)
    assert len(scored) == 721
    assert hashed(sorted(scored)) == SCORED
    assert hashed(sorted(refused)) == REFUSED


def played(records: list[Record], people: Roster, size: int) -> tuple[list[Any], list[Any]]:
    """What must be equal exactly of each score, and what was refused and why."""
    route = Route(CLOCK, load_rules(None), FakeEngine(), people)
    scored, refused = [], []
    for begin in range(0, len(records), size):
        out = route.push(records[begin : begin + size])
        for _, score in out.scores:
            bounds = [
                score[name] for name in ("athlete", "window_end_us", "session", "window_start_us", "final")
            ]
            scored.append([*bounds, score["quality"], [score["totals"][name] for name in COUNTS]])
        refused += [[rejected.reason, rejected.record.offset] for rejected in out.rejected]
    return scored, refused


def hashed(entries: Iterable[Any]) -> str:
    """SHA-256 of entries as JSON, its first half."""
    found = hashlib.sha256()
    for entry in entries:
        found.update(json.dumps(entry, sort_keys=True).encode())
    return found.hexdigest()[:32]
