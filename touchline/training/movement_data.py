"""Files of movement recordings as the network wants them: one rate, one scale, cut into windows of ten seconds.

Two layouts: end to end (``accel_mg gyro length``, the smartwatch set, 50 Hz) and stacked (``samples (N, 6, T)``,
BasicMotions, 10 Hz). ``rate_hz`` in a file overrides its layout's rate. Reads; trains and judges nothing.
"""

from __future__ import annotations

import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from models.movement import CHANNELS, RATE_HZ, SAMPLES
from stream.errors import UnreadableFile
from touchline.training.fingerprints import Hashes, stretches, whole, winnowed, written

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class LabelSet:
    """``scale``: what accelerometer and gyroscope are divided by, in the file's own units.

    ``mirrored``: worn on either wrist, so that recordings of the right one are turned into such of the left.
    """

    name: str
    labels: tuple[str, ...]
    scale: tuple[float, float]
    rate_hz: float
    mirrored: bool


WATCH: Final = LabelSet("watch", ("PEN", "ABD", "FEL", "IR", "ER", "TRAP", "ROW"), (1.0, 2.0), 50.0, True)
MOTIONS: Final = LabelSet(
    "basicmotions", ("Standing", "Running", "Walking", "Badminton"), (10.0, 2.0), 10.0, False
)
#: In the order of the network's heads.
SETS: Final = (WATCH, MOTIONS)
#: Shortest recording that says something, s; shorter than a window it is mirrored at its ends.
SHORTEST_S: Final = 2.0
#: Samples between two windows of one recording.
HOP: Final = 25
SLOWEST_HZ: Final = 10.0
#: What the swing counts beside the mean when the wrist is told; signs of a mirrored signal.
SWING: Final = 3.0
MIRROR: Final = np.array([-1.0, 1.0, 1.0, 1.0, -1.0, -1.0])
#: Samples in a fingerprint, as recorded; the step they are told by, scaled; and the fewest moves among them.
STRETCH: Final = 20
STEP: Final = 1 / 32
MOVES: Final = 10


@dataclass(frozen=True, slots=True)
class Recordings:
    """``signals``: ``(n, 6)`` each, at 10 Hz and scaled. ``label``: index into the set's labels or None.

    ``group``: the subject, or where that is not known the recording. ``raw``: ``(n, 6)`` each as recorded, scaled, at
    ``rate_hz``; where there is none the signals stand for it.
    """

    of: LabelSet
    signals: tuple[Floats, ...]
    label: Ints | None
    group: Ints
    raw: tuple[Floats, ...] = ()
    rate_hz: float = RATE_HZ

    def __len__(self) -> int:
        """How many recordings."""
        return len(self.signals)


def read_movement(file: Path) -> Recordings:
    """Read either layout. Raises UnreadableFile naming what is wrong."""
    try:
        with np.load(file, allow_pickle=False) as opened:
            arrays = {name: opened[name] for name in opened.files}
    except (OSError, ValueError, zipfile.BadZipFile, AttributeError) as error:
        raise UnreadableFile(f"{file}: no npz that can be read ({error})") from error
    try:
        return _recordings(arrays)
    except (KeyError, ValueError, IndexError) as error:
        raise UnreadableFile(f"{file}: {error}") from error


def _recordings(arrays: Mapping[str, NDArray[Any]]) -> Recordings:
    names = _label_names(arrays)
    stacked = "samples" in arrays
    of = label_set(sorted(set(names))) if names is not None else (MOTIONS if stacked else WATCH)
    raw = _stacked(arrays["samples"]) if stacked else _end_to_end(arrays)
    layout = MOTIONS if stacked else WATCH
    rate = float(arrays.get("rate_hz", layout.rate_hz))
    label = None if names is None else np.array([of.labels.index(n) for n in names], np.int64)
    if label is not None and len(label) != len(raw):
        raise ValueError(f"{len(label)} labels of {len(raw)} recordings")
    group = np.asarray(arrays.get("subject", np.arange(len(raw))), np.int64)
    signals = (conditioned(x, rate, of.scale) for x in raw)
    left = tuple(as_left(x) if of.mirrored else x for x in signals)
    return Recordings(of, left, label, group, tuple(x / np.repeat(of.scale, 3) for x in raw), rate)


def stretches_of(data: Recordings) -> list[Hashes]:
    """Hashes of every stretch of each recording, as recorded: cutting some off an end changes none of the others."""
    return [stretches(whole(x, STEP), STRETCH, MOVES) for x in data.raw or data.signals]


