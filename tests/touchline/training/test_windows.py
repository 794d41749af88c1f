"""Windows for training are the windows the serving stages make."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from stream.clock import Clock
from stream.cut import cut
from stream.earlier import BLOCK_S
from stream.normalise import CHANNELS, LENGTH, own_terms
from stream.roster import Roster
from stream.route import Route
from tests.fakes import FakeEngine, FakeForecast
from tests.stream.feeding import T0_S, Log, heart, speed
from tests.touchline.training.made import session
from touchline.training.disturb import blank, disturbed, in_terms, lose, own_or_prior
from touchline.training.windows import CENTRE, HEART_RATE, SPREAD, origins, pool

Float32 = NDArray[np.float32]
CLOCK = Clock(lateness_us=500_000, future_us=2_000_000, silent_us=10_000_000)


class Watching(FakeEngine):
    """Keeps what it is asked."""

    def __init__(self) -> None:
        self.x: list[Float32] = []
        self.anchor: list[Float32] = []
        self.earlier: list[Float32] = []

    def forecast(self, x: Float32, anchor: Float32, earlier: Float32) -> FakeForecast:
        self.x.append(x)
        self.anchor.append(anchor)
        self.earlier.append(earlier)
        return super().forecast(x, anchor, earlier)


def log() -> Log:
    """Three minutes with a heart rate that comes late, a gap, and a speed that goes."""
    made = Log()
    for k in range(180):
        groups = heart(100 + k % 50) if 20 <= k < 90 or k > 99 else {}
        groups |= speed(*np.linspace(2, 3, 10)) if k < 150 else {}
        if groups:
            made.send(k, groups, end=k == 179)
    return made


def test_a_session_streamed_and_the_same_session_cut_give_the_same_arrays() -> None:
    engine = Watching()
    route = Route(CLOCK, (), engine, Roster())
    for record in log().records:
        route.push([record])
    table = pool(cut(log().records, Roster()))
    at = np.flatnonzero(table.session >= 0)
    assert len(at) == 180
    np.testing.assert_array_equal(table.x(at), np.concatenate(engine.x))
    np.testing.assert_allclose(table.anchor(at), np.concatenate(engine.anchor), rtol=1e-6)
    np.testing.assert_allclose(table.earlier(at), np.concatenate(engine.earlier), rtol=1e-6)


def test_windows_never_reach_into_another_session() -> None:
    table = pool([session(0, 200), session(1, 150, missing=("heart_rate",))])
    first, last = (np.flatnonzero(table.session == k) for k in (0, 1))
    assert (len(first), len(last)) == (200, 150)
    x = table.x(last[:1])
    assert (x[0, :-1] == 0).all()
    assert np.isnan(table.ahead(first[-1:])).all()
    assert table.anchor(last)[:, 0].tolist() == [np.float32(CENTRE[HEART_RATE])] * 150


def test_origins_have_seen_enough_and_something_follows() -> None:
    table = pool([session(0, 200)])
    within = table.within[origins(table, HEART_RATE)]
    assert (within[0], within[-1]) == (29, 198)
    assert len(origins(pool([session(0, 200, missing=("heart_rate",))]), HEART_RATE)) == 0


def test_a_second_that_was_not_closed_is_missing() -> None:
    whole = session(0, 100)
    keep = np.r_[0:40, 45:100]
    holed = type(whole)(
        whole.athlete, whole.session, whole.second[keep], whole.history[keep], whole.missing[keep],
        whole.heart_rest, whole.heart_max, whole.static, whole.totals,
    )  # fmt: skip
    table = pool([holed])
    rows = np.flatnonzero(table.session == 0)
    assert len(rows) == 100
    assert np.isnan(table.raw[rows[40:45]]).all()


@pytest.mark.parametrize("group", ["heart", "position", "motion"])
def test_a_blanked_group_is_neither_there_nor_marked_as_there(group: str) -> None:
    table = pool([session()])
    x = table.x(np.flatnonzero(table.session == 0)[200:210])
    earlier = table.earlier(np.flatnonzero(table.session == 0)[200:210])
    before, ago = x.copy(), earlier.copy()
    rows = np.arange(10) % 2 == 0
    blank(x, earlier, group, rows)
    column = {"heart": "heart_rate", "position": "speed", "motion": "cadence"}[group]
    for offset in (0, len(CHANNELS)):
        assert (x[rows, :, CHANNELS.index(column) + offset] == 0).all()
    np.testing.assert_array_equal(x[~rows], before[~rows])
    np.testing.assert_array_equal(earlier[~rows], ago[~rows])
    gone = {"heart": [0], "position": [1, 2], "motion": []}[group]
    assert (earlier[rows][:, :, gone] == 0).all()
    assert (earlier[rows][:, :, [3 + column for column in gone]] == 0).all()


def test_a_sensor_lost_in_training_leaves_what_one_lost_on_the_way_does() -> None:
    """A strap falls off as a half-minute ends; the same seconds of a session in which it stayed on, taken out."""
    lost_at, whole, broken = 120 - T0_S % BLOCK_S, Log(), Log()
    for k in range(220):
        for made, beats in ((whole, True), (broken, k < lost_at)):
            made.send(k, (heart(100 + k % 50) if beats else {}) | speed(*np.linspace(2, 3, 10)), end=k == 219)
    engine = Watching()
    Route(CLOCK, (), engine, Roster()).push(broken.records)
    table = pool(cut(whole.records, Roster()))
    at = np.flatnonzero(table.session >= 0)[lost_at : lost_at + 90]
    ago = np.arange(len(at)) + 1
    x, earlier = table.x(at), table.earlier(at)
    lose((x, earlier), "heart", ago, table.blocks_since(at, ago))
    seen = slice(lost_at, lost_at + 90)
    np.testing.assert_array_equal(x, np.concatenate(engine.x)[seen])
    np.testing.assert_allclose(earlier, np.concatenate(engine.earlier)[seen], rtol=1e-6)
    anchor = table.anchor(at, np.stack([ago, 0 * ago], axis=1))
    np.testing.assert_allclose(anchor, np.concatenate(engine.anchor)[seen], rtol=1e-6)


def test_what_was_lost_before_the_session_began_was_never_seen() -> None:
    table = pool([session(0, 200), session(1, 200)])
    at = np.flatnonzero(table.session == 1)[:40]
    ago = np.full(40, 60)
    x, earlier = table.x(at), table.earlier(at)
    lose((x, earlier), "heart", ago, table.blocks_since(at, ago))
    assert not x[:, :, HEART_RATE + len(CHANNELS)].any()
    assert not earlier[:, :, 3].any()
    assert (table.anchor(at, np.stack([ago, ago], axis=1))[:, :2] == CENTRE[:2].astype(np.float32)).all()


def test_a_disturbed_window_has_no_value_where_none_is_marked() -> None:
    table = pool([session(k) for k in range(3)])
    at = np.random.default_rng(0).choice(origins(table, HEART_RATE), 500)
    x, anchor, earlier = disturbed(table, at, np.random.default_rng(1))
    assert anchor.shape == (500, 3)
    assert (earlier[:, :, :3][earlier[:, :, 3:] == 0] == 0).all()
    value, present = x[:, :, : len(CHANNELS)], x[:, :, len(CHANNELS) :]
    assert set(np.unique(present)) == {0.0, 1.0}
    assert (value[present == 0] == 0).all()
    gone = ~present[:, :, HEART_RATE].any(axis=1)
    assert 0.005 < gone.mean() < 0.05
    assert x.shape == (500, LENGTH, 2 * len(CHANNELS))


def test_windows_in_own_terms_are_those_that_the_serving_stage_makes() -> None:
    table = pool([session(0), session(1)])
    at = np.flatnonzero(table.session == 1)[200:210]
    terms = np.broadcast_to(table.own[0], (10, 2, len(CHANNELS)))
    x, earlier = in_terms(table.x(at), table.earlier(at), terms)
    expected = own_terms(table.history(at), terms[:, 0].astype(float), terms[:, 1].astype(float))
    np.testing.assert_allclose(x, expected, atol=1e-4)
    assert earlier.shape == (10, 24, 6)
    assert not np.allclose(earlier[:, :, :3], table.earlier(at)[:, :, :3])


def test_heat_tells_of_days_and_stays_in_the_priors_terms() -> None:
    heat = CHANNELS.index("wbgt")
    assert pool([session()]).own[0, :, heat].tolist() == [CENTRE[heat], SPREAD[heat]]


def test_own_terms_are_between_the_priors_and_the_sessions() -> None:
    table = pool([session()])
    at = np.full(400, np.flatnonzero(table.session == 0)[-1])
    last = own_or_prior(table, at, np.random.default_rng(0))[0][:, -1, HEART_RATE]
    heart_rate = table.raw[at[0], HEART_RATE]
    centre, spread = table.own[0, :, HEART_RATE]
    ends = sorted([float(table.z[at[0], HEART_RATE]), float((heart_rate - centre) / spread)])
    assert last.min() >= ends[0] - 1e-5
    assert last.max() <= ends[1] + 1e-5
    assert len(np.unique(last)) > 25
