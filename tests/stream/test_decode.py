"""Frames to columns: what is refused and why, what counts as not measured, and that nothing raises."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import msgpack
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from stream.decode import LATEST_US, Decoded, decode
from stream.records import (
    CHANNELS,
    MAX_FRAME_BYTES,
    REJECT_REASONS,
    Frame,
    Group,
    Record,
    encode_frame,
    encode_tick,
)
from tests.fakes import record

T0 = 1_760_000_000_000_000
GONE = object()


def group(**changes: Any) -> dict[str, Any]:
    """One heart rate of 120 bpm, with some of its keys changed or taken out (GONE)."""
    packed = {"rate": 1.0, "channels": ["hr"], "dtype": "f4", "scale": 1.0, "samples": floats(120)}
    return {key: value for key, value in (packed | changes).items() if value is not GONE}


def floats(*values: float) -> bytes:
    return np.array(values, dtype="<f4").tobytes()


def packed_frame(**changes: Any) -> dict[str, Any]:
    """A valid frame as a map, with some of its keys changed or taken out (GONE)."""
    packed = {"v": 1, "athlete": "a", "device": "d", "session": "s", "boot": 7, "seq": 0, "t0": T0}
    changed = packed | {"heart": group()} | changes
    return {key: value for key, value in changed.items() if value is not GONE}


def raw(value: bytes, key: bytes | None = b"a", *, venue: bool = False, at_us: int = T0) -> Record:
    return Record(venue, 0, 0, at_us, key, value)


def decoded(**changes: Any) -> Decoded:
    return decode([raw(msgpack.packb(packed_frame(**changes)))])


def reason_of(result: Decoded) -> str:
    """The reason of the one refusal, which has left nothing behind."""
    assert result.headers == []
    assert result.samples == {}
    assert result.ticks == {}
    (rejected,) = result.rejected
    return rejected.reason


REFUSED: dict[str, list[dict[str, Any]]] = {
    "wrong_version": [{"v": 2}, {"v": GONE}, {"v": "1"}, {"v": True}, {"v": None}, {"v": 1.0}],
    "missing_field": [
        *({name: GONE} for name in ("athlete", "device", "session", "boot", "seq", "t0")),
        *({"heart": group(**{name: GONE})} for name in ("rate", "channels", "dtype", "scale", "samples")),
    ],
    "wrong_type": [
        {"athlete": b"a"}, {"athlete": 3}, {"device": None}, {"session": ["s"]},
        {"boot": "7"}, {"boot": 7.0}, {"seq": True}, {"t0": float(T0)}, {"end": 1}, {"backfill": "yes"},
        {"heart": None}, {"heart": [1]}, {"heart": group(rate="1")}, {"heart": group(rate=True)},
        {"heart": group(channels="hr")}, {"heart": group(channels=[])}, {"heart": group(dtype="f8")},
        {"heart": group(dtype=4)}, {"heart": group(samples="text")}, {"heart": group(samples=[120.0])},
        {"heart": group(scale="1")}, {"heart": group(scale=[None])}, {"heart": group(origin=["0"])},
        {"heart": group(scale=True)}, {"heart": group(origin=None)},
    ],
    "impossible_value": [
        {"athlete": ""}, {"device": "d" * 129}, {"boot": -1}, {"boot": 2**32}, {"seq": -1}, {"t0": 0},
        {"t0": -T0}, {"t0": 2**62},
        {"heart": group(rate=math.nan)}, {"heart": group(rate=-1.0)}, {"heart": group(rate=0)},
        {"heart": group(rate=math.inf)}, {"heart": group(rate=2000.1)},
        {"heart": group(rate=0.01, samples=floats(100, 101))},
        {"heart": group(scale=0)}, {"heart": group(scale=0.0)}, {"heart": group(scale=math.nan)},
        {"heart": group(scale=math.inf)}, {"heart": group(scale=[1e300])}, {"heart": group(origin=[math.nan])},
        {"heart": group(scale=2**64 - 1)},
    ],
    "bad_shape": [
        {"heart": group(samples=b"")}, {"heart": group(samples=b"\x00\x00\x00")},
        {"heart": group(channels=["hr", "rr"])}, {"heart": group(scale=[1.0, 1.0])}, {"heart": group(scale=[])},
        {"heart": group(origin=[0.0, 0.0])},
    ],
    "unknown_channel": [
        {"heart": group(channels=["spo2"])}, {"heart": group(channels=[4])},
        {"heart": group(channels=["hr", "hr"], samples=floats(120, 120))}, {"heart": group(channels=[["hr"]])},
    ],
    "no_groups": [{"heart": GONE}, {"heart": GONE, "end": False}, {"heart": GONE, "breath": group()}],
    "wrong_key": [{"athlete": "b"}, {"athlete": "*"}],
    "backfill": [{"backfill": True}],
}  # fmt: skip


@pytest.mark.parametrize(
    ("reason", "changes"), [(reason, case) for reason, cases in REFUSED.items() for case in cases]
)
def test_a_frame_that_cannot_be_is_refused_by_its_name(reason: str, changes: dict[str, Any]) -> None:
    assert reason_of(decoded(**changes)) == reason


VALID_BYTES = msgpack.packb(packed_frame())
MALFORMED = {
    "nothing": b"",
    "cut off": VALID_BYTES[:-1],
    "cut off at the start": VALID_BYTES[1:],
    "something behind it": VALID_BYTES + b"\x00",
    "not a map": msgpack.packb([1, 2]),
    "a number": b"\x01",
    "text that is not UTF-8": msgpack.packb({"v": 1}) + b"\xff",
    "a broken text": b"\x81\xa1v\xa2\xff\xfe",
    "keys that are no names": msgpack.packb({1: 1, "v": 1}),
    "JSON": b'{"v": 1}',
}


@pytest.mark.parametrize("value", MALFORMED.values(), ids=MALFORMED)
def test_bytes_that_are_no_msgpack_map_are_malformed(value: bytes) -> None:
    assert reason_of(decode([raw(value)])) == "malformed"


def test_a_frame_over_64_kib_is_refused_before_it_is_unpacked() -> None:
    assert reason_of(decode([raw(b"\xff" * (MAX_FRAME_BYTES + 1))])) == "oversized"
    padded = packed_frame(note=b"")
    padded["note"] = bytes(MAX_FRAME_BYTES - len(msgpack.packb(padded)) - 1)  # a longer length field
    value = msgpack.packb(padded)
    assert len(value) == MAX_FRAME_BYTES
    assert len(decode([raw(value)]).headers) == 1


def test_every_reason_that_decode_gives_has_an_example() -> None:
    later = {"late", "duplicate"}
    assert set(REFUSED) | {"malformed", "oversized"} == set(REJECT_REASONS) - later


@pytest.mark.parametrize("key", [None, b"", b"b", b"A", b"\xff"])
def test_the_key_must_be_the_athlete(key: bytes | None) -> None:
    assert reason_of(decode([raw(VALID_BYTES, key)])) == "wrong_key"


AIR = {"rate": 0.1, "channels": ["air"], "dtype": "f4", "scale": 1.0, "samples": floats(20)}


def test_a_venue_wide_frame_is_about_its_environment() -> None:
    """Of whom else's heart rate would it be? Nothing is dropped in silence."""
    value = msgpack.packb(packed_frame(athlete="*"))
    assert reason_of(decode([raw(value, None, venue=True)])) == "no_groups"
    end = msgpack.packb(packed_frame(athlete="*", heart=GONE, end=True))
    assert len(decode([raw(end, None, venue=True)]).headers) == 1


