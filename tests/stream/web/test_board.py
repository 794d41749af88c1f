"""Tests of stream/web/board.py."""

from __future__ import annotations

from stream.web.board import FORGET_AFTER_US, Board
from stream.web.messages import Batch, FeedStatus, Named
from tests.stream.web.fakes import SECOND_US, START_US
from tests.stream.web.scores import make_alert, make_score


def board_of(*batches: Batch) -> Board:
    board = Board()
    for batch in batches:
        board.take(batch)
    return board


def test_a_first_score_is_a_row_and_something_to_tell_about() -> None:
    changes = board_of(Batch([make_score()])).changes()
    assert [track.athlete for track in changes.rows] == ["a1"]
    assert [track.athlete for track in changes.about] == ["a1"]


def test_a_second_score_is_only_a_row() -> None:
    board = board_of(Batch([make_score()]))
    board.changes()
    board.take(Batch([make_score(end_us=START_US + SECOND_US)]))
    changes = board.changes()
    assert (len(changes.rows), changes.about) == (1, [])


def test_without_news_there_is_nothing_to_tell() -> None:
    board = board_of(Batch([make_score()]))
    board.changes()
    assert not board.changes()


def test_an_alert_is_told_without_a_row() -> None:
    board = board_of(Batch([make_score()]))
    board.changes()
    board.take(Batch(alerts=[make_alert()]))
    changes = board.changes()
    assert (changes.rows, len(changes.about)) == ([], 1)


def test_many_scores_at_once_are_one_row() -> None:
    scores = [make_score(end_us=START_US + k * SECOND_US) for k in range(50)]
    (track,) = board_of(Batch(scores)).changes().rows
    assert track.end_us == START_US + 49 * SECOND_US


def test_who_has_no_score_is_not_shown() -> None:
    board = board_of(Batch(alerts=[make_alert("ghost")], named=[Named("ghost", "A Ghost", None)]))
    assert board.shown() == []
    assert not board.changes()


def test_a_name_is_known_whether_it_comes_before_or_after_the_score() -> None:
    before = board_of(Batch(named=[Named("a1", "Ada", "First")]), Batch([make_score()]))
    after = board_of(Batch([make_score()]), Batch(named=[Named("a1", "Ada", "First")]))
    assert before.tracks["a1"].about() == after.tracks["a1"].about()
    assert after.changes().about[0].name == "Ada"


def test_the_feeds_state_is_told_once() -> None:
    board = board_of(Batch(status=FeedStatus("away", "no broker")))
    assert board.changes().status == FeedStatus("away", "no broker")
    assert board.changes().status is None


def test_who_was_not_heard_from_for_an_hour_is_forgotten_and_comes_back_as_new() -> None:
    board = board_of(Batch([make_score("old"), make_score("young", START_US + 10 * SECOND_US)]))
    board.changes()
    board.forget(START_US + FORGET_AFTER_US + 5 * SECOND_US)
    changes = board.changes()
    assert (changes.gone, sorted(board.tracks)) == ([0], ["young"])
    board.take(Batch([make_score("old", START_US + 2 * FORGET_AFTER_US)]))
    assert board.changes().about[0].index == 2
