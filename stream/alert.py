"""Alert: rules over scores, and what changed. The states are a table; a transition carries its named reason.

Missing data never resolves an alert: it makes it stale. Event time only, so a replay raises the same alerts.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from stream.because import MOST, Pushed, of_performance
from stream.clock import SECOND_US
from stream.errors import MissingError, UsageError
from stream.features import HISTORY
from stream.infer import Answering
from stream.score import Scored
from stream.slots import Field, Slots

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

STATES: Final = ("inactive", "pending", "firing", "stale")
INACTIVE, PENDING, FIRING, STALE = range(4)
RESOLVED: Final = "resolved"
#: A firing alert whose value is missing for this long is stale, s.
STALE_AFTER_S: Final = 10

#: What a second can mean to a rule.
EVENTS: Final = ("missing", "lost", "below", "rested", "held", "raised", "ripe")
MISSING, LOST, BELOW, RESTED, HELD, RAISED, RIPE = range(7)

#: (state, event) -> (next state, named reason). What is not here stays as it is.
TABLE: Final[Mapping[tuple[int, int], tuple[int, str]]] = {
    (INACTIVE, RAISED): (PENDING, "raised"),
    (INACTIVE, RIPE): (FIRING, "raised"),
    (PENDING, BELOW): (INACTIVE, "fell before it fired"),
    (PENDING, RESTED): (INACTIVE, "fell before it fired"),
    (PENDING, RIPE): (FIRING, "held"),
    (PENDING, LOST): (INACTIVE, "value missing"),
    (FIRING, RESTED): (INACTIVE, "cleared"),
    (FIRING, LOST): (STALE, "value missing"),
    (STALE, HELD): (FIRING, "value back"),
    (STALE, RAISED): (FIRING, "value back"),
    (STALE, RIPE): (FIRING, "value back"),
    (STALE, BELOW): (INACTIVE, "cleared"),
    (STALE, RESTED): (INACTIVE, "cleared"),
}
NEXT: Final = np.array(
    [[TABLE.get((s, e), (s, ""))[0] for e in range(len(EVENTS))] for s in range(len(STATES))]
)

#: What the athlete's silence does: nothing has held long enough to fire without having been seen.
SILENCED: Final[Mapping[int, tuple[int, str]]] = {
    PENDING: (INACTIVE, "sensor silent"),
    FIRING: (STALE, "sensor silent"),
}

#: What rules can watch, in the unit of their thresholds.
METRICS: Final = ("injury_risk", "heart_rate_share", "performance", "impact_peak", "wbgt")
SILENCE: Final = "silence"


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. ``raise_at`` and ``clear_below`` in the metric's unit; ``for_s``, ``dwell_s`` in seconds."""

    name: str
    metric: str
    unit: str
    raise_at: float = 0.0
    clear_below: float = 0.0
    for_s: int = 0
    dwell_s: int = 0


@dataclass(frozen=True, slots=True)
class Transition:
    """One alert of one athlete changed state at ``event_us`` (event time), and why."""

    rule: Rule
    athlete: str
    session: str
    partition: int
    before: str
    state: str
    reason: str
    event_us: int
    value: float | None
    inputs: tuple[Pushed, ...] = ()

    @property
    def message(self) -> str:
        """The transition in words, with units; of a model's score also what pushed it."""
        who = f"{self.athlete}: {self.rule.name.replace('_', ' ')} {self.state} ({self.reason})"
        if self.value is None:
            return who
        limit = self.rule.raise_at if self.state in ("pending", "firing") else self.rule.clear_below
        why = ", ".join(str(entry) for entry in self.inputs if entry.push is not None)
        compared = f"{who}: {self.value:.3g} against {limit:.3g} {self.rule.unit}"
        return f"{compared}; pushed by {why}" if why else compared


def load_rules(path: Path | None) -> tuple[Rule, ...]:
    """Rules from a TOML file, or the shipped ones. Raises MissingError or UsageError naming the file and key."""
    path = path or Path(__file__).with_name("rules.toml")
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise MissingError(
            f"rules {path}: {error.strerror}; name another file with TOUCHLINE_RULES"
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"rules {path}: {error}") from None
    entries = content.pop("rule", [])
    if content or not isinstance(entries, list) or not all(isinstance(e, dict) for e in entries):
        raise UsageError(f"rules {path}: every rule is a [[rule]] of its own, and nothing else stands in it")
    rules = tuple(_rule(entry, path) for entry in entries)
    if len({rule.name for rule in rules}) != len(rules):
        raise UsageError(f"rules {path}: two rules have one name")
    return rules


#: Keys of a rule, and what their values are.
KEYS: Final[Mapping[str, tuple[type, ...]]] = {
    "name": (str,),
    "metric": (str,),
    "unit": (str,),
    "raise": (int, float),
    "clear": (int, float),
    "for_s": (int,),
    "dwell_s": (int,),
}


