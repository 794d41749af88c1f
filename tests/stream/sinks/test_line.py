"""Our line protocol is what ``influxdb_client.Point`` writes, and tags survive any id."""

from __future__ import annotations

import math
import re
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from influxdb_client.client.write.point import Point

from stream.sinks.line import id_of, line, tag_of

names = st.text("abcdefghijklmnopqrstuvwxyz_", min_size=1, max_size=8)
tag_values = st.text(st.characters(exclude_characters="\\%", exclude_categories=["Cc", "Cs"]), max_size=12)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
numbers = st.floats(allow_nan=False, allow_infinity=False)


def by_the_client(tags: dict[str, str], fields: dict[str, float | str], time: int) -> str:
    point: Any = Point("scores")  # type: ignore[no-untyped-call]
    for key, value in tags.items():
        point.tag(key, value)
    for key, field in fields.items():
        point.field(key, field)
    return str(point.time(time).to_line_protocol())


def parts(written: str) -> list[Any]:
    """Texts as they are, numbers as numbers: 1e-05 is 1e-5."""
    numbers = re.compile(r"(?<==)-?[0-9]+(?:\.[0-9]+)?(?:e[+-]?[0-9]+)?(?=[, ])")
    return [numbers.split(written), [float(number) for number in numbers.findall(written)]]


@example(tags={}, fields={"null": 0.0}, time=0)
@given(
    tags=st.dictionaries(names, tag_values, max_size=3),
    fields=st.dictionaries(names, numbers | texts, min_size=1, max_size=4),
    time=st.integers(0, 2**53),
)
def test_a_line_is_what_the_client_library_writes(
    tags: dict[str, str], fields: dict[str, float | str], time: int
) -> None:
    in_order = dict(sorted(fields.items()))
    assert parts(line("scores", tags, in_order, time)) == parts(by_the_client(tags, in_order, time))


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=128))
def test_any_id_comes_back_from_its_tag(value: str) -> None:
    tag = tag_of(value)
    assert id_of(tag) == value
    assert "\\" not in tag
    assert tag.isprintable() or not value.isprintable()


def test_ordinary_ids_stay_as_they_are() -> None:
    assert tag_of("FC Köln #7, left=foot") == "FC Köln #7, left=foot"


def test_two_ids_never_share_a_tag() -> None:
    assert tag_of("a\n") != tag_of("a%0A")


def test_a_backslash_at_the_end_does_not_swallow_the_next_tag() -> None:
    assert line("m", {"athlete": "a\\", "session": "s"}, {"f": 1.0}, 2) == "m,athlete=a%5C,session=s f=1.0 2"


def test_integers_are_written_as_floats() -> None:
    assert line("m", {}, {"sprints": 3.0}, 1) == "m sprints=3.0 1"
    assert line("m", {}, {"sprints": 3, "note": "x"}, 1) == 'm sprints=3,note="x" 1'


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_what_is_not_finite_is_refused(number: float) -> None:
    with pytest.raises(ValueError, match="cannot be stored"):
        line("m", {}, {"f": number}, 1)


def test_a_point_without_fields_is_refused_and_not_an_empty_line() -> None:
    with pytest.raises(ValueError, match="without fields"):
        line("m", {"athlete": "a"}, {}, 1)
