"""The rows of the injury model are those of SCIENCE.md."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sim.readers.daily import DailyTable, read_daily
from stream.days import WELLNESS
from touchline.training.injury_baselines import logistic, past_rate
from touchline.training.injury_rows import (
    FOLDS,
    SEEDS,
    InjuryRows,
    diaries,
    eligible,
    fold_of,
    injury_rows,
    labels,
)

LENGTH = 40


def table(report_days: tuple[int, ...] = (), *, skip: tuple[int, ...] = (), athlete: str = "a") -> DailyTable:
    """One athlete, load and wellness every day but the days to ``skip``; a report starts an injury."""
    day = np.array([k for k in range(LENGTH) if k not in skip])
    report = np.isin(day, report_days).astype(float)
    columns = {"daily_load": np.full(len(day), 300.0), "injury_report": report, "injury_onset": report}
    columns |= {name: np.full(len(day), centre) for name, (centre, _) in WELLNESS.items()}
    dates = np.datetime64("2026-01-01") + day.astype("timedelta64[D]")
    return DailyTable(np.full(len(day), athlete), np.full(len(day), ""), dates, columns)


def days_used(found: DailyTable) -> list[int]:
    return np.flatnonzero(eligible(diaries(found)[0])).tolist()


def test_rows_begin_on_day_13_and_end_7_days_before_the_record() -> None:
    assert days_used(table()) == list(range(13, LENGTH - 7))


def test_days_with_a_report_in_the_last_7_days_are_no_rows() -> None:
    assert days_used(table((20,))) == [*range(13, 20), *range(27, LENGTH - 7)]


def test_the_label_is_a_new_injury_in_the_next_7_days() -> None:
    assert np.flatnonzero(labels(diaries(table((20,)))[0])).tolist() == list(range(13, 20))


def test_two_weeks_without_wellness_or_without_load_are_no_rows() -> None:
    quiet = table()
    quiet.columns["fatigue"][:20] = np.nan
    assert days_used(quiet)[0] == 20
    idle = table()
    idle.columns["daily_load"][:] = 0
    assert days_used(idle) == []


def test_a_day_without_a_row_stays_a_day() -> None:
    assert days_used(table(skip=(5, 6))) == list(range(13, LENGTH - 7))
    assert np.isnan(diaries(table(skip=(5,)))[0].days.values[5]).all()


def test_the_past_is_what_was_known_on_the_day() -> None:
    rows = injury_rows(table((2, 20)))
    assert rows.past[0].tolist() == [1, 14]
    assert rows.past[-1].tolist() == [2, LENGTH - 7]


@pytest.fixture(scope="module")
def soccermon(data_dir: Path) -> InjuryRows:
    return injury_rows(read_daily(data_dir / "soccermon/soccermon_daily.csv.gz"))


def test_soccermon_has_the_published_rows(soccermon: InjuryRows) -> None:
    assert len(soccermon) == 21_224
    assert soccermon.label.sum() == 163
    assert len(set(soccermon.athlete[soccermon.label == 1])) == 11
    assert len(set(soccermon.athlete)) == 50


def test_folds_hold_whole_athletes_and_spread_the_injured_ones(soccermon: InjuryRows) -> None:
    for seed in SEEDS:
        fold = fold_of(soccermon, seed)
        homes = {(a, f) for a, f in zip(soccermon.athlete, fold, strict=True)}
        assert len(homes) == 50
        injured = [len(set(soccermon.athlete[(fold == k) & (soccermon.label == 1)])) for k in range(FOLDS)]
        assert sorted(injured) == [2, 2, 2, 2, 3]
    assert (fold_of(soccermon, 0) != fold_of(soccermon, 1)).any()


def test_baselines_answer_where_there_are_fewer_athletes_than_folds() -> None:
    tables = [table((20,), athlete="a"), table((25,), athlete="b"), table(athlete="c")]
    together = DailyTable(
        np.concatenate([t.athlete for t in tables]),
        np.concatenate([t.squad for t in tables]),
        np.concatenate([t.date for t in tables]),
        {name: np.concatenate([t.columns[name] for t in tables]) for name in tables[0].columns},
    )
    rows = injury_rows(together)
    assert len(set(fold_of(rows, 0))) < FOLDS
    for found in (logistic(rows), past_rate(rows)):
        assert np.isfinite(found).all()


@pytest.mark.slow
def test_the_baselines_are_out_of_fold_and_the_past_rate_only_tells_athletes_apart(
    soccermon: InjuryRows,
) -> None:
    for found in (logistic(soccermon), past_rate(soccermon)):
        assert found.shape == (len(SEEDS), 21_224)
        assert ((found > 0) & (found < 1)).all()
