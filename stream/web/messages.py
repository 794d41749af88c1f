"""What a feed tells the page: batches of scores, alerts and names, and how the feed itself is. Nouns only."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from stream.sinks.store import StoredAlert


@dataclass(frozen=True, slots=True)
class Named:
    """What people call an athlete; from the control topic ``athletes``."""

    athlete: str
    name: str | None
    squad: str | None


@dataclass(frozen=True, slots=True)
class FeedStatus:
    """Whether the feed gives what is live; ``detail`` says in one line what is wrong and what to do."""

    state: Literal["connecting", "live", "away"]
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Batch:
    """What came at once. ``scores`` are decoded maps of ``scores.live``; ``status`` is set where it changed."""

    scores: Sequence[Mapping[str, Any]] = ()
    alerts: Sequence[StoredAlert] = ()
    named: Sequence[Named] = ()
    status: FeedStatus | None = None


class Feed(Protocol):
    """Where batches come from. Every subscription starts some minutes back, so that a new page is not empty."""

    def subscribe(self) -> AsyncGenerator[Batch, None]:
        """Batches without end. A source that is away is a status, never an exception."""
