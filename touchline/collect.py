"""Collect: read what workers publish, and say what it adds up to and whether two runs agree."""

from __future__ import annotations

import hashlib
import json
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import msgpack
import numpy as np
from aiokafka import AIOKafkaConsumer, TopicPartition

from stream import topics
from stream.admin import FETCH_WAIT_MS

#: Two floats of two runs are the same within this: absolute, and relative to the second.
ABSOLUTE: Final = 1e-3
RELATIVE: Final = 1e-5
TRANSITION: Final = ("rule", "athlete", "session", "from", "state", "reason", "event_us")
NOT_REJECTED: Final = ("late", "duplicate")

ScoreId = tuple[str, int]


@dataclass(slots=True)
class Collected:
    """Everything seen on ``scores.live``, ``alerts.risk`` and ``telemetry.rejected``, each id once.

    ``scores``: (athlete, window end µs) to the record's bytes; ``alerts``: CloudEvents id to data; ``rejected``:
    (topic, partition, offset) of athletes' frames to reason. ``latency_us``: closing frame's ingest to arrival
    here; ``age_us``: end of the window to arrival here. ``measured``: (athlete, group) that was there at least once.
    """

    scores: dict[ScoreId, bytes] = field(default_factory=dict)
    alerts: dict[str, dict[str, Any]] = field(default_factory=dict)
    rejected: dict[tuple[str, int, int], str] = field(default_factory=dict)
    frames_scored: int = 0
    final: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    latency_us: list[int] = field(default_factory=list)
    age_us: list[int] = field(default_factory=list)
    first_at: float | None = None
    measured: set[tuple[str, str]] = field(default_factory=set)

    @property
    def reasons(self) -> Counter[str]:
        """Refused frames by reason."""
        return Counter(self.rejected.values())

    @property
    def frames_rejected(self) -> int:
        """Refused frames other than late and duplicate ones."""
        return sum(count for reason, count in self.reasons.items() if reason not in NOT_REJECTED)

    def accounted(self) -> int:
        """Frames of athletes that are in a score or refused."""
        return self.frames_scored + len(self.rejected)

    def take_score(self, value: bytes, now_us: int) -> None:
        """Take one score record."""
        score = msgpack.unpackb(value)
        key = (score["athlete"], score["window_end_us"])
        if key in self.scores:
            return
        self.first_at = self.first_at or time.monotonic()
        self.scores[key] = value
        self.frames_scored += score["quality"]["frames"]
        self.latency_us.append(now_us - score["lineage"]["ingest_us"])
        self.age_us.append(now_us - score["window_end_us"])
        there = (group for group, share in score["quality"]["missing"].items() if share < 1)
        self.measured.update((score["athlete"], group) for group in there)
        if score["final"]:
            self.final[score["athlete"], score["session"]] = score

    def take_alert(self, headers: Mapping[str, bytes], value: bytes) -> None:
        """Take one alert transition."""
        self.alerts.setdefault(headers["ce_id"].decode(), json.loads(value))

    def take_rejected(self, headers: Mapping[str, bytes]) -> None:
        """Take one refused frame of an athlete."""
        place = (headers["topic"].decode(), int(headers["partition"]), int(headers["offset"]))
        self.rejected.setdefault(place, headers["reason"].decode())


class Collector:
    """Reads the three topics from where they end when it starts, or from their beginning."""

    def __init__(self, bootstrap: str) -> None:
        self.seen = Collected()
        self._consumer = AIOKafkaConsumer(
            bootstrap_servers=bootstrap, enable_auto_commit=False, fetch_max_wait_ms=FETCH_WAIT_MS
        )

    async def start(self) -> None:
        """Connect and stand at the end."""
        await self._consumer.start()
        cluster = await self._consumer._client.fetch_all_metadata()  # noqa: SLF001 (no public way for one topic)
        places = [
            TopicPartition(name, number)
            for name in (topics.SCORES, topics.ALERTS, topics.REJECTED)
            for number in cluster.partitions_for_topic(name) or ()
        ]
        self._consumer.assign(places)
        for place, end in (await self._consumer.end_offsets(places)).items():
            self._consumer.seek(place, end)

    async def stop(self) -> None:
        """Disconnect."""
        await self._consumer.stop()

    async def step(self, timeout_ms: int = 200) -> int:
        """Take what has come; how many records that were."""
        taken = 0
        for place, records in (await self._consumer.getmany(timeout_ms=timeout_ms)).items():
            now_us = time.time_ns() // 1000
            taken += len(records)
            for record in records:
                self._take(place.topic, record, now_us)
        return taken

    def _take(self, topic: str, record: Any, now_us: int) -> None:
        if topic == topics.SCORES:
            self.seen.take_score(record.value, now_us)
        elif topic == topics.ALERTS:
            self.seen.take_alert(dict(record.headers), record.value)
        elif record.key is not None:  # a venue-wide frame has none
            self.seen.take_rejected(dict(record.headers))


