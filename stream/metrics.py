"""Prometheus metrics of the live path. Names are documented in ``docs/reference/metrics.md`` and tested."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from prometheus_client import Counter, Gauge, Histogram, start_http_server

from stream.errors import UsageError

_FAST: Final = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)

FRAMES: Final = Counter("touchline_frames_total", "Records taken from a telemetry topic", ["topic"])
REJECTED: Final = Counter("touchline_frames_rejected_total", "Frames not scored, by reason", ["reason"])
LATE: Final = Counter("touchline_frames_late_total", "Frames that came after their windows had closed")
LOST: Final = Counter(
    "touchline_records_lost_total", "Records that Kafka deleted before they were read", ["topic"]
)
SCORES: Final = Counter("touchline_scores_total", "Scores published")
ALERTS: Final = Counter("touchline_alerts_total", "Alert transitions published", ["rule", "state"])
LAG: Final = Gauge("touchline_lag_records", "Records not yet taken", ["topic", "partition"])
WAITING: Final = Gauge("touchline_queue_depth", "Records held back until the other telemetry log catches up")
ATHLETES: Final = Gauge("touchline_athletes", "Athletes held by this worker")
CHUNK: Final = Histogram("touchline_chunk_seconds", "Decode to alert of one chunk", buckets=_FAST)
WINDOWS: Final = Histogram(
    "touchline_window_seconds", "Closing, features and own terms of a chunk", buckets=_FAST
)
INFERENCE: Final = Histogram(
    "touchline_inference_seconds", "Networks on the windows of a chunk", buckets=_FAST
)
LATENCY: Final = Histogram(
    "touchline_score_latency_seconds",
    "Ingest of the frame that closes a window to its score being published",
    buckets=(*_FAST, 5.0, 10.0),
)
SNAPSHOT: Final = Histogram("touchline_snapshot_seconds", "Writing a round of snapshots", buckets=_FAST)
SNAPSHOT_AGE: Final = Gauge(
    "touchline_snapshot_timestamp_seconds", "When the newest round of snapshots was safe"
)

SHADOW_ROWS: Final = Counter("touchline_shadow_rows_total", "Rows a shadow has answered too", ["model"])
SHADOW_ERRORS: Final = Counter("touchline_shadow_errors_total", "Calls a shadow failed to answer", ["model"])
SHADOW_APART: Final = Counter(
    "touchline_shadow_difference_total",
    "Sum over rows of the mean absolute difference of a shadow's first output from the answer given, its unit",
    ["model"],
)
ROLE: Final = Gauge("touchline_model_role", "1 where a version has a role here", ["model", "version", "role"])
LOADING: Final = Histogram(
    "touchline_model_load_seconds", "Loading, checking and warming a version while others score", ["model"]
)
REFUSED: Final = Counter("touchline_model_refused_total", "Versions named and not taken", ["model"])
DRIFT: Final = Gauge(
    "touchline_model_drift",
    "Population stability index of a feature against the training set, over the last 10,000 rows or so",
    ["model", "version", "feature"],
)
GPU: Final = Gauge("touchline_model_gpu", "1 where the networks run on a GPU, 0 on the CPU")
GPU_BYTES: Final = Gauge("touchline_model_gpu_memory_bytes", "GPU memory that the networks hold")
ROLLBACKS: Final = Counter(
    "touchline_model_rollbacks_total",
    "Canaries that left their band and were taken back",
    ["model", "measure"],
)


def tell_drift(model: str, version: str, found: Mapping[str, float]) -> None:
    """Note how far each feature of a version has drifted."""
    for feature, index in found.items():
        DRIFT.labels(model, version, feature).set(index)


def forget_drift(model: str, version: str) -> None:
    """A version is in service no more: what was last told of its inputs would stand for ever."""
    DRIFT.remove_by_labels({"model": model, "version": version})


def watch_gpu(held_bytes: Callable[[], int] | None) -> None:
    """Say whether there is a GPU, and where there is how much of its memory is held."""
    GPU.set(held_bytes is not None)
    if held_bytes is not None:
        GPU_BYTES.set_function(held_bytes)


def serve(host: str, port: int | None) -> None:
    """Serve ``/metrics`` in a daemon thread; nothing where no port is set. Raises UsageError on a busy port."""
    if port is None:
        return
    try:
        start_http_server(port, addr=host)
    except OSError as error:
        raise UsageError(
            f"metrics port {host}:{port}: {error.strerror}; choose another with --metrics-port"
        ) from None
