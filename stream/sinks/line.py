"""InfluxDB line protocol, written by hand because ``Point`` is many times slower. Pure: text in, text out.

Field values are floats or text, never integers, so that a field keeps one type for ever.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from math import inf
from typing import Final

import orjson

_ESCAPED: Final = str.maketrans({",": r"\,", "=": r"\=", " ": r"\ "})
_QUOTED: Final = str.maketrans({'"': r"\"", "\\": r"\\"})
#: What a tag cannot hold: control characters, and a backslash, which would escape what follows.
_UNSAFE: Final = re.compile(r"[\x00-\x1f\x7f\\%]")
_ENCODED: Final = re.compile(r"%([0-9A-F]{2})")


def tag_of(value: str) -> str:
    """An id as a tag's text: what a tag cannot hold becomes ``%`` and two hex digits. See :func:`id_of`."""
    return _UNSAFE.sub(lambda match: f"%{ord(match[0]):02X}", value)


def id_of(tag: str) -> str:
    """The id that :func:`tag_of` made the tag from."""
    return _ENCODED.sub(lambda match: chr(int(match[1], 16)), tag)


def line(measurement: str, tags: Mapping[str, str], fields: Mapping[str, float | str], time: int) -> str:
    """One point. Empty tags are left out; ``time`` is in whatever precision the request names.

    Raises ValueError without fields and for a number that is NaN or infinite.
    """
    if not fields:
        raise ValueError(f"a point of {measurement} without fields")
    keys = "".join(
        f",{key}={tag_of(value).translate(_ESCAPED)}" for key, value in sorted(tags.items()) if value
    )
    return f"{measurement}{keys} {_values(fields)} {time}"


def _values(fields: Mapping[str, float | str]) -> str:
    """Numbers alone, as scores have them, are written as JSON, whose punctuation is changed: ten times faster."""
    if str in set(map(type, fields.values())):
        return ",".join([f"{name}={_literal(value)}" for name, value in fields.items()])
    written = orjson.dumps(fields)
    if b'":null' in written:
        raise ValueError(f"{written.decode()}: what is null here cannot be stored")
    return written[1:-1].replace(b'":', b"=").replace(b'"', b"").decode()


def _literal(value: float | str) -> str:
    if isinstance(value, str):
        return f'"{value.translate(_QUOTED)}"'
    if not -inf < value < inf:
        raise ValueError(f"{value} cannot be stored")
    text = repr(float(value))
    return text[:-2] if text[-2:] == ".0" else text
