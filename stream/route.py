"""Route: the stages joined, from merged records to scores, alerts and refusals. Awaits nothing, reads no clock.

``push`` takes a chunk and gives all that follows from it. The same records give the same scores however they
are cut into chunks.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from stream import alert, align, because, diary, efficiency, features, infer, normalise, roster, score, today
from stream.alert import Alerts, Rule, Transition
from stream.align import Aligned
from stream.clock import SECOND_US, Clock
from stream.days import morning_input, ordinary, until
from stream.decode import Decoded, decode
from stream.features import Measures
from stream.infer import Alone, Came, Engine, Inferred, Lineup, Person
from stream.mould import Moulds
from stream.records import Record, Rejected
from stream.roster import Roster
from stream.score import Scored
from stream.slots import Slots
from stream.squad import Squads
from stream.venue import MARGIN_US, Venue
from stream.window import Seconds, Windows

Ints = NDArray[np.int64]

#: A closed session's athlete is forgotten after this long without a frame, an open one's after four times that.
RETIRE_US: Final = 6 * 3600 * SECOND_US
POPULATION: Final = "elite women footballers"  # whom the injury model was trained on
HORIZON_DAYS: Final = 7


@dataclass(slots=True)
class Outputs:
    """What follows from a chunk: (partition, score record), alert transitions, refused records, athlete records."""

    scores: list[tuple[int, dict[str, Any]]] = field(default_factory=list)
    alerts: list[Transition] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)
    athletes: list[dict[str, Any]] = field(default_factory=list)


class Route:
    """The pure part of a worker. One thread at a time may use it."""

    def __init__(self, clock: Clock, rules: Sequence[Rule], engine: Engine | Lineup, people: Roster) -> None:
        self.slots = Slots(
            (
                *align.FIELDS,
                *features.FIELDS,
                *normalise.FIELDS,
                *roster.FIELDS,
                *score.FIELDS,
                *diary.FIELDS,
                *efficiency.FIELDS,
                *today.FIELDS,
                *alert.fields(rules),
            )
        )
        self.windows = Windows()
        self.venue = Venue()
        self.lineup = engine if isinstance(engine, Lineup) else Alone(engine)
        self.people = people
        self.changed: set[int] = set()
        self._moulds = Moulds()
        self._squads = Squads()
        self._clock = clock
        self._alerts = Alerts(rules, self.slots)

    def push(self, records: Sequence[Record]) -> Outputs:
        """Work through a chunk of merged records."""
        decoded = decode(records, self._moulds)
        self.venue.take(decoded)
        out = Outputs(rejected=list(decoded.rejected))
        done = 0
        while done < len(decoded.headers):
            aligned = align.align(decoded, done, self.slots, self._clock)
            self._run(decoded, aligned, out)
            done = aligned.stop
        self._tick(decoded.ticks, out)
        return out

    def _run(self, decoded: Decoded, aligned: Aligned, out: Outputs) -> None:
        """One run of frames in which no athlete changes session."""
        out.rejected += aligned.rejected
        self.changed |= aligned.touched
        if aligned.started:
            self._begin(aligned.started)
        self.windows.add(decoded, aligned)
        if aligned.closings or aligned.silences:
            self.close(aligned, out)

    def close(self, aligned: Aligned, out: Outputs) -> None:
        """Close the seconds of a run and score them; silences and session ends take effect in between."""
        seconds = self.windows.close(aligned.closings, self.slots)
        arms = self.lineup.rows(self._names(seconds.slot))
        scored = self.score(seconds, arms)
        came = Came(scored.measures.live["heart_rate"], scored.inferred.over_expected)
        self.lineup.look(arms, seconds.slot, seconds.second, came)
        records = score.to_records(scored, self.slots, arms.versions_by_row(), self._todays(scored))
        marks = _marks(aligned)
        values = self._alerts.values(scored)
        for wave, rows in enumerate(seconds.waves()):
            self._mark(marks, wave, out)
            out.alerts += self._alerts.judge(scored, rows, values, arms)
            for row, on in zip(rows, self._alerts.on(seconds.slot[rows]), strict=True):
                records[row]["alerts"] = self._alerts.active(int(seconds.slot[row])) if on else []
        self._mark(marks, None, out)
        partitions = (self.slots.of(int(slot)).partition for slot in seconds.slot)
        out.scores += zip(partitions, records, strict=True)
        ended = dict.fromkeys(closing.slot for closing in aligned.closings if closing.final)
        out.athletes += [self._leave(slot) for slot in ended]

    def measure(self, seconds: Seconds) -> Measures:
        """Features of closed seconds."""
        partition = np.array([self.slots.of(int(s)).partition for s in seconds.slot], dtype=np.int64)
        heat = self.venue.at(partition, seconds.at_us, seconds.second)
        return features.measure(seconds, self.slots, heat)

    def score(self, seconds: Seconds, engine: Engine) -> Scored:
        """Features, own terms, inference and performance of closed seconds."""
        slots = self.slots
        measures = self.measure(seconds)
        windows = normalise.normalise(seconds, measures, slots)
        marks = diary.add_seconds(seconds, windows.x[:, -1], measures.live["heart_rate_reserve"], slots)
        inferred: Inferred = infer.infer(windows, self._person(seconds), engine)
        efficiency.add_seconds(seconds, inferred, slots)
        return Scored(seconds, measures, inferred, score.judge_performance(seconds, inferred, slots), marks)

    def _todays(self, scored: Scored) -> list[dict[str, Any] | None]:
        """Today's estimate of each second; it is made anew at whole minutes of the session."""
        marks, slot = scored.marks, scored.seconds.slot
        found: list[dict[str, Any] | None] = []
        if len(marks.row):
            found = today.estimates(
                marks, self.slots, self.lineup.rows(self._names(np.repeat(marks.slot, 3)))
            )
        return today.by_row(marks, found, self.slots, slot)

    def _names(self, slot: Iterable[int]) -> list[str]:
        return [self.slots.of(int(one)).name for one in slot]

    def _person(self, seconds: Seconds) -> Person:
        state, slot = self.slots.state, seconds.slot
        sessions = [self.slots.of(int(one)).session for one in slot]
        return Person(
            state["heart_rest"][slot],
            state["heart_max"][slot],
            state["static"][slot],
            state["efficiency"][slot],
            state["efficiency_known"][slot],
            self.people.in_break(sessions, seconds.second),
        )

    def _begin(self, started: Sequence[int]) -> None:
        """Sessions begin: what the roster knows goes into the slots, and the morning risk is computed once."""
        self._begin_terms(started)
        mornings, inputs = [], []
        for slot in started:
            athlete = self.slots.of(slot)
            person = self.people.athlete(athlete.name)
            at_us = int(self.slots.state["opened_us"][slot])
            profile = person.get("profile") or {}
            features.begin_session(self.slots, slot, profile, roster.age(profile, at_us))
            session = self.people.session(athlete.session)
            today.begin_session(self.slots, slot, person, session, diary.day_of(at_us))
            static = roster.static_features(profile, session.get("activity"), at_us)
            self.slots.state["static"][slot] = static
            mornings.append(until(person.get("days") or [], diary.day_of(at_us)))
            inputs.append(morning_input(mornings[-1], diary.day_of(at_us)))
        arms = self.lineup.rows(self._names(started))
        days = np.stack([found.window for found in inputs])
        risks = arms.injury(days).astype(np.float64)
        pushes = np.zeros_like(days)
        known = np.flatnonzero([found.abstains is None for found in inputs])
        if len(known):
            asked = days[known]
            pushes[known] = arms.some(known).injury_pushes(asked, ordinary(asked))
        told = zip(started, risks, mornings, inputs, pushes, arms.versions_by_row(), strict=True)
        for slot, members, rows, found, pushed, version in told:
            injury = self._injury(slot, members, rows, found.abstains)
            why = () if found.abstains else because.of_days(rows, pushed)
            self.slots.of(slot).context = {
                "scored_by": {name: of for name, of in version.items() if name == "injury"},
                "injury": {**injury, "because": [entry.as_map() for entry in why]},
            }

    def _begin_terms(self, started: Sequence[int]) -> None:
        """Centres, spreads and efficiencies for sessions that begin: the own, shrunk to the squad's."""
        people = [self.people.athlete(name) for name in self._names(started)]
        opened = [int(self.slots.state["opened_us"][slot]) for slot in started]
        priors = self._squads.priors(self.people.athletes, list(zip(people, opened, strict=True)))
        for slot, person, at_us, prior in zip(started, people, opened, priors, strict=True):
            own = diary.baselines(person, at_us)
            normalise.begin_session(self.slots, slot, own, prior)
            efficiency.begin_session(self.slots, slot, own, prior)

    def _leave(self, slot: int) -> dict[str, Any]:
        """A session is over: what it leaves in the athlete's record, known here at once for the next one."""
        name = self.slots.of(slot).name
        record = diary.record_after(self.people.athlete(name), self.slots, slot)
        self.people.athletes[name] = record
        return record

    def _injury(
        self, slot: int, members: NDArray[np.float64], rows: Sequence[Mapping[str, Any]], reason: str | None
    ) -> dict[str, Any]:
        """Morning risk with the 10th to 90th percentile of the ensemble; it stands for the session."""
        person = self.people.athlete(self.slots.of(slot).name)
        low, high = np.nanpercentile(members, [10, 90])
        known = reason is None
        return {
            "risk": round(float(np.nanmean(members)), 6) if known else None,
            "low": round(float(low), 6) if known else None,
            "high": round(float(high), 6) if known else None,
            "horizon_days": HORIZON_DAYS,
            "load_source": rows[-1].get("load_source") if rows else None,
            "outside_population": person.get("population") != POPULATION,
            "abstains": reason,
        }

    def _tick(self, ticks: dict[int, int], out: Outputs) -> None:
        noticed = {partition: at_us - MARGIN_US for partition, at_us in ticks.items()}
        for slot, since_us in align.notice_silence(noticed, self.slots, self._clock):
            self.changed.add(slot)
            newest_us = int(self.slots.state["newest_us"][slot])
            out.alerts += self._alerts.silence(slot, since_us, newest_us)

    def _mark(self, marks: list[_Mark], wave: int | None, out: Outputs) -> None:
        """Apply the silences and session ends that come before a wave, or all that are left."""
        while marks and (wave is None or marks[0].wave <= wave):
            mark = marks.pop(0)
            if mark.ended_us is not None:
                out.alerts += self._alerts.end(mark.slot, mark.ended_us)
            else:
                out.alerts += self._alerts.silence(mark.slot, mark.since_us, mark.newest_us)
                out.alerts += self._alerts.resume(mark.slot, mark.until_us)

    def retired(self, partition: int, now_us: int) -> list[str]:
        """Forget athletes not heard of for hours; their names, so that their snapshots go too."""
        state = self.slots.state
        gone = [
            slot
            for slot in self.slots.occupied(partition)
            if now_us - state["ingest_us"][slot] > RETIRE_US * (1 if state["closed"][slot] else 4)
        ]
        names = [self.slots.of(slot).name for slot in gone]
        self._forget(gone)
        return names

    def release(self, partition: int) -> None:
        """Give up a partition: another worker owns it now."""
        self._forget(self.slots.occupied(partition))
        self.venue.restore(partition, [])

    def _forget(self, slots: Sequence[int]) -> None:
        self.windows.drop(slots)
        self.slots.release(slots)
        self.changed.difference_update(slots)


@dataclass(frozen=True, slots=True)
class _Mark:
    """A silence (``since_us until_us newest_us``) or a session's end of a slot, before its row number ``wave``."""

    slot: int
    wave: int
    order: int
    since_us: int = 0
    until_us: int = 0
    newest_us: int = -1
    ended_us: int | None = None


def _marks(aligned: Aligned) -> list[_Mark]:
    rows: dict[int, int] = {}  # of each slot so far
    marks = []
    for index, closing in enumerate(aligned.closings):
        rows[closing.slot] = rows.get(closing.slot, 0) + closing.end_s - closing.begin_s
        if closing.final:
            ended_us = closing.end_s * SECOND_US
            marks.append(_Mark(closing.slot, rows[closing.slot], 2 * index + 1, ended_us=ended_us))
    for silence in aligned.silences:
        earlier = (c for c in aligned.closings[: silence.after] if c.slot == silence.slot)
        wave = sum(c.end_s - c.begin_s for c in earlier)
        told = (silence.since_us, silence.until_us, silence.newest_us)
        marks.append(_Mark(silence.slot, wave, 2 * silence.after, *told))
    return sorted(marks, key=lambda mark: (mark.wave, mark.order))
