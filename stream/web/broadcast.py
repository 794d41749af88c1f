"""One frame for all viewers, and no queue for any of them. Knows text only, no socket and no clock.

A frame is serialised once and shared. Whoever has seen the frame before gets the frame; whoever has not (just came,
or was too slow to take the last one) gets everything as it is now, serialised once for all of those. So a slow
viewer skips frames, and costs nobody memory.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

#: What a viewer who has seen nothing yet passes to :meth:`Broadcast.after`.
NOTHING: Final = -1


@dataclass(frozen=True, slots=True)
class Frame:
    """What to send, and the number that stands for having seen it. ``skipped`` frames were not sent before it."""

    number: int
    text: str
    skipped: int


class Broadcast:
    """``everything`` makes the text of the whole state."""

    def __init__(self, everything: Callable[[], str]) -> None:
        self._everything = everything
        self._number = 0
        self._text = ""
        self._whole: str | None = None
        self._next = asyncio.Event()

    def publish(self, text: str) -> None:
        """The next frame, for everybody who waits."""
        self._number += 1
        self._text, self._whole = text, None
        waiting, self._next = self._next, asyncio.Event()
        waiting.set()

    async def after(self, seen: int) -> Frame:
        """What a viewer needs who has seen ``seen``; waits where that is the newest."""
        if seen == self._number:
            await self._next.wait()
        if seen == self._number - 1 and seen != NOTHING:
            return Frame(self._number, self._text, 0)
        skipped = 0 if seen == NOTHING else self._number - seen - 1
        return Frame(self._number, self._all(), skipped)

    def _all(self) -> str:
        if self._whole is None:
            self._whole = self._everything()
        return self._whole
