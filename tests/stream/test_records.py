"""Frames on the wire: what the encoder writes, and the words that everyone shares."""

from __future__ import annotations

import msgpack
import numpy as np
import pytest

from stream.records import (
    CHANNELS,
    FRAME_VERSION,
    INT16_MISSING,
    REJECT_REASONS,
    VALID,
    Frame,
    Group,
    encode_frame,
    encode_tick,
)
from stream.topics import DAY_MS, TOPICS, TopicSpec

T0 = 1_760_000_000_000_000


def packed(frame: Frame) -> dict[str, object]:
    return dict(msgpack.unpackb(encode_frame(frame)))


def test_a_frame_has_its_ids_and_only_the_flags_that_are_set() -> None:
    plain = packed(Frame("a", "d", "s", 1, 2, T0))
    assert plain == {
        "v": FRAME_VERSION,
        "athlete": "a",
        "device": "d",
        "session": "s",
        "boot": 1,
        "seq": 2,
        "t0": T0,
    }
    flagged = packed(Frame("a", "d", "s", 1, 2, T0, end=True, backfill=True))
    assert flagged == plain | {"end": True, "backfill": True}


def group_of(group: Group) -> dict[str, object]:
    found = packed(Frame("a", "d", "s", 1, 2, T0, {"heart": group}))["heart"]
    assert isinstance(found, dict)
    return found


def test_a_group_without_scale_is_float32() -> None:
    values = np.array([[120.5, np.nan], [121.0, 800.0]])
    found = group_of(Group(1.0, ("hr", "rr"), values))
    assert (found["dtype"], found["scale"], found["rate"]) == ("f4", 1.0, 1.0)
    assert found["channels"] == ["hr", "rr"]
    assert "origin" not in found
    raw = np.frombuffer(found["samples"], dtype="<f4")  # type: ignore[call-overload]
    assert np.array_equal(raw.reshape(2, 2), values, equal_nan=True)


def test_a_group_with_scale_is_int16_clipped_to_what_counts_can_say() -> None:
    values = np.array([[1.0], [-1.0], [np.nan], [np.inf], [1e9], [-1e9]])
    found = group_of(Group(1.0, ("hr",), values, scale=(0.5,)))
    raw = np.frombuffer(found["samples"], dtype="<i2")  # type: ignore[call-overload]
    assert raw.tolist() == [2, -2, INT16_MISSING, INT16_MISSING, 32767, -32767]


def test_an_origin_is_taken_off() -> None:
    found = group_of(Group(1.0, ("hr",), np.array([[130.0]]), origin=(100.0,)))
    assert found["origin"] == [100.0]
    assert np.frombuffer(found["samples"], dtype="<f4").tolist() == [30.0]  # type: ignore[call-overload]


def test_numpy_numbers_in_a_group_are_packed() -> None:
    group = Group(
        np.float64(2.0), ("hr",), np.ones((1, 1)), scale=(np.float64(0.5),), origin=(np.float64(1),)
    )
    assert group_of(group)["rate"] == 2.0


def test_a_tick_says_when() -> None:
    assert msgpack.unpackb(encode_tick(T0)) == {"v": FRAME_VERSION, "tick": T0}


def test_every_channel_has_its_own_name_a_unit_and_limits() -> None:
    names = [name for channels in CHANNELS.values() for name in channels]
    assert len(names) == len(set(names))
    assert {group: set(limits) for group, limits in VALID.items()} == {g: set(c) for g, c in CHANNELS.items()}
    assert all(low < high for limits in VALID.values() for low, high in limits.values())
    assert all(unit for channels in CHANNELS.values() for unit in channels.values())


def test_every_reason_says_what_it_means() -> None:
    assert all(REJECT_REASONS.values())


@pytest.mark.parametrize("spec", TOPICS, ids=lambda spec: spec.name)
def test_a_topic_is_either_compacted_or_kept_for_a_time(spec: TopicSpec) -> None:
    assert spec.compacted == (spec.retention_ms is None)
    assert spec.config["cleanup.policy"] == ("compact" if spec.compacted else "delete")
    assert spec.compacted or int(spec.config["retention.ms"]) >= 7 * DAY_MS


def test_topics_whose_records_belong_to_an_athlete_share_one_partition_count() -> None:
    shared = {spec.name for spec in TOPICS if spec.partitioned}
    assert shared == {
        "telemetry.wearable", "telemetry.venue", "telemetry.rejected", "scores.live", "alerts.risk", "state.athletes",
    }  # fmt: skip
