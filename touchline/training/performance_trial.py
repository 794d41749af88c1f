"""The performance score put to the test: simulated squads it has not seen, through the route that scores live.

A squad comes with earlier sessions behind it, so that its athletes are known, and then plays the same two sessions in
different states: not tiring at all, at half intensity, with a loss injected, without heart rates. What the network is
told of the athletes comes out of the earlier sessions as it does live.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import islice
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.stats import spearmanr

from sim.bodies import Fatigue
from sim.schedule import Kind
from sim.sessions import Second, SessionConfig, simulate_session
from sim.squad import Physiology, athlete_ids
from stream.cut import CHUNK, CLOCK
from stream.infer import Performed, percentile_of
from stream.records import Record
from stream.roster import Roster
from stream.route import Route
from touchline.training.performance_baselines import baseline_quantiles
from touchline.training.performance_data import ATHLETES, Efforts, Played
from touchline.training.performance_own import Network, known, own_elsewhere, quantiles
from touchline.training.sessions import records_of
from touchline.training.side_by_side import side_by_side
from touchline.training.windows import Float32
from touchline.training.workshop import Tell

Floats = NDArray[np.float64]

SPLIT: Final = "simulated squads not trained on; recorded: every fifth session, kept back from training"
SECOND_US: Final = 1_000_000
KINDS: Final[tuple[Kind, ...]] = ("match", "run")
#: The earlier sessions, a day apart: kind and intensity, hard and easy; how long, as a share of those under test.
EARLIER: Final[tuple[tuple[Kind, float], ...]] = (
    ("match", 1.0), ("run", 1.0), ("match", 0.6), ("run", 0.6),
)  # fmt: skip
EARLIER_SHARE: Final = 0.5
#: A session without heart rates, s: nothing comes of it but that.
SHORT_S: Final = 120
#: A session counts with at least this many scored seconds.
LEAST_SCORED: Final = 30
THIRDS: Final = 3


@dataclass(frozen=True, slots=True)
class State:
    """A state in which sessions are played: how hard, how bodies tire, and whether hearts are measured."""

    intensity: float = 1.0
    fatigue: Fatigue = "none"
    heart: bool = True


STATES: Final[Mapping[str, State]] = {
    "no_fatigue": State(),
    "half_intensity": State(intensity=0.5),
    "fade": State(fatigue="fade"),
    "no_heart_rate": State(heart=False),
}


@dataclass(frozen=True, slots=True)
class Judged:
    """A performance network and the levels of its quantiles."""

    network: Network
    levels: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Trial:
    """``squads`` by their seeds, none of them trained on; the length of a session, s; what their bodies are like."""

    squads: Sequence[int]
    seconds: int
    physiology: Physiology = "trained"

    def of_masters(self) -> Trial:
        """Half as many other squads, with bodies as none that were trained on."""
        half = self.squads[: -(-len(self.squads) // 2)]
        return replace(self, squads=[OTHERS + squad for squad in half], physiology="masters")


#: Added to a squad's seed it is another.
OTHERS: Final = 100
TRIAL: Final = Trial(squads=tuple(range(101, 109)), seconds=1200)


@dataclass(slots=True)
class Course:
    """One athlete's session: ``score (T,)`` and the latent ``capacity (T,)`` by second, NaN where there is none."""

    score: Floats
    capacity: Floats


@dataclass(slots=True)
class _OnlyPerformance:
    """Where the route wants an engine: the network under test, and no forecasts and no risk."""

    judged: Judged
    versions: Mapping[str, str] = field(default_factory=dict)
    today_helps: bool = False

    @property
    def quantile_levels(self) -> tuple[float, ...]:
        return self.judged.levels

    def performance(self, effort: Float32, static: Float32) -> tuple[Float32, Float32]:
        return self.judged.network(effort, static)

    def forecast(self, x: Float32, anchor: Float32, earlier: Float32) -> _NoForecast:  # noqa: ARG002 (the protocol's)
        return _NoForecast(len(x))

    def injury(self, days: Float32) -> Float32:
        return np.zeros((len(days), 1), np.float32)

    def injury_pushes(self, days: Float32, ordinary: Float32) -> Float32:
        return np.zeros_like(days - ordinary)

    def performance_pushes(self, given: Performed, ordinary: Performed) -> tuple[Float32, ...]:
        return tuple(np.zeros_like(a - b) for a, b in zip(given, ordinary, strict=True))


class _NoForecast:
    """Nothing known of the next minute, for ``rows`` seconds."""

    def __init__(self, rows: int) -> None:
        self.heart_rate = np.full((rows, 60), np.nan, np.float32)
        self.speed = self.yaw_rate = self.acceleration = self.heart_rate
        self.bands = np.full((rows, 3, 6, 2), np.nan, np.float32)


