"""Moulds: many frames read as one array are what they are read one by one."""

from __future__ import annotations

from typing import Any

import msgpack
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stream.decode import Decoded, decode
from stream.mould import KEPT, LENGTHS, WORTH, Moulds, cut
from stream.records import Frame, Group, Record, encode_frame, encode_tick
from tests.fakes import record

T0 = 1_760_000_000_000_000
IMU = ("ax", "ay", "az", "gx", "gy", "gz")
MANY = 3 * WORTH


def frame(
    rng: np.random.Generator, make: int, seq: int, athlete: str = "A01", boot: int = 1, *, end: bool = False
) -> Frame:
    """A frame of one of a few makes."""
    imu = Group(100.0, IMU, rng.normal(size=(10, 6)), scale=(0.01,) * 6)
    heart = Group(1.0, ("hr",), rng.uniform(20, 250, (1, 1)))
    place = Group(10.0, ("lat", "lon"), rng.normal(size=(1, 2)), origin=(59.0, 18.0))
    groups = [{"imu": imu}, {"imu": imu, "heart": heart}, {"position": place}, {}][make]
    return Frame(
        athlete,
        f"{athlete}-band",
        "match",
        boot,
        seq,
        T0 + 100_000 * (seq % 1000),
        groups,
        end=end or not groups,
    )


def same(one: Decoded, other: Decoded) -> None:
    assert one.headers == other.headers
    assert one.ticks == other.ticks
    assert one.rejected == other.rejected
    assert list(one.samples) == list(other.samples)
    for name, samples in one.samples.items():
        for column in ("frame", "offset_us", "step_us", "values"):
            assert np.array_equal(
                getattr(samples, column), getattr(other.samples[name], column), equal_nan=True
            )


SENT = st.tuples(
    st.integers(0, 3),  # make
    st.sampled_from(["A01", "A02", "Ö1", "*", "long" * 30, "ü" * 40]),
    st.sampled_from([0, 5, 127, 128, 300, 70_000, 2**33, 2**62, 2**62 + 1]),  # seq
    st.sampled_from([0, 1, 2**31, 2**32 - 1, 2**32]),  # boot
    st.one_of(st.none(), st.tuples(st.integers(0, 400), st.integers(0, 255))),  # a byte turned into another
    st.sampled_from([T0, T0, T0, 5, 2**60]),  # record timestamp
    st.sampled_from(["own", "own", "own", "none", "other"]),  # key
    st.booleans(),  # venue
)


def received(sent: tuple[Any, ...], seed: int) -> Record:
    make, athlete, seq, boot, turned, at_us, key, venue = sent
    value = bytearray(encode_frame(frame(np.random.default_rng(seed), make, seq, athlete, boot)))
    if turned is not None:
        value[turned[0] % len(value)] = turned[1]
    keys = {"own": athlete.encode(), "none": None, "other": b"somebody"}
    return Record(venue, 0, seed, at_us, keys[key], bytes(value))


@settings(max_examples=60, deadline=None)
@given(st.lists(SENT, min_size=1, max_size=12), st.integers(0, 2**32 - 1))
def test_whatever_comes_is_read_as_without_moulds(sent: list[tuple[Any, ...]], seed: int) -> None:
    moulds = Moulds()
    rng = np.random.default_rng(seed)
    decode([record(frame(rng, make, n), n) for make in range(4) for n in range(MANY)], moulds)
    chunk = [received(sent[i], n) for n, i in enumerate(rng.integers(0, len(sent), MANY))]
    for _ in range(2):  # the second time with what the first taught
        same(decode(chunk, moulds), decode(chunk))


def test_frames_of_a_known_make_are_not_read_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    moulds, rng = Moulds(), np.random.default_rng(1)
    decode([record(frame(rng, n % 2, n, f"A{n:02}"), n) for n in range(MANY)], moulds)
    later = [record(frame(rng, n % 2, n, f"B{n:02}"), n) for n in range(MANY)]
    expected = decode(later)

    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("read one by one")

    monkeypatch.setattr(msgpack, "unpackb", refuse)
    same(decode(later, moulds), expected)


@pytest.mark.parametrize("seq", [0, 127, 128, 255, 256, 65_535, 65_536, 2**32 - 1, 2**32])
def test_a_counter_is_read_in_any_width(seq: int) -> None:
    moulds, rng = Moulds(), np.random.default_rng(1)
    for first in (seq, max(0, seq - WORTH), seq):
        chunk = [record(frame(rng, 1, first + n), n) for n in range(2 * WORTH)]
        assert [h.seq for h in decode(chunk, moulds).headers] == [first + n for n in range(2 * WORTH)]


def test_a_key_that_comes_twice_makes_no_mould() -> None:
    value = encode_frame(frame(np.random.default_rng(1), 1, 5))
    twice = bytes([value[0] + 1]) + value[1:] + msgpack.packb("seq") + msgpack.packb(6)
    chunk = [Record(False, 0, n, T0, b"A01", twice) for n in range(WORTH)]
    moulds = Moulds()
    assert {h.seq for h in decode(chunk, moulds).headers} == {6}
    assert not moulds.of(len(twice))


def test_ticks_and_refused_frames_teach_nothing() -> None:
    moulds = Moulds()
    tick, cut_off = encode_tick(T0), encode_frame(frame(np.random.default_rng(1), 1, 5))[:-1]
    decode([Record(True, 0, n, T0, None, v) for n, v in enumerate([tick, cut_off] * WORTH)], moulds)
    assert not moulds.of(len(tick))
    assert not moulds.of(len(cut_off))


def test_moulds_are_bounded() -> None:
    moulds = Moulds()
    for length in range(LENGTHS + 10):
        value = msgpack.packb({"athlete": "a", "device": "d", "session": "s" + "x" * (length % 100),
                               "boot": 1, "seq": 1, "t0": T0, "more": "y" * (length // 100 * 100)})  # fmt: skip
        for _ in range(KEPT + 2):
            found = cut(value, msgpack.unpackb(value), [])
            assert found is not None
            moulds.learn(found)
        assert len(moulds.of(len(value))) <= KEPT
    assert moulds.lengths <= LENGTHS
