"""PlayerLoad and impacts: batch numpy beside the stream."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.stream.feeding import Log, Told, agree, imu, make_route, told

Floats = NDArray[np.float64]


def worn(samples: Floats, rate: float = 100.0, per: int = 10) -> Log:
    """Frames of ``per`` samples."""
    log = Log()
    for k in range(0, len(samples), per):
        log.send(k / rate, imu(samples[k : k + per], rate), end=k + per >= len(samples))
    return log


def result(log: Log) -> Told:
    return told([make_route().push(log.records)])


def walk(n: int = 350, seed: int = 1) -> Floats:
    rng = np.random.default_rng(seed)
    return rng.normal([0, 0, 1], 0.4, (n, 3)).astype(np.float32).astype(np.float64)


@pytest.mark.parametrize("rate", [50.0, 100.0, 104.0])
def test_player_load_is_the_sum_of_changes_over_a_hundred(rate: float) -> None:
    samples = walk()
    expected = np.linalg.norm(np.diff(samples, axis=0), axis=1).sum() / 100
    assert result(worn(samples, rate)).column("totals", "player_load_au")[-1] == pytest.approx(
        expected, abs=1e-4
    )


def test_player_load_leaves_out_changes_over_a_hole() -> None:
    samples = walk(300)
    there = np.r_[0:100, 150:300]
    log = Log()
    for k in range(0, 300, 10):
        if k in there:
            log.send(k / 100, imu(samples[k : k + 10]), end=k == 290)
    change = np.linalg.norm(np.diff(samples, axis=0), axis=1)
    expected = (change[:99].sum() + change[150:].sum()) / 100
    assert result(log).column("totals", "player_load_au")[-1] == pytest.approx(expected, abs=1e-4)


def test_player_load_in_any_batching() -> None:
    agree(worn(walk(250), per=7).records)


def test_the_peak_is_that_of_the_vector_in_its_second() -> None:
    samples = np.tile([0.0, 0.0, 1.0], (200, 1))
    samples[130] = [3.0, 4.0, 0.0]
    assert result(worn(samples)).column("live", "impact_peak") == [1.0, 5.0]


def bumps(*spans: tuple[int, int], n: int = 400) -> Floats:
    """1 g, and 6 g over each span of samples."""
    samples = np.tile([0.0, 0.0, 1.0], (n, 1))
    for start, stop in spans:
        samples[start:stop, 2] = 6.0
    return samples


IMPACTS = {
    "none": ((), 0),
    "one sample": (((50, 51),), 1),
    "long": (((50, 90),), 1),
    "over the border of a second": (((95, 105),), 1),
    "over the border of a frame": (((58, 62),), 1),
    "two": (((50, 52), (53, 55)), 2),
    "the first sample": (((0, 3),), 1),
}


@pytest.mark.parametrize(("spans", "count"), IMPACTS.values(), ids=IMPACTS)
def test_an_impact_counts_once(spans: tuple[tuple[int, int], ...], count: int) -> None:
    log = worn(bumps(*spans))
    assert agree(log.records).column("totals", "impacts")[-1] == count


def test_exactly_the_threshold_is_no_impact() -> None:
    samples = bumps()
    samples[50] = [3.0, 4.0, 0.0]
    assert result(worn(samples)).column("totals", "impacts")[-1] == 0


def test_a_high_level_after_a_hole_counts_again() -> None:
    samples = bumps((90, 100), (200, 210))
    log = Log()
    for k in (*range(0, 100, 10), *range(200, 400, 10)):
        log.send(k / 100, imu(samples[k : k + 10]), end=k == 390)
    assert result(log).column("totals", "impacts")[-1] == 2


def test_gyroscope_alone_gives_no_load_and_no_peak() -> None:
    samples = np.full((100, 6), np.nan)
    samples[:, 3:] = 50.0
    (score,) = result(worn(samples)).of()
    assert score["live"]["impact_peak"] is None
    assert score["totals"]["player_load_au"] == 0
