"""Everybody the page shows, and what changed since it was last asked. Pure: time comes in as a parameter."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from stream.web.messages import Batch, FeedStatus, Named
from stream.web.track import About, Track

#: Nobody heard from for this long stays on the page, s of wall clock.
FORGET_AFTER_US: Final = 3600 * 1_000_000


@dataclass(frozen=True, slots=True)
class Changes:
    """What a viewer who knew everything before must be told. ``status`` is None where it stayed."""

    rows: list[Track]
    about: list[Track]
    gone: list[int]
    status: FeedStatus | None

    def __bool__(self) -> bool:
        """Whether there is anything to tell."""
        return bool(self.rows or self.about or self.gone or self.status)


class Board:
    """The athletes by id, each with a number that stands for it on the wire as long as this process lives."""

    def __init__(self) -> None:
        self.tracks: dict[str, Track] = {}
        self.status = FeedStatus("connecting")
        self._names: dict[str, Named] = {}
        self._next_index = 0
        self._moved: dict[str, Track] = {}
        self._touched: dict[str, Track] = {}
        self._gone: list[int] = []
        self._told: dict[str, About] = {}
        self._told_status = self.status

    def take(self, batch: Batch) -> None:
        """Keep what a feed gave."""
        self._take_names(batch.named)
        for score in batch.scores:
            track = self._touch(str(score["athlete"]))
            track.take_score(score)
            self._moved[track.athlete] = track
        for alert in batch.alerts:
            self._touch(alert.athlete).take_alert(alert)
        if batch.status is not None:
            self.status = batch.status

    def _take_names(self, named: Iterable[Named]) -> None:
        """Names of athletes without a score wait: who has none is not on the page."""
        for one in named:
            self._names[one.athlete] = one
            if one.athlete in self.tracks:
                self._touch(one.athlete).take_name(one)

    def _touch(self, athlete: str) -> Track:
        track = self._track(athlete)
        self._touched[athlete] = track
        return track

    def _track(self, athlete: str) -> Track:
        track = self.tracks.get(athlete)
        if track is None:
            track = self.tracks[athlete] = Track(self._next_index, athlete)
            self._next_index += 1
            if athlete in self._names:
                track.take_name(self._names[athlete])
        return track

    def shown(self) -> list[Track]:
        """Everybody with a score."""
        return [track for track in self.tracks.values() if track.end_us]

    def forget(self, now_us: int) -> None:
        """Let go of whoever was not heard from for an hour (wall clock)."""
        for track in [t for t in self.shown() if now_us - t.published_us > FORGET_AFTER_US]:
            del self.tracks[track.athlete]
            for kept in (self._moved, self._touched, self._told):
                kept.pop(track.athlete, None)
            self._gone.append(track.index)

    def changes(self) -> Changes:
        """What changed since the last call."""
        status = None if self.status == self._told_status else self.status
        changes = Changes(list(self._moved.values()), self._news(), self._gone, status)
        self._moved, self._gone, self._told_status = {}, [], self.status
        return changes

    def _news(self) -> list[Track]:
        """Touched tracks of which something that changes seldom did change."""
        told = [track for track in self._touched.values() if track.end_us]
        news = [track for track in told if self._told.get(track.athlete) != track.about()]
        self._told.update((track.athlete, track.about()) for track in news)
        self._touched = {}
        return news
