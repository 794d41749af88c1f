"""Reports: one file with everything in it, plots where there is something to draw, nothing taken as markup."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from stream.errors import UsageError
from tests.sim.readers.test_runners import diary
from tests.touchline.command import touchline
from tests.touchline.evaluation.test_injury import write_days
from touchline.evaluation.plots import PLOTS, svg
from touchline.evaluation.report import html, said, tables, write_report
from touchline.training.figures import curves, reliability, wilson

RNG = np.random.default_rng(0)
SCORE = RNG.random(3000) * 0.2
LABEL = (RNG.random(3000) < SCORE).astype(np.float64)
HORIZONS = dict.fromkeys(("5", "10", "20", "30", "40", "60"), 1.5)
FORECAST: dict[str, Any] = {
    "model": "forecast", "version": "2", "split": "some <runs>", "n": dict.fromkeys(HORIZONS, 7),
    "mae_bpm": HORIZONS | {"60": None}, "coverage_80": HORIZONS,
    "baselines": {"last_value": HORIZONS, "hgb": HORIZONS},
}  # fmt: skip
INJURY: dict[str, Any] = {
    "model": "injury", "version": "1", "split": "folds", "rows": 3000, "positives": int(LABEL.sum()), "auc": 0.7,
    "auc_ci": [0.6, 0.8], "reliability": reliability(SCORE, LABEL), "curves": curves(SCORE, LABEL),
}  # fmt: skip
MOVEMENT: dict[str, Any] = {
    "model": "movement", "version": "1", "split": "x", "accuracy": 0.9, "labels": ["sit", "run"],
    "confusion": [[4, 1], [0, 5]], "predictions": ["sit", "run"],
}  # fmt: skip
PERFORMANCE: dict[str, Any] = {
    "model": "performance", "version": "3", "split": "x", "no_fatigue": {"mean": 50.0, "thirds": [50.0, 49.0, None]},
    "fade": {"thirds": [55.0, 30.0, 10.0]}, "real": None,
}  # fmt: skip


class Whole(HTMLParser):
    """What a page refers to, and whether its tags are closed."""

    def __init__(self) -> None:
        super().__init__()
        self.refers: list[str] = []
        self.scripts = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.scripts += tag == "script"
        self.refers += [
            v or ""
            for k, v in attrs
            if k in ("src", "href", "xlink:href") and not str(v).startswith(("#", "data:"))
        ]


@pytest.mark.parametrize(
    ("figures", "titles"),
    [
        (FORECAST, ["Heart-rate error by horizon", "Coverage of the 80 % band"]),
        (INJURY, ["Reliability", "Hits and false alarms", "Precision and recall"]),
        (MOVEMENT, ["Confusion"]),
        (PERFORMANCE, ["Score by third of the session"]),
        (
            {
                "model": "injury",
                "version": "1",
                "split": "none",
                "auc": None,
                "reliability": [],
                "curves": None,
            },
            [],
        ),
    ],
)
def test_a_report_draws_what_there_is_and_takes_nothing_from_elsewhere(
    figures: dict[str, Any], titles: list[str]
) -> None:
    page = html(figures, None)
    assert re.findall(r'<figure aria-label="(.*?)">', page) == titles
    parser = Whole()
    parser.feed(page)
    assert parser.refers == []
    assert parser.scripts == 0
    for drawing in re.findall(r"<svg.*?</svg>", page, re.DOTALL):
        ET.fromstring(drawing)
    assert page == html(figures, None), "the same figures give the same bytes"


def test_the_numbers_of_the_table_are_the_figures() -> None:
    found = dict(tables(INJURY))
    assert ("auc ci", "0.6, 0.8") in found["figures"]
    assert ("positives", str(int(LABEL.sum()))) in found["figures"]
    assert dict(dict(tables(FORECAST))["baselines"])["last value 5"] == "1.5"
    assert [said(None), said(0.123456), said(3), said("x")] == ["-", "0.1235", "3", "x"]


def test_words_of_the_figures_and_names_of_files_are_no_markup(tmp_path: Path) -> None:
    file = tmp_path / "<b>runs.csv"
    file.write_text("a")
    page = html(FORECAST, file)
    assert "some &lt;runs&gt;" in page
    assert "&lt;b&gt;runs.csv" in page
    with pytest.raises(UsageError, match="--report"):
        write_report(tmp_path / "no" / "folder.html", FORECAST, None)


def test_reliability_is_counted_in_bins_of_equally_many_rows() -> None:
    bins = reliability(SCORE, LABEL)
    assert [one["rows"] for one in bins] == [300] * 10
    assert sum(one["rows"] * one["observed"] for one in bins) == pytest.approx(LABEL.sum())
    inside = [one["interval"][0] <= one["mean"] <= one["interval"][1] for one in bins]
    assert sum(inside) >= 8, "what was said is what the labels were drawn with"
    assert reliability(SCORE[:0], LABEL[:0]) == []
    low, high = wilson(5, 10)
    assert low == pytest.approx(0.2366, abs=1e-3)
    assert high == pytest.approx(0.7634, abs=1e-3)


def test_curves_go_from_nothing_to_everything() -> None:
    found = curves(SCORE, LABEL)
    assert found is not None
    assert (found["roc"][0], found["roc"][-1]) == ([0, 0], [1, 1])
    assert len(found["roc"]) <= 100
    assert curves(SCORE, np.zeros(3000)) is None
    assert all(svg(plot, INJURY) == svg(plot, INJURY) for plot in PLOTS if plot.there(INJURY))


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_the_commands_write_reports(tmp_path: Path) -> None:
    days, report = write_days(tmp_path / "days.csv", injured=4), tmp_path / "injury.html"
    done = touchline("evaluate", "injury", "--daily", days, "--report", report, "--json")
    assert done.code == 0, done.err
    assert len(done.json["reliability"]) == 10
    page = report.read_text()
    assert "Reliability" in page
    assert str(days) in page


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("weeks", [False, True])
def test_runners_are_judged_by_athletes_held_out(tmp_path: Path, weeks: bool) -> None:
    file = diary(tmp_path / "diary.csv", weeks=weeks, athletes=12)
    report = tmp_path / "runners.html"
    done = touchline("evaluate", "runners", "--diaries", file, "--report", report, "--json")
    assert done.code == 0, done.err
    assert done.json["rows"] == 12 * 60
    assert done.json["models"]["gradient boosting"]["auc"] > 0.9, "a week above 20 km is injured, made up so"
    assert done.json["paired"]["gradient boosting - logistic"]["interval"] is not None
    assert "Reliability" in report.read_text()
    torn = tmp_path / "torn.csv"
    torn.write_text("a,b\n1,2\n")
    refused = touchline("evaluate", "runners", "--diaries", torn, "--json")
    assert refused.code == 2
    assert "Athlete ID" in refused.err