def test_a_venue_wide_frame_needs_no_key_and_belongs_to_the_venue() -> None:
    value = msgpack.packb(packed_frame(athlete="*", environment=AIR))
    assert decode([raw(value, None, venue=True)]).headers[0].athlete == "*"
    assert reason_of(decode([raw(value, None)])) == "wrong_key"


@pytest.mark.parametrize("key", ["v", "dtype", "channel", "athlete", "rate", "note"])
@pytest.mark.parametrize("depth", [300, 1020, 30_000])
def test_deep_nesting_anywhere_is_no_fault_of_ours(key: str, depth: int) -> None:
    deep = b"\x91" * depth + b"\x01"
    marked = packed_frame()
    marker = b"\xa6MARKER"
    if key in ("dtype", "rate"):
        marked["heart"] = group(**{key: "MARKER"})
    elif key == "channel":
        marked["heart"] = group(channels=["MARKER"])
    else:
        marked[key] = "MARKER"
    result = decode([raw(msgpack.packb(marked).replace(marker, deep))])
    assert len(result.headers) + len(result.rejected) == 1


def test_a_record_stamped_before_or_after_our_time_is_refused() -> None:
    for at_us in (-1_000, 0, LATEST_US + 1):
        assert reason_of(decode([raw(VALID_BYTES, at_us=at_us)])) == "impossible_value"


