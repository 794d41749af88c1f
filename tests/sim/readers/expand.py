"""Frames taken apart again, the way a worker takes them, to compare with what a file holds."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from sim.recording import Recording, deliveries
from stream import topics
from stream.decode import Decoded, decode
from stream.records import CHANNELS, Frame, Record

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(slots=True)
class Samples:
    """Samples of one channel group of one device: ``t_us (n,)`` and a column ``(n,)`` per channel."""

    t_us: Ints
    columns: dict[str, Floats] = field(default_factory=dict)


def expand(frames: Iterable[Frame]) -> dict[tuple[str, str, str], Samples]:
    """Samples by athlete, device and group, in the order in which they were sent."""
    parts: dict[tuple[str, str, str], list[tuple[Ints, Floats]]] = defaultdict(list)
    names: dict[str, tuple[str, ...]] = {}
    for frame in frames:
        for name, group in frame.groups.items():
            names[name] = group.channels
            t_us = frame.t0_us + np.rint(np.arange(len(group.samples)) * 1e6 / group.rate).astype(np.int64)
            parts[frame.athlete, frame.device, name].append((t_us, np.asarray(group.samples)))
    found = {}
    for key, blocks in parts.items():
        values = np.concatenate([block for _, block in blocks])
        columns = {channel: values[:, k] for k, channel in enumerate(names[key[2]])}
        found[key] = Samples(np.concatenate([t_us for t_us, _ in blocks]), columns)
    return found


def one(recording: Recording, group: str) -> Samples:
    """Samples of a group of a recording with one device."""
    track = recording.tracks[0]
    return expand(recording.frames)[track.athlete, track.device, group]


def received(recordings: list[Recording]) -> Decoded:
    """All frames as the worker decodes them."""
    log = deliveries(recordings).deliveries
    return decode([Record(d.topic == topics.VENUE, 0, i, d.at_us, d.key, d.value) for i, d in enumerate(log)])


def column(decoded: Decoded, channel: str) -> Floats:
    """Everything the worker received of a channel, NaN left out."""
    group = next(name for name, channels in CHANNELS.items() if channel in channels)
    values = decoded.samples[group].values[:, list(CHANNELS[group]).index(channel)]
    return np.asarray(values[np.isfinite(values)])