def _rule(entry: Mapping[str, Any], path: Path) -> Rule:
    _check_keys(entry, path)
    if not entry.get("name") or entry.get("metric") not in (*METRICS, SILENCE):
        raise UsageError(f"rules {path}: {entry.get('name')!r} needs a name and a metric of {METRICS}")
    if entry["metric"] != SILENCE and not ("raise" in entry and "clear" in entry):
        raise UsageError(f"rules {path}: {entry['name']} needs raise and clear")
    rule = Rule(
        name=entry["name"],
        metric=entry["metric"],
        unit=entry.get("unit", ""),
        raise_at=float(entry.get("raise", 0)),
        clear_below=float(entry.get("clear", 0)),
        for_s=entry.get("for_s", 0),
        dwell_s=entry.get("dwell_s", 0),
    )
    if not rule.clear_below <= rule.raise_at or rule.for_s < 0 or rule.dwell_s < 0:  # NaN fails too
        raise UsageError(f"rules {path}: {rule.name}: clear must not be above raise, times not negative")
    return rule


def _check_keys(entry: Mapping[str, Any], path: Path) -> None:
    if unknown := set(entry) - set(KEYS):
        raise UsageError(f"rules {path}: unknown key {min(unknown)!r}")
    for key, value in entry.items():
        if type(value) not in KEYS[key]:
            raise UsageError(f"rules {path}: {key} = {value!r} is of the wrong type")


def fields(rules: Sequence[Rule]) -> tuple[Field, ...]:
    """State per athlete and rule: state, since when it is in it and since when the value is missing, s."""
    kept = [(f"alert_{rule.name}_state", 0) for rule in rules]
    kept += [(f"alert_{rule.name}_{name}", -1) for rule in rules for name in ("since_s", "missing_s")]
    return tuple(Field(name, "i8", blank=blank) for name, blank in kept)


class Alerts:
    """The rules over the state of all athletes."""

    def __init__(self, rules: Sequence[Rule], slots: Slots) -> None:
        self._valued = tuple(rule for rule in rules if rule.metric != SILENCE)
        self._silent = tuple(rule for rule in rules if rule.metric == SILENCE)
        self._slots = slots

    def values(self, scored: Scored) -> dict[str, Floats]:
        """What each rule watches, for all rows: metric name to ``(R,)``."""
        return {name: metric(name, scored, self._slots) for name in {rule.metric for rule in self._valued}}

    def judge(
        self, scored: Scored, rows: Ints, values: Mapping[str, Floats], arms: Answering
    ) -> list[Transition]:
        """Transitions that one wave of seconds brings; ``arms`` answered all seconds and can say why."""
        out: list[Transition] = []
        slot, second = scored.seconds.slot[rows], scored.seconds.second[rows]
        for rule in self._valued:
            value = values[rule.metric][rows]
            before, event = self._events(rule, slot, second, value)
            after = NEXT[before, event]
            changed = np.flatnonzero(after != before)
            inputs = pushed_by(rule, scored, rows[changed], self._slots, arms)
            for k, pushed in zip(changed, inputs, strict=True):
                reason = TABLE[int(before[k]), int(event[k])][1]
                moment = (int(second[k]) + 1) * SECOND_US
                change = (int(before[k]), int(after[k]), reason)
                made = self._change(rule, int(slot[k]), change, (moment, float(value[k])))
                out.append(replace(made, inputs=pushed))
        return out

    def _events(self, rule: Rule, slot: Ints, second: Ints, value: Floats) -> tuple[Ints, Ints]:
        state, name = self._slots.state, f"alert_{rule.name}"
        before, since = state[f"{name}_state"][slot], state[f"{name}_since_s"][slot]
        missing = np.isnan(value) | (second <= since)
        missing_s = np.where(
            missing & (state[f"{name}_missing_s"][slot] < 0), second, state[f"{name}_missing_s"][slot]
        )
        missing_s = np.where(missing, missing_s, -1)
        state[f"{name}_missing_s"][slot] = missing_s
        lasted = np.where(before == INACTIVE, 0, second - since)
        rested = (value < rule.clear_below) & (lasted >= rule.dwell_s)
        ripe = np.where(before == PENDING, value >= rule.clear_below, value >= rule.raise_at)
        event = np.select(
            [
                missing & (second - missing_s >= STALE_AFTER_S),
                missing,
                rested,
                value < rule.clear_below,
                ripe & (lasted >= rule.for_s),
                value >= rule.raise_at,
            ],
            [LOST, MISSING, RESTED, BELOW, RIPE, RAISED],
            HELD,
        )
        return before, event

    def silence(self, slot: int, since_us: int, newest_us: int) -> Iterator[Transition]:
        """The athlete fell silent: the silence rules fire, others that fire become stale, pending ones end.

        Seconds up to ``newest_us``, the newest stamp before the silence, close only after it: they are no value back.
        """
        for rule in self._silent:
            if self._state(rule, slot) != FIRING:
                yield self._change(
                    rule, slot, (self._state(rule, slot), FIRING, "no frames"), (since_us, None)
                )
        for rule in self._valued:
            state = self._state(rule, slot)
            if state in SILENCED:
                yield self._change(rule, slot, (state, *SILENCED[state]), (since_us, None))
                self._slots.state[f"alert_{rule.name}_since_s"][slot] = newest_us // SECOND_US

    def resume(self, slot: int, until_us: int) -> Iterator[Transition]:
        """Frames came again."""
        for rule in self._silent:
            if self._state(rule, slot) == FIRING:
                yield self._change(rule, slot, (FIRING, INACTIVE, "frames again"), (until_us, None))

    def end(self, slot: int, at_us: int) -> Iterator[Transition]:
        """The session is over, and with it what was on."""
        for rule in (*self._silent, *self._valued):
            state = self._state(rule, slot)
            if state != INACTIVE:
                yield self._change(rule, slot, (state, INACTIVE, "session ended"), (at_us, None))

    def on(self, slot: Ints) -> NDArray[np.bool_]:
        """Whether anything is on, for slots ``(n,)``."""
        found = np.zeros(len(slot), dtype=bool)
        for rule in (*self._silent, *self._valued):
            found |= self._slots.state[f"alert_{rule.name}_state"][slot] != INACTIVE
        return found

    def active(self, slot: int) -> list[dict[str, str]]:
        """What is on for an athlete: rule and state."""
        found = ((rule.name, self._state(rule, slot)) for rule in (*self._silent, *self._valued))
        return [{"rule": name, "state": STATES[state]} for name, state in found if state != INACTIVE]

    def _state(self, rule: Rule, slot: int) -> int:
        return int(self._slots.state[f"alert_{rule.name}_state"][slot])

    def _change(
        self, rule: Rule, slot: int, change: tuple[int, int, str], at: tuple[int, float | None]
    ) -> Transition:
        before, after, reason = change
        event_us, value = at
        self._slots.state[f"alert_{rule.name}_state"][slot] = after
        self._slots.state[f"alert_{rule.name}_since_s"][slot] = event_us // SECOND_US - 1
        self._slots.state[f"alert_{rule.name}_missing_s"][slot] = -1
        athlete = self._slots.of(slot)
        known = None if value is None or np.isnan(value) else value
        closed = after == INACTIVE and before in (FIRING, STALE)
        return Transition(
            rule=rule,
            athlete=athlete.name,
            session=athlete.session,
            partition=athlete.partition,
            before=STATES[before],
            state=RESOLVED if closed else STATES[after],
            reason=reason,
            event_us=event_us,
            value=known,
        )


