"""Cut: recorded or simulated frames through the serving stages into arrays for training, without a model.

Training reads seconds that the live path itself measured, so the two cannot drift apart. A second costs the
same for one athlete as for a hundred: cut many sessions in one call, as different athletes side by side in time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Final

import numpy as np
from numpy.typing import NDArray

from stream.align import Aligned
from stream.clock import Clock
from stream.features import GROUPS
from stream.records import Record
from stream.roster import Roster
from stream.route import Outputs, Route

Floats = NDArray[np.float64]

CHUNK: Final = 2000
CLOCK: Final = Clock(lateness_us=500_000, future_us=2_000_000, silent_us=10_000_000)


@dataclass(frozen=True, slots=True)
class CutSession:
    """One athlete's session: consecutive closed seconds.

    ``second (T,)`` since 1970; ``history (T, channels)`` by :data:`stream.features.HISTORY`, NaN missing; ``missing
    (T, groups)`` by :data:`~stream.features.GROUPS`; ``heart_rest``, ``heart_max`` (bpm) and ``static (S,)`` as
    the worker used them; ``totals`` of the last second.
    """

    athlete: str
    session: str
    second: NDArray[np.int64]
    history: Floats
    missing: Floats
    heart_rest: float
    heart_max: float
    static: NDArray[np.float32]
    totals: dict[str, float]


@dataclass(slots=True)
class _Parts:
    """What of a session has been cut so far."""

    second: list[NDArray[np.int64]] = field(default_factory=list)
    history: list[Floats] = field(default_factory=list)
    missing: list[Floats] = field(default_factory=list)
    totals: dict[str, float] = field(default_factory=dict)
    person: tuple[float, float, NDArray[np.float32]] | None = None


class _NoModel:
    """Stands where the engine would; only the injury head is asked, at session start."""

    versions: dict[str, str] = {}  # noqa: RUF012 (never written)
    quantile_levels = (0.0, 1.0)
    today_helps = False

    def injury(self, days: NDArray[np.float32]) -> NDArray[np.float32]:
        """No risk at all."""
        return np.zeros((len(days), 1), dtype=np.float32)

    def injury_pushes(self, days: NDArray[np.float32], ordinary: NDArray[np.float32]) -> NDArray[np.float32]:
        """And nothing pushes it."""
        return np.zeros_like(days - ordinary)


class _Cutter(Route):
    """The route up to its features, gathering instead of scoring."""

    def __init__(self, people: Roster) -> None:
        super().__init__(CLOCK, (), _NoModel(), people)  # type: ignore[arg-type]
        self.parts: dict[tuple[str, str], _Parts] = {}

    def close(self, aligned: Aligned, out: Outputs) -> None:  # noqa: ARG002 (nothing goes out)
        """Gather the seconds that close."""
        seconds = self.windows.close(aligned.closings, self.slots)
        measures = self.measure(seconds)
        missing = np.stack([measures.missing[group] for group in GROUPS], axis=1)
        for slot in np.unique(seconds.slot):
            rows = np.flatnonzero(seconds.slot == slot)
            athlete = self.slots.of(int(slot))
            parts = self.parts.setdefault((athlete.name, athlete.session), _Parts())
            parts.second.append(seconds.second[rows])
            parts.history.append(measures.history[rows])
            parts.missing.append(missing[rows])
            parts.totals = {name: float(values[rows[-1]]) for name, values in measures.totals.items()}
            state = self.slots.state[slot]
            parts.person = (float(state["heart_rest"]), float(state["heart_max"]), state["static"].copy())


def cut(records: Iterable[Record], people: Roster) -> list[CutSession]:
    """Run records (merged order) through the serving stages; sessions in order of first sight."""
    cutter = _Cutter(people)
    for chunk in _chunks(records):
        cutter.push(chunk)
    return [_session(*key, parts) for key, parts in cutter.parts.items()]


def _chunks(records: Iterable[Record]) -> Iterator[list[Record]]:
    left = iter(records)
    while chunk := list(islice(left, CHUNK)):
        yield chunk


def _session(athlete: str, session: str, parts: _Parts) -> CutSession:
    assert parts.person is not None, "a session is gathered with its person"
    return CutSession(
        athlete,
        session,
        np.concatenate(parts.second),
        np.concatenate(parts.history),
        np.concatenate(parts.missing),
        *parts.person,
        parts.totals,
    )
