"""Faults on the way from device to broker: a pure transformation of a sequence of deliveries, seeded and counted.

Works on any session, simulated or recorded. Only frames of ``telemetry.wearable`` are touched. Times are seconds of
device time since the session's start. Each fault is one generator; they compose in the order
dropout, reboot, skew, corrupt, duplicate, late.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Final

import msgpack
import numpy as np

from sim.delivery import Delivery, FaultCounts
from stream import topics
from stream.errors import UsageError

SECOND_US: Final = 1_000_000
#: A second copy follows the first within this time, µs.
COPY_WITHIN_US: Final = (5_000, 300_000)
#: The one byte that msgpack never uses, and how many of them overwrite a frame.
NEVER_USED: Final = b"\xc1"
OVERWRITTEN: Final = 8
#: No session, delay or skew is longer, s.
MOST_S: Final = 7 * 86_400.0


@dataclass(frozen=True, slots=True)
class Dropout:
    """Frames of ``athlete`` with ``from_s <= t0 < to_s`` are never sent."""

    athlete: str
    from_s: float
    to_s: float


@dataclass(frozen=True, slots=True)
class Skew:
    """All stamps of ``athlete``'s device are ``ahead_s`` ahead (behind where negative)."""

    athlete: str
    ahead_s: float


@dataclass(frozen=True, slots=True)
class Reboot:
    """From ``at_s`` on ``athlete``'s device has another ``boot``, and ``seq`` starts again from 0."""

    athlete: str
    at_s: float


@dataclass(frozen=True, slots=True)
class Late:
    """A ``share`` of frames is delayed, exponentially with this mean; those beyond the lateness come late."""

    share: float
    mean_s: float = 1.5


@dataclass(frozen=True, slots=True)
class Faults:
    """Which faults to inject. ``duplicate`` and ``corrupt`` are shares of frames."""

    dropouts: tuple[Dropout, ...] = ()
    reboots: tuple[Reboot, ...] = ()
    skews: tuple[Skew, ...] = ()
    corrupt: float = 0.0
    duplicate: float = 0.0
    late: Late | None = None

    @property
    def athletes(self) -> frozenset[str]:
        """Ids that are named."""
        named: tuple[Dropout | Reboot | Skew, ...] = (*self.dropouts, *self.reboots, *self.skews)
        return frozenset(fault.athlete for fault in named)


NO_FAULTS: Final = Faults()

#: How each fault is written; the parts after the first colon.
SYNTAX: Final = {
    "dropout": "dropout:ATHLETE:FROM_S:TO_S",
    "late": "late:SHARE[:MEAN_S]",
    "duplicate": "duplicate:SHARE",
    "skew": "skew:ATHLETE:SECONDS_AHEAD",
    "reboot": "reboot:ATHLETE:AT_S",
    "corrupt": "corrupt:SHARE",
}


def _number(text: str, low: float = -MOST_S, high: float = MOST_S) -> float:
    number = float(text)
    if not low <= number <= high:
        raise ValueError(text)
    return number


def _share(text: str) -> float:
    return _number(text, 0, 1)


def _with(faults: Faults, kind: str, parts: list[str]) -> Faults:
    """``faults`` and one more; ValueError where the parts do not fit."""
    more: dict[str, Any]
    match kind, parts:
        case "dropout", [athlete, start, stop]:
            dropout = Dropout(athlete, _number(start), _number(stop, low=_number(start)))
            more = {"dropouts": (*faults.dropouts, dropout)}
        case "reboot", [athlete, at]:
            more = {"reboots": (*faults.reboots, Reboot(athlete, _number(at)))}
        case "skew", [athlete, ahead]:
            more = {"skews": (*faults.skews, Skew(athlete, _number(ahead)))}
        case "late", [share]:
            more = {"late": Late(_share(share))}
        case "late", [share, mean]:
            more = {"late": Late(_share(share), _number(mean, low=0))}
        case (("duplicate" | "corrupt"), [share]):
            more = {kind: _share(share)}
        case _:
            raise ValueError(kind)
    return replace(faults, **more)


def parse_faults(specs: Iterable[str]) -> Faults:
    """Faults from texts like ``dropout:A03:20:40``; raises UsageError with the right syntax."""
    faults = NO_FAULTS
    for spec in specs:
        kind, *parts = spec.split(":")
        try:
            faults = _with(faults, kind, parts)
        except ValueError:
            usage = SYNTAX.get(kind, ", ".join(SYNTAX.values()))
            raise UsageError(f"fault {spec!r} is not understood: {usage}") from None
    return faults


Frames = Iterator[Delivery]


