"""Training arrays: what the live path itself measured, session by session."""

from __future__ import annotations

import numpy as np
import pytest

from stream.cut import CHUNK, cut
from stream.features import GROUPS, HISTORY
from stream.roster import STATIC, Roster
from tests.stream.feeding import T0_S, Log, heart, make_route, speed, told

HEART = list(HISTORY).index("heart_rate")
SPEED = list(HISTORY).index("speed")


def two_sessions() -> Log:
    log = Log()
    for k in range(4):
        log.send(k, heart(100 + k) | speed(*[3.0] * 10), session="s", end=k == 3)
    for k in range(10, 12):
        log.send(k, heart(150), session="t", end=k == 11)
    return log


def test_a_session_is_cut_into_its_closed_seconds() -> None:
    first, second = cut(two_sessions().records, Roster())
    assert (first.athlete, first.session, second.session) == ("a", "s", "t")
    assert (first.second - T0_S).tolist() == [0, 1, 2, 3]
    assert first.history[:, HEART].tolist() == [100, 101, 102, 103]
    assert first.history[:, SPEED] == pytest.approx([3.0] * 4)
    assert np.isnan(second.history[:, SPEED]).all()
    assert second.missing[:, GROUPS.index("position")].tolist() == [1, 1]
    assert first.totals["distance_m"] == pytest.approx(12)
    assert second.totals["heart_samples"] == 2


def test_what_is_cut_is_what_the_live_path_scores() -> None:
    records = two_sessions().records
    scores = told([make_route().push(records)]).of()
    live = np.array(
        [
            [
                np.nan if s["live"].get(name) is None else s["live"][name]
                for name in HISTORY
                if name != "climb"
            ]
            for s in scores
        ]
    )
    history = np.concatenate([session.history for session in cut(records, Roster())])
    kept = [k for k, name in enumerate(HISTORY) if name != "climb"]
    assert np.allclose(history[:, kept], live, atol=1e-5, equal_nan=True)


def test_a_person_is_cut_as_the_worker_used_it() -> None:
    profile = {"heart_rate_rest": 48, "heart_rate_max": 201, "sex": "female", "birth_year": 2001}
    people = Roster(athletes={"a": {"profile": profile}}, sessions={"s": {"activity": "run"}})
    first, second = cut(two_sessions().records, people)
    assert (first.heart_rest, first.heart_max) == (48, 201)
    assert first.static[STATIC.index("run")] == 1
    assert second.static[STATIC.index("other")] == 1
    assert first.static[STATIC.index("sex")] == -1


def test_athletes_side_by_side_are_cut_apart() -> None:
    log = Log()
    for k in range(3):
        for number, athlete in enumerate("abc"):
            log.send(k, heart(100 + 10 * number), athlete=athlete, end=k == 2)
    sessions = cut(log.records, Roster())
    assert [session.athlete for session in sessions] == ["a", "b", "c"]
    assert [session.history[:, HEART].tolist() for session in sessions] == [[100] * 3, [110] * 3, [120] * 3]


def test_a_log_longer_than_a_chunk_is_cut_without_a_seam() -> None:
    log = Log()
    for k in range(CHUNK + 100):
        log.send(k / 20, heart(100 + k % 60))
    log.send(CHUNK / 20 + 5, {}, end=True)
    (session,) = cut(log.records, Roster())
    assert (np.diff(session.second) == 1).all()
    assert session.totals["heart_samples"] == CHUNK + 100


def test_nothing_gives_no_sessions() -> None:
    assert cut([], Roster()) == []
