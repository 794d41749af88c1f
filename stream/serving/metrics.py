"""Prometheus metrics of the model service. Names only; what Triton and TensorFlow Serving count, under our prefix."""

from __future__ import annotations

from typing import Final

from prometheus_client import Counter, Gauge, Histogram

_MODEL: Final = ["model", "version"]
_SECONDS: Final = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

REQUESTS: Final = Counter(
    "touchline_serving_requests_total",
    "Inference requests by what came of them; model and version are empty where there is no such",
    [*_MODEL, "outcome"],
)
REQUEST_SECONDS: Final = Histogram(
    "touchline_serving_request_seconds",
    "Inference request, from its body read to its answer",
    buckets=_SECONDS,
)
QUEUE_SECONDS: Final = Histogram(
    "touchline_serving_queue_seconds", "A request waiting for its batch to begin", _MODEL, buckets=_SECONDS
)
COMPUTE_SECONDS: Final = Histogram(
    "touchline_serving_compute_seconds", "The network on one batch", _MODEL, buckets=_SECONDS
)
BATCH_ROWS: Final = Histogram(
    "touchline_serving_batch_rows",
    "Rows of one batch",
    _MODEL,
    buckets=(1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024),
)
QUEUED: Final = Gauge("touchline_serving_queued_rows", "Rows waiting now", _MODEL)
LOAD_SECONDS: Final = Gauge(
    "touchline_serving_load_seconds", "Reading, checking and building a version", _MODEL
)
WARM_SECONDS: Final = Gauge(
    "touchline_serving_warm_up_seconds", "Tracing all batch sizes of a version", _MODEL
)
LOADED: Final = Gauge("touchline_serving_loaded", "1 while a version is in service", _MODEL)
REFUSED: Final = Counter("touchline_serving_versions_refused_total", "Versions not taken", _MODEL)
FORWARDED: Final = Counter(
    "touchline_route_requests_total",
    "Requests forwarded, by upstream and status; failed: no answer",
    ["upstream", "status"],
)
OUTSTANDING: Final = Gauge(
    "touchline_route_outstanding", "Requests an upstream has not answered yet", ["upstream"]
)
HEALTHY: Final = Gauge("touchline_route_healthy", "1 while an upstream is ready", ["upstream"])
