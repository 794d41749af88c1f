"""Prometheus metrics of the web process. Names only; who counts is ``feed``, ``live`` and ``push``."""

from __future__ import annotations

from typing import Final

from prometheus_client import Counter, Gauge, Histogram

VIEWERS: Final = Gauge("touchline_web_viewers", "Browsers connected now")
MESSAGES: Final = Counter("touchline_web_messages", "Messages pushed to viewers")
SKIPPED: Final = Counter("touchline_web_frames_skipped", "Frames a slow viewer did not get")
RECORDS: Final = Counter("touchline_web_feed_records", "Records read from Kafka", ["topic"])
MALFORMED: Final = Counter("touchline_web_feed_malformed", "Records that could not be read", ["topic"])
LAG: Final = Gauge("touchline_web_feed_lag", "Records behind the end of the topic", ["topic"])
LIVE: Final = Gauge("touchline_web_feed_live", "1 while the broker answers, else 0")
PUSH_SECONDS: Final = Histogram(
    "touchline_web_push_seconds",
    "From a score's publishing by the worker to the frame that carries it, s; clocks of two machines",
    buckets=(0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 2.0, 5.0),
)
TICKS: Final = Counter("touchline_web_ticks", "Ticks written to telemetry.venue")
