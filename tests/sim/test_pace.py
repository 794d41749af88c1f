"""Simulated moments on the wall clock."""

from __future__ import annotations

import time

import pytest

from sim.pace import Pacer
from tests.sim.sessions import START_US


async def _waited_s(pacer: Pacer, at_us: int) -> float:
    began = time.monotonic()
    await pacer.until(at_us)
    return time.monotonic() - began


async def test_real_time_waits_as_long_as_simulated_time_takes() -> None:
    pacer = Pacer(1.0, START_US)
    assert await _waited_s(pacer, START_US) < 0.05
    assert 0.14 < await _waited_s(pacer, START_US + 150_000) < 0.5


async def test_faster_waits_less_and_no_speed_not_at_all() -> None:
    pacer = Pacer(100.0, START_US)
    await pacer.until(START_US)
    assert 0.09 < await _waited_s(pacer, START_US + 10_000_000) < 0.4
    assert await _waited_s(Pacer(None, START_US), START_US + 10**12) < 0.05


async def test_nothing_goes_early_and_being_behind_is_remembered() -> None:
    pacer = Pacer(1.0, START_US, starts_at=time.time() - 3)
    await pacer.until(START_US)
    assert pacer.max_behind_s == pytest.approx(3, abs=0.5)
    assert await _waited_s(pacer, START_US + 3_100_000) > 0.05


async def test_a_start_on_the_wall_clock_is_waited_for() -> None:
    assert await _waited_s(Pacer(1.0, START_US, starts_at=time.time() + 0.2), START_US) > 0.15
