"""Devices on the wire."""

from __future__ import annotations

import msgpack
import numpy as np
import pytest

from sim.delivery import Delivery
from sim.devices import VenueStation, Wearables
from sim.layout import HEART, IMU, MOTION, PITCH, Layout
from sim.sensors import Readings
from sim.weather import Air
from stream import topics
from stream.records import Frame, Group, encode_frame
from tests.sim.sessions import START_US, frame

LAYOUTS: dict[str, Layout] = {"imu": IMU, "position": PITCH, "heart": HEART, "motion": MOTION}
ALL = frozenset(LAYOUTS)


def _readings(athletes: int) -> Readings:
    rng = np.random.default_rng(5)
    return Readings(
        imu=rng.normal(0, 3, (athletes, 100, 6)).astype(np.float32),
        position=rng.uniform(0, 60, (athletes, 10, 3)),
        heart=np.rint(rng.uniform(60, 190, athletes)),
        motion=rng.uniform(100, 300, (athletes, 2)),
    )


def _second(carried: dict[str, frozenset[str]], *, last: bool = False) -> list[Delivery]:
    devices = Wearables("s", carried, LAYOUTS, np.random.default_rng(0))
    return devices.second(START_US, _readings(len(carried)), last=last)


def _of(deliveries: list[Delivery], athlete: str) -> list[Delivery]:
    return [delivery for delivery in deliveries if delivery.key == athlete.encode()]


def test_frames_are_what_encode_frame_makes_of_the_same_readings() -> None:
    readings, deliveries = _readings(2), _of(_second({"A01": ALL, "A02": ALL}, last=True), "A02")
    boot = frame(deliveries[0])["boot"]
    for index, delivery in enumerate(deliveries):
        groups = {
            "imu": Group(100.0, IMU.channels, readings.imu[1, index * 10 : index * 10 + 10], IMU.scale),
            "position": Group(10.0, PITCH.channels, readings.position[1, index : index + 1], PITCH.scale),
        }
        if index == 0:
            groups["heart"] = Group(1.0, HEART.channels, readings.heart[1:].reshape(1, 1), HEART.scale)
            groups["motion"] = Group(1.0, MOTION.channels, readings.motion[1:], MOTION.scale)
        expected = Frame(
            "A02", "wearable-A02", "s", boot, index, START_US + index * 100_000, groups, end=index == 9
        )
        assert frame(delivery) == msgpack.unpackb(encode_frame(expected))


def test_ten_frames_a_second_arrive_in_order_shortly_after_their_last_sample() -> None:
    deliveries = _second({f"A{i:02d}": ALL for i in range(1, 23)})
    assert len(deliveries) == 220
    arrivals = [delivery.at_us for delivery in deliveries]
    assert arrivals == sorted(arrivals)
    waits = [delivery.at_us - frame(delivery)["t0"] - 100_000 for delivery in deliveries]
    assert 2_000 <= min(waits) < max(waits) <= 60_000
    assert {delivery.topic for delivery in deliveries} == {topics.WEARABLE}


@pytest.mark.parametrize("frames_per_s", [1, 2, 5])
def test_fewer_frames_hold_the_same_samples(frames_per_s: int) -> None:
    def samples(frames: int) -> dict[str, bytes]:
        devices = Wearables("s", {"A01": ALL}, LAYOUTS, np.random.default_rng(0), frames)
        sent = [frame(d) for d in devices.second(START_US, _readings(1), last=True)]
        assert [f["t0"] for f in sent] == [START_US + k * 1_000_000 // frames for k in range(frames)]
        assert [f.get("end", False) for f in sent] == [False] * (frames - 1) + [True]
        return {name: b"".join(f[name]["samples"] for f in sent if name in f) for name in LAYOUTS}

    assert samples(frames_per_s) == samples(10)


def test_seq_counts_through_seconds_and_boots_differ() -> None:
    devices = Wearables("s", {"A01": ALL, "A02": ALL}, LAYOUTS, np.random.default_rng(0))
    frames = [
        frame(delivery)
        for second in range(2)
        for delivery in devices.second(START_US + second * 1_000_000, _readings(2), last=False)
    ]
    assert [f["seq"] for f in frames if f["athlete"] == "A01"] == list(range(20))
    assert len({f["boot"] for f in frames}) == 2


@pytest.mark.parametrize(
    ("carried", "frames"), [({"heart"}, 1), ({"position"}, 10), ({"imu", "heart"}, 10), ({"motion"}, 1)]
)
def test_a_device_sends_what_it_carries_and_nothing_empty(carried: set[str], frames: int) -> None:
    sent = [frame(delivery) for delivery in _second({"A01": frozenset(carried)})]
    assert len(sent) == frames
    assert set(sent[0]) & set(LAYOUTS) == carried
    assert [f["seq"] for f in sent] == list(range(frames))


def test_the_last_frame_of_a_session_says_so_even_without_samples() -> None:
    sent = [frame(delivery) for delivery in _second({"A01": frozenset({"heart"})}, last=True)]
    assert [f.get("end", False) for f in sent] == [False, True]
    assert not set(sent[1]) & set(LAYOUTS)


def test_the_weather_station_speaks_for_the_whole_venue() -> None:
    station = VenueStation("s", np.random.default_rng(0))
    first, second = station.frame(START_US, Air(21.5, 30.25, 60)), station.frame(START_US, Air(22, 30, 60))
    assert (first.key, first.topic) == (None, topics.VENUE)
    packed = frame(first)
    assert (packed["athlete"], packed["seq"], frame(second)["seq"]) == ("*", 0, 1)
    counts = np.frombuffer(packed["environment"]["samples"], "<i2")
    assert counts * np.array(packed["environment"]["scale"]) == pytest.approx([21.5, 30.25, 60])
    assert packed["environment"]["channels"] == ["air", "globe", "humidity"]
