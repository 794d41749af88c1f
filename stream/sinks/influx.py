"""InfluxDB 2 as a store, through influxdb-client. It never retries: the sink does, in one place.

A request the server will never take (a field of another type, a stamp beyond retention) is halved until the point
at fault stands alone; that point goes to the log with its id and is counted, the rest is stored.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import structlog
from influxdb_client import Dialect, InfluxDBClient
from influxdb_client.client.write_api import SYNCHRONOUS
from influxdb_client.rest import ApiException
from urllib3.exceptions import HTTPError

from stream.errors import StoreUnavailable
from stream.sinks import flux
from stream.sinks.flatten import flatten
from stream.sinks.line import id_of, line
from stream.sinks.metrics import ERRORS
from stream.sinks.store import AlertInput, History, HistoryQuery, StoredAlert, StoredAthlete

LINES_A_REQUEST: Final = 5_000
TIMEOUT_MS: Final = 10_000
SECOND_US: Final = 1_000_000

_CSV: Final = Dialect(
    header=True, annotations=[], delimiter=",", comment_prefix="#", date_time_format="RFC3339"
)
_DROPPED: Final = re.compile(r"dropped=(\d+)")
_BAD_LINE: Final = re.compile(r"unable to parse|partial write")

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Point:
    """A line of line protocol and the id it is known by in the log."""

    id: str
    line: str


class _RefusedError(Exception):
    """The server will not take (some of) these lines, ever. ``dropped`` of them, or 0 where it did not say."""

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

    def write(self, scores: Sequence[Mapping[str, Any]], alerts: Sequence[StoredAlert]) -> None:
        """See :class:`stream.sinks.store.Store`. Windows end on whole seconds, and are sent in seconds if so."""
        whole = all(score["window_end_us"] % SECOND_US == 0 for score in scores)
        unit_us, precision = (SECOND_US, "s") if whole else (1, "us")
        self._put_all([_score_point(score, unit_us) for score in scores], precision)
        self._put_all([_alert_point(alert) for alert in alerts], "us")

    def history(self, query: HistoryQuery) -> History:
        """See :class:`stream.sinks.store.Store`."""
        return flux.columns(self._ask(*flux.history(query)), query.fields)

    def alerts(self, athlete: str | None, start_us: int, end_us: int) -> list[StoredAlert]:
        """See :class:`stream.sinks.store.Store`."""
        table = list(flux.rows(self._ask(*flux.alerts(athlete, start_us, end_us))))
        times = flux.times_us([row["_time"] for row in table])
        return [_alert(row, int(time_us)) for row, time_us in zip(table, times, strict=True)]

    def athletes(self) -> list[StoredAthlete]:
        """See :class:`stream.sinks.store.Store`."""
        table = list(flux.rows(self._ask(flux.ATHLETES, flux.everything())))
        times = flux.times_us([row["_time"] for row in table])
        seen = zip(table, times, strict=True)
        return sorted(
            (StoredAthlete(id_of(row["athlete"]), id_of(row["session"]), int(t)) for row, t in seen),
            key=lambda athlete: athlete.athlete,
        )

    def count_scores(self) -> int:
        """See :class:`stream.sinks.store.Store`."""
        return sum(int(row["_value"]) for row in flux.rows(self._ask(flux.COUNT, flux.everything())))

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _put_all(self, points: list[_Point], precision: str) -> None:
        for start in range(0, len(points), LINES_A_REQUEST):
            self._put(points[start : start + LINES_A_REQUEST], precision)

    def _put(self, points: list[_Point], precision: str) -> None:
        """Store what can be, halving what the server refuses; what it refuses alone is buried."""
        try:
            self._post(points, precision)
        except _RefusedError as refused:
            if len(points) in (1, refused.dropped):
                self._bury(points, str(refused))
                return
            half = len(points) // 2
            self._put(points[:half], precision)
            self._put(points[half:], precision)

    def _post(self, points: list[_Point], precision: str) -> None:
        body = "\n".join([point.line for point in points]).encode()
        with self._unavailable():
            self._writer.write(self._bucket, record=body, write_precision=precision)

    def _bury(self, points: list[_Point], reason: str) -> None:
        ERRORS.labels(self.name, "refused").inc(len(points))
        for point in points:
            log.error("store refused a point", store=self.name, id=point.id, reason=reason)

    def _ask(self, text: str, parameters: flux.Parameters) -> str:
        bound = parameters | {"bucket_name": self._bucket}
        with self._unavailable():
            return str(self._reader.query_raw(text, dialect=_CSV, params=bound).data.decode())

    @contextmanager
    def _unavailable(self) -> Iterator[None]:
        try:
            yield
        except HTTPError as error:
            raise StoreUnavailable(f"{self._where} does not answer: {error}") from error
        except ApiException as error:
            raise self._meaning(error) from error

    def _meaning(self, error: ApiException) -> Exception:
        """Whether the server will never take this or cannot now, and what to do about it."""
        words = " ".join(str(error.message or error.reason).split())
        if error.status in (413, 422) or (error.status == 400 and _BAD_LINE.search(words)):
            return _RefusedError(words)
        hint = {
            401: "set TOUCHLINE_INFLUX_TOKEN",
            403: "the token may not do this: set TOUCHLINE_INFLUX_TOKEN",
            404: "create the organisation and bucket, or set TOUCHLINE_INFLUX_ORG and TOUCHLINE_INFLUX_BUCKET",
        }.get(error.status)
        return StoreUnavailable(
            f"{self._where} answers {error.status} {words}" + (f": {hint}" if hint else "")
        )


def _score_point(score: Mapping[str, Any], unit_us: int) -> _Point:
    tags = {"athlete": score["athlete"], "session": score["session"]}
    end_us = score["window_end_us"]
    return _Point(f"{score['athlete']} {end_us}", line(flux.SCORES, tags, flatten(score), end_us // unit_us))


def _alert_point(alert: StoredAlert) -> _Point:
    """``from`` is a tag too, so that two transitions of one rule at one instant stay two points."""
    tags = {
        "athlete": alert.athlete, "session": alert.session, "rule": alert.rule, "from": alert.from_state,
        "state": alert.state,
    }  # fmt: skip
    fields = {
        "id": alert.id, "reason": alert.reason, "message": alert.message, "unit": alert.unit,
        "value": alert.value, "threshold": alert.threshold,
        "inputs": json.dumps([(i.name, i.value, i.unit) for i in alert.inputs]),
    }  # fmt: skip
    there = {name: value for name, value in fields.items() if value is not None}
    return _Point(alert.id, line(flux.ALERTS, tags, there, alert.event_us))


def _alert(row: Mapping[str, str], event_us: int) -> StoredAlert:
    return StoredAlert(
        id=row["id"],
        athlete=id_of(row["athlete"]),
        session=id_of(row.get("session", "")),
        rule=id_of(row["rule"]),
        from_state=id_of(row["from"]),
        state=id_of(row["state"]),
        reason=row["reason"],
        message=row["message"],
        event_us=event_us,
        value=_number(row.get("value")),
        threshold=_number(row.get("threshold")),
        unit=row.get("unit") or None,
        inputs=tuple(AlertInput(*entry) for entry in json.loads(row["inputs"])),
    )


def _number(text: str | None) -> float | None:
    return float(text) if text else None
