"""Explaining: networks asked why, in a thread of their own, so that predictions do not wait for it.

Bounded: requests under way, time. Knows no HTTP.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import structlog

from models.tensors import Explained
from stream.serving.network import Network
from stream.serving.refusals import DeadlinePassed, NetworkFailed, QueueFull

log = structlog.get_logger(__name__)

#: Requests under way at once.
UNDER_WAY: Final = 8


class Explaining:
    """The thread for explanations, and how many requests it has."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, "explanations")
        self._under_way = 0

    async def explain(
        self, network: Network, ask: Callable[[Network], Explained], deadline: float
    ) -> Explained:
        """Ask a network why before ``deadline``. Raises QueueFull, DeadlinePassed or NetworkFailed."""
        if self._under_way >= UNDER_WAY:
            raise QueueFull(f"{UNDER_WAY} requests for explanations are under way already")
        self._under_way += 1
        work = asyncio.get_running_loop().run_in_executor(self._thread, ask, network)
        work.add_done_callback(self._leave)
        try:
            async with asyncio.timeout_at(deadline):
                return await asyncio.shield(work)
        except TimeoutError:
            work.cancel()  # takes effect where it has not begun
            raise DeadlinePassed("the deadline passed before there was an explanation") from None
        except Exception as error:
            log.exception("a network could not be explained", model=network.name, version=network.version)
            raise NetworkFailed("the network failed on these inputs") from error

    def _leave(self, work: asyncio.Future[Explained]) -> None:
        self._under_way -= 1
        if not work.cancelled():
            work.exception()  # told already, or nobody waits for it any more
