"""Just enough of a FIT encoder to write files that no device here has written."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from fitdecode.utils import compute_crc

START: Final = 1_000_000_000  # seconds since 1989-12-31: 2021-09-08T01:46:40Z
EPOCH_S: Final = 631_065_600

#: Message: number, and its fields: name → (number, struct letter, FIT base type, value of "not measured").
MESSAGES: Final[Mapping[str, tuple[int, Mapping[str, tuple[int, str, int, int]]]]] = {
    "file_id": (0, {
        "type": (0, "B", 0x00, 0xFF), "manufacturer": (1, "H", 0x84, 0xFFFF), "product": (2, "H", 0x84, 0xFFFF),
        "serial": (3, "I", 0x8C, 0),
    }),
    "record": (20, {
        "timestamp": (253, "I", 0x86, 0xFFFFFFFF), "lat": (0, "i", 0x85, 0x7FFFFFFF),
        "lon": (1, "i", 0x85, 0x7FFFFFFF), "altitude": (2, "H", 0x84, 0xFFFF), "hr": (3, "B", 0x02, 0xFF),
        "cadence": (4, "B", 0x02, 0xFF), "distance": (5, "I", 0x86, 0xFFFFFFFF), "speed": (6, "H", 0x84, 0xFFFF),
        "power": (7, "H", 0x84, 0xFFFF),
    }),
    "session": (18, {
        "timestamp": (253, "I", 0x86, 0xFFFFFFFF), "start_time": (2, "I", 0x86, 0xFFFFFFFF),
        "sport": (5, "B", 0x00, 0xFF),
    }),
}  # fmt: skip
RUNNING, CYCLING = 1, 2


@dataclass(slots=True)
class FitWriter:
    """Collects messages and gives the bytes of one FIT file."""

    body: bytearray = field(default_factory=bytearray)
    local: dict[tuple[str, tuple[str, ...]], int] = field(default_factory=dict)

    def add(self, message: str, **values: int | None) -> FitWriter:
        """One message; ``None`` is written as "not measured"."""
        number, fields = MESSAGES[message]
        key = (message, tuple(values))
        if key not in self.local:
            self.local[key] = len(self.local)
            self.body += struct.pack("<BBBHB", 0x40 | self.local[key], 0, 0, number, len(values))
            for name in values:
                self.body += struct.pack(
                    "<BBB", fields[name][0], struct.calcsize(fields[name][1]), fields[name][2]
                )
        self.body.append(self.local[key])
        for name, value in values.items():
            self.body += struct.pack("<" + fields[name][1], fields[name][3] if value is None else value)
        return self

    def records(self, **columns: Sequence[int | None]) -> FitWriter:
        """One record a second from :data:`START` on, or at the stamps given."""
        length = len(next(iter(columns.values())))
        stamps = columns.pop("timestamp", range(START, START + length))
        for k, stamp in enumerate(stamps):
            self.add("record", timestamp=stamp, **{name: column[k] for name, column in columns.items()})
        return self

    def content(self) -> bytes:
        """Header, messages and checksum."""
        header = struct.pack("<BBHI4s", 14, 0x20, 2140, len(self.body), b".FIT")
        header += struct.pack("<H", compute_crc(header))
        return header + bytes(self.body) + struct.pack("<H", compute_crc(header + bytes(self.body)))
