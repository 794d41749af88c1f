"""Columns to frames and back, and several recordings as one log."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.recording import JITTER_US, SECOND_US, Recording, Track, athlete_record, deliveries, session_record
from stream import topics
from stream.errors import UsageError
from stream.records import MAX_FRAME_BYTES, encode_frame
from tests.sim.readers.expand import column, expand, received

START_US = 1_600_000_000_000_000


def track(
    stamps: Any, athlete: str = "ada", device: str = "watch", rate: float = 1.0, **channels: Any
) -> Track:
    columns = {name: np.asarray(values, dtype=np.float64) for name, values in channels.items()}
    return Track(athlete, device, rate, np.asarray(stamps, dtype=np.int64) + START_US, columns)


def recording(*tracks: Track, session: str = "monday", boot: int = 7) -> Recording:
    who = dict.fromkeys(t.athlete for t in tracks)
    start_us = min(int(t.t_us[0]) for t in tracks)
    records = [athlete_record(athlete) for athlete in who]
    return Recording("file.fit", session_record(session, "run", start_us), records, tracks, boot)


@st.composite
def tracks(draw: st.DrawFn) -> Track:
    rate = draw(st.sampled_from([1.0, 5.0, 10.0, 25.0, 100.0]))
    step = round(SECOND_US / rate)
    steps = draw(st.lists(st.sampled_from([1, 1, 1, 1, 2, 7]), min_size=0, max_size=60))
    t_us = (
        START_US
        + draw(st.integers(0, 10**7))
        + np.concatenate([[0], np.cumsum(steps)]).astype(np.int64) * step
    )
    number = st.floats(-1000, 1000, width=32) | st.just(np.nan)
    names = draw(st.sets(st.sampled_from(["hr", "speed", "lat", "distance", "ax", "power"]), min_size=1))
    columns = {
        name: np.array(draw(st.lists(number, min_size=len(t_us), max_size=len(t_us)))) for name in names
    }
    return Track("ada", "watch", rate, t_us, columns)


@given(tracks())
def test_frames_taken_apart_again_are_the_samples_they_were_made_of(given_track: Track) -> None:
    found = expand(recording(given_track).frames)
    stamps = np.unique(np.concatenate([samples.t_us for samples in found.values()]))
    np.testing.assert_array_equal(stamps, given_track.t_us)
    columns = {name: (s.t_us, values) for s in found.values() for name, values in s.columns.items()}
    for name, values in given_track.channels.items():
        measured = np.isfinite(values)
        if not measured.any():
            continue
        t_us, sent = columns[name]
        np.testing.assert_array_equal(t_us[np.isfinite(sent)], given_track.t_us[measured])
        np.testing.assert_array_equal(sent[np.isfinite(sent)], values[measured])


@given(tracks())
@settings(max_examples=50)
def test_a_worker_accepts_every_frame_and_only_the_last_one_ends(given_track: Track) -> None:
    frames = list(recording(given_track).frames)
    assert [frame.end for frame in frames] == [False] * (len(frames) - 1) + [True]
    assert [frame.seq for frame in frames] == list(range(len(frames)))
    assert received([recording(given_track)]).rejected == []


def test_a_frame_holds_regular_samples_of_one_second_and_no_gap() -> None:
    #            0 . . . . . . . . . 1 . (gap) . .
    tenths = [*range(12), 15, 16]
    frames = list(recording(track(np.array(tenths) * 100_000, rate=10.0, x=tenths, y=tenths)).frames)
    assert [len(frame.groups["position"].samples) for frame in frames] == [10, 2, 2]
    assert [frame.t0_us - START_US for frame in frames] == [0, 1_000_000, 1_500_000]


def test_samples_a_second_apart_are_frames_of_their_own() -> None:
    frames = list(recording(track(np.arange(5) * SECOND_US, hr=[60, 61, 62, 63, 64])).frames)
    assert [frame.groups["heart"].samples.tolist() for frame in frames] == [
        [[60.0]],
        [[61]],
        [[62]],
        [[63]],
        [[64]],
    ]


def test_a_little_jitter_does_not_tear_a_frame() -> None:
    stamps = np.arange(100) * 10_000 + np.tile([0, JITTER_US // 2], 50)
    assert len(list(recording(track(stamps, rate=100.0, ax=np.ones(100))).frames)) == 1


def test_groups_without_a_measured_value_stay_away() -> None:
    frames = list(recording(track([0, SECOND_US], hr=[60, np.nan], speed=[np.nan, 2.0])).frames)
    assert [set(frame.groups) for frame in frames] == [{"heart"}, {"position"}]


def test_a_moment_at_which_nothing_was_measured_is_still_sent() -> None:
    frames = list(recording(track([0, SECOND_US], hr=[60, np.nan])).frames)
    assert frames[1].t0_us == START_US + SECOND_US
    assert np.isnan(frames[1].groups["heart"].samples).all()
    assert frames[1].end


def test_places_and_long_distances_survive_float32() -> None:
    n = 50
    lat, lon = 48.1 + np.arange(n) * 1e-7, 11.5 + np.arange(n) * 1e-7
    distance = 180_000 + np.arange(n) * 0.013
    decoded = received(
        [recording(track(np.arange(n) * 100_000, rate=10.0, lat=lat, lon=lon, distance=distance))]
    )
    np.testing.assert_allclose(column(decoded, "lat"), lat, atol=1e-10)
    np.testing.assert_allclose(column(decoded, "lon"), lon, atol=1e-10)
    np.testing.assert_allclose(column(decoded, "distance"), distance, atol=1e-6)


def test_of_two_devices_the_first_track_comes_first_at_equal_times() -> None:
    stamps = np.arange(300) * 10_000
    hip = track(stamps, device="hip", rate=100.0, ax=np.zeros(300))
    ankle = track(stamps, device="ankle", rate=100.0, ax=np.ones(300))
    frames = list(recording(hip, ankle).frames)
    assert [frame.device for frame in frames] == ["hip", "ankle"] * 3
    assert [frame.device for frame in frames if frame.end] == ["hip", "ankle"]


def test_each_frame_arrives_when_its_last_sample_ends() -> None:
    slow = track([0, 2 * SECOND_US], device="strap", hr=[60, 61])
    fast = track(np.arange(15) * 100_000, device="pod", rate=10.0, x=np.zeros(15), y=np.zeros(15))
    log = list(deliveries([recording(slow, fast)]).deliveries)
    assert [d.at_us - START_US for d in log] == [1_000_000, 1_000_000, 1_500_000, 3_000_000]
    assert {d.key for d in log} == {b"ada"}
    assert {d.topic for d in log} == {topics.WEARABLE}


def test_the_same_recording_gives_the_same_bytes_twice() -> None:
    made = recording(track(np.arange(9) * SECOND_US, hr=np.arange(9) + 60))
    assert [encode_frame(f) for f in made.frames] == [encode_frame(f) for f in made.frames]


def test_a_second_of_a_fast_sensor_fits_into_a_frame() -> None:
    stamps = np.arange(2000) * 500
    channels: dict[str, Any] = {name: np.zeros(2000) for name in ("ax", "ay", "az", "gx", "gy", "gz")}
    (frame,) = recording(track(stamps, rate=2000.0, **channels)).frames
    assert len(encode_frame(frame)) < MAX_FRAME_BYTES


def test_several_recordings_become_one_log_in_the_order_of_arrival() -> None:
    one = recording(track(np.arange(3) * SECOND_US, hr=[60, 61, 62]))
    two = recording(
        track(np.arange(3) * SECOND_US + 500_000, athlete="ben", hr=[70, 71, 72]), session="other"
    )
    merged = deliveries([two, one])
    log = list(merged.deliveries)
    assert [d.key for d in log] == [b"ada", b"ben"] * 3
    assert [d.at_us for d in log] == sorted(d.at_us for d in log)
    assert merged.start_us == START_US
    assert [s["session"] for s in merged.sessions] == ["other", "monday"]
    assert [a["athlete"] for a in merged.athletes] == ["ben", "ada"]


def test_sessions_of_one_athlete_follow_each_other_in_time() -> None:
    morning = recording(track(np.arange(3) * SECOND_US, hr=[60, 61, 62]), session="morning")
    evening = recording(track(np.arange(3) * SECOND_US + 10**10, hr=[70, 71, 72]), session="evening")
    headers = received([evening, morning]).headers
    assert [header.session for header in headers] == ["morning"] * 3 + ["evening"] * 3
    assert len(deliveries([evening, morning]).athletes) == 1


def test_overlapping_sessions_of_one_athlete_are_refused_by_name() -> None:
    long = recording(track(np.arange(100) * SECOND_US, hr=np.full(100, 60)), session="long")
    short = recording(track([5 * SECOND_US, 6 * SECOND_US], hr=[70, 71]), session="short")
    with pytest.raises(UsageError, match=r"sessions of ada that overlap: long and short"):
        deliveries([short, long])
    hidden = recording(track([50 * SECOND_US, 51 * SECOND_US], hr=[70, 71]), session="hidden")
    with pytest.raises(UsageError, match="long and hidden"):
        deliveries([long, hidden])


def test_the_same_file_twice_is_one_session_sent_twice() -> None:
    made = recording(track(np.arange(3) * SECOND_US, hr=[60, 61, 62]))
    merged = deliveries([made, made])
    assert len(list(merged.deliveries)) == 6
    assert len(merged.sessions) == 1


def test_what_files_know_of_an_athlete_is_put_together() -> None:
    first = recording(track([0], hr=[60]), session="first")
    second = recording(track([10**9], hr=[60]), session="second")
    second.athletes[0] |= {"name": "Ada", "profile": {**second.athletes[0]["profile"], "mass_kg": 61.0}}
    first.athletes[0]["profile"]["mass_kg"] = None
    (record,) = deliveries([first, second]).athletes
    assert record["name"] == "Ada"
    assert record["profile"]["mass_kg"] == 61.0


def test_tracking_of_the_venue_goes_to_the_venue_topic() -> None:
    made = replace(recording(track([0], x=[1.0], y=[2.0])), topic=topics.VENUE)
    assert [d.topic for d in deliveries([made]).deliveries] == [topics.VENUE]
    assert received([made]).rejected == []


def test_nothing_to_replay_is_said() -> None:
    with pytest.raises(UsageError, match="nothing to replay"):
        deliveries([])