def fingerprints(data: Recordings, at: Ints | None = None) -> list[str]:
    """Of each recording (those at ``at``, else all), for the manifest; the shortest cut that is read has one."""
    width = max(1, int(SHORTEST_S * data.rate_hz) - STRETCH + 1)
    every = stretches_of(data)
    use = range(len(data)) if at is None else at
    return [written(winnowed(every[i], width)) for i in use]


def label_set(names: Sequence[str]) -> LabelSet:
    """The label set that has all these names. Raises ValueError where none has."""
    for known in SETS:
        if set(names) <= set(known.labels):
            return known
    raise ValueError(f"labels {', '.join(names)}: no head knows all of them")


def _label_names(arrays: Mapping[str, NDArray[Any]]) -> list[str] | None:
    if "label" in arrays:
        return [str(name) for name in arrays["label"]]
    if "exercise" in arrays:
        return [str(name) for name in arrays["exercise_names"][arrays["exercise"]]]
    return None


def _stacked(samples: NDArray[Any]) -> list[Floats]:
    if samples.ndim != 3 or samples.shape[1] != CHANNELS:
        raise ValueError(f"samples have shape {samples.shape}, not (N, {CHANNELS}, T)")
    return [np.asarray(x.T, np.float64) for x in samples]


def _end_to_end(arrays: Mapping[str, NDArray[Any]]) -> list[Floats]:
    accel, gyro = arrays["accel_mg"] / 1000.0, arrays["gyro"].astype(np.float64)
    length = np.asarray(arrays["length"], np.int64)
    if len(accel) != len(gyro) or length.sum() != len(accel):
        raise ValueError(f"{len(accel)} and {len(gyro)} samples, {length.sum()} by the lengths")
    return np.split(np.concatenate([accel, gyro], axis=1), np.cumsum(length)[:-1])


def conditioned(raw: Floats, rate_hz: float, scale: tuple[float, float]) -> Floats:
    """``(n, 6)`` at any rate from 10 Hz up to 10 Hz, each sample the mean over its tenth of a second; scaled.

    Raises ValueError for what is slower, shorter than two seconds or not finite.
    """
    if not rate_hz >= SLOWEST_HZ:
        raise ValueError(f"{rate_hz:g} Hz is too slow; {SLOWEST_HZ:g} Hz is the least")
    count = int(len(raw) / rate_hz * RATE_HZ + 1e-9)
    if count < SHORTEST_S * RATE_HZ:
        raise ValueError(f"a recording of {len(raw) / rate_hz:.1f} s; {SHORTEST_S:g} s is the least")
    if not np.isfinite(raw).all():
        raise ValueError("values that are not finite")
    summed = np.concatenate([np.zeros((1, CHANNELS)), np.cumsum(raw, axis=0)])
    edges = np.minimum(np.arange(count + 1) * rate_hz / RATE_HZ, len(raw))
    at = np.arange(len(summed))
    integral = np.stack([np.interp(edges, at, summed[:, c]) for c in range(CHANNELS)], axis=1)
    return np.asarray(np.diff(integral, axis=0) * (RATE_HZ / rate_hz) / np.repeat(scale, 3))


def as_left(signal: Floats) -> Floats:
    """``signal (n, 6)`` as the left wrist would have given it.

    A watch is read the same way on both wrists, so its x axis points to the hand on the left and to the elbow on the
    right. Hanging arms (gravity) and swinging ones (centripetal force) push towards the hand: where acceleration
    along x is negative, by its mean and by how it goes with the rate of turning squared, the wrist was the right one.
    Mirrored, x changes its sign, and of a rate of turning, which is a pseudovector, y and z do.
    """
    along, turning = signal[:, 0], np.square(signal[:, 4:]).sum(axis=1)
    together = np.mean((along - along.mean()) * (turning - turning.mean())) / (turning.std() + 1e-6)
    return signal if along.mean() + SWING * together >= 0 else signal * MIRROR


def windows(signal: Floats) -> Floats:
    """``(W, 100, 6)``: every 2.5 s a window; what is shorter than one is mirrored until it fills it."""
    if len(signal) < SAMPLES:
        return np.pad(signal, ((0, SAMPLES - len(signal)), (0, 0)), mode="symmetric")[None]
    starts = np.arange(0, len(signal) - SAMPLES + 1, HOP)
    return np.asarray(signal[starts[:, None] + np.arange(SAMPLES)])
