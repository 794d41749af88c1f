"""JSON to arrays and back: what is not exactly an input of the network is refused, and the message names the input.

Numbers only (no booleans, no text), finite, within 32-bit floats, nested or flat as the shape says. Knows no HTTP.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import chain
from math import prod
from typing import Any, Final

import numpy as np

from stream.serving.network import Arrays, Float32
from stream.serving.refusals import BadInput, NotFinite

LARGEST: Final = float(np.finfo(np.float32).max)
#: JSON's words for what Python made of it.
_WORDS: Final = {bool: "true or false", str: "text", type(None): "null", list: "a list", dict: "an object"}


def parse(body: bytes) -> dict[str, Any]:
    """A JSON object. Raises BadInput. NaN and Infinity pass here and are refused by the input they stand in."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise BadInput(f"the body is not JSON: {error}") from None
    if not isinstance(found, dict):
        raise BadInput("the body must be a JSON object")
    return found


def nested(name: str, value: object, shape: Sequence[int]) -> Float32:
    """Lists in lists to ``(rows, *shape)``; any number of rows but none. Raises BadInput."""
    wanted: Sequence[int | str] = ("rows", *shape)
    found: list[int] = []
    level: list[Any] = [value]
    for _ in wanted:
        if not all(type(entry) is list for entry in level):
            raise _misshapen(name, wanted, f"there is something else than lists at depth {len(found) + 1}")
        sizes = set(map(len, level))
        if len(sizes) != 1:
            raise _misshapen(name, wanted, f"lists at depth {len(found) + 1} differ in length")
        found.append(sizes.pop())
        level = list(chain.from_iterable(level))
        if not level:
            raise _misshapen(name, wanted, "it is empty")
    if found[1:] != list(shape):
        raise _misshapen(name, wanted, f"it is {_shape(found)}")
    return _numbers(name, level).reshape(found)


def flat(name: str, data: object, given: Sequence[int], shape: Sequence[int]) -> Float32:
    """``data`` of the stated shape ``given``, flat or nested, to ``(rows, *shape)``. Raises BadInput."""
    wanted: Sequence[int | str] = ("rows", *shape)
    if len(given) != len(wanted) or list(given[1:]) != list(shape) or given[0] < 1:
        raise _misshapen(name, wanted, f"its shape is stated as {_shape(given)}")
    if type(data) is not list:
        raise BadInput(f"input {name!r}: data must be a list")
    if data and type(data[0]) is list:
        values = nested(name, data, shape)
        if len(values) != given[0]:
            raise BadInput(f"input {name!r}: {given[0]} rows are stated, data has {len(values)}")
        return values
    if len(data) != prod(given):
        raise BadInput(f"input {name!r}: {_shape(given)} needs {prod(given)} numbers, data has {len(data)}")
    return _numbers(name, data).reshape(given)


def finite(outputs: Arrays) -> Arrays:
    """The outputs as they are. Raises NotFinite naming the output and the row: JSON has no NaN."""
    for name, values in outputs.items():
        bad = ~np.isfinite(values.reshape(len(values), -1)).all(axis=1)
        if bad.any():
            row = int(bad.argmax())
            raise NotFinite(
                f"output {name!r} of row {row} is not a finite number: its inputs are out of range"
            )
    return outputs


def _numbers(name: str, level: list[Any]) -> Float32:
    strange = set(map(type, level)) - {int, float}
    if strange:
        words = " and ".join(sorted(_WORDS.get(kind, kind.__name__) for kind in strange))
        raise BadInput(f"input {name!r}: numbers are wanted, there is {words}")
    try:
        values = np.array(level, np.float64)
    except OverflowError:
        raise BadInput(f"input {name!r}: a number is too large for 32-bit floats") from None
    bad = ~(np.abs(values) <= LARGEST)
    if bad.any():
        first = int(bad.argmax())
        raise BadInput(f"input {name!r}: number {first} is {values[first]}; finite 32-bit floats are wanted")
    return values.astype(np.float32)


def _misshapen(name: str, wanted: Sequence[int | str], what: str) -> BadInput:
    return BadInput(f"input {name!r}: the shape {_shape(wanted)} is wanted, but {what}")


def _shape(sizes: Sequence[int | str]) -> str:
    return "[" + ", ".join(map(str, sizes)) + "]"
