"""Prometheus metrics of the sink. Names only; who counts is ``sink`` and the stores."""

from __future__ import annotations

from typing import Final

from prometheus_client import Counter, Gauge, Histogram

POINTS: Final = Counter(
    "touchline_store_points", "Scores and alerts written to the store and acknowledged", ["store"]
)
ERRORS: Final = Counter(
    "touchline_store_errors",
    "Failed writes (unavailable), records refused by the store (refused) and unreadable ones (malformed)",
    ["store", "reason"],
)
WRITE_SECONDS: Final = Histogram(
    "touchline_store_write_seconds",
    "Time of one successful write of a batch, s",
    ["store"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0),
)
QUEUE_DEPTH: Final = Gauge("touchline_store_queue_depth", "Records of the batch that is being written")
