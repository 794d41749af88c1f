"""Faults do exactly what they say."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.delivery import Delivery, FaultCounts
from sim.faults import NO_FAULTS, SYNTAX, Dropout, Faults, Late, Reboot, Skew, inject, parse_faults
from stream import topics
from stream.decode import decode
from stream.errors import UsageError
from stream.records import Record
from tests.sim.sessions import SECOND_US, START_US, frame, simulate, wearable

CLEAN = list(simulate(athletes=3, seconds=20).deliveries)


def _injected(*specs: str, seed: int = 0) -> tuple[list[Delivery], FaultCounts]:
    counts = FaultCounts()
    faults = parse_faults(specs)
    out = list(inject(iter(CLEAN), faults, START_US, np.random.default_rng(seed), counts))
    arrivals = [delivery.at_us for delivery in out]
    assert arrivals == sorted(arrivals)
    return out, counts


def _of(deliveries: list[Delivery], athlete: str) -> list[dict[str, Any]]:
    return [frame(delivery) for delivery in deliveries if delivery.key == athlete.encode()]


def _others(deliveries: list[Delivery], athlete: str) -> list[Delivery]:
    return [delivery for delivery in deliveries if delivery.key != athlete.encode()]


def test_texts_become_faults() -> None:
    texts = [
        "dropout:A03:20:40", "dropout:A01:5:6.5", "late:0.01", "duplicate:0.02", "skew:A05:30", "skew:A06:-2",
        "reboot:A02:25", "corrupt:0.001",
    ]  # fmt: skip
    faults = parse_faults(texts)
    assert faults == Faults(
        dropouts=(Dropout("A03", 20, 40), Dropout("A01", 5, 6.5)),
        reboots=(Reboot("A02", 25),),
        skews=(Skew("A05", 30), Skew("A06", -2)),
        corrupt=0.001,
        duplicate=0.02,
        late=Late(0.01),
    )
    assert faults.athletes == {"A01", "A02", "A03", "A05", "A06"}
    assert parse_faults(["late:0.1:4"]).late == Late(0.1, 4)
    assert parse_faults([]) == NO_FAULTS


@pytest.mark.parametrize(
    "text",
    [
        "", "dropout", "dropout:A01:5", "dropout:A01:9:5", "dropout:A01:a:b", "late:2", "late:-0.1", "late:nan",
        "late:0.1:-3", "skew:A01:inf", "fire:A01", "corrupt:0.1:0.2",
    ],
)  # fmt: skip
def test_other_texts_are_refused_with_the_right_syntax(text: str) -> None:
    with pytest.raises(UsageError) as refused:
        parse_faults([text])
    kind = text.split(":", maxsplit=1)[0]
    assert repr(text) in str(refused.value)
    assert SYNTAX.get(kind, "dropout:ATHLETE") in str(refused.value)


def test_without_faults_nothing_changes() -> None:
    out, counts = _injected()
    assert out == CLEAN
    assert counts == FaultCounts()


def test_a_dropout_takes_out_its_seconds_of_one_athlete_and_leaves_a_gap_in_seq() -> None:
    out, counts = _injected("dropout:A02:5:7.5")
    assert _others(out, "A02") == _others(CLEAN, "A02")
    assert [f["seq"] for f in _of(out, "A02")] == [*range(50), *range(75, 200)]
    assert counts == FaultCounts(dropped=25)


def test_a_skewed_clock_moves_every_stamp_of_one_device_and_no_arrival() -> None:
    out, counts = _injected("skew:A01:30")
    assert [f["t0"] for f in _of(out, "A01")] == [f["t0"] + 30 * SECOND_US for f in _of(CLEAN, "A01")]
    assert [d.at_us for d in out] == [d.at_us for d in CLEAN]
    assert _others(out, "A01") == _others(CLEAN, "A01")
    assert counts == FaultCounts(skewed=200)


def test_a_reboot_changes_boot_and_starts_seq_again() -> None:
    out, counts = _injected("reboot:A03:12")
    before, after = _of(CLEAN, "A03"), _of(out, "A03")
    assert after[:120] == before[:120]
    assert [f["seq"] for f in after[120:]] == list(range(80))
    assert len({f["boot"] for f in after}) == 2
    assert [f["imu"] for f in after] == [f["imu"] for f in before]
    assert counts == FaultCounts(rebooted=1)


def test_two_reboots_of_one_device_make_three_boots() -> None:
    out, counts = _injected("reboot:A03:5", "reboot:A03:10")
    frames = _of(out, "A03")
    assert [f["seq"] for f in frames] == [*range(50), *range(50), *range(100)]
    assert len({f["boot"] for f in frames}) == 3
    assert counts.rebooted == 2


def test_duplicates_are_the_same_bytes_a_little_later() -> None:
    out, counts = _injected("duplicate:0.1")
    assert 30 < counts.duplicated < 100
    assert len(out) == len(CLEAN) + counts.duplicated
    first = {(d.key, d.value): d.at_us for d in CLEAN}
    again = [d for d in wearable(out) if d.at_us != first[d.key, d.value]]
    assert len(again) == counts.duplicated
    assert all(5_000 <= d.at_us - first[d.key, d.value] < 300_000 for d in again)


def test_late_frames_arrive_later_and_nothing_is_lost() -> None:
    out, counts = _injected("late:0.2:2")
    due = {d.value: d.at_us for d in CLEAN}
    waits = [d.at_us - due[d.value] for d in out]
    assert sorted(d.value for d in out) == sorted(due)
    assert sum(wait > 0 for wait in waits) == counts.delayed
    assert 0.15 < counts.delayed / 600 < 0.25
    assert np.mean([wait for wait in waits if wait > 0]) == pytest.approx(2e6, rel=0.35)


def test_corrupt_frames_are_cut_off_or_overwritten() -> None:
    out, counts = _injected("corrupt:0.1")
    pairs = list(zip(CLEAN, out, strict=True))
    changed = [(a.value, b.value) for a, b in pairs if a.value != b.value]
    assert len(changed) == counts.corrupted
    assert 30 < counts.corrupted < 100
    cut = [b for a, b in changed if len(b) < len(a)]
    assert all(a.startswith(b) for a, b in changed if len(b) < len(a))
    assert all(b"\xc1" * 8 in b for a, b in changed if len(b) == len(a))
    assert 0.25 < len(cut) / len(changed) < 0.75
    assert all((a.at_us, a.key, a.topic) == (b.at_us, b.key, b.topic) for a, b in pairs)


def test_the_worker_refuses_every_cut_frame_and_takes_every_whole_one() -> None:
    out, _ = _injected("corrupt:0.2")
    records = [Record(d.topic == topics.VENUE, 0, i, d.at_us, d.key, d.value) for i, d in enumerate(out)]
    decoded = decode(records)
    refused = {rejected.record.offset for rejected in decoded.rejected}
    assert refused >= {
        i for i, (a, b) in enumerate(zip(CLEAN, out, strict=True)) if len(b.value) < len(a.value)
    }
    assert refused <= {i for i, (a, b) in enumerate(zip(CLEAN, out, strict=True)) if a.value != b.value}


def test_venue_frames_are_left_alone() -> None:
    out, _ = _injected("late:1", "duplicate:1", "corrupt:1")
    assert [d for d in out if d.topic == topics.VENUE] == [d for d in CLEAN if d.topic == topics.VENUE]


@settings(max_examples=25, deadline=None)
@given(
    texts=st.lists(
        st.sampled_from(
            ["dropout:A01:3:6", "skew:A02:-4", "reboot:A01:5", "reboot:A03:8", "duplicate:0.1", "late:0.1:1"]
        ),
        unique=True,
    ),
    seed=st.integers(0, 1000),
)
def test_any_mixture_keeps_order_and_adds_up(texts: list[str], seed: int) -> None:
    out, counts = _injected(*texts, seed=seed)
    assert len(out) == len(CLEAN) - counts.dropped + counts.duplicated
    assert counts.dropped == (30 if "dropout:A01:3:6" in texts else 0)
    assert counts.skewed == (200 if "skew:A02:-4" in texts else 0)
    again, _ = _injected(*texts, seed=seed)
    assert out == again


def test_one_more_fault_does_not_move_the_others() -> None:
    alone = _injected("corrupt:0.05")[0]
    both = _injected("corrupt:0.05", "late:0.3")[0]
    assert sorted(d.value for d in alone) == sorted(d.value for d in both)