def percentiles_ms(values_us: list[int]) -> dict[str, float | None]:
    """p50, p95 and p99 in ms, None without values."""
    if not values_us:
        return {"p50": None, "p95": None, "p99": None}
    found = np.percentile(np.asarray(values_us, dtype=np.float64) / 1000, [50, 95, 99])
    return {name: round(float(value), 3) for name, value in zip(("p50", "p95", "p99"), found, strict=True)}


def athlete_rows(seen: Collected) -> list[dict[str, Any]]:
    """What each athlete's sessions add up to: the totals of each session's last score."""
    by_athlete: dict[str, list[dict[str, Any]]] = {}
    for (athlete, _), score in sorted(seen.final.items()):
        by_athlete.setdefault(athlete, []).append(score["totals"])
    return [_athlete_row(name, totals, seen.measured) for name, totals in by_athlete.items()]


def _athlete_row(name: str, totals: list[dict[str, Any]], measured: set[tuple[str, str]]) -> dict[str, Any]:
    """One athlete; what was never measured is None, not 0."""

    def total(key: str) -> float:
        return float(sum(session[key] or 0 for session in totals))

    def rounded(key: str, group: str) -> float | None:
        return round(total(key), 3) if (name, group) in measured else None

    beats = total("heart_samples")
    highest = [session["heart_max_bpm"] for session in totals if session["heart_max_bpm"] is not None]
    return {
        "id": name,
        "distance_m": rounded("distance_m", "position"),
        "duration_s": round(total("duration_s"), 3),
        "hr_mean_bpm": round(total("heart_sum_bpm") / beats, 3) if beats else None,
        "hr_max_bpm": max(highest) if highest else None,
        "player_load_au": rounded("player_load_au", "imu"),
    }


def digest(seen: Collected) -> str:
    """SHA-256 over what must be equal exactly: window bounds, counts, quality and alert transitions."""
    hashed = hashlib.sha256()
    for key in sorted(seen.scores):
        score = msgpack.unpackb(seen.scores[key])
        counts = [
            score["totals"][name] for name in ("windows", "frames", "heart_samples", "sprints", "impacts")
        ]
        exact = [*key, score["session"], score["window_start_us"], score["final"], score["quality"], counts]
        hashed.update(json.dumps([*exact, score["alerts"]], sort_keys=True).encode())
    for name in sorted(seen.alerts):
        alert = seen.alerts[name]
        hashed.update(json.dumps([name, *(alert[part] for part in TRANSITION)]).encode())
    return hashed.hexdigest()


def compare(one: Collected, other: Collected) -> tuple[bool, float]:
    """Whether all floats of two runs agree within the tolerance, and the largest difference."""
    equal, largest = one.scores.keys() == other.scores.keys(), 0.0
    for key in one.scores.keys() & other.scores.keys():
        pairs = _numbers(msgpack.unpackb(one.scores[key]), msgpack.unpackb(other.scores[key]))
        for a, b in pairs:
            if a is None or b is None:
                equal = False
                continue
            largest = max(largest, abs(a - b))
            equal = equal and abs(a - b) <= ABSOLUTE + RELATIVE * abs(b)
    return equal, largest


def _numbers(one: Any, other: Any, name: str = "") -> Iterator[tuple[float | None, float | None]]:
    """Pairs of numbers at the same place of two scores; a difference in shape gives (None, None)."""
    if name == "scored_us":
        return
    if isinstance(one, dict) and isinstance(other, dict):
        if one.keys() != other.keys():
            yield None, None
        for key in one.keys() & other.keys():
            yield from _numbers(one[key], other[key], key)
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for a, b in zip(one, other, strict=True):
            yield from _numbers(a, b)
    elif type(one) in (int, float) and type(other) in (int, float):
        yield float(one), float(other)
    elif one != other:
        yield None, None
