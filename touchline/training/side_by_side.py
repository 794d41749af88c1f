"""Side by side: pieces of training that need nothing of each other, in processes of their own.

A second thread makes small recurrent networks little faster, but two of them train in the time of one. Every process
gives its networks one thread; what comes of the pieces comes in their order and does not depend on how many ran at
once. On a GPU, or where training is spread over several devices, pieces follow each other in this process instead.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from itertools import islice
from multiprocessing import get_context
from threading import Thread
from typing import Any, Final, TypeVar

from models.device import strategy, use_device
from touchline.training.workshop import Tell

Task = TypeVar("Task")
Found = TypeVar("Found")

#: Results that :func:`ahead` holds ready.
AHEAD: Final = 4


def side_by_side(
    work: Callable[[Task], Found], tasks: Sequence[Task], tell: Tell | None = None
) -> Iterator[Found]:
    """What ``work`` makes of each task, in order; what it tells through :class:`Telling` is told to ``tell``."""
    if len(tasks) < 2 or not _apart():
        yield from map(work, tasks)
        return
    context = get_context("spawn")
    said = context.SimpleQueue()
    listener = Thread(target=_listen, args=(said, tell), daemon=True)
    listener.start()
    try:
        with ProcessPoolExecutor(mp_context=context, initializer=_begin, initargs=(said,)) as processes:
            yield from processes.map(work, tasks)
    finally:
        said.put(None)
        listener.join()


@contextmanager
def ahead(work: Callable[[int], Found], numbers: range) -> Iterator[Iterator[Found]]:
    """What ``work`` makes of each number, a few of them made by another process before they are asked for."""
    if not _apart():
        yield map(work, numbers)
        return
    with ProcessPoolExecutor(1, get_context("spawn"), _hold, (work,)) as process:
        left = iter(numbers)
        coming = deque(process.submit(_held, number) for number in islice(left, AHEAD))
        try:
            yield _taken(coming, process, left)
        finally:
            for future in coming:
                future.cancel()


def _taken(
    coming: deque[Future[Found]], process: ProcessPoolExecutor, left: Iterator[int]
) -> Iterator[Found]:
    while coming:
        found = coming.popleft().result()
        coming.extend(process.submit(_held, number) for number in islice(left, 1))
        yield found


class Telling:
    """A ``tell`` for work that may run beside this process: from there, what it is told comes back here."""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell

    def __call__(self, told: str, done: int, of: int) -> None:
        """Tell."""
        self._tell(told, done, of)

    def __reduce__(self) -> tuple[Any, ...]:
        """For pickling: over there, it is what says things to us."""
        return _telling_from_outside, ()


def _apart() -> bool:
    """Whether pieces go to other processes: on the CPU, and nothing spreads one over several devices."""
    return use_device() == "CPU" and strategy() is None


# What follows runs in the other processes.

_outside: dict[str, Any] = {}


def _begin(said: Any) -> None:
    use_device(threads=1)
    _outside["said"] = said


def _hold(work: Any) -> None:
    use_device(threads=1)
    _outside["work"] = work


def _held(number: int) -> Any:
    return _outside["work"](number)


def _telling_from_outside() -> Telling:
    return Telling(lambda *what: _outside["said"].put(what))


def _listen(said: Any, tell: Tell | None) -> None:
    while (what := said.get()) is not None:
        if tell is not None:
            tell(*what)
