"""A sink as a process of its own, for tests that kill it: ``python -m … FLAGS TROUBLE``.

FLAGS are settings as JSON. Writes are slow. While the file TROUBLE is there they fail: as a store that is away,
or, where the file says ``fault``, as an error of ours.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import faust

from stream.errors import StoreUnavailable
from stream.settings import load_settings
from stream.sinks.open_store import open_store
from stream.sinks.sink import create_sink
from stream.sinks.store import History, HistoryQuery, Store, StoredAlert, StoredAthlete

WRITE_S = 0.05


class TroubledStore:
    """Another store, slower, that fails while a file is there."""

    def __init__(self, store: Store, trouble: Path) -> None:
        self.name = store.name
        self._store = store
        self._trouble = trouble

    def write(self, scores: Sequence[Mapping[str, Any]], alerts: Sequence[StoredAlert]) -> None:
        time.sleep(WRITE_S)
        if self._trouble.exists():
            if "fault" in self._trouble.read_text():
                raise TypeError("a fault of ours")
            raise StoreUnavailable(f"{self._trouble} is there")
        self._store.write(scores, alerts)

    def history(self, query: HistoryQuery) -> History:
        return self._store.history(query)

    def alerts(self, athlete: str | None, start_us: int, end_us: int) -> list[StoredAlert]:
        return self._store.alerts(athlete, start_us, end_us)

    def athletes(self) -> list[StoredAthlete]:
        return self._store.athletes()

    def count_scores(self) -> int:
        return self._store.count_scores()

    def close(self) -> None:
        self._store.close()


def main(flags: str, trouble: str) -> None:
    """Run until a signal comes."""
    settings = load_settings(**json.loads(flags))
    app = create_sink(settings, TroubledStore(open_store(settings), Path(trouble)))
    faust.Worker(app, loglevel="INFO").execute_from_commandline()


if __name__ == "__main__":
    main(*sys.argv[1:])