def judge(judged: Judged, trial: Trial, tell: Tell) -> dict[str, Any]:
    """The acceptance figures on all squads together; null where nothing was scored."""
    courses: dict[str, list[Course]] = {name: [] for name in STATES}
    for played in on_trial(judged, trial, tell):
        for name, found in played.items():
            courses[name] += found
    sizes = {
        "squads": len(trial.squads),
        "athletes": ATHLETES,
        "session_s": trial.seconds,
        "earlier": len(EARLIER),
    }
    return {**sizes, **figures(courses)}


def on_trial(judged: Judged, trial: Trial, tell: Tell) -> Iterator[dict[str, list[Course]]]:
    """Each squad's courses in every state, in order; squads play side by side."""
    squads = side_by_side(partial(in_all_states, judged, trial), trial.squads)
    for number, played in enumerate(squads, start=1):
        tell("performance: squads on trial", number, len(trial.squads))
        yield played


def in_all_states(judged: Judged, trial: Trial, squad: int) -> dict[str, list[Course]]:
    """A squad's earlier sessions, and then its next ones in every state."""
    earlier = _earlier(judged, trial, squad)
    return {name: _in_state(judged, trial, squad, state, earlier) for name, state in STATES.items()}


def _earlier(judged: Judged, trial: Trial, squad: int) -> Mapping[str, Mapping[str, Any]]:
    """The athletes' records after a squad's earlier sessions, in which nobody tires."""
    people = Roster()
    seconds = round(EARLIER_SHARE * trial.seconds)
    for day, (kind, intensity) in enumerate(EARLIER):
        config = _config(squad, day, kind, seconds, State(intensity))
        _play(judged, replace(config, physiology=trial.physiology), people)
    return people.athletes


def _in_state(
    judged: Judged, trial: Trial, squad: int, state: State, earlier: Mapping[str, Mapping[str, Any]]
) -> list[Course]:
    """One session of each kind in a state, each as if it were the squad's next."""
    found = []
    for kind in KINDS:
        config = _config(squad, len(EARLIER), kind, trial.seconds if state.heart else SHORT_S, state)
        found += _play(judged, replace(config, physiology=trial.physiology), Roster(dict(earlier)))
    return found


def _config(squad: int, day: int, kind: Kind, seconds: int, state: State) -> SessionConfig:
    config = Played(squad, day, kind, state.intensity, None, seconds).config()
    carried = {name: groups if state.heart else groups - {"heart"} for name, groups in config.carried.items()}
    # A frame a second holds the same samples as ten, and takes the route a third less time.
    return replace(config, fatigue=state.fatigue, carried=carried, frames_per_s=1)


def _play(judged: Judged, config: SessionConfig, people: Roster) -> list[Course]:
    """Play a session through a route; afterwards ``people`` holds what it left."""
    names = athlete_ids(config.athletes)
    courses = {name: Course(*np.full((2, config.seconds), np.nan)) for name in names}

    def observe(second: Second) -> None:
        for course, capacity in zip(courses.values(), second.capacity, strict=True):
            course.capacity[second.index] = capacity

    session = simulate_session(config, np.random.default_rng(config.seed), observe)
    for record in session.athletes:
        earlier = people.athletes.get(record["athlete"], {})
        people.athletes[record["athlete"]] = {**record, "sessions": earlier.get("sessions")}
    people.sessions |= {record["session"]: record for record in session.sessions}
    route = Route(CLOCK, (), _OnlyPerformance(judged), people)
    records = records_of(session.deliveries)
    while chunk := list(islice(records, CHUNK)):
        _note(route, chunk, courses, config.start_us)
    return list(courses.values())


def _note(route: Route, chunk: list[Record], courses: Mapping[str, Course], start_us: int) -> None:
    for _, score in route.push(chunk).scores:
        value = score["performance"]["score"]
        if value is not None:
            second = (score["window_start_us"] - start_us) // SECOND_US
            courses[score["athlete"]].score[second] = value


def figures(courses: Mapping[str, Sequence[Course]]) -> dict[str, Any]:
    """Mean scores over sessions, by third; how the score follows a fade; whether it abstains without a heart."""
    rested, half, fade = (courses[name] for name in ("no_fatigue", "half_intensity", "fade"))
    usual, easy = _mean(rested), _mean(half)
    without = np.concatenate([np.isnan(c.score) for c in courses["no_heart_rate"]])
    return {
        "no_fatigue": {"mean": usual, "thirds": _thirds(rested), "by_kind": _by_kind(rested)},
        "half_intensity": {
            "mean": easy,
            "difference": None if usual is None or easy is None else easy - usual,
            "by_kind": _by_kind(half),
        },
        "fade": {"thirds": _thirds(fade), **_followed(fade)},
        "no_heart_rate": {"abstains": float(without.mean())},
    }


def _means(courses: Sequence[Course], part: int | None = None) -> Floats:
    """Each session's mean score, or that of one of its thirds; sessions with hardly a score are left out."""
    means = []
    for course in courses:
        score = course.score if part is None else np.array_split(course.score, THIRDS)[part]
        if np.isfinite(score).sum() >= LEAST_SCORED:
            means.append(np.nanmean(score))
    return np.array(means)


