"""Listening: a bound port, and uvicorn as our processes run it. What is served there is not known here."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
from collections.abc import Iterator
from typing import Final

import uvicorn
from fastapi import FastAPI

from stream.errors import UsageError

#: Clients are told to go; whoever has not gone by then is cut off, s.
STOP_S: Final = 3
#: What a viewer may say at once, bytes.
VIEWER_SAYS: Final = 4096


class Server(uvicorn.Server):
    """uvicorn that leaves signals to its caller and says when it listens."""

    def __init__(self, app: FastAPI, stop_s: int = STOP_S) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                ws="websockets-sansio",
                ws_max_size=VIEWER_SAYS,
                ws_per_message_deflate=False,  # a message is serialised once for all; each would deflate it anew
                access_log=False,  # a login link would stand in it
                log_config=None,
                server_header=False,
                timeout_graceful_shutdown=stop_s,
            )
        )
        self.listening = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Nothing: who runs this process decides what a signal does."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and say so."""
        await super().startup(sockets)
        self.listening.set()


def listen(host: str, port: int, flag: str = "--web-port") -> socket.socket:
    """A bound socket; ``flag`` is what sets its port.

    Raises UsageError where the port is taken or the address is not this machine's.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Named TCP, or asyncio leaves Nagle on, and the second part of an answer waits 40 ms for an acknowledgement.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise UsageError(_why(error, host, port, flag)) from None
    return listener


def _why(error: OSError, host: str, port: int, flag: str) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"port {port} is taken, choose another with {flag}"
    flags = f"{flag.replace('port', 'host')} and {flag}"
    return f"port {port} of {host} cannot be had ({error.strerror}), choose others with {flags}"


def shown_host(host: str) -> str:
    """A host as it stands in an address that this machine can open."""
    return {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104
