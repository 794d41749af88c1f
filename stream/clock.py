"""Clock: how settings say that time is judged, for whoever runs the stages."""

from __future__ import annotations

from stream.align import Clock
from stream.settings import Settings


def clock_of(settings: Settings) -> Clock:
    """Lateness, tolerated future and silence, µs."""
    return Clock(
        lateness_us=settings.lateness_ms * 1000,
        future_us=settings.future_ms * 1000,
        silent_us=round(settings.silent_after_s * 1e6),
    )
