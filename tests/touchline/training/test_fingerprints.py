"""What was trained on is known again by its content, however it is stored, and nothing else is taken for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from sim.readers.daily import DailyTable
from stream.cut import CutSession
from tests.touchline.training.made import session
from touchline.training.fingerprints import (
    Ints,
    hashed,
    read,
    recognised,
    stretches,
    whole,
    winnowed,
    written,
)
from touchline.training.forecast_data import STRETCH_S, STRETCHES, fingerprints, minutes_of
from touchline.training.injury_rows import FOLDS, SEEDS, fold_of, injury_rows, owners, seen
from touchline.training.movement_data import MOTIONS, SHORTEST_S, WATCH, LabelSet, Recordings, stretches_of
from touchline.training.movement_data import fingerprints as of_recordings
from touchline.training.windows import HEART_RATE

Seeds = st.integers(0, 10_000)


def walk(seed: int, steps: int) -> Ints:
    """Goes up or down by one at every step, ``(steps, 1)``."""
    return 120 + np.cumsum(np.random.default_rng(seed).choice([-1, 1], steps))[:, None]


def run(seed: int, seconds: int = 400) -> CutSession:
    """A run whose heart rate walks."""
    made = session(seed % 50, seconds)
    made.history[:, HEART_RATE] = walk(seed, seconds)[:, 0]
    return made


def later(made: CutSession, start: int, seconds: int) -> CutSession:
    """A part of a run."""
    part = slice(start, start + seconds)
    return replace(made, second=made.second[part], history=made.history[part])


@given(Seeds, st.integers(2, 9), st.integers(1, 30), st.integers(0, 80))
def test_whatever_shares_enough_steps_shares_a_fingerprint(
    seed: int, length: int, width: int, start: int
) -> None:
    series = walk(seed, 200)
    kept = written(winnowed(stretches(series, length, 1), width))
    part = stretches(series[start : start + length + width - 1], length, 1)
    assert recognised([part, part[:0]], [kept]).tolist() == [True, False]


def test_a_stretch_in_which_little_moves_is_everybodys_and_has_none() -> None:
    still = np.full((300, 1), 140)
    assert len(stretches(still, 60, 1)) == 0
    still[100:] += 1
    assert len(stretches(still, 60, 1)) == 59, "those with the step inside"
    assert len(stretches(still, 60, 2)) == 0
    assert len(stretches(still[:59], 60, 0)) == 0, "shorter than a stretch"


def test_texts_come_back_and_say_nothing_of_the_order() -> None:
    found = hashed(walk(1, 50))
    assert written(found) == written(found[::-1])
    assert set(read([written(found[:20]), "", written(found[20:])])) == set(found)
    assert written(found[:0]) == ""


def test_steps_are_whole_whatever_is_missing_or_immense() -> None:
    assert whole(np.array([1.26, np.nan, -0.5, np.inf, -1e300]), 0.5).tolist() == [3, 0, -1, 2**31, -(2**31)]


def test_fingerprints_of_stored_versions_stay_what_they_are() -> None:
    """Whoever changes one of these makes every stored version forget what it was trained on."""
    assert written(hashed(np.arange(6).reshape(2, 3))) == "b99b3ea5ab c31df4bbea"
    made = session(0, 200)
    made.history[:, HEART_RATE] = 120 + np.arange(200) ** 2 % 37
    assert fingerprints([made]) == ["01aa70c556"]
    plain = diary(("a",), days=24)
    day = np.arange(24.0)
    known = {"daily_load": day * 12.5, "fatigue": np.where(day < 4, day + 1, np.nan)}
    plain = replace(plain, columns={**plain.columns, **known})
    assert seen(injury_rows(plain)) == [{"days": "44f3 c5ce d61f", "fold": [0, 0, 0]}]
    raw = (np.arange(126).reshape(21, 6) ** 2 % 41 / 16,)
    found = of_recordings(Recordings(MOTIONS, raw, None, np.zeros(1, np.int64), raw, 10.0))
    assert found == ["67f1b8b8e6 7d475b503c"]


@given(Seeds, st.integers(0, 219), st.booleans())
def test_a_run_with_seconds_enough_to_be_judged_is_known_by_any_name(
    seed: int, start: int, single: bool
) -> None:
    learnt = run(seed)
    part = later(learnt, start, 181)
    told = part.history.astype(np.float32).astype(np.float64) if single else part.history
    part = replace(part, session="other/name", athlete="x", second=part.second + 86_400, history=told)
    assert STRETCHES + STRETCH_S - 1 == 181
    assert recognised([minutes_of(part)], fingerprints([learnt])).all()


@given(Seeds, Seeds)
def test_another_run_is_not_taken_for_it(seed: int, other: int) -> None:
    known = recognised([minutes_of(run(other))], fingerprints([run(seed)]))
    assert known.tolist() == [seed == other]


def test_runs_without_heart_rate_have_no_fingerprints() -> None:
    assert fingerprints([session(0, missing=("heart_rate",))]) == [""]


def diary(names: tuple[str, ...], *, days: int = 60, first: str = "2024-01-01", seed: int = 0) -> DailyTable:
    """Loads and fatigue on most days; the first athlete's last report begins an injury."""
    rng = np.random.default_rng(seed)
    rows = len(names) * days
    load = rng.integers(1, 400, rows) * rng.integers(0, 2, rows) / 2
    fatigue = np.where(rng.random(rows) < 0.7, rng.integers(1, 6, rows).astype(float), np.nan)
    report = np.zeros(rows)
    report[days - 10] = 1
    date = np.tile(np.datetime64(first) + np.arange(days), len(names))
    return DailyTable(
        np.repeat(names, days),
        np.full(rows, ""),
        date,
        {"daily_load": load, "fatigue": fatigue, "injury_report": report, "injury_onset": report},
    )


