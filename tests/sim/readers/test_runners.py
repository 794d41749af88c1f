"""Runners' diaries: the days come out oldest first, whichever way they stand, and what cannot be told is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sim.readers.runners import read_runners
from stream.errors import MissingError, UnreadableFile

DAY = ("nr. sessions", "total km", "km Z3-4", "perceived exertion")
WEEK = ("nr. sessions", "total kms", "max km one day")


def diary(
    path: Path, newest_first: bool = False, weeks: bool = False, athletes: int = 8, days: int = 60
) -> Path:
    """A made-up file of either form; tired runners are injured."""
    rng = np.random.default_rng(4)
    columns, steps, length = (WEEK, 3, 7) if weeks else (DAY, 7, 1)
    rows = []
    for athlete in range(athletes):
        done = np.round(rng.gamma(2, 4, (days + steps * length, len(columns))), 1)
        done[rng.random(len(done)) < 0.3] = 0
        for day in range(days):
            parts = [
                done[day + step * length : day + (step + 1) * length].mean(axis=0).round(4)
                for step in range(steps)
            ]
            shown = parts[::-1] if newest_first else parts
            row = {
                f"{name}.{step}" if step else name: part[k]
                for step, part in enumerate(shown)
                for k, name in enumerate(columns)
            }
            if not weeks:
                for step, part in enumerate(shown):
                    row[f"perceived exertion.{step}" if step else "perceived exertion"] = (
                        -0.01 if part[0] == 0 else part[3] / 40
                    )
            if weeks:
                row["rel total kms week 0_1"] = 1.0
            injured = float(parts[-1][1] > (10 if weeks else 20))
            rows.append(row | {"Athlete ID": athlete, "injury": injured, "Date": day})
    pd.DataFrame(rows).to_csv(path, index=False)
    return path


@pytest.mark.parametrize("weeks", [False, True])
def test_days_come_out_oldest_first_whichever_way_they_stand(tmp_path: Path, weeks: bool) -> None:
    one = read_runners(diary(tmp_path / "one.csv", weeks=weeks))
    other = read_runners(diary(tmp_path / "other.csv.gz", newest_first=True, weeks=weeks))
    np.testing.assert_array_equal(one.entries, other.entries)
    assert one.entries.shape == (8 * 60, 3 if weeks else 7, 3 if weeks else 4)
    assert one.columns == tuple(name.lower() for name in (WEEK if weeks else DAY))
    newest = one.entries[one.day == 30][0]
    later = one.entries[one.day == (37 if weeks else 31)][0]
    np.testing.assert_array_equal(newest[1:], later[:-1])


def test_what_nobody_answered_is_missing(tmp_path: Path) -> None:
    table = read_runners(diary(tmp_path / "days.csv"))
    exertion, sessions = table.entries[:, :, 3], table.entries[:, :, 0]
    assert np.isnan(exertion[sessions == 0]).all()
    assert np.isfinite(exertion[sessions > 0]).all()


def test_files_that_are_none_are_refused_by_what_is_wrong(tmp_path: Path) -> None:
    with pytest.raises(MissingError):
        read_runners(tmp_path / "none.csv")
    table = pd.read_csv(diary(tmp_path / "days.csv"))
    cases = {
        "Athlete ID, injury and Date": table.drop(columns="injury"),
        "for each of 7 days or 3 weeks, but for 6": table.drop(
            columns=[n for n in table if n.endswith(".6")]
        ),
        "injury must be 0 or 1": table.assign(injury=2),
        "cannot be told": table.assign(Date=np.arange(len(table)) * 5),
    }
    for said, other in cases.items():
        other.to_csv(tmp_path / "bad.csv", index=False)
        with pytest.raises(UnreadableFile, match=said):
            read_runners(tmp_path / "bad.csv")
