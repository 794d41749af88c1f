"""A frame in JSON: the map of ``docs/reference/encodings.md`` with samples that JSON can write. Pure.

``samples`` is either a list of rows of numbers, null where not measured, or the bytes in base64. All else is as in
msgpack, ``scale`` and ``origin`` too, and is judged by ``decode``.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from stream.errors import FrameRejected
from stream.records import CHANNELS, INT16_MISSING

#: Values beyond this are no place to measure from; ``decode`` takes no such origin.
MAX_ORIGIN: Final = 1e9


def from_json(frame: Mapping[str, Any]) -> dict[str, Any]:
    """The frame as msgpack carries it. Raises FrameRejected where samples are neither rows nor base64."""
    return {key: _group(key, value) if key in CHANNELS else value for key, value in frame.items()}


def _group(name: str, group: Any) -> Any:
    if not isinstance(group, dict) or "samples" not in group:
        return group
    samples = group["samples"]
    if isinstance(samples, str):
        return group | {"samples": _bytes(name, samples)}
    return _from_rows(name, group, _rows(name, samples))


def _bytes(name: str, text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError as error:
        raise FrameRejected("wrong_type", f"{name}.samples is no base64: {error}") from None


def _rows(name: str, samples: Any) -> NDArray[np.float64]:
    """``(n, channels)``, NaN for null. Raises FrameRejected."""
    if not isinstance(samples, list) or not samples or not all(isinstance(row, list) for row in samples):
        raise FrameRejected("wrong_type", f"{name}.samples is neither base64 nor a list of rows")
    if len({len(row) for row in samples}) != 1:
        raise FrameRejected("bad_shape", f"{name}.samples: rows differ in length")
    strange = {type(value) for row in samples for value in row} - {int, float, type(None)}
    if strange:
        raise FrameRejected("wrong_type", f"{name}.samples holds {min(kind.__name__ for kind in strange)}")
    try:
        return np.array(samples, np.float64)
    except OverflowError:
        raise FrameRejected("impossible_value", f"{name}.samples holds a number too large") from None


def _from_rows(name: str, group: Mapping[str, Any], rows: NDArray[np.float64]) -> dict[str, Any]:
    """Rows as bytes. Natural units (neither dtype, scale nor origin) go as float32 around the first values."""
    channels = group.get("channels")
    if isinstance(channels, list) and len(channels) != rows.shape[1]:
        raise FrameRejected("bad_shape", f"{name}.samples has {rows.shape[1]} columns")
    packed = {"dtype": "f4", "scale": 1.0} | dict(group)
    if not group.keys() & {"dtype", "scale", "origin"}:
        first = rows[np.isfinite(rows).argmax(axis=0), np.arange(rows.shape[1])]
        origin = np.where(np.abs(first) <= MAX_ORIGIN, first, 0.0)
        packed["origin"], rows = origin.tolist(), rows - origin
    return packed | {"samples": _packed(name, packed["dtype"], rows)}


def _packed(name: str, dtype: Any, rows: NDArray[np.float64]) -> bytes:
    there = np.isfinite(rows)
    if dtype == "f4":
        with np.errstate(over="ignore"):
            return rows.astype("<f4").tobytes()
    if dtype != "i2":
        raise FrameRejected("wrong_type", f"{name}.dtype")
    if (np.abs(rows[there]) > -INT16_MISSING - 1).any() or (rows[there] % 1).any():
        raise FrameRejected("impossible_value", f"{name}.samples: whole numbers of 16 bits are wanted")
    return np.where(there, rows, INT16_MISSING).astype("<i2").tobytes()
