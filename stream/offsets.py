"""Commits offsets by hand. The only file that reaches into Faust's consumer, because Faust has no public way.

Its own commit will not do. It ends the process on a commit that a rebalance overtook: it looks for "already
rebalanced" in an error of aiokafka that has a line break there. And without its compiled streams it takes a record
that a rebalance made it skip for done.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

import faust
import structlog
from aiokafka import TopicPartition
from aiokafka.errors import CommitFailedError, IllegalStateError

log = structlog.get_logger(__name__)


def offsets_after(messages: Iterable[Any]) -> dict[TopicPartition, int]:
    """Where each partition goes on when these records, in the order they came, are done."""
    return {TopicPartition(m.topic, m.partition): m.offset + 1 for m in messages}


async def commit(app: faust.App, offsets: Mapping[TopicPartition, int]) -> bool:
    """Commit to Kafka what is still ours of it; False when none is, or the group has gone on without us."""
    consumer, call = _consumer(app)
    ours = consumer.assignment()
    held = {partition: offset for partition, offset in offsets.items() if partition in ours}
    if not held:
        return not offsets
    try:
        await call(consumer.commit, held)
    except (CommitFailedError, IllegalStateError):
        log.info("a rebalance overtook a commit; these records will be read again", offsets=str(held))
        return False
    return True


async def committed(app: faust.App, places: Collection[TopicPartition]) -> dict[TopicPartition, int]:
    """Where the group goes on in each place, 0 where nobody ever committed."""
    consumer, call = _consumer(app)
    return {place: await call(consumer.committed, place) or 0 for place in places}


def _consumer(app: faust.App) -> tuple[Any, Any]:
    """Faust's consumer of aiokafka, and how to call it in its thread."""
    thread: Any = app.consumer._thread  # type: ignore[attr-defined]  # noqa: SLF001 (see above)
    return thread._consumer, thread.call_thread  # noqa: SLF001 (see above)
