"""Records as devices send them, and a route fed with them: whole, one by one, and in random chunks.

Times in seconds since :data:`T0_S` unless a name says otherwise.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final
from unittest.mock import patch

import numpy as np
from numpy.typing import ArrayLike

from stream.alert import Rule
from stream.clock import Clock
from stream.ordinary import ordinary
from stream.records import CHANNELS, Frame, Group, Record, encode_frame, encode_tick
from stream.roster import Roster
from stream.route import Outputs, Route
from tests.fakes import FakeEngine

T0_S: Final = 1_760_000_000
NONE: Final = np.zeros(0, np.int64)
SECOND: Final = 1_000_000
CLOCK: Final = Clock(lateness_us=500_000, future_us=2_000_000, silent_us=10_000_000)
SILENT: Final = Rule("sensor_silent", "silence", "s without a frame")


def us(seconds: float) -> int:
    """Seconds since T0 as µs since 1970."""
    return T0_S * SECOND + round(seconds * SECOND)


def heart(*rates: float, rate: float = 1.0) -> dict[str, Group]:
    return {"heart": Group(rate, ("hr",), np.array(rates, dtype=float)[:, None])}


def speed(*speeds: float, rate: float = 10.0) -> dict[str, Group]:
    return {"position": Group(rate, ("speed",), np.array(speeds, dtype=float)[:, None])}


def position(
    values: ArrayLike, channels: tuple[str, ...] = ("x", "y"), rate: float = 10.0
) -> dict[str, Group]:
    """``values (n, channels)``; latitude and longitude keep their precision by an origin."""
    samples = np.asarray(values, dtype=float)
    origin = tuple(np.nan_to_num(samples[0]).tolist())
    return {"position": Group(rate, channels, samples, origin=origin)}


def imu(values: ArrayLike, rate: float = 100.0) -> dict[str, Group]:
    """``values (n, 3)`` acceleration in g, or ``(n, 6)`` with the gyroscope."""
    samples = np.asarray(values, dtype=float)
    return {"imu": Group(rate, tuple(CHANNELS["imu"])[: samples.shape[1]], samples)}


def motion(*, cadence: Sequence[float], power: Sequence[float], rate: float = 1.0) -> dict[str, Group]:
    return {"motion": Group(rate, ("cadence", "power"), np.stack([cadence, power], axis=1).astype(float))}


def weather(air: float, globe: float, humidity: float) -> dict[str, Group]:
    return {"environment": Group(0.1, ("air", "globe", "humidity"), np.array([[air, globe, humidity]]))}


@dataclass(slots=True)
class Log:
    """A partition's two logs as one list in merged order; numbers offsets and sequence numbers by itself."""

    records: list[Record] = field(default_factory=list)
    now: float = 0.0
    _offsets: dict[bool, int] = field(default_factory=lambda: {False: 0, True: 0})
    _seqs: dict[tuple[str, str, int], int] = field(default_factory=dict)

    def send(
        self,
        t: float,
        groups: Mapping[str, Group] | None = None,
        *,
        athlete: str = "a",
        device: str = "watch",
        session: str = "s",
        boot: int = 1,
        seq: int | None = None,
        at: float | None = None,
        end: bool = False,
        venue: bool = False,
    ) -> Record:
        """A frame whose first sample is at ``t``; it arrives at ``at``, usually with its last sample."""
        groups = heart(120) if groups is None else groups
        spans = [(len(g.samples) - 1) / g.rate for g in groups.values()]
        expected = self._seqs.get((athlete, device, boot), 0)
        number = expected if seq is None else seq
        self._seqs[athlete, device, boot] = number + 1
        frame = Frame(athlete, device, session, boot, number, us(t), groups, end=end)
        at = max(self.now, t + max(spans, default=0.0)) if at is None else at
        key = None if athlete == "*" else athlete.encode()
        return self._write(venue, at, key, encode_frame(frame))

    def tick(self, at: float) -> Record:
        return self._write(True, at, None, encode_tick(us(at)))

    def again(self, record: Record) -> Record:
        """The same bytes once more, now."""
        return self._write(record.venue, self.now, record.key, record.value)

    def _write(self, venue: bool, at: float, key: bytes | None, value: bytes) -> Record:
        record = Record(venue, 0, self._offsets[venue], us(at), key, value)
        self._offsets[venue] += 1
        self.records.append(record)
        self.now = max(self.now, at)
        return record


