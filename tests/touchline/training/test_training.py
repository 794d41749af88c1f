"""Every training run goes through on little data, and what it saves is a model the engine loads."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from models import performance as performance_network
from models.artefact import CARD, load_artefact, read_manifest
from models.engine import Engine
from models.restore import answer, restore, weights_of
from sim.readers.daily import read_daily
from stream.infer import OUTPUTS, PERSONAL
from tests.models.builders import save_small
from tests.touchline.evaluation.test_injury import write_days
from tests.touchline.training.made import session
from touchline.evaluation.injury import evaluate_injury
from touchline.training import forecast as forecasting
from touchline.training import injury, injury_card, performance
from touchline.training.forecast_data import ForecastData, Part, fingerprints, runs_split
from touchline.training.forecast_origins import origins_of
from touchline.training.injury_rows import InjuryRows, injury_rows, seen
from touchline.training.performance_data import PerformanceData, efforts
from touchline.training.performance_own import anybody, known, own_elsewhere
from touchline.training.performance_trial import (
    Course,
    Judged,
    Trial,
    figures,
    in_all_states,
    on_trial,
)
from touchline.training.windows import HEART_RATE, origins, pool
from touchline.training.workshop import Workshop

pytestmark = pytest.mark.slow


class Told:
    """Remembers how far everything was."""

    def __init__(self) -> None:
        self.last: dict[str, tuple[int, int]] = {}

    def __call__(self, what: str, done: int, of: int) -> None:
        assert 0 <= done <= of
        self.last[what] = (done, of)


def part(name: str, numbers: range) -> Part:
    table = pool([session(k) for k in numbers])
    return Part(name, table, origins(table, HEART_RATE))


def test_a_forecast_is_trained_judged_and_saved(tmp_path: Path) -> None:
    data = ForecastData(
        train=((0.75, part("runs", range(6))), (0.25, part("match", range(6, 12)))),
        match=part("match", range(10, 12)),
        kept=origins_of([session(k) for k in (8, 9)]),
        fit=origins_of([session(k) for k in range(6)]),
        squad=part("squad", range(12, 14)),
        hashes={"made": "0" * 64},
        seen={"made": fingerprints([session(k) for k in range(6)])},
    )
    told = Told()
    folder = forecasting.train_on(data, Workshop(tmp_path, tmp_path, told, 0.002))
    assert folder == tmp_path / "forecast/1"
    members = forecasting.MEMBERS
    assert told.last[f"forecast: net {members} of {members}"] == (3, 3)
    metrics = read_manifest(folder).metrics
    answer = forecasting.answers(restore(load_artefact(folder)), Part("runs", data.kept.table, data.kept.at))
    assert metrics["figures"]["runs"]["heart_rate"]["mae"] == pytest.approx(
        data.kept.errors_of(answer), rel=1e-6
    )
    assert metrics["origins"]["runs"] == len(data.kept.at)
    assert read_manifest(folder).seen == data.seen
    assert set(metrics["baselines"]) == {"last value", "ridge", "gradient boosting"}
    assert set(metrics["figures"]["match"]["speed"]) >= {"ridge", "gradient boosting", "last value"}
    assert set(metrics["figures"]["match"]["yaw_rate"]) >= {"ridge", "gradient boosting", "zero"}
    assert {"heart lost 30 s ago", "without motion"} <= set(metrics["heart_rate_missing"])
    assert {"nothing missing", "without imu", "position lost 30 s ago"} <= set(metrics["squad_missing"])
    assert 0.5 < metrics["figures"]["runs"]["heart_rate"]["coverage_80"][3] <= 1
    for name in ("performance", "injury"):
        save_small(tmp_path, name)
    assert set(metrics["alone"]) == {"speed", "yaw_rate", "acceleration"}
    found = Engine(tmp_path, (2,)).forecast(np.zeros((1, 120, 20)), np.zeros((1, 3)), np.zeros((1, 24, 6)))
    assert found.bands.shape == (1, 3, 6, 2)
    assert metrics["split"] in " ".join((folder / CARD).read_text().split())


def test_a_performance_model_is_trained_judged_and_saved(tmp_path: Path) -> None:
    sessions = [session(k, 900) for k in range(4)]
    found = efforts(sessions, ["a", "a", "b", "b"])
    data = PerformanceData(
        train=((1.0, found.take(found.third == 0)),),
        real=found,
        kept=np.array([True, False, False, False]),
        hashes={"made": "0" * 64},
    )
    shop = Workshop(tmp_path, tmp_path, Told(), 0.1)
    folder = performance.train_on(data, shop, Trial(squads=(91,), seconds=150))
    metrics = read_manifest(folder).metrics
    assert len(metrics["real"]["known"]["below"]) == len(metrics["levels"])
    assert metrics["real"]["known"]["seconds"] == (found.take(found.session == 0).third == 0).sum()
    assert metrics["real"]["strangers"]["thirds"] == [None, None, None]
    assert set(metrics["real"]["baselines"]) == {"output in general", "ridge", "gradient boosting"}
    simulated = metrics["simulated"]
    assert simulated["no_heart_rate"]["abstains"] == 1
    assert 0 <= simulated["no_fatigue"]["mean"] <= 100
    assert simulated["squads"] == metrics["masters"]["squads"] == 1
    assert set(simulated) >= {"half_intensity", "fade"}
    assert f"{simulated['no_fatigue']['mean']:.1f}" in (folder / CARD).read_text()


def test_figures_are_means_over_sessions_and_null_where_nothing_was_scored() -> None:
    def courses(kinds: tuple[float, float], slope: float = 0.0) -> list[Course]:
        """Twelve matches and twelve runs of 90 s: each a level, falling with the capacity."""
        fall = slope * np.arange(90.0)
        return [Course(level - fall, 1 - fall / 1000) for level in kinds for _ in range(12)]

    nothing = [Course(np.full(90, np.nan), np.ones(90))] * 24
    found = figures(
        {
            "no_fatigue": courses((60.0, 40.0)),
            "half_intensity": courses((50.0, 44.0)),
            "fade": courses((60.0, 60.0), 0.5),
            "no_heart_rate": nothing,
        }
    )
    assert found["no_fatigue"] == {
        "mean": 50.0, "thirds": [50.0, 50.0, 50.0], "by_kind": {"match": 60.0, "run": 40.0},
    }  # fmt: skip
    assert found["half_intensity"]["difference"] == pytest.approx(-3)
    assert found["fade"]["thirds"] == pytest.approx([60 - 7.25, 60 - 22.25, 60 - 37.25])
    assert found["fade"]["spearman"] == found["fade"]["spearman_within"] == pytest.approx(1)
    assert found["no_heart_rate"] == {"abstains": 1.0}
    silent = figures(dict.fromkeys(("no_fatigue", "half_intensity", "fade", "no_heart_rate"), nothing))
    assert silent["no_fatigue"]["mean"] is None
    assert silent["half_intensity"]["difference"] is None
    assert silent["fade"]["spearman"] is None


def test_efforts_are_seconds_that_can_be_scored() -> None:
    sessions = [session(0, 600), session(1, 600, missing=("heart_rate",))]
    found = efforts(sessions, ["a", "a"])
    assert set(found.session) == {0}
    assert (found.table.within[found.at] * 3 // 600 == found.third).all()
    effort, static = found.inputs()
    assert effort.shape == (len(found), 120, 4)
    told = dict(zip(PERSONAL, static.T, strict=True))
    assert (told["efficiency_known"] == 0).all()
    assert all((told[f"output_is_{kind}"] == (found.kind == k)).all() for k, kind in enumerate(OUTPUTS))


def test_an_efficiency_comes_from_the_athletes_other_sessions_and_never_from_the_session_itself() -> None:
    sessions = [session(k, 600) for k in range(4)]
    found = efforts(sessions, ["a", "a", "a", "b"])
    surplus = np.array([0.1, 0.2, 0.6, 0.3])[found.session]
    expected = iter(found.actual / np.exp(surplus))

    def network(effort: np.ndarray, _: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        usual = np.array([next(expected) for _ in effort])
        return usual[:, None], usual

    own = own_elsewhere(found, network)
    assert next(expected, None) is None
    kind = int(found.kind[0])
    count = np.bincount(found.session)
    assert own.mean[0, kind] == pytest.approx((0.2 * count[1] + 0.6 * count[2]) / (count[1] + count[2]))
    assert own.mean[2, kind] == pytest.approx((0.1 * count[0] + 0.2 * count[1]) / (count[0] + count[1]))
    assert own.seconds[:, kind].tolist() == [count[1] + count[2], count[0] + count[2], count[0] + count[1], 0]
    told = known(found, own, np.full(len(found), 0.5))
    first = found.session == 0
    assert told.actual[first] == pytest.approx(found.actual[first] / np.exp(0.5 * own.mean[0, kind]))
    stranger = found.session == 3
    assert told.actual[stranger] == pytest.approx(found.actual[stranger])
    assert (told.inputs()[1][stranger, PERSONAL.index("efficiency_known")] == 0).all()


def test_one_performance_network_is_taught_what_the_others_say_on_average() -> None:
    found = efforts([session(k, 600) for k in range(2)], ["a", "b"])
    config = replace(performance.CONFIG, units=3, hidden=4, dropout=0.0)
    part = performance.Part(1.0, found, anybody(found))
    models = [performance_network.build(config) for _ in range(2)]
    lessons = performance.Lessons([part], [weights_of(model) for model in models], config)
    given, told = lessons(np.random.default_rng(5))
    again, _ = lessons(np.random.default_rng(5))
    for one, other in zip(given, again, strict=True):
        np.testing.assert_array_equal(one, other)
    answers = [answer(model, given) for model in models]
    assert np.abs(answers[0][0] - answers[1][0]).max() > 0.01
    for taught, one, other in zip(told, *answers, strict=True):
        np.testing.assert_allclose(taught, (one + other) / 2, atol=1e-5)


def test_runs_are_split_by_session_and_the_seed() -> None:
    sessions = [session(k, 10) for k in range(20)]
    parts = runs_split(sessions)
    names = [s.session for part_ in parts for s in part_]
    assert [len(p) for p in parts] == [10, 10]
    assert sorted(names) == sorted(s.session for s in sessions)
    assert [s.session for s in runs_split(sessions[::-1])[1]] == [s.session for s in parts[1]]


@pytest.fixture
def few_rows(data_dir: Path) -> InjuryRows:
    """Every sixth row of SoccerMon."""
    rows = injury_rows(read_daily(data_dir / "soccermon/soccermon_daily.csv.gz"))
    return replace(
        rows, values=rows.values[::6], label=rows.label[::6], athlete=rows.athlete[::6], date=rows.date[::6],
        past=rows.past[::6],
    )  # fmt: skip


@pytest.fixture
def few_draws(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    monkeypatch.setattr(injury_card, "DRAWS", 20)
    return lambda: None


@pytest.mark.usefixtures("few_draws")
def test_injury_nets_are_judged_on_athletes_they_have_not_seen(few_rows: InjuryRows, tmp_path: Path) -> None:
    judged = injury.cross_validate(few_rows, Workshop(tmp_path, tmp_path, Told(), 0.02))
    assert len(judged.members) == 15
    assert set(judged.raw) == {"without today", "with today", "truncated today"}
    assert all(((raw > 0) & (raw < 1)).all() for raw in judged.raw.values())
    metrics = injury_card.injury_metrics(few_rows, judged.raw, judged.gone)
    assert set(metrics["without"]) == {"load", "wellness"}
    assert not np.array_equal(judged.gone["load"], judged.raw["without today"])
    assert metrics["counts"]["athletes"] == 50
    lower, upper = metrics["figures"]["logistic"]["auc_ci"]
    assert lower < metrics["figures"]["logistic"]["auc"] < upper
    assert metrics["paired"]["with today - without"]["interval"][0] <= 0.5


@pytest.mark.usefixtures("few_draws")
def test_an_injury_ensemble_remembers_who_it_was_trained_on(tmp_path: Path) -> None:
    (tmp_path / "soccermon").mkdir()
    file = write_days(tmp_path / "soccermon/soccermon_daily.csv.gz", injured=6)
    folder = injury.train_injury(Workshop(tmp_path, tmp_path, Told(), 0.002))
    known = read_manifest(folder).seen
    rows = injury_rows(read_daily(file))
    assert known == {"soccermon": seen(rows)}
    again = file.rename(tmp_path / "again.csv.gz")
    again.write_bytes(gzip.compress(gzip.decompress(again.read_bytes()), 1))
    found = evaluate_injury(load_artefact(folder), again)
    assert "12 of 12 athletes were trained on" in found["split"]


@pytest.mark.parametrize(("interval", "helps"), [([0.01, 0.2], True), ([-0.01, 0.2], False), (None, False)])
def test_todays_load_helps_only_where_its_interval_lies_above_nothing(
    interval: list[float] | None, helps: bool
) -> None:
    assert injury_card.today_helps({"paired": {"with today - without": {"interval": interval}}}) is helps


def flat(effort: np.ndarray, _: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    usual = np.ones(len(effort), np.float32)
    return usual[:, None] * np.array([0.6, 0.8, 1.0, 1.2, 1.4], np.float32), usual


@pytest.mark.slow
def test_squads_play_side_by_side_as_they_do_one_by_one() -> None:
    judged, trial = Judged(flat, (0.1, 0.3, 0.5, 0.7, 0.9)), Trial(squads=(91, 92), seconds=150)
    together = list(on_trial(judged, trial, Told()))
    assert len(together) == 2
    for squad, found in zip(trial.squads, together, strict=True):
        alone = in_all_states(judged, trial, squad)
        assert any(np.isfinite(course.score).any() for course in alone["no_fatigue"])
        for name, courses in alone.items():
            for one, other in zip(courses, found[name], strict=True):
                np.testing.assert_array_equal(one.score, other.score)
                np.testing.assert_array_equal(one.capacity, other.capacity)
