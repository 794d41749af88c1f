"""Sessions for training, cut by the serving stages: recorded files and simulated squads, each once.

Recorded sessions are laid side by side in time as different athletes, because a second costs the serving stages
the same for one athlete as for many. Only names and the start change by it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import Any, Final

import numpy as np

from sim.delivery import Delivery
from sim.readers import read
from sim.recording import Recording, deliveries
from sim.sessions import SessionConfig, simulate_session
from stream import topics
from stream.cut import CutSession, cut
from stream.records import Record
from stream.roster import Roster

#: Where sessions laid side by side begin, µs since 1970 (2020-01-01).
START_US: Final = 1_577_836_800_000_000
SECOND_US: Final = 1_000_000
#: Seconds are cut a whole squad at a time; more sessions at once cost memory for no gain.
SIDE_BY_SIDE: Final = 32


@dataclass(frozen=True, slots=True)
class Source:
    """A data set: ``name``, its ``files`` and the sha256 over them all."""

    name: str
    files: tuple[Path, ...]

    def sha256(self) -> str:
        """Hash over the files' bytes, in order."""
        total = hashlib.sha256()
        for file in self.files:
            total.update(file.read_bytes())
        return total.hexdigest()


def sources(data: Path) -> dict[str, Source]:
    """The data sets that training knows, those of them that are there."""
    patterns = {
        "hr_forecast_rikluost": "runs_1hz.parquet",
        "workouts_fit": "*.fit",
        "workouts_tcx_runpandas": "*.tcx.gz",
        "football_skillcorner_2417": "tracking_half*.parquet",
        "soccermon": "soccermon_daily.csv.gz",
        "movement_watch_50hz": "watch.npz",
        "movement_basicmotions_10hz": "train.npz",
    }
    found = {name: Source(name, tuple(sorted((data / name).glob(glob)))) for name, glob in patterns.items()}
    return {name: source for name, source in found.items() if source.files}


@cache
def recorded(source: Source) -> tuple[CutSession, ...]:
    """Every session of a data set, named ``<file>/<session>``; cut once in a process."""
    recordings = [r for file in source.files for r in read(file)]
    return tuple(session for part in _parts(recordings) for session in _cut_side_by_side(part))


def _parts(recordings: Sequence[Recording]) -> Iterator[Sequence[Recording]]:
    longest_first = sorted(recordings, key=lambda r: r.span_us[0] - r.span_us[1])
    for begin in range(0, len(longest_first), SIDE_BY_SIDE):
        yield longest_first[begin : begin + SIDE_BY_SIDE]


def _cut_side_by_side(recordings: Sequence[Recording]) -> list[CutSession]:
    laid = [_moved(recording, number) for number, recording in enumerate(recordings)]
    together = deliveries(laid)
    people = Roster(
        athletes={record["athlete"]: record for record in together.athletes},
        sessions={record["session"]: record for record in together.sessions},
    )
    found = cut(records_of(together.deliveries), people)
    return [replace(s, athlete=s.athlete.split("/", 1)[1]) for s in found]


def _moved(recording: Recording, number: int) -> Recording:
    """The recording with its athletes and session renamed and its start moved by whole seconds."""
    shift = (START_US - recording.span_us[0]) // SECOND_US * SECOND_US
    name = f"{recording.source}/{recording.session['session']}"
    tracks = tuple(
        replace(track, athlete=f"{number}/{track.athlete}", t_us=track.t_us + shift)
        for track in recording.tracks
    )
    athletes = [record | {"athlete": f"{number}/{record['athlete']}"} for record in recording.athletes]
    return replace(recording, tracks=tracks, athletes=athletes, session=recording.session | {"session": name})


def simulated(config: SessionConfig) -> list[CutSession]:
    """One simulated session, an athlete each."""
    session = simulate_session(config, np.random.default_rng(config.seed))
    people = Roster(
        athletes={record["athlete"]: record for record in session.athletes},
        sessions={record["session"]: record for record in session.sessions},
    )
    return cut(records_of(session.deliveries), people)


def records_of(log: Iterable[Delivery]) -> Iterator[Record]:
    """Deliveries as one partition's records in merged order: by record timestamp (whole ms), the venue first."""
    offset = 0
    for at_ms, together in groupby(log, key=lambda d: d.at_us // 1000):
        for delivery in sorted(together, key=_wearable):
            yield Record(not _wearable(delivery), 0, offset, at_ms * 1000, delivery.key, delivery.value)
            offset += 1


def _wearable(delivery: Delivery) -> bool:
    return delivery.topic != topics.VENUE


def summary(sessions: Sequence[CutSession]) -> dict[str, Any]:
    """How much there is, for the card."""
    return {"sessions": len(sessions), "hours": round(sum(len(s.second) for s in sessions) / 3600, 1)}