def test_unknown_keys_are_ignored() -> None:
    result = decoded(colour="red", heart=group(gain=3), nested={"deep": [1, 2, {"x": None}]})
    assert result.samples["heart"].values[0, 0] == 120


def test_a_refused_frame_leaves_no_samples_of_its_good_groups() -> None:
    good, bad = (
        packed_frame(),
        packed_frame(position=group(channels=["x", "y"], samples=floats(1, 2), rate=-1)),
    )
    result = decode([raw(msgpack.packb(p)) for p in (good, bad, good)])
    assert [r.reason for r in result.rejected] == ["impossible_value"]
    assert set(result.samples) == {"heart"}
    assert result.samples["heart"].frame.tolist() == [0, 1]


def test_ticks_move_the_partitions_time_and_are_no_frames() -> None:
    ticks = [
        Record(True, p, n, T0 + at, None, encode_tick(T0)) for p, n, at in [(0, 0, 5), (0, 1, 3), (1, 0, 9)]
    ]
    assert decode(ticks) == Decoded([], {}, {0: T0 + 5, 1: T0 + 9}, [])


def test_a_frame_that_also_says_tick_is_a_frame() -> None:
    assert len(decoded(tick=3).headers) == 1


def test_a_tick_outside_the_venues_log_or_without_a_time_is_refused() -> None:
    assert reason_of(decode([raw(encode_tick(T0), None)])) == "wrong_key"
    value = msgpack.packb({"v": 1, "tick": "soon"})
    assert reason_of(decode([raw(value, None, venue=True)])) == "wrong_type"


# Values


def heart(values: list[float], **changes: Any) -> NDArray[np.float64]:
    samples = decoded(heart=group(samples=floats(*values), **changes)).samples["heart"]
    return samples.values[:, 0]


@pytest.mark.parametrize("rate", [0, 3, 24.9, 240.5, 251, math.nan, math.inf, -math.inf, -70])
def test_a_heart_rate_no_body_has_is_missing(rate: float) -> None:
    assert np.isnan(heart([rate]))


@pytest.mark.parametrize("rate", [25, 60, 239.5, 240])
def test_a_heart_rate_a_body_has_is_kept(rate: float) -> None:
    assert heart([rate]) == rate


def test_missing_values_are_missing_alone() -> None:
    values = heart([120, math.nan, 0, 122])
    assert values[[0, 3]].tolist() == [120, 122]
    assert np.isnan(values[1:3]).all()


def test_the_int16_that_says_not_measured_is_missing_whatever_scale_and_origin() -> None:
    counts = np.array([-32768, 0, 5], dtype="<i2").tobytes()
    samples = decoded(heart=group(dtype="i2", samples=counts, scale=-2.0, origin=[130.0])).samples["heart"]
    assert np.array_equal(samples.values[:, 0], [np.nan, 130.0, 120.0], equal_nan=True)


def test_channels_go_to_their_own_columns_in_any_order() -> None:
    packed = group(channels=["speed", "y", "x"], samples=floats(5, 2, 1, 6, 4, 3), rate=10)
    samples = decoded(position=packed).samples["position"]
    names = list(CHANNELS["position"])
    assert samples.values[:, [names.index(n) for n in ("x", "y", "speed")]].tolist() == [[1, 2, 5], [3, 4, 6]]
    assert np.isnan(samples.values[:, names.index("lat")]).all()
    assert samples.offset_us.tolist() == [0, 100_000]
    assert samples.step_us.tolist() == [100_000, 100_000]


def test_a_header_knows_its_last_sample_over_all_groups() -> None:
    slow, fast = (
        group(rate=0.5, samples=floats(100, 101)),
        group(channels=["x"], rate=10, samples=floats(*[0] * 9)),
    )
    (header,) = decoded(heart=slow, position=fast).headers
    assert header.last_us == T0 + 2_000_000
    (lone,) = decoded(heart=GONE, end=True).headers
    assert lone.last_us is None
    assert lone.end


@settings(max_examples=80, deadline=None)
@given(st.floats(0.001, 2000), st.integers(1, 200))
@example(1920.0, 112)
def test_the_last_stamp_of_a_header_is_that_of_its_last_sample(rate: float, count: int) -> None:
    count = min(count, int(59 * rate) + 1)
    result = decoded(heart=group(rate=rate, samples=floats(*[100] * count)))
    assert result.headers[0].last_us == T0 + result.samples["heart"].offset_us[-1]


