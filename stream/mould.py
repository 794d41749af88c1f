"""Mould: what the frames of one make have in common, so that many are read as one array of bytes.

Devices of a make send frames that differ only in names, counters, stamps and samples; everything else is the same
bytes in the same places. A mould is cut from one frame that was read and validated whole. Frames that fit it need
validation only of what differs: they are rows of a matrix, and what differs are its columns. What fits no mould is
read one by one, with the same result.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgpack
import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]
Span = tuple[int, int]

#: Names, counters and stamps of a frame.
TEXTS: Final = ("athlete", "device", "session")
NUMBERS: Final = ("boot", "seq", "t0")
#: Frames of a length that fit no mould, in one chunk, before one is cut; fewer are sooner read one by one.
WORTH: Final = 8
#: Moulds kept for each length of frame, and lengths; the oldest go first.
KEPT: Final = 4
LENGTHS: Final = 256
#: Names remembered; with more all are forgotten.
NAMES: Final = 200_000
#: Bytes of a text that all have a length of one byte or less; longer names make no mould.
LONGEST: Final = 127
#: First byte of an unsigned integer in msgpack, and how many follow; one below :data:`SMALL` is the number itself.
_UNSIGNED: Final = {0xCC: 1, 0xCD: 2, 0xCE: 4, 0xCF: 8}
SMALL: Final = 0x80


@dataclass(frozen=True, slots=True)
class Group:
    """A channel group as every frame of the make has it; its samples lie at ``span``."""

    name: str
    dtype: str
    channels: tuple[str, ...]
    rate: float
    scale: Sequence[float]
    origin: Sequence[float]
    span: Span


@dataclass(frozen=True, slots=True)
class Mould:
    """``want (L,)`` where not ``free (L,)``; where texts and numbers lie; ``small``: bytes that are numbers < 128."""

    want: Bytes
    free: NDArray[np.bool_]
    small: Sequence[int]
    texts: Mapping[str, Span]
    numbers: Mapping[str, Span]
    groups: Sequence[Group]
    end: bool

    def fits(self, rows: Bytes) -> NDArray[np.bool_]:
        """Which of ``rows (N, L)`` are of this make."""
        found = ((rows == self.want) | self.free).all(axis=1)
        for place in self.small:
            found &= rows[:, place] < SMALL
        return np.asarray(found)

    def number(self, name: str, rows: Bytes) -> NDArray[np.uint64]:
        """A counter or stamp of each of ``rows (N, L)``."""
        begin, end = self.numbers[name]
        return np.ascontiguousarray(rows[:, begin:end]).view(f">u{end - begin}")[:, 0].astype(np.uint64)

    def text(self, name: str, rows: Bytes) -> list[bytes]:
        """A name of each of ``rows (N, L)``."""
        begin, end = self.texts[name]
        found: list[bytes] = np.ascontiguousarray(rows[:, begin:end]).view(f"V{end - begin}")[:, 0].tolist()
        return found

    def samples(self, group: Group, rows: Bytes) -> NDArray[Any]:
        """The numbers on the wire of a group of all ``rows``, one row a sample: ``(N n, channels)``."""
        begin, end = group.span
        flat = np.ascontiguousarray(rows[:, begin:end]).reshape(-1)
        return flat.view(f"<{group.dtype}").reshape(-1, len(group.channels))


def cut(value: bytes, packed: Mapping[str, Any], groups: Sequence[tuple[str, Any]]) -> Mould | None:
    """The mould of a frame that was read (``packed``) and validated (its ``groups``); None where it makes none."""
    spans = _spans(value, 0)
    if spans is None:
        return None
    lengths = {name: len(packed[name].encode()) for name in TEXTS}
    odd = any(value[spans[name][0]] >= SMALL and value[spans[name][0]] not in _UNSIGNED for name in NUMBERS)
    if max(lengths.values()) > LONGEST or odd:
        return None
    texts = {name: _tail(spans[name], length) for name, length in lengths.items()}
    numbers = {name: _tail(spans[name], _UNSIGNED.get(value[spans[name][0]], 1)) for name in NUMBERS}
    found = []
    for name, ((dtype, channels), rate, scale, origin, blob) in groups:
        inner = _spans(value, spans[name][0])
        if inner is None:
            return None
        found.append(Group(name, dtype, channels, rate, scale, origin, _tail(inner["samples"], len(blob))))
    free = np.zeros(len(value), np.bool_)
    for begin, end in (*texts.values(), *numbers.values(), *(group.span for group in found)):
        free[begin:end] = True
    small = [spans[name][0] for name in NUMBERS if value[spans[name][0]] < SMALL]
    return Mould(
        np.frombuffer(value, np.uint8), free, small, texts, numbers, found, bool(packed.get("end", False))
    )


def _spans(value: bytes, begin: int) -> dict[str, Span] | None:
    """Where the value of each key of the map at ``begin`` lies; None where a key comes twice."""
    unpacker = msgpack.Unpacker(strict_map_key=True)
    unpacker.feed(value[begin:])
    found = {}
    keys = unpacker.read_map_header()
    for _ in range(keys):
        key, start = unpacker.unpack(), unpacker.tell()
        unpacker.skip()
        found[key] = (begin + start, begin + unpacker.tell())
    return found if len(found) == keys else None


def _tail(span: Span, length: int) -> Span:
    """The last bytes of a value: its text or samples, without what says how long they are."""
    return span[1] - length, span[1]


class Moulds:
    """The moulds found so far, by the length of their frames."""

    def __init__(self) -> None:
        self._moulds: dict[int, list[Mould]] = {}
        self._texts: dict[bytes, str] = {}

    @property
    def lengths(self) -> int:
        """Of how many lengths frames have moulds."""
        return len(self._moulds)

    def of(self, length: int) -> Sequence[Mould]:
        """Moulds of frames of this length, the newest first."""
        return self._moulds.get(length, ())

    def texts(self, found: Sequence[bytes]) -> list[str | None]:
        """Texts as they were read before; None for bytes that are none."""
        if len(self._texts) > NAMES:
            self._texts.clear()
        known = list(map(self._texts.get, found))
        return known if None not in known else [self._text(text) for text in found]

    def _text(self, text: bytes) -> str | None:
        try:
            self._texts[text] = text.decode()
        except UnicodeDecodeError:
            return None
        return self._texts[text]

    def learn(self, mould: Mould) -> None:
        """Keep another one."""
        length = len(mould.want)
        moulds = self._moulds.pop(length, [])
        if len(self._moulds) >= LENGTHS:
            del self._moulds[next(iter(self._moulds))]
        self._moulds[length] = [mould, *moulds[: KEPT - 1]]