def inject(
    deliveries: Frames, faults: Faults, start_us: int, rng: np.random.Generator, counts: FaultCounts
) -> Frames:
    """``deliveries`` with ``faults``, still in the order of ``at_us``; ``counts`` grows as they are read.

    Expects each device's frames in the order of ``seq``. Each kind of fault draws from a stream of its own, so
    switching one on does not move the others.
    """
    reboots, corrupt, duplicate, late = rng.spawn(4)
    injector = _Injector(start_us, counts)
    for dropout in faults.dropouts:
        deliveries = injector.drop(deliveries, dropout)
    for reboot in faults.reboots:
        deliveries = injector.reboot(deliveries, reboot, reboots)
    for skew in faults.skews:
        deliveries = injector.skew(deliveries, skew)
    if faults.corrupt:
        deliveries = injector.corrupt(deliveries, faults.corrupt, corrupt)
    if faults.duplicate:
        deliveries = injector.duplicate(deliveries, faults.duplicate, duplicate)
    if faults.late is not None:
        deliveries = injector.delay(deliveries, faults.late, late)
    return deliveries


def _of(delivery: Delivery, athlete: str) -> bool:
    return delivery.topic == topics.WEARABLE and delivery.key == athlete.encode()


def _frame(delivery: Delivery) -> dict[str, Any]:
    return dict(msgpack.unpackb(delivery.value))


def _rewritten(delivery: Delivery, **fields: Any) -> Delivery:
    """The same frame with some fields replaced."""
    return replace(delivery, value=msgpack.packb(_frame(delivery) | fields))


def _reordered(deliveries: Frames, spread: Callable[[Delivery], tuple[Delivery, ...]]) -> Frames:
    """What ``spread`` makes of each delivery, none of it earlier than the delivery, in the order of ``at_us``."""
    waiting: list[tuple[int, int, Delivery]] = []
    number = 0
    for delivery in deliveries:
        while waiting and waiting[0][0] <= delivery.at_us:
            yield heapq.heappop(waiting)[2]
        for moved in spread(delivery):
            number += 1
            heapq.heappush(waiting, (moved.at_us, number, moved))
    while waiting:
        yield heapq.heappop(waiting)[2]


@dataclass(frozen=True, slots=True)
class _Injector:
    """One generator per fault, each counting what it does."""

    start_us: int
    counts: FaultCounts

    def _since_s(self, frame: dict[str, Any]) -> float:
        return float(frame["t0"] - self.start_us) / SECOND_US

    def drop(self, deliveries: Frames, fault: Dropout) -> Frames:
        for delivery in deliveries:
            if _of(delivery, fault.athlete) and fault.from_s <= self._since_s(_frame(delivery)) < fault.to_s:
                self.counts.dropped += 1
            else:
                yield delivery

    def reboot(self, deliveries: Frames, fault: Reboot, rng: np.random.Generator) -> Frames:
        booted: dict[str, tuple[int, int]] = {}
        for delivery in deliveries:
            if not _of(delivery, fault.athlete) or self._since_s(frame := _frame(delivery)) < fault.at_s:
                yield delivery
                continue
            if frame["device"] not in booted:
                booted[frame["device"]] = (int(rng.integers(0, 2**32)), frame["seq"])
                self.counts.rebooted += 1
            boot, first = booted[frame["device"]]
            yield _rewritten(delivery, boot=boot, seq=frame["seq"] - first)

    def skew(self, deliveries: Frames, fault: Skew) -> Frames:
        ahead_us = round(fault.ahead_s * SECOND_US)
        for delivery in deliveries:
            if _of(delivery, fault.athlete):
                self.counts.skewed += 1
                yield _rewritten(delivery, t0=_frame(delivery)["t0"] + ahead_us)
            else:
                yield delivery

    def corrupt(self, deliveries: Frames, share: float, rng: np.random.Generator) -> Frames:
        """Half of them are cut off, the other half overwritten in the middle."""
        for delivery in deliveries:
            if delivery.topic != topics.WEARABLE or rng.random() >= share:
                yield delivery
                continue
            self.counts.corrupted += 1
            at = int(rng.integers(1, len(delivery.value) - OVERWRITTEN))
            tail = delivery.value[at + OVERWRITTEN :] if rng.random() < 0.5 else None
            head = delivery.value[:at]
            yield replace(delivery, value=head if tail is None else head + NEVER_USED * OVERWRITTEN + tail)

    def duplicate(self, deliveries: Frames, share: float, rng: np.random.Generator) -> Frames:
        def spread(delivery: Delivery) -> tuple[Delivery, ...]:
            if delivery.topic != topics.WEARABLE or rng.random() >= share:
                return (delivery,)
            self.counts.duplicated += 1
            return delivery, replace(delivery, at_us=delivery.at_us + int(rng.integers(*COPY_WITHIN_US)))

        return _reordered(deliveries, spread)

    def delay(self, deliveries: Frames, fault: Late, rng: np.random.Generator) -> Frames:
        def spread(delivery: Delivery) -> tuple[Delivery, ...]:
            if delivery.topic != topics.WEARABLE or rng.random() >= fault.share:
                return (delivery,)
            self.counts.delayed += 1
            wait_us = int(rng.exponential(fault.mean_s) * SECOND_US)
            return (replace(delivery, at_us=delivery.at_us + wait_us),)

        return _reordered(deliveries, spread)
