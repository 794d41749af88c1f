"""Load: frames of many athletes, encoded before they are sent, so that the sender is not the limit.

Each athlete sends 10 frames a second: 10 samples of a 6-axis IMU at 100 Hz, a position, and once a second a heart
rate. A frame is encoded once for every tenth of a second of a repeating cycle; later only its counter and its stamp
are put in.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from stream.records import Frame, Group, encode_frame

FRAMES_A_SECOND: Final = 10
FRAME_US: Final = 100_000
#: Seconds after which an athlete's samples repeat.
CYCLE_S: Final = 4
SESSION: Final = "bench"
#: Counters and stamps always take four and eight bytes.
FIRST_SEQ: Final = 1_000_000
FIRST_T0_US: Final = 1_700_000_000_000_000
_IMU: Final = ("ax", "ay", "az", "gx", "gy", "gz")
_IMU_SCALE: Final = (1 / 2048,) * 3 + (1 / 16,) * 3


def athlete_name(number: int) -> str:
    """The name of an athlete of the load."""
    return f"L{number:06d}"


@dataclass(slots=True)
class _Template:
    """A frame with the places of its counter and its stamp."""

    value: bytearray
    seq: int
    t0: int


class Load:
    """Frames of ``athletes``, tick by tick of a tenth of a second. ``seed``: how they move."""

    def __init__(self, athletes: int, seed: int = 0) -> None:
        self.keys = [athlete_name(number).encode() for number in range(athletes)]
        rng = np.random.default_rng(seed)
        self._cycles = [_cycle(key.decode(), rng) for key in self.keys]

    def tick(self, number: int, t0_us: int, part: slice = slice(None)) -> Iterator[tuple[bytes, bytes]]:
        """Key and value of the frames of a ``part`` of the athletes whose first sample is at ``t0_us``."""
        place, seq = number % (CYCLE_S * FRAMES_A_SECOND), FIRST_SEQ + number
        for key, cycle in zip(self.keys[part], self._cycles[part], strict=True):
            template = cycle[place]
            struct.pack_into(">I", template.value, template.seq, seq)
            struct.pack_into(">Q", template.value, template.t0, t0_us)
            yield key, bytes(template.value)

    def ends(self, number: int, t0_us: int) -> Iterator[tuple[bytes, bytes]]:
        """Key and value of every athlete's frame that ends the session."""
        for key in self.keys:
            name = key.decode()
            yield (
                key,
                encode_frame(Frame(name, f"{name}-vest", SESSION, 1, FIRST_SEQ + number, t0_us, end=True)),
            )


def _cycle(athlete: str, rng: np.random.Generator) -> list[_Template]:
    """An athlete's frames of a cycle: running in a circle, the heart somewhere between 120 and 175."""
    heart, radius, speed = rng.uniform(120, 175), rng.uniform(10, 40), rng.uniform(2.0, 5.5)
    centre = rng.uniform(-20, 20, 2)
    count = CYCLE_S * FRAMES_A_SECOND
    shocks = np.array([0, 0, 1, 0, 0, 0]) + rng.normal(0, (0.3, 0.3, 0.6, 40, 40, 40), (count, 10, 6))
    templates = []
    for number in range(count):
        angle = speed / radius * number / FRAMES_A_SECOND
        place = np.array([[*(centre + radius * np.array([np.cos(angle), np.sin(angle)])), speed]])
        groups = {
            "imu": Group(100.0, _IMU, shocks[number], scale=_IMU_SCALE),
            "position": Group(10.0, ("x", "y", "speed"), place),
        }
        if number % FRAMES_A_SECOND == 0:
            groups["heart"] = Group(1.0, ("hr",), np.array([[heart]]))
        frame = Frame(athlete, f"{athlete}-vest", SESSION, 1, FIRST_SEQ, FIRST_T0_US, groups)
        templates.append(_template(encode_frame(frame)))
    return templates


def _template(value: bytes) -> _Template:
    seq = value.index(b"\xa3seq\xce") + 5
    t0 = value.index(b"\xa2t0\xcf") + 4
    return _Template(bytearray(value), seq, t0)
