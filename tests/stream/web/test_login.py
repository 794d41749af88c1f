"""Tests of stream/web/login.py."""

from __future__ import annotations

from stream.web.login import OPEN_LINKS, SESSION_LIVES_S, Login
from tests.stream.web.fakes import Clock


def test_a_token_opens_one_session_and_no_second() -> None:
    login = Login(Clock(), "secret")
    session = login.exchange("secret")
    assert session is not None
    assert login.knows(session)
    assert login.exchange("secret") is None


def test_a_wrong_token_opens_nothing_and_spends_nothing() -> None:
    login = Login(Clock(), "secret")
    assert login.exchange("guess") is None
    assert login.exchange("") is None
    assert login.exchange("secret") is not None


def test_without_a_token_there_is_no_open_link() -> None:
    assert Login(Clock()).exchange("") is None


def test_links_are_independent_and_never_the_same() -> None:
    login = Login(Clock())
    first, second = login.new_token(), login.new_token()
    assert first != second
    assert login.exchange(second) is not None
    assert login.exchange(first) is not None


def test_the_oldest_link_goes_when_too_many_are_open() -> None:
    login = Login(Clock(), "first")
    tokens = [login.new_token() for _ in range(OPEN_LINKS)]
    assert login.exchange("first") is None
    assert all(login.exchange(token) for token in tokens)


def test_a_session_ends() -> None:
    clock = Clock()
    login = Login(clock, "secret")
    session = login.exchange("secret")
    clock.forward(SESSION_LIVES_S - 1)
    assert login.knows(session)
    clock.forward(2)
    assert not login.knows(session)


def test_nobody_and_anybody_are_not_known() -> None:
    login = Login(Clock())
    assert not login.knows(None)
    assert not login.knows("made up")
