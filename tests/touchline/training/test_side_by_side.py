"""What is done side by side comes in order and is told here; what fails there fails here."""

from __future__ import annotations

import os
from functools import partial

import pytest

from touchline.training import side_by_side as module
from touchline.training.side_by_side import Telling, ahead, side_by_side

pytestmark = pytest.mark.slow


def whose(tell: Telling, number: int) -> tuple[int, int]:
    tell(f"piece {number}", number, 3)
    return number, os.getpid()


def fails(number: int) -> int:
    return 1 // number


def test_pieces_come_in_order_from_other_processes_and_tell_their_way_here() -> None:
    told: list[tuple[str, int, int]] = []

    def tell(*what: object) -> None:
        told.append(what)  # type: ignore[arg-type]

    found = list(side_by_side(partial(whose, Telling(tell)), [1, 2, 3], tell))
    assert [number for number, _ in found] == [1, 2, 3]
    assert os.getpid() not in {process for _, process in found}
    assert sorted(told) == [("piece 1", 1, 3), ("piece 2", 2, 3), ("piece 3", 3, 3)]


def test_one_piece_and_pieces_on_a_gpu_are_done_here(monkeypatch: pytest.MonkeyPatch) -> None:
    def tell(*_: object) -> None: ...

    work = partial(whose, Telling(tell))
    assert [p for _, p in side_by_side(work, [1], tell)] == [os.getpid()]
    monkeypatch.setattr(module, "use_device", lambda: "GPU")
    assert [p for _, p in side_by_side(work, [1, 2], tell)] == [os.getpid()] * 2
    with ahead(work, range(2)) as found:
        assert [p for _, p in found] == [os.getpid()] * 2


def test_what_is_made_ahead_comes_in_order_and_need_not_be_taken() -> None:
    with ahead(partial(whose_quietly, 10), range(3, 20)) as found:
        taken = [next(found) for _ in range(6)]
    assert [number for number, _ in taken] == [13, 14, 15, 16, 17, 18]
    assert {process for _, process in taken}.isdisjoint({os.getpid()})
    with ahead(partial(whose_quietly, 0), range(2)) as found:
        assert len(list(found)) == 2


def whose_quietly(more: int, number: int) -> tuple[int, int]:
    return more + number, os.getpid()


def test_what_goes_wrong_there_is_raised_here() -> None:
    with pytest.raises(ZeroDivisionError):
        list(side_by_side(fails, [1, 0, 1]))
    with ahead(fails, range(3)) as found, pytest.raises(ZeroDivisionError):
        next(found)
