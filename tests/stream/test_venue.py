"""The venue's heat: who sees it, from when, and for how long."""

from __future__ import annotations

import pytest

from stream.venue import KEPT, MARGIN_US, STANDS_US
from tests.stream.feeding import SECOND, Log, Told, agree, heart, make_route, told, weather

HOT = 0.7 * 22.30 + 0.2 * 40 + 0.1 * 30  # 30 °C at 50 %, globe 40 °C


def heats(result: Told) -> list[float | None]:
    return result.column("live", "wbgt")


def mast(log: Log, t: float, *, air: float = 30.0, at: float | None = None) -> None:
    log.send(t, weather(air, 40, 50), athlete="*", device="mast", at=at, venue=True)


def test_a_second_sees_what_was_known_two_seconds_before_it_closed() -> None:
    """Closed at 1.5, 2.5, 3.5 …; the weather came at 1.0, so the second that closed at 3.5 is the first to see it."""
    log = Log()
    log.send(0.0)
    mast(log, 1.0)
    for t in (1.5, 2.5, 3.5, 4.5):
        log.send(t)
    result = agree(log.records)
    assert MARGIN_US == 2 * SECOND
    assert [heat is not None for heat in heats(result)] == [False, False, True, True]
    assert heats(result)[2] == pytest.approx(HOT, abs=0.05)


def test_weather_grows_old() -> None:
    log = Log()
    mast(log, 0.0)
    stands = STANDS_US // SECOND
    for t in (stands - 1, stands, stands + 1, stands + 2):
        log.send(t)
    log.send(stands + 3, end=True)
    assert [heat is not None for heat in heats(agree(log.records))] == [True, True, False, False, False]


def test_the_newest_reading_counts() -> None:
    log = Log()
    for t, air in ((0.0, 10.0), (1.0, 20.0), (2.0, 30.0)):
        mast(log, t, air=air)
    log.send(5.0)
    log.send(6.0, end=True)
    assert heats(agree(log.records)) == pytest.approx([HOT, HOT], abs=0.05)


def test_a_reading_that_makes_no_sense_is_left_out() -> None:
    log = Log()
    mast(log, 0.0)
    mast(log, 1.0, air=200.0)
    log.send(5.0, end=True)
    assert heats(agree(log.records)) == pytest.approx([HOT], abs=0.05)


def test_a_long_chunk_sees_the_same_weather_as_short_ones() -> None:
    """More readings in one chunk than are kept between chunks."""
    log = Log()
    log.send(0.0)
    for k in range(KEPT + 50):
        mast(log, 1.0 + k / 10, air=20.0 + k % 20, at=1.0 + k / 10)
        if k % 40 == 0:
            log.send(1.0 + k / 10, heart(100))
    whole = told([make_route().push(log.records)])
    route = make_route()
    parts = [log.records[k : k + 20] for k in range(0, len(log.records), 20)]
    assert told([route.push(part) for part in parts]) == whole
    assert sum(heat is not None for heat in heats(whole)) > 20


def test_partitions_have_their_own_venues() -> None:
    route = make_route()
    log = Log()
    mast(log, 0.0)
    route.push(log.records)
    assert len(route.venue.packed(0)) == 1
    assert route.venue.packed(1) == []
    route.venue.restore(1, route.venue.packed(0))
    assert route.venue.packed(1) == route.venue.packed(0)
    route.release(0)
    assert route.venue.packed(0) == []
