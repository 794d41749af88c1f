"""Snapshot: an athlete's state, and a partition's, to bytes for ``state.athletes`` and back.

An athlete's snapshot says how far into the two logs it reaches. A partition's marker is written after all
snapshots of a round are safe: a new owner goes on from the marker, and an athlete whose snapshot is newer
skips what that already covers. A version that is not known is left unread.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgpack
import numpy as np

from stream.route import Route
from stream.slots import Device
from stream.window import COLUMNS, Table

VERSION: Final = 1


@dataclass(frozen=True, slots=True)
class Point:
    """A place in the two logs of a partition: next offsets not yet worked in, and highest timestamps seen, µs."""

    wearable: int
    venue: int
    wearable_seen_us: int = -1
    venue_seen_us: int = -1


def marker_key(partition: int) -> bytes:
    """Key of a partition's marker."""
    return f"*/{partition}".encode()


def pack_marker(route: Route, partition: int, point: Point) -> bytes:
    """The partition-wide part of the state."""
    packed = {
        "v": VERSION,
        "wearable": point.wearable,
        "venue": point.venue,
        "wearable_seen": point.wearable_seen_us,
        "venue_seen": point.venue_seen_us,
        "heat": route.venue.packed(partition),
    }
    return msgpack.packb(packed)  # type: ignore[no-any-return]


def unpack_marker(route: Route, partition: int, value: bytes) -> Point | None:
    """Restore the partition-wide part; None where the version is not known."""
    packed = msgpack.unpackb(value)
    if packed.get("v") != VERSION:
        return None
    route.venue.restore(partition, packed["heat"])
    return Point(packed["wearable"], packed["venue"], packed["wearable_seen"], packed["venue_seen"])


def pack_athletes(route: Route, slots: list[int], point: Point) -> dict[bytes, bytes]:
    """Snapshots of the athletes in ``slots`` at a point, by key."""
    waiting = _waiting(route, slots)
    packed = {}
    for slot in slots:
        athlete = route.slots.of(slot)
        packed[athlete.name.encode()] = msgpack.packb(
            {
                "v": VERSION,
                "wearable": point.wearable,
                "venue": point.venue,
                "descr": route.slots.dtype.descr,
                "row": route.slots.row(slot),
                "session": athlete.session,
                "context": athlete.context,
                "devices": [_pack_device(device) for device in athlete.devices],
                "waiting": waiting.get(slot, {}),
            }
        )
    return packed


def unpack_athlete(route: Route, partition: int, key: bytes, value: bytes) -> bool:
    """Restore one athlete into a fresh slot; False where the version is not known."""
    packed = msgpack.unpackb(value)
    if packed.get("v") != VERSION:
        return False
    slot = route.slots.slot(key.decode(), partition)
    athlete = route.slots.of(slot)
    athlete.session, athlete.context = packed["session"], packed["context"]
    athlete.devices = [_unpack_device(device) for device in packed["devices"]]
    route.slots.restore(slot, packed["row"], packed["descr"])
    route.slots.state["covered_wearable"][slot] = packed["wearable"]
    route.slots.state["covered_venue"][slot] = packed["venue"]
    for group, columns in packed["waiting"].items():
        route.windows.put(group, _unpack_table(slot, group, columns))
    return True


def _waiting(route: Route, slots: list[int]) -> dict[int, dict[str, list[bytes]]]:
    """Samples of open seconds: slot → group → device, stamp, step and values as bytes."""
    waiting: dict[int, dict[str, list[bytes]]] = {}
    wanted = np.zeros(len(route.slots.state), dtype=bool)
    wanted[slots] = True
    for group in COLUMNS:
        table = route.windows.held(group)
        table = table.take(wanted[table.slot])
        order = np.argsort(table.slot, kind="stable")
        table = table.take(order)
        if not len(table):
            continue
        found, starts = np.unique(table.slot, return_index=True)
        for slot, rows in zip(found, np.split(np.arange(len(table)), starts[1:]), strict=True):
            columns = table.take(rows).columns()[1:]
            waiting.setdefault(int(slot), {})[group] = [column.tobytes() for column in columns]
    return waiting


def _unpack_table(slot: int, group: str, columns: list[bytes]) -> Table:
    device, t_us, step_us = (np.frombuffer(column, dtype=np.int64) for column in columns[:3])
    values = np.frombuffer(columns[3], dtype=np.float64).reshape(-1, COLUMNS[group])
    return Table(np.full(len(device), slot, dtype=np.int64), device, t_us, step_us, values)


def _pack_device(device: Device) -> dict[str, Any]:
    boots = [[boot, newest, seen.to_bytes(128, "little")] for boot, (newest, seen) in device.boots.items()]
    return {
        "name": device.name,
        "venue": device.venue,
        "boots": boots,
        "here": device.here,
        "ended": device.ended,
    }


def _unpack_device(packed: Mapping[str, Any]) -> Device:
    boots = {boot: (newest, int.from_bytes(seen, "little")) for boot, newest, seen in packed["boots"]}
    return Device(packed["name"], packed["venue"], boots, packed["here"], packed["ended"])
