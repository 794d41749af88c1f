"""The last minutes of one athlete in memory, so that a freshly opened chart needs no store. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from stream.web.columns import COLUMNS, Row, rounded

SECOND_US: Final = 1_000_000
KEPT_S: Final = 600


@dataclass(frozen=True, slots=True)
class Recent:
    """Seconds that were scored, oldest first: ``times_us`` (window ends) and one row of :data:`COLUMNS` each."""

    times_us: list[int]
    rows: list[Row]


class Ring:
    """The last :data:`KEPT_S` seconds: ``(KEPT_S, columns)`` float32, overwritten in place."""

    def __init__(self) -> None:
        self._second: NDArray[np.int64] = np.full(KEPT_S, -1, np.int64)
        self._values: NDArray[np.float32] = np.full((KEPT_S, len(COLUMNS)), np.nan, np.float32)

    def put(self, end_us: int, row: Row) -> None:
        """Keep a second. One that is older than what stands in its place is past, and left out."""
        second = end_us // SECOND_US
        place = second % KEPT_S
        if second >= self._second[place]:
            self._second[place] = second
            self._values[place] = [np.nan if value is None else value for value in row]

    def recent(self, seconds: int) -> Recent:
        """At most the last ``seconds`` up to the newest one kept."""
        newest = int(self._second.max())
        within = np.flatnonzero((self._second >= 0) & (self._second > newest - min(seconds, KEPT_S)))
        order = within[np.argsort(self._second[within])]
        times_us = (self._second[order] * SECOND_US).tolist()
        return Recent(times_us, [_row(values) for values in self._values[order].tolist()])


def _row(values: list[float]) -> Row:
    pairs = zip(values, COLUMNS, strict=True)
    return [None if v != v else rounded(v, column.digits) for v, column in pairs]  # noqa: PLR0124 (NaN)
