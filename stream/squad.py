"""Squad: what an athlete starts from whom nobody knows yet, made of what the squad's athletes have left.

The squad's terms are weighted medians over its athletes, shrunk to those of anybody while few of them are known. Only
what is settled counts (:func:`stream.clock.settled_us`), the same for all sessions of a day, because athletes of
one squad begin and end within seconds of each other: otherwise it would hang on whose record comes first. No clock.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain, repeat
from operator import is_
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from stream import efficiency, normalise
from stream.clock import settled_us
from stream.diary import MEMORY_S
from stream.normalise import CHANNELS, OWN_TERMS, PRIOR, Prior

Floats = NDArray[np.float64]
#: An athlete's record, as the roster has it.
Person = Mapping[str, Any]

#: Known athletes that weigh as much as the prior of anybody. In simulated squads (12 of 22, half an hour each) it
#: misses an athlete's centres by 0.36 of its spreads; one mate at this weight by 0.25, five by 0.20, all by 0.19. A
#: quarter would gain 0.02 with one mate and nothing with five; but one mate may be unlike the others, and those
#: played alike.
MATES: Final = 1.0
#: Baselines that a squad has, in the order of the columns here.
NAMES: Final = (*OWN_TERMS, *efficiency.NAMES)
#: What stands for anybody: the networks' terms, and the output that is expected.
ANYBODY: Final = Prior(
    centre={name: PRIOR[name][0] for name in CHANNELS} | dict.fromkeys(efficiency.NAMES, 0.0),
    spread={name: PRIOR[name][1] for name in CHANNELS} | dict.fromkeys(efficiency.NAMES, 0.0),
)
_PRIOR_S: Final = np.array(
    [normalise.PRIOR_S] * len(OWN_TERMS) + [efficiency.PRIOR_S] * len(efficiency.NAMES)
)
_COLUMN: Final = {name: column for column, name in enumerate(NAMES)}


def prior_of(terms: Floats) -> Prior:
    """The prior of a squad of M athletes, ``terms (M, 12, 3)``: centre, spread and seconds by :data:`NAMES`.

    Their order makes no difference.
    """
    if not len(terms):
        return ANYBODY
    weight = terms[:, :, 2] / (terms[:, :, 2] + _PRIOR_S)
    mates = np.sort(weight, axis=0).sum(axis=0)
    share = mates / (mates + MATES)
    return Prior(
        _shrunk(weighted_median(terms[:, :, 0], weight), share, ANYBODY.centre),
        _shrunk(weighted_median(terms[:, :, 1], weight), share, ANYBODY.spread),
    )


def left(people: Sequence[Person], before_us: int) -> Floats:
    """What sessions opened before then left of M athletes, as :func:`stream.diary.baselines` has it: ``(M, 12, 3)``.

    All at once, because a squad may have a thousand: a sixth of the time.
    """
    listed = _listed(people, before_us)
    after = listed[:, 0]
    for number in range(1, listed.shape[1]):
        after = _together(after, listed[:, number])
    return after


def _listed(people: Sequence[Person], before_us: int) -> Floats:
    """``(M, S, 12, 3)``: the records' baselines, then a session each; 0 seconds where there is none."""
    told = [[person.get("baselines") or {}, *_sessions(person, before_us)] for person in people]
    each = list(chain.from_iterable(told))
    row = np.repeat(np.arange(len(told)), [len(one) for one in told])
    place = np.concatenate([np.arange(len(one)) for one in told])
    names = [len(own) for own in each]
    column = np.fromiter(map(_COLUMN.get, chain.from_iterable(each), repeat(len(NAMES))), np.int64)
    values = chain.from_iterable(chain.from_iterable(own.values() for own in each))
    listed = np.zeros((len(told), place.max() + 1, len(NAMES) + 1, 3))  # the last column takes unknown names
    listed[np.repeat(row, names), np.repeat(place, names), column] = np.fromiter(values, float).reshape(-1, 3)
    return listed[:, :, :-1]


def _sessions(person: Person, before_us: int) -> list[Mapping[str, Sequence[float]]]:
    return [e["own"] for e in person.get("sessions") or [] if e["opened_us"] < before_us]