def _mean(courses: Sequence[Course], part: int | None = None) -> float | None:
    means = _means(courses, part)
    return float(means.mean()) if len(means) else None


def _thirds(courses: Sequence[Course]) -> list[float | None]:
    return [_mean(courses, part) for part in range(THIRDS)]


def _by_kind(courses: Sequence[Course]) -> dict[str, float | None]:
    """Courses lie squad by squad, in each the kinds one after the other."""
    number = np.arange(len(courses)) // ATHLETES % len(KINDS)
    return {
        kind: _mean([c for c, of in zip(courses, number, strict=True) if of == index])
        for index, kind in enumerate(KINDS)
    }


def _followed(courses: Sequence[Course]) -> dict[str, float | None]:
    """Spearman's correlation of score and capacity: over all seconds of all sessions, and the mean over sessions."""
    known_ = [c for c in courses if np.isfinite(c.score).sum() >= LEAST_SCORED]
    if not known_:
        return {"spearman": None, "spearman_within": None}
    score, capacity = (np.concatenate([getattr(c, name) for c in known_]) for name in ("score", "capacity"))
    within = [r for c in known_ if (r := _spearman(c.score, c.capacity)) is not None]
    return {
        "spearman": _spearman(score, capacity),
        "spearman_within": float(np.mean(within)) if within else None,
    }


def _spearman(score: Floats, capacity: Floats) -> float | None:
    """None where one of the two does not move."""
    there = np.isfinite(score)
    pair = score[there], capacity[there]
    if any(np.ptp(values) == 0 for values in pair):
        return None
    return float(spearmanr(*pair).statistic)


def real_figures(judged: Judged, found: Efforts, kept: NDArray[np.bool_]) -> dict[str, Any]:
    """Recorded sessions kept back: of athletes known from their other sessions, and of strangers.

    How often fresh output lies below each level, and the mean score by third; the score is the percentile of each
    second, without the median over a minute.
    """
    everybody = known(found, own_elsewhere(found, judged.network))
    unseen = everybody.take(kept[found.session])
    place = percentile_of(unseen.actual, quantiles(judged.network, unseen)[0], judged.levels)
    familiar = unseen.person.known[np.arange(len(unseen)), unseen.kind] > 0
    return {
        "without": _without(judged, unseen),
        "baselines": _baselines(judged, everybody, kept),
        "known": _levels_and_thirds(place[familiar], unseen.third[familiar], judged.levels),
        "strangers": _levels_and_thirds(place[~familiar], unseen.third[~familiar], judged.levels),
    }


def _without(judged: Judged, unseen: Efforts) -> dict[str, float]:
    """Mean quantile loss on fresh seconds with all that is known, and without the venue's heat or the profile."""
    fresh = unseen.take(unseen.third == 0)
    effort, static = fresh.inputs()
    cool, plain = effort.copy(), static.copy()
    cool[:, :, 1::2] = 0.0  # WBGT and its presence
    plain[:, :3] = 0.0  # age, whether known, sex
    cases = {"nothing": (effort, static), "heat": (cool, static), "profile": (effort, plain)}
    return {
        case: quantile_loss(judged.network(*inputs)[0], fresh.actual, judged.levels)
        for case, inputs in cases.items()
        if len(fresh)
    }


def _baselines(judged: Judged, found: Efforts, kept: NDArray[np.bool_]) -> dict[str, float]:
    """Mean quantile loss of the baselines on the fresh seconds that are kept back, fitted on the others."""
    fresh, held = found.third == 0, kept[found.session]
    fit, unseen = found.take(fresh & ~held), found.take(fresh & held)
    if not len(fit) or not len(unseen):
        return {}
    guesses = baseline_quantiles(fit, unseen, judged.levels)
    return {name: quantile_loss(guess, unseen.actual, judged.levels) for name, guess in guesses.items()}


def quantile_loss(quantiles: NDArray[Any], actual: Floats, levels: tuple[float, ...]) -> float:
    """Mean pinball loss of ``quantiles (N, Q)`` at ``levels`` (Koenker & Bassett 1978, doi 10.2307/1913643)."""
    error, level = actual[:, None] - quantiles, np.asarray(levels)
    return float(np.maximum(level * error, (level - 1) * error).mean())


def _levels_and_thirds(place: Floats, third: NDArray[np.int64], levels: tuple[float, ...]) -> dict[str, Any]:
    fresh = place[third == 0]
    thirds = [100 * place[third == part] for part in range(THIRDS)]
    means = [float(part.mean()) if len(part) else None for part in thirds]
    return {
        "seconds": len(fresh),
        "below": [float((fresh < level).mean()) if len(fresh) else None for level in levels],
        "thirds": means,
        "drift": None if means[0] is None or means[-1] is None else means[-1] - means[0],
    }
