"""InfluxDB 2 as a store, through influxdb-client. It never retries: the sink does, in one place.

A request the server will never take (a field of another type, a stamp beyond retention) is halved until the
point at fault stands alone; that point goes to the log with its id and is counted, the rest is stored.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from typing import Any, Final
from zlib import crc32

import structlog
from influxdb_client.client.influxdb_client import InfluxDBClient
from influxdb_client.client.write_api import SYNCHRONOUS
from influxdb_client.domain.dialect import Dialect
from influxdb_client.rest import ApiException
from urllib3.exceptions import HTTPError

from stream.errors import StoreUnavailable
from stream.sinks import flux
from stream.sinks.line import id_of
from stream.sinks.metrics import ERRORS
from stream.sinks.points import Point, alert_of, alert_point, score_points
from stream.sinks.store import History, HistoryQuery, StoredAlert, StoredAthlete

#: A score's line is some 3 kB, packed a fifth of it.
LINES_A_REQUEST: Final = 1_000
#: Requests under way at once. An athlete's points always go the same lane, one after the other.
LANES: Final = 4
TIMEOUT_MS: Final = 10_000

_DIALECT: Final = Dialect(header=True, annotations=[])  # type: ignore[no-untyped-call]
_DROPPED: Final = re.compile(r"dropped=(\d+)")
_BAD_LINE: Final = re.compile(r"unable to parse|partial write")
_HINTS: Final = {
    401: ": set TOUCHLINE_INFLUX_TOKEN",
    403: ": the token may not do this, set TOUCHLINE_INFLUX_TOKEN",
    404: ": create them, or set TOUCHLINE_INFLUX_ORG and TOUCHLINE_INFLUX_BUCKET",
}

log = structlog.get_logger(__name__)


class _Refused(Exception):
    """The server will never take (some of) these lines: ``dropped`` of them, 0 where it did not say."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        found = _DROPPED.search(reason)
        self.dropped = int(found[1]) if found else 0


class InfluxStore:
    """Keeps the contract of :class:`stream.sinks.store.Store` in one bucket. Opening it contacts nobody."""

    name = "influx"

    def __init__(self, url: str, token: str, org: str, bucket: str) -> None:
        self._bucket = bucket
        self._where = f"InfluxDB at {url}"
        self._client = InfluxDBClient(url, token, org=org, timeout=TIMEOUT_MS, enable_gzip=True)
        self._writer = self._client.write_api(write_options=SYNCHRONOUS)
        self._reader = self._client.query_api()
        self._threads = ThreadPoolExecutor(LANES, thread_name_prefix="influx")

    def write(self, scores: Sequence[Mapping[str, Any]], alerts: Sequence[StoredAlert]) -> None:
        """See :class:`stream.sinks.store.Store`."""
        points, precision = score_points(scores)
        lanes: list[list[Point]] = [[] for _ in range(LANES)]
        for score, point in zip(scores, points, strict=True):
            lanes[crc32(score["athlete"].encode()) % LANES].append(point)
        under_way = [self._threads.submit(self._put_all, lane, precision) for lane in lanes if lane]
        wait(under_way)
        for written in under_way:
            written.result()
        self._put_all([alert_point(alert) for alert in alerts], "us")

    def history(self, query: HistoryQuery) -> History:
        """See :class:`stream.sinks.store.Store`."""
        return flux.columns(self._ask(*flux.history(query)), query.fields)

    def alerts(self, athlete: str | None, start_us: int, end_us: int) -> list[StoredAlert]:
        """See :class:`stream.sinks.store.Store`."""
        table = list(flux.rows(self._ask(*flux.alerts(athlete, start_us, end_us))))
        times = flux.times_us([row["_time"] for row in table])
        return [alert_of(row, int(time_us)) for row, time_us in zip(table, times, strict=True)]

    def athletes(self) -> list[StoredAthlete]:
        """See :class:`stream.sinks.store.Store`."""
        table = list(flux.rows(self._ask(flux.ATHLETES, flux.everything())))
        times = flux.times_us([row["_time"] for row in table])
        ids = [(id_of(row["athlete"]), id_of(row["session"])) for row in table]
        seen = [StoredAthlete(*pair, int(time_us)) for pair, time_us in zip(ids, times, strict=True)]
        return sorted(seen, key=lambda one: one.athlete)

    def count_scores(self) -> int:
        """See :class:`stream.sinks.store.Store`."""
        return sum(int(row["_value"]) for row in flux.rows(self._ask(flux.COUNT, flux.everything())))

    def close(self) -> None:
        """Close the connections."""
        self._threads.shutdown()
        self._client.close()  # type: ignore[no-untyped-call]

    def _put_all(self, points: list[Point], precision: str) -> None:
        for start in range(0, len(points), LINES_A_REQUEST):
            self._put(points[start : start + LINES_A_REQUEST], precision)

    def _put(self, points: list[Point], precision: str) -> None:
        """Store what can be, halving what the server refuses; what it refuses alone is buried."""
        try:
            self._post(points, precision)
        except _Refused as refused:
            if len(points) in (1, refused.dropped):
                self._bury(points, str(refused))
                return
            half = len(points) // 2
            self._put(points[:half], precision)
            self._put(points[half:], precision)

    def _post(self, points: list[Point], precision: Any) -> None:
        body = "\n".join([point.line for point in points]).encode()
        with self._unavailable():
            try:
                self._writer.write(self._bucket, record=body, write_precision=precision)
            except ApiException as error:
                if _for_ever(error):
                    raise _Refused(_words(error)) from error
                raise

    def _bury(self, points: list[Point], reason: str) -> None:
        ERRORS.labels(self.name, "refused").inc(len(points))
        for point in points:
            log.error("store refused a point", store=self.name, id=point.id, reason=reason)

    def _ask(self, text: str, parameters: flux.Parameters) -> str:
        bound = parameters | {"bucket_name": self._bucket}
        with self._unavailable():
            answer = self._reader.query_raw(text, dialect=_DIALECT, params=bound)
            return str(answer.data.decode())

    @contextmanager
    def _unavailable(self) -> Iterator[None]:
        try:
            yield
        except HTTPError as error:
            raise StoreUnavailable(f"{self._where} does not answer: {error}") from error
        except ApiException as error:
            answer = f"{error.status} {_words(error)}{_HINTS.get(error.status, '')}"
            raise StoreUnavailable(f"{self._where} answers {answer}") from error


def _for_ever(error: ApiException) -> bool:
    """Whether the fault is in the lines. A 400 that does not say so may come from a proxy on the way."""
    return error.status in (413, 422) or (error.status == 400 and bool(_BAD_LINE.search(_words(error))))


def _words(error: ApiException) -> str:
    return " ".join(str(error.message or error.reason).split())