def metric(name: str, scored: Scored, slots: Slots) -> Floats:
    """A rule's value for every row, NaN where unknown."""
    live, slot = scored.measures.live, scored.seconds.slot
    if name == "heart_rate_share":
        return np.asarray(100 * live["heart_rate"] / slots.state["heart_max"][slot])
    if name == "injury_risk":
        return _risk(scored, slots)
    return scored.performance.score if name == "performance" else live[name]


def _risk(scored: Scored, slots: Slots) -> Floats:
    """The session's risk while sensors are there. A guess, for people the model was not trained on, alarms nobody."""
    slot, missing = scored.seconds.slot, scored.measures.missing
    risks = {int(s): slots.of(int(s)).context["injury"] for s in np.unique(slot)}
    known = {
        s: np.nan if r["risk"] is None or r["outside_population"] else r["risk"] for s, r in risks.items()
    }
    silent = np.all([share == 1.0 for share in missing.values()], axis=0)
    return np.where(silent, np.nan, np.array([known[int(s)] for s in slot], dtype=np.float64))


def pushed_by(
    rule: Rule, scored: Scored, rows: Ints, slots: Slots, arms: Answering
) -> list[tuple[Pushed, ...]]:
    """The inputs that pushed the value of each of these rows most: of a model's score by its pushes.

    Of a measured value those of the second that are furthest from the athlete's own mean, in own spreads.
    """
    if not len(rows):
        return []
    if rule.metric == "performance":
        return of_performance(scored.inferred.asked.some(rows), arms.some(rows))
    slot = scored.seconds.slot[rows]
    if rule.metric == "injury_risk":
        found = (slots.of(int(one)).context["injury"]["because"] for one in slot)
        return [tuple(Pushed(**entry) for entry in entries) for entries in found]
    now = scored.measures.history[rows]
    far = np.abs(now - slots.state["centre"][slot]) / slots.state["spread"][slot]
    order = np.argsort(-np.nan_to_num(far, nan=-1.0), axis=1, kind="stable")[:, :MOST]
    names = list(HISTORY.items())
    return [
        tuple(
            Pushed(names[k][0], round(float(now[row, k]), 4), names[k][1]) for k in best if far[row, k] >= 0
        )
        for row, best in enumerate(order)
    ]
