"""A recorded session as columns, cut into the frames its devices would have sent, and several merged into one log.

Nothing is invented here: gaps stay gaps, every reading goes out once, recorded stamps stay event time. No I/O.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from sim.delivery import Delivery
from stream import topics
from stream.errors import UsageError
from stream.records import CHANNELS, Frame, Group, encode_frame

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

SECOND_US: Final = 1_000_000
#: How far a step between two samples may be from one over the rate, and still be a regular one, µs.
JITTER_US: Final = 2_000
#: Channels that float32 alone would round to metres; they go out as the difference from an origin.
PRECISE: Final = frozenset({"lat", "lon", "distance"})


@dataclass(frozen=True, slots=True)
class Track:
    """All samples of one device of one athlete in one session, ascending in time.

    ``t_us (n,)`` stamps, µs since 1970 UTC; ``channels`` name of a channel (they are unique across groups) →
    values ``(n,)`` in the units of :data:`stream.records.CHANNELS`, NaN where not measured; ``rate`` hertz.
    """

    athlete: str
    device: str
    rate: float
    t_us: Ints
    channels: Mapping[str, Floats]

    @property
    def step_us(self) -> int:
        """One over the rate, µs."""
        return round(SECOND_US / self.rate)

    def cuts(self) -> tuple[Ints, Ints]:
        """Where frames start and stop: runs of regular samples that lie within one second of the clock."""
        step = np.diff(self.t_us)
        regular = np.abs(step - SECOND_US / self.rate) <= min(JITTER_US, 0.25 * SECOND_US / self.rate)
        same_second = np.diff(self.t_us // SECOND_US) == 0
        starts = np.flatnonzero(np.concatenate([[True], ~(regular & same_second)]))
        return starts, np.append(starts[1:], len(self.t_us))


@dataclass(frozen=True, slots=True)
class _Block:
    """One group of a track: ``values (n, channels)``, ``origin (n, channels)``, running count of what is measured."""

    name: str
    channels: tuple[str, ...]
    values: Floats
    origin: Floats | None
    measured: Ints

    def group(self, rate: float, start: int, stop: int) -> Group:
        """Samples ``start`` to ``stop`` as a group of a frame."""
        origin = None if self.origin is None else tuple(self.origin[start].tolist())
        return Group(rate, self.channels, self.values[start:stop], origin=origin)

    def empty(self, start: int, stop: int) -> bool:
        """Whether nothing was measured between two samples."""
        return bool(self.measured[stop] == self.measured[start])


def _blocks(track: Track) -> list[_Block]:
    blocks = []
    for name, known in CHANNELS.items():
        channels = tuple(c for c in known if c in track.channels)
        if channels:
            values = np.stack([track.channels[c] for c in channels], axis=1)
            measured = np.concatenate([[0], np.cumsum(np.isfinite(values).sum(axis=1))])
            blocks.append(_Block(name, channels, values, _origins(channels, values), measured))
    return blocks


def _origins(channels: Sequence[str], values: Floats) -> Floats | None:
    """Per sample the newest measured value of the precise channels, 0 of the others; None without any."""
    if not PRECISE & set(channels):
        return None
    origin = np.zeros_like(values)
    for k, channel in enumerate(channels):
        there = np.isfinite(values[:, k])
        if channel in PRECISE and there.any():
            newest = np.maximum.accumulate(np.where(there, np.arange(len(values)), np.argmax(there)))
            origin[:, k] = values[newest, k]
    return origin


@dataclass(frozen=True, slots=True)
class Recording:
    """One session of one file.

    ``session`` and ``athletes`` are the records of ``docs/reference/encodings.md``; ``boot`` is made from the
    content, so that the same file gives the same frames; ``topic`` is ``telemetry.venue`` where the venue measured;
    of ``tracks`` the first wins equal times; ``notes`` says in words what could not be read.
    """

    source: str
    session: dict[str, Any]
    athletes: list[dict[str, Any]]
    tracks: tuple[Track, ...]
    boot: int
    topic: str = topics.WEARABLE
    notes: tuple[str, ...] = ()

    @property
    def span_us(self) -> tuple[int, int]:
        """First and last stamp."""
        return min(int(t.t_us[0]) for t in self.tracks), max(int(t.t_us[-1]) for t in self.tracks)

    @property
    def frames(self) -> Iterator[Frame]:
        """Frames in the order in which their last sample ends; the last one of each device has ``end``."""
        return (frame for _, frame in self.timed())

    def timed(self) -> Iterator[tuple[int, Frame]]:
        """Frames with the time at which their last sample ends, µs."""
        blocks = [_blocks(track) for track in self.tracks]
        seq = [0] * len(self.tracks)
        for end_us, number, start, stop in _schedule(self.tracks):
            yield end_us, self._frame(self.tracks[number], blocks[number], seq[number], (start, stop))
            seq[number] += 1

    def _frame(self, track: Track, blocks: list[_Block], seq: int, cut: tuple[int, int]) -> Frame:
        start, stop = cut
        full = [block for block in blocks if not block.empty(start, stop)] or blocks[:1]
        return Frame(
            athlete=track.athlete,
            device=track.device,
            session=self.session["session"],
            boot=self.boot,
            seq=seq,
            t0_us=int(track.t_us[start]),
            groups={block.name: block.group(track.rate, start, stop) for block in full},
            end=stop == len(track.t_us),
        )


def _schedule(tracks: Sequence[Track]) -> Iterator[tuple[int, int, int, int]]:
    """End (µs), track, first and last sample of every frame, by end and then by track."""
    cuts = [track.cuts() for track in tracks]
    number = np.concatenate([np.full(len(starts), i) for i, (starts, _) in enumerate(cuts)])
    starts, stops = (np.concatenate([cut[side] for cut in cuts]) for side in (0, 1))
    ends = np.concatenate([t.t_us[c[1] - 1] + t.step_us for t, c in zip(tracks, cuts, strict=True)])
    order = np.lexsort((number, ends))
    columns = (ends[order], number[order], starts[order], stops[order])
    return zip(*(column.tolist() for column in columns), strict=True)


@dataclass(frozen=True, slots=True)
class Replay:
    """Several recordings as one log. ``deliveries`` is lazy, in the order of ``at_us``, and can be read once."""

    sessions: list[dict[str, Any]]
    athletes: list[dict[str, Any]]
    start_us: int
    deliveries: Iterator[Delivery]


def deliveries(recordings: Sequence[Recording]) -> Replay:
    """Merge recordings; each keeps its own session.

    Raises :class:`stream.errors.UsageError` without any, or where two different sessions of one athlete overlap:
    an athlete is in one session at a time, and a worker would refuse the frames of the other as late.
    """
    if not recordings:
        raise UsageError("nothing to replay")
    _refuse_overlaps(recordings)
    return Replay(
        sessions=list({r.session["session"]: r.session for r in recordings}.values()),
        athletes=_roster(recordings),
        start_us=min(r.span_us[0] for r in recordings),
        deliveries=heapq.merge(*(_delivered(r) for r in recordings), key=lambda delivery: delivery.at_us),
    )


def _delivered(recording: Recording) -> Iterator[Delivery]:
    for end_us, frame in recording.timed():
        yield Delivery(end_us, recording.topic, frame.athlete.encode(), encode_frame(frame))


def _refuse_overlaps(recordings: Sequence[Recording]) -> None:
    latest: dict[str, Recording] = {}
    for recording in sorted(recordings, key=lambda r: r.span_us):
        for athlete in {track.athlete for track in recording.tracks}:
            before = latest.get(athlete)
            if before is None or before.span_us[1] < recording.span_us[1]:
                latest[athlete] = recording
            if before is not None and _differ(before, recording) and recording.span_us[0] < before.span_us[1]:
                raise UsageError(
                    f"{before.source} and {recording.source} hold sessions of {athlete} that overlap: "
                    f"{before.session['session']} and {recording.session['session']}; replay them one at a time"
                )


def _differ(one: Recording, other: Recording) -> bool:
    """Whether two recordings are not the same content read twice."""
    return (one.boot, one.session["session"]) != (other.boot, other.session["session"])


def _roster(recordings: Sequence[Recording]) -> list[dict[str, Any]]:
    """One record per athlete; what a later recording knows fills what the earlier ones left open."""
    roster: dict[str, dict[str, Any]] = {}
    for record in (record for r in recordings for record in r.athletes):
        known = roster.setdefault(record["athlete"], record)
        if known is not record:
            profile = {
                k: v if v is not None else record["profile"].get(k) for k, v in known["profile"].items()
            }
            filled = {k: v if v is not None else record.get(k) for k, v in known.items()}
            roster[record["athlete"]] = filled | {"profile": profile}
    return list(roster.values())


PROFILE: Final = (
    "birth_year", "sex", "mass_kg", "height_m", "heart_rate_rest", "heart_rate_max", "critical_power_w", "w_prime_j",
)  # fmt: skip


def athlete_record(
    athlete: str,
    name: str | None = None,
    squad: str | None = None,
    profile: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Record of the topic ``athletes`` of somebody of whom a file tells no more than this."""
    return {
        "v": 1,
        "athlete": athlete,
        "name": name,
        "squad": squad,
        "profile": dict.fromkeys(PROFILE) | dict(profile or {}),
        "baselines": {},
        "population": None,
        "days": [],
    }


def session_record(session: str, activity: str, start_us: int, venue: str | None = None) -> dict[str, Any]:
    """Record of the topic ``sessions`` of a recorded session."""
    return {
        "v": 1,
        "session": session,
        "activity": activity,
        "venue": venue,
        "start_us": start_us,
        "source": "replay",
    }
