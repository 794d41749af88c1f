"""What the page knows of one athlete now. Pure; event time comes from scores, wall time from their publishing stamp.

``heard_us`` is the one number staleness rests on: the wall-clock time (of the worker) at which the last second with a
sample in it was published. A second that the worker had to make up from nothing does not move it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from stream.sinks.decode import decode_inputs
from stream.sinks.store import AlertInput, StoredAlert
from stream.web.columns import COLUMNS, Row, row_of
from stream.web.messages import Named
from stream.web.ring import SECOND_US, Ring

#: The rule that says an athlete's sensor gives nothing.
SILENT_RULE: Final = "sensor_silent"
ACTIVE: Final = ("pending", "firing", "stale")
#: A score and an alert of the same moment come on different topics, so either may be read first. For this long
#: after a transition a score does not overrule it.
SETTLE_US: Final = 5 * SECOND_US


@dataclass(frozen=True, slots=True)
class AlertNow:
    """An alert that is on, since ``since_us`` (event time of its last transition)."""

    rule: str
    state: str
    since_us: int
    session: str
    message: str = ""
    value: float | None = None
    threshold: float | None = None
    unit: str | None = None


@dataclass(frozen=True, slots=True)
class Today:
    """Load so far and planned, AU; the risk it gives, where today's load was shown to better the model."""

    load: float
    load_planned: float
    load_source: str
    risk: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Notes:
    """Why a head abstains (None: it does not), and what its figure stands on."""

    performance_abstains: str | None = None
    injury_abstains: str | None = None
    outside_population: bool = False
    load_source: str | None = None
    injury_because: tuple[AlertInput, ...] = ()
    today: Today | None = None


@dataclass(frozen=True, slots=True)
class About:
    """What changes seldom, as it travels beside the rows."""

    id: str
    name: str | None
    squad: str | None
    session: str
    final: bool
    silent: bool
    notes: Notes
    alerts: tuple[AlertNow, ...]


class Track:
    """One athlete: the newest row, what changes seldom, the alerts that are on, and the last minutes."""

    def __init__(self, index: int, athlete: str) -> None:
        self.index = index
        self.athlete = athlete
        self.name: str | None = None
        self.squad: str | None = None
        self.session = ""
        self.alerts: dict[str, AlertNow] = {}
        self._settled: dict[str, int] = {}
        self._blank()

    def _blank(self) -> None:
        self.row: Row = [None] * len(COLUMNS)
        self.end_us = self.published_us = self.fresh_us = 0
        self.final = False
        self.notes = Notes()
        self.ring = Ring()

    @property
    def heard_us(self) -> int:
        """See the module."""
        return self.published_us - (self.end_us - self.fresh_us)

    @property
    def silent(self) -> bool:
        """Whether the worker says that nothing comes from the sensor."""
        alert = self.alerts.get(SILENT_RULE)
        return alert is not None and alert.state in ("firing", "stale")

    def about(self) -> About:
        """What changes seldom, now."""
        return About(
            id=self.athlete,
            name=self.name,
            squad=self.squad,
            session=self.session,
            final=self.final,
            silent=self.silent,
            notes=self.notes,
            alerts=tuple(self.alerts.values()),
        )

    def take_name(self, named: Named) -> None:
        """Know the athlete by name."""
        self.name, self.squad = named.name, named.squad

    def take_score(self, score: Mapping[str, Any]) -> None:
        """Keep a score; the newest one is what is shown. A new session starts afresh."""
        end_us = int(score["window_end_us"])
        published_us = _published_us(score)
        if score["session"] != self.session:
            if published_us < self.published_us:
                return
            self._start(str(score["session"]))
        row = row_of(score)
        self.ring.put(end_us, row)
        if end_us >= self.end_us:
            self._show(score, row, end_us, published_us)

    def _start(self, session: str) -> None:
        """Another session; alerts of it may have come before its first score."""
        self.session = session
        self.alerts = {rule: alert for rule, alert in self.alerts.items() if alert.session == session}
        self._settled = {rule: alert.since_us for rule, alert in self.alerts.items()}
        self._blank()

    def _show(self, score: Mapping[str, Any], row: Row, end_us: int, published_us: int) -> None:
        self.row, self.end_us, self.published_us = row, end_us, published_us
        if not _map(score, "quality").get("stale") or not self.fresh_us:
            self.fresh_us = end_us
        self.final = score.get("final") is True
        self.notes = _notes(score)
        self._reconcile(score.get("alerts"))

    def _reconcile(self, listed: Any) -> None:
        """Hold the alerts against a score's list: the safety net for transitions that were not read."""
        entries = listed if isinstance(listed, list) else []
        states = {str(e.get("rule")): str(e.get("state")) for e in entries if isinstance(e, Mapping)}
        for rule, state in states.items():
            if self._overrules(rule) and state in ACTIVE and rule not in self.alerts:
                self.alerts[rule] = AlertNow(rule, state, self.end_us, self.session)
        for rule in [rule for rule in self.alerts if rule not in states and self._overrules(rule)]:
            del self.alerts[rule]

    def _overrules(self, rule: str) -> bool:
        return self.end_us >= self._settled.get(rule, -SETTLE_US) + SETTLE_US

    def take_alert(self, alert: StoredAlert) -> None:
        """Keep a transition; one that is older than what is known is past."""
        if self._is_past(alert):
            return
        self._settled[alert.rule] = alert.event_us
        if alert.state not in ACTIVE:
            self.alerts.pop(alert.rule, None)
            return
        self.alerts[alert.rule] = AlertNow(
            rule=alert.rule,
            state=alert.state,
            since_us=alert.event_us,
            session=alert.session,
            message=alert.message,
            value=alert.value,
            threshold=alert.threshold,
            unit=alert.unit,
        )

    def _is_past(self, alert: StoredAlert) -> bool:
        if alert.session != self.session and alert.event_us < self.end_us:
            return True
        return alert.event_us < self._settled.get(alert.rule, 0)


def _map(score: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = score.get(key)
    return value if isinstance(value, Mapping) else {}


def _published_us(score: Mapping[str, Any]) -> int:
    """When the worker published it; a score that does not say counts as old as its window."""
    stamp = _map(score, "lineage").get("scored_us")
    return stamp if isinstance(stamp, int) else int(score["window_end_us"])


def _notes(score: Mapping[str, Any]) -> Notes:
    injury = _map(score, "injury")
    return Notes(
        performance_abstains=_text(_map(score, "performance").get("abstains")),
        injury_abstains=_text(injury.get("abstains")),
        outside_population=injury.get("outside_population") is True,
        load_source=_text(injury.get("load_source")),
        injury_because=_because(injury.get("because")),
        today=_today(injury.get("today")),
    )


def _today(told: Any) -> Today | None:
    """Today's estimate; None of what another version of the worker says otherwise."""
    try:
        risk = [told[key] if told["helps"] else None for key in ("risk", "low", "high")]
        return Today(
            float(told["load"][1]), float(told["load_planned"]), str(told["load_source"]), *map(_maybe, risk)
        )
    except (TypeError, KeyError, IndexError, ValueError):
        return None


def _maybe(value: Any) -> float | None:
    return None if value is None else float(value)


def _because(entries: Any) -> tuple[AlertInput, ...]:
    """What pushed a score; of what another version of the worker says otherwise nothing."""
    try:
        return decode_inputs(entries)
    except ValueError:
        return ()


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None
