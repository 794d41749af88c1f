"""What a door would write: deliveries in the order of simulated time, and the session they belong to.

Records only; the simulator and the readers of recorded files make them, ``send`` writes them. No I/O here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Delivery:
    """One record as a door takes it in.

    ``at_us`` is the simulated time of arrival, µs since 1970 UTC, and becomes the Kafka record timestamp
    (``at_us // 1000`` ms). A frame arrives at the end of its last sample plus a small network delay.
    ``key`` None on ``telemetry.venue`` means venue-wide: the sender writes one copy to every partition.
    """

    at_us: int
    topic: str
    key: bytes | None
    value: bytes


@dataclass(slots=True)
class FaultCounts:
    """Frames of ``telemetry.wearable`` that each fault has touched so far; final when the deliveries are spent.

    ``rebooted`` counts reboots, not the frames after them.
    """

    dropped: int = 0
    delayed: int = 0
    duplicated: int = 0
    skewed: int = 0
    rebooted: int = 0
    corrupted: int = 0


@dataclass(frozen=True, slots=True)
class Session:
    """One or more sessions ready to be sent.

    ``sessions`` and ``athletes`` are the records of ``docs/reference/encodings.md``. ``deliveries`` is lazy,
    in the order of ``at_us``, and can be read once.
    """

    sessions: list[dict[str, Any]]
    athletes: list[dict[str, Any]]
    start_us: int
    deliveries: Iterator[Delivery]
    faults: FaultCounts = field(default_factory=FaultCounts)
