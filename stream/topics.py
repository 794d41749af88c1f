"""The topics of the contract: names, clean-up, retention. Says what they are, makes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

WEARABLE: Final = "telemetry.wearable"
VENUE: Final = "telemetry.venue"
REJECTED: Final = "telemetry.rejected"
SCORES: Final = "scores.live"
ALERTS: Final = "alerts.risk"
STATE: Final = "state.athletes"
ATHLETES: Final = "athletes"
SESSIONS: Final = "sessions"
MODELS: Final = "models"

DAY_MS: Final = 24 * 3600 * 1000
#: Kafka never compacts the segment that is written to, of 1 GB by default: a worker would read all of that to begin.
SEGMENT_BYTES: Final = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class TopicSpec:
    """One topic. ``partitioned`` topics share the one partition count; control topics have one partition."""

    name: str
    partitioned: bool
    compacted: bool
    retention_ms: int | None
    about: str

    @property
    def config(self) -> dict[str, str]:
        """Broker-side configuration entries."""
        entries = {"cleanup.policy": "compact" if self.compacted else "delete"}
        if self.compacted:
            entries["segment.bytes"] = str(SEGMENT_BYTES)
        if self.retention_ms is not None:
            entries["retention.ms"] = str(self.retention_ms)
        return entries


TOPICS: Final[tuple[TopicSpec, ...]] = (
    TopicSpec(WEARABLE, True, False, 7 * DAY_MS, "frames of athletes' devices, key athlete"),
    TopicSpec(VENUE, True, False, 7 * DAY_MS, "venue-wide frames and ticks, a copy in each partition"),
    TopicSpec(REJECTED, True, False, 30 * DAY_MS, "frames not scored: reason and original bytes"),
    TopicSpec(SCORES, True, False, 7 * DAY_MS, "one score per athlete and second, key athlete"),
    TopicSpec(ALERTS, True, False, 30 * DAY_MS, "alert transitions as CloudEvents, key athlete"),
    TopicSpec(STATE, True, True, None, "snapshots of worker state, key athlete or */partition"),
    TopicSpec(ATHLETES, False, True, None, "profile, baselines and the last 28 daily rows, key athlete"),
    TopicSpec(SESSIONS, False, True, None, "activity and venue of a session, key session"),
    TopicSpec(MODELS, False, True, None, "labels of model versions, key model name"),
)  # fmt: skip
