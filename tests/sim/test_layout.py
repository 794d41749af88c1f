"""How channel groups go out."""

from __future__ import annotations

import msgpack
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.layout import HEART, IMU, MOTION, PITCH, ROAD, ROAD_ORIGIN, Layout, on_road
from stream.records import CHANNELS, Frame, Group, encode_frame

GROUPS = {"imu": [IMU], "position": [PITCH, ROAD], "heart": [HEART], "motion": [MOTION]}


@pytest.mark.parametrize(("name", "layout"), [(n, layout) for n, all_ in GROUPS.items() for layout in all_])
def test_channels_are_those_of_the_contract(name: str, layout: Layout) -> None:
    assert set(layout.channels) <= set(CHANNELS[name])


@pytest.mark.parametrize(("name", "layout"), [(n, layout) for n, all_ in GROUPS.items() for layout in all_])
@given(data=st.data())
def test_bytes_decode_to_what_encode_frame_makes_of_the_same_samples(
    name: str, layout: Layout, data: st.DataObject
) -> None:
    count = layout.rows * len(layout.channels)
    numbers = st.floats(-60, 60) | st.just(np.nan) | st.just(np.inf) | st.just(-1e9)
    values = np.array(data.draw(st.lists(numbers, min_size=count, max_size=count))).reshape(layout.rows, -1)
    group = Group(layout.rate, layout.channels, values, layout.scale, layout.origin)
    expected = msgpack.unpackb(encode_frame(Frame("a", "d", "s", 0, 0, 0, {name: group})))[name]
    assert msgpack.unpackb(b"\x81" + layout.prefix(name) + layout.encode(values)) == {name: expected}


def test_metres_on_the_road_become_degrees() -> None:
    there = on_road(np.array([[1000.0, 2000.0, 3.0]]))[0]
    assert there[0] - ROAD_ORIGIN[0] == pytest.approx(2000 / 111_320)
    assert there[1] - ROAD_ORIGIN[1] == pytest.approx(1000 / 111_320 / np.cos(np.radians(50)))
    assert there[2] == 3.0
