"""The load of the benchmarks is what it says: frames that are valid, all different, at their time."""

from __future__ import annotations

from itertools import chain

import numpy as np

from stream.decode import decode
from stream.mould import Moulds
from stream.records import Record
from touchline.bench.load import CYCLE_S, FIRST_T0_US, FRAME_US, FRAMES_A_SECOND, Load

ATHLETES = 3
SECONDS = CYCLE_S + 1


def test_every_athlete_sends_ten_frames_a_second() -> None:
    load = Load(ATHLETES)
    ticks = SECONDS * FRAMES_A_SECOND
    sent = chain.from_iterable(load.tick(n, FIRST_T0_US + n * FRAME_US) for n in range(ticks))
    records = [Record(False, 0, n, FIRST_T0_US, key, value) for n, (key, value) in enumerate(sent)]
    decoded = decode(records, Moulds())
    assert not decoded.rejected
    assert len(decoded.headers) == ATHLETES * ticks
    assert {name: len(samples.frame) for name, samples in decoded.samples.items()} == {
        "imu": ATHLETES * ticks * 10,
        "position": ATHLETES * ticks,
        "heart": ATHLETES * SECONDS,
    }
    seen = {(h.athlete, h.device, h.boot, h.seq) for h in decoded.headers}
    assert len(seen) == len(records)
    mine = [h.t0_us for h in decoded.headers if h.athlete == "L000001"]
    assert np.array_equal(mine, FIRST_T0_US + FRAME_US * np.arange(ticks))


def test_a_part_of_the_athletes_sends_by_itself() -> None:
    load = Load(ATHLETES)
    assert [key for key, _ in load.tick(0, FIRST_T0_US, slice(1, None, 2))] == [b"L000001"]


def test_sessions_end_with_a_frame_each() -> None:
    sent = Load(ATHLETES).ends(7, FIRST_T0_US)
    headers = decode([Record(False, 0, 0, FIRST_T0_US, key, value) for key, value in sent]).headers
    assert [header.end for header in headers] == [True] * ATHLETES
