"""``/ws``: the board, pushed. A WebSocket and not server-sent events, because the coach will answer alerts over it.

Each viewer is one loop that sends and then asks for what is newer; while its line is full the loop waits, and what it
missed is replaced by everything-as-it-is. What a viewer says is read and thrown away, so that its going is noticed.
"""

from __future__ import annotations

import asyncio
from typing import Final

from fastapi import APIRouter, WebSocket
from starlette.responses import PlainTextResponse

from stream.web import metrics
from stream.web.access import NO_SESSION, has_session, same_origin
from stream.web.broadcast import NOTHING, Broadcast
from stream.web.live import Live

router = APIRouter()

#: A viewer whose line takes nothing for this long is let go, s.
STUCK_S: Final = 30.0


@router.websocket("/ws")
async def push(socket: WebSocket) -> None:
    """One viewer, until it goes."""
    refusal = _refusal(socket)
    if refusal is not None:
        await socket.send_denial_response(refusal)
        return
    await socket.accept()
    live: Live = socket.app.state.live
    with metrics.VIEWERS.track_inprogress():
        await _until_gone(socket, live.broadcast)


def _refusal(socket: WebSocket) -> PlainTextResponse | None:
    if not same_origin(socket.headers):
        return PlainTextResponse("the page is on another origin\n", 403)
    return None if has_session(socket) else PlainTextResponse(NO_SESSION + "\n", 401)


async def _until_gone(socket: WebSocket, broadcast: Broadcast) -> None:
    tasks = [asyncio.create_task(_send(socket, broadcast)), asyncio.create_task(_listen(socket))]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _send(socket: WebSocket, broadcast: Broadcast) -> None:
    seen = NOTHING
    while True:
        frame = await broadcast.after(seen)
        await asyncio.wait_for(socket.send_text(frame.text), STUCK_S)
        metrics.MESSAGES.inc()
        metrics.SKIPPED.inc(frame.skipped)
        seen = frame.number


async def _listen(socket: WebSocket) -> None:
    while (await socket.receive())["type"] != "websocket.disconnect":
        pass
