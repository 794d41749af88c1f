"""Store: scores per second into SQLite and InfluxDB, and into line protocol without a server.

A line is one score with all that it says, a point of InfluxDB; values are the numbers in it.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgpack

from stream.alert import load_rules
from stream.driver import spare_garbage_collection
from stream.records import Record
from stream.roster import Roster
from stream.route import Route
from stream.settings import Settings
from stream.sinks.decode import decode_score
from stream.sinks.influx import InfluxStore
from stream.sinks.points import score_points
from stream.sinks.sqlite import SqliteStore
from stream.sinks.store import Store
from touchline.bench.load import FIRST_T0_US, FRAME_US, FRAMES_A_SECOND, Load
from touchline.fleet import RegistryFleet

ATHLETES: Final = 50
#: Forecasts begin after half a minute; only scores from then on are used.
SECONDS: Final = 45
LATER_S: Final = 35
SECOND_US: Final = 1_000_000

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class StoreConfig:
    """``scores`` are written, in batches of ``batch``; medians over ``runs``."""

    scores: int = 20_000
    batch: int = 2_000
    runs: int = 3


def run_store(config: StoreConfig, settings: Settings, tell: Tell) -> dict[str, Any]:
    """Measure; the JSON object of ``bench store --json``. InfluxDB only where ``settings`` name one."""
    tell("making scores")
    spare_garbage_collection()  # as the sink's process does
    packed = _scores(settings, config.scores)
    batches = [packed[begin : begin + config.batch] for begin in range(0, len(packed), config.batch)]
    values = sum(_values(point.line) for point in score_points([decode_score(one) for one in packed])[0])
    found: dict[str, list[float]] = {"serialised": [], "sqlite": [], "influx": []}
    for run in range(config.runs):
        tell(f"run {run + 1} of {config.runs}: line protocol")
        found["serialised"].append(_rate(batches, score_points))
        tell(f"run {run + 1} of {config.runs}: SQLite")
        with tempfile.TemporaryDirectory(prefix="touchline-bench-") as folder:
            sqlite = SqliteStore(Path(folder) / "bench.sqlite")
            found["sqlite"].append(_rate(batches, _into(sqlite)))
            sqlite.close()
        if settings.influx_url is not None:
            tell(f"run {run + 1} of {config.runs}: InfluxDB")
            influx = InfluxStore(
                settings.influx_url, settings.influx_token, settings.influx_org, settings.influx_bucket
            )
            found["influx"].append(_rate(batches, _into(influx)))
            influx.close()
    lines = {name: round(statistics.median(rates)) if rates else None for name, rates in found.items()}
    a_line = values / len(packed)
    return {
        "lines_per_s": lines,
        "values_per_s": {
            name: None if rate is None else round(rate * a_line) for name, rate in lines.items()
        },
        "spread": {name: [round(min(r)), round(max(r))] if r else None for name, r in found.items()},
        "values_per_line": round(a_line, 1),
        "scores": len(packed),
        "batch": config.batch,
        "runs": config.runs,
    }


def made_scores(settings: Settings, athletes: int = ATHLETES) -> list[dict[str, Any]]:
    """Scores as the worker makes them, second by second, from the second on that forecasts are in them."""
    engine, _ = RegistryFleet(settings).start()
    route = Route(settings.clock(), load_rules(None), engine, Roster())
    load, made = Load(athletes), []
    for number in range(SECONDS * FRAMES_A_SECOND):
        t0_us = FIRST_T0_US + number * FRAME_US
        frames = enumerate(load.tick(number, t0_us), number * athletes)
        out = route.push(
            [Record(False, 0, offset, t0_us + FRAME_US, key, value) for offset, (key, value) in frames]
        )
        made += [score for _, score in out.scores]
    return [score for score in made if score["window_end_us"] > FIRST_T0_US + LATER_S * SECOND_US]


def _scores(settings: Settings, count: int) -> list[bytes]:
    """So many packed scores, each with an id of its own."""
    chosen, packed = made_scores(settings), []
    for number in range(count):
        score, later_us = chosen[number % len(chosen)], number // len(chosen) * SECONDS * SECOND_US
        lineage = score["lineage"] | {"scored_us": score["lineage"]["ingest_us"] + later_us}
        moved = {"window_end_us": score["window_end_us"] + later_us, "lineage": lineage}
        packed.append(msgpack.packb(score | moved))
    return packed


def _into(store: Store) -> Callable[[Sequence[dict[str, Any]]], None]:
    return lambda scores: store.write(scores, ())


def _rate(batches: Sequence[Sequence[bytes]], write: Callable[[Sequence[dict[str, Any]]], Any]) -> float:
    """Scores per second from bytes on the topic to written."""
    began = time.perf_counter()
    for batch in batches:
        write([decode_score(one) for one in batch])
    return sum(map(len, batches)) / (time.perf_counter() - began)


def _values(line: str) -> int:
    """How many fields a line has."""
    return line.rsplit(" ", 2)[1].count("=")