def test_samples_of_a_group_stand_in_the_order_of_the_log_whatever_their_layout() -> None:
    wide = packed_frame(position=group(channels=["x", "y"], samples=floats(1, 2)))
    narrow = packed_frame(position=group(channels=["speed"], samples=floats(3)))
    result = decode([raw(msgpack.packb(p)) for p in (wide, narrow, wide, narrow)])
    assert result.samples["position"].frame.tolist() == [0, 1, 2, 3]


@dataclass(frozen=True)
class Coding:
    """A group's way onto the wire."""

    scale: float | None
    origin: float
    values: list[float]


codings = st.builds(
    Coding,
    st.none() | st.floats(1e-3, 1.0),
    st.floats(-50, 50).map(lambda v: round(v, 3)),
    st.lists(st.floats(-30, 30) | st.just(math.nan), min_size=1, max_size=20),
)


@settings(max_examples=80, deadline=None)
@given(codings)
def test_decode_of_encode_is_within_half_a_step(coding: Coding) -> None:
    """Values within reach of the counts; float32 within its own precision."""
    reach = 25.0 if coding.scale is None else min(25.0, 32_000 * coding.scale)
    offsets = np.clip(np.array(coding.values), -reach, reach)
    values = np.stack([coding.origin + offsets, offsets], axis=1)
    scale = None if coding.scale is None else (coding.scale, coding.scale)
    sent = Group(10.0, ("x", "y"), values, scale=scale, origin=(coding.origin, 0.0))
    result = decode([record(Frame("a", "d", "s", 1, 0, T0, {"position": sent}), 0)])
    found = result.samples["position"].values[:, :2]
    assert np.array_equal(np.isnan(found), np.isnan(values))
    step = 1e-5 if coding.scale is None else coding.scale / 2 + 1e-9
    assert np.nanmax(np.abs(found - values), initial=0) <= step


def test_latitude_survives_float32_by_its_origin() -> None:
    values = np.array([[59.123456789, 18.987654321], [59.123466789, 18.987654421]])
    sent = Group(1.0, ("lat", "lon"), values, origin=(59.123, 18.987))
    result = decode([record(Frame("a", "d", "s", 1, 0, T0, {"position": sent}), 0)])
    assert np.abs(result.samples["position"].values[:, 2:4] - values).max() < 1e-9


# Anything at all


def judged(value: bytes) -> None:
    """Decoding never raises: a header, a tick, or a refusal with a known reason; and samples only with a header."""
    result = decode([raw(value)])
    assert len(result.headers) + len(result.rejected) == 1
    assert all(r.reason in REJECT_REASONS and r.record.value == value for r in result.rejected)
    if result.rejected:
        assert result.samples == {}


@settings(max_examples=80, deadline=None)
@given(st.binary(max_size=300))
def test_arbitrary_bytes_never_raise(value: bytes) -> None:
    judged(value)


full = encode_frame(
    Frame("a", "d", "s", 7, 3, T0, {
        "imu": Group(100.0, tuple(CHANNELS["imu"]), np.ones((10, 6)), scale=(0.001,) * 3 + (0.1,) * 3),
        "position": Group(10.0, ("lat", "lon", "speed"), np.array([[59.0, 18.0, 3.0]]), origin=(59.0, 18.0, 0.0)),
        "heart": Group(1.0, ("hr",), np.array([[120.0]])),
    }, end=True)
)  # fmt: skip


@settings(max_examples=80, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, len(full) - 1), st.integers(0, 255)), min_size=1, max_size=4), st.data()
)
def test_mutated_frames_never_raise(changes: list[tuple[int, int]], data: st.DataObject) -> None:
    mutated = bytearray(full)
    for place, byte in changes:
        mutated[place] = byte
    cut = data.draw(st.integers(0, 3))
    judged(bytes(mutated[: len(mutated) - cut]))


plain = st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats()
anything = st.recursive(
    plain | st.text(max_size=8) | st.binary(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=80, deadline=None)
@given(st.sampled_from([*packed_frame(), "end", "backfill", "tick"]), anything)
def test_anything_in_the_place_of_a_field_never_raises(name: str, value: Any) -> None:
    judged(msgpack.packb(packed_frame(**{name: value})))


@settings(max_examples=80, deadline=None)
@given(st.sampled_from([*group(), "origin"]), anything)
def test_anything_in_the_place_of_a_groups_key_never_raises(name: str, value: Any) -> None:
    judged(msgpack.packb(packed_frame(heart=group(**{name: value}))))