def some(table: DailyTable, at: NDArray[np.int64]) -> DailyTable:
    """Rows of a table, sorted as tables are."""
    at = at[np.lexsort((table.date[at], table.athlete[at]))]
    columns = {name: values[at] for name, values in table.columns.items()}
    return DailyTable(table.athlete[at], table.squad[at], table.date[at], columns)


def together(one: DailyTable, other: DailyTable) -> DailyTable:
    columns = {name: np.concatenate([one.columns[name], other.columns[name]]) for name in one.columns}
    return DailyTable(
        np.concatenate([one.athlete, other.athlete]),
        np.concatenate([one.squad, other.squad]),
        np.concatenate([one.date, other.date]),
        columns,
    )


SQUAD = tuple("abcdefgh")
TRAINED = diary(SQUAD)


#: Other names, in the other order.
ALIAS = {name: f"z{9 - k}" for k, name in enumerate(SQUAD)}


def renamed(table: DailyTable) -> DailyTable:
    names = np.array([ALIAS[name] for name in table.athlete])
    return some(replace(table, athlete=names), np.arange(len(table)))


@pytest.mark.parametrize(
    "stored",
    [
        lambda table: table,
        renamed,
        lambda table: replace(
            table, columns={k: v.astype(np.float32).astype(float) for k, v in table.columns.items()}
        ),
        lambda table: replace(table, columns={**table.columns, "mood": np.full(len(table), 3.0)}),
        lambda table: some(table, np.flatnonzero(table.athlete < "d")),
        lambda table: some(table, np.flatnonzero(table.date >= np.datetime64("2024-01-25"))),
        lambda table: some(table, np.arange(0, len(table), 2)),
        lambda table: some(table, np.random.default_rng(3).permutation(len(table))[: len(table) // 3]),
    ],
    ids=["as it was", "renamed", "float32", "a column more", "some athletes", "the end", "every other", "a third"],
)  # fmt: skip
def test_athletes_are_known_by_their_days_and_go_to_their_own_fold(
    stored: Callable[[DailyTable], DailyTable],
) -> None:
    known = seen(injury_rows(TRAINED))
    rows = injury_rows(stored(TRAINED))
    number = {name: k for k, pair in enumerate(ALIAS.items()) for name in pair}
    own = [number[name] for name in rows.athlete]
    assert len(rows) > 0
    np.testing.assert_array_equal(owners(rows, known), own)


def test_the_fold_of_an_athlete_is_the_one_its_rows_were_trained_by() -> None:
    rows = injury_rows(TRAINED)
    known = seen(rows)
    for number, seed in enumerate(SEEDS):
        folds = np.array([athlete["fold"][number] for athlete in known])
        assert folds.max() < FOLDS
        np.testing.assert_array_equal(folds[owners(rows, known)], fold_of(rows, seed))


@given(Seeds)
def test_others_in_the_same_file_are_new(seed: int) -> None:
    mixed = injury_rows(together(TRAINED, diary(("k", "l"), seed=seed + 1)))
    found = owners(mixed, seen(injury_rows(TRAINED)))
    np.testing.assert_array_equal(found >= 0, np.isin(mixed.athlete, SQUAD))


def test_where_nobody_was_trained_on_everybody_is_new() -> None:
    rows = injury_rows(TRAINED)
    assert (owners(rows, []) == -1).all()
    assert (owners(rows, [{"days": "", "fold": [0, 0, 0]}]) == -1).all()


def recording(seed: int, of: LabelSet, seconds: float) -> Recordings:
    rng = np.random.default_rng(seed)
    raw = rng.normal(0, 0.5, (round(seconds * of.rate_hz), 6))
    return Recordings(of, (raw,), None, np.zeros(1, np.int64), (raw,), of.rate_hz)


@given(Seeds, st.sampled_from([WATCH, MOTIONS]), st.floats(0, 7))
def test_the_shortest_cut_of_a_recording_is_known_wherever_it_begins(
    seed: int, of: LabelSet, start_s: float
) -> None:
    learnt = recording(seed, of, 10)
    first = int(start_s * of.rate_hz)
    cut = learnt.raw[0][first : first + int(SHORTEST_S * of.rate_hz)]
    known = recognised(stretches_of(replace(learnt, raw=(cut, -cut))), of_recordings(learnt))
    assert known.tolist() == [True, False]


@given(Seeds, Seeds)
def test_another_recording_is_not_taken_for_it(seed: int, other: int) -> None:
    known = recognised(
        stretches_of(recording(other, MOTIONS, 10)), of_recordings(recording(seed, MOTIONS, 10))
    )
    assert known.tolist() == [seed == other]