@dataclass(frozen=True)
class Told:
    """What a route said: scores and alerts per athlete in order, refusals (venue, offset, reason) in log order."""

    scores: dict[str, list[dict[str, Any]]]
    alerts: dict[str, list[dict[str, Any]]]
    rejected: list[tuple[bool, int, str]]

    def of(self, athlete: str = "a") -> list[dict[str, Any]]:
        return self.scores.get(athlete, [])

    def seconds(self, athlete: str = "a") -> list[int]:
        """Which seconds were scored, in the order they were."""
        return [score["window_start_us"] // SECOND - T0_S for score in self.of(athlete)]

    def column(self, *path: str, athlete: str = "a") -> list[Any]:
        """One figure of every score."""
        values: list[Any] = self.of(athlete)
        for key in path:
            values = [value[key] for value in values]
        return values

    def changes(self, athlete: str = "a") -> list[tuple[str, str, str, float]]:
        """Alert transitions: rule, state, reason, event time."""
        alerts = self.alerts.get(athlete, [])
        return [(t["rule"], t["state"], t["reason"], t["event_us"] / SECOND - T0_S) for t in alerts]

    @property
    def reasons(self) -> list[str]:
        return [reason for _, _, reason in self.rejected]


def told(outputs: Iterable[Outputs]) -> Told:
    """Outputs of one run, in a form that two runs can be compared in."""
    scores: dict[str, list[dict[str, Any]]] = {}
    alerts: dict[str, list[dict[str, Any]]] = {}
    rejected = []
    for out in outputs:
        for _, score in out.scores:
            scores.setdefault(score["athlete"], []).append(score)
        for transition in out.alerts:
            known = {
                "rule": transition.rule.name, "session": transition.session, "from": transition.before,
                "state": transition.state, "reason": transition.reason, "event_us": transition.event_us,
                "value": transition.value,
            }  # fmt: skip
            alerts.setdefault(transition.athlete, []).append(known)
        rejected += [(r.record.venue, r.record.offset, r.reason) for r in out.rejected]
    return Told(scores, alerts, sorted(rejected))


def make_route(
    rules: Sequence[Rule] = (SILENT,), people: Roster | None = None, clock: Clock = CLOCK
) -> Route:
    return Route(clock, rules, FakeEngine(), people or Roster())


def chunks(records: Sequence[Record], seed: int) -> list[Sequence[Record]]:
    """Records cut at random places."""
    rng = random.Random(seed)
    out, done = [], 0
    while done < len(records):
        count = rng.choice((1, 2, 3, 7, 30))
        out.append(records[done : done + count])
        done += count
    return out


@contextmanager
def one_by_one() -> Iterator[None]:
    """Every frame is aligned by itself, as if none were ordinary."""
    with patch(
        "stream.align.ordinary", lambda headers, _, slots, clock: ordinary(headers, NONE, slots, clock)
    ):
        yield


def remembered(route: Route) -> dict[str, Any]:
    """What a route keeps of each athlete."""
    return {
        athlete.name: (route.slots.row(slot), athlete.session, athlete.devices)
        for slot in route.slots.occupied()
        for athlete in [route.slots.of(slot)]
    }


def agree(records: Sequence[Record], make: Callable[[], Route] = make_route) -> Told:
    """Feed whole, one by one and in random chunks; all must say and keep the same; what is said is given."""
    route = make()
    whole, kept = told([route.push(records)]), remembered(route)
    with one_by_one():
        stepped = make()
        assert told([stepped.push(records)]) == whole
    assert remembered(stepped) == kept
    for parts in ([[record] for record in records], chunks(records, 1), chunks(records, 2)):
        route = make()
        assert told([route.push(part) for part in parts]) == whole
        assert remembered(route) == kept
    return whole