def _together(before: Floats, own: Floats) -> Floats:
    """Two sets of seconds as one, ``(M, 12, 3)`` each."""
    (old_centre, old_spread, old_seconds), (centre, spread, seconds) = before.T, own.T
    kept = np.minimum(old_seconds, MEMORY_S)
    total = np.where(seconds > 0, kept + seconds, 1.0)
    mean = (kept * old_centre + seconds * centre) / total
    square = kept * (old_spread**2 + (old_centre - mean) ** 2) + seconds * (spread**2 + (centre - mean) ** 2)
    after = np.stack([np.round(mean, 6), np.round((square / total) ** 0.5, 6), total]).T
    return np.where(own[:, :, 2:] > 0, after, before)


def weighted_median(values: Floats, weight: Floats) -> Floats:
    """Medians ``(N,)`` of the columns of ``values (M, N)``; where weights halve exactly, the middle of two values.

    Values of no weight do not count; a column without any weight gives one of its values.
    """
    order = np.lexsort((weight, values), axis=0)
    values, reach = (np.take_along_axis(a, order, axis=0) for a in (values, weight))
    reach = reach.cumsum(axis=0)
    middle = np.stack([(reach >= reach[-1] / 2).argmax(axis=0), (reach > reach[-1] / 2).argmax(axis=0)])
    return np.asarray(np.take_along_axis(values, middle, axis=0).mean(axis=0))


def _shrunk(squad: Floats, share: Floats, anybody: Mapping[str, float]) -> Mapping[str, float]:
    usual = np.array([anybody[name] for name in NAMES])
    return {**anybody} | dict(zip(NAMES, (usual + share * (squad - usual)).tolist(), strict=True))


class Squads:
    """The squads of a roster. A prior is made once, and anew when records of the squad's athletes are others.

    A record is replaced as a whole and never written to, so that it is the same object tells that it is the same.
    """

    def __init__(self) -> None:
        self._people: list[Person] = []
        self._members: dict[str, list[Person]] = {}
        self._terms: dict[int, tuple[Person, int, Floats]] = {}  # by the record's identity
        self._priors: dict[tuple[str, int], Prior] = {}

    def priors(self, athletes: Mapping[str, Person], begun: Sequence[tuple[Person, int]]) -> list[Prior]:
        """What each athlete starts from; ``begun``: the record, and when the session was opened, µs event time."""
        if any(person.get("squad") for person, _ in begun):
            self._look(athletes)
        return [self._prior(person.get("squad"), settled_us(opened_us)) for person, opened_us in begun]

    def _look(self, athletes: Mapping[str, Person]) -> None:
        """Forget what was made of records that are no longer there."""
        people = list(athletes.values())
        if _same(people, self._people):
            return
        before, self._people, self._members = self._members, people, _by_squad(people)
        stay = {s for s, _ in self._priors if _same(before.get(s, []), self._members.get(s, []))}
        self._priors = {key: prior for key, prior in self._priors.items() if key[0] in stay}
        held = self._terms.keys() & map(id, people)
        self._terms = {key: self._terms[key] for key in held}

    def _prior(self, squad: str | None, before_us: int) -> Prior:
        if not squad:
            return ANYBODY
        if (squad, before_us) not in self._priors:
            members = self._members.get(squad, [])
            self._learn(members, before_us)
            self._priors[squad, before_us] = prior_of(np.array([self._terms[id(one)][2] for one in members]))
        return self._priors[squad, before_us]

    def _learn(self, members: Sequence[Person], before_us: int) -> None:
        """Work out what is not known yet of what each of them left."""
        known = self._terms
        new = [one for one in members if id(one) not in known or known[id(one)][1] != before_us]
        if new:
            terms = zip(new, left(new, before_us), strict=True)
            known.update((id(one), (one, before_us, own)) for one, own in terms)


def _by_squad(people: Iterable[Person]) -> dict[str, list[Person]]:
    members: dict[str, list[Person]] = {}
    for person in people:
        if squad := person.get("squad"):
            members.setdefault(squad, []).append(person)
    return members


def _same(these: Sequence[Person], those: Sequence[Person]) -> bool:
    """Whether two lists hold the same objects."""
    return len(these) == len(those) and all(map(is_, these, those))
