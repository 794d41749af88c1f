"""CSV and parquet as columns."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sim.readers.source import UNDATED_US, Source
from sim.readers.tables import NO_STAMP, Table, load_table
from stream.errors import UnreadableFile

#: 2021-03-24T21:40:55Z
STAMP_US = 1_616_622_055_000_000


def csv(text: str) -> Table:
    return load_table(Source(Path("made.csv"), text.encode()))


def parquet(**columns: Any) -> Table:
    out = BytesIO()
    pq.write_table(pa.table(columns), out)
    return load_table(Source(Path("made.parquet"), out.getvalue()))


@pytest.mark.parametrize(
    "text",
    [
        "2021-03-24 21:40:55+00:00",
        "2021-03-24T21:40:55Z",
        "2021-03-24T22:40:55+01:00",
        "2021-03-24 21:40:55",
        "1616622055",
        "1616622055.0",
        "1616622055000",
        "1616622055000000",
        "1616622055000000000",
    ],
)
@pytest.mark.parametrize("second_line", ["", "never,3\n"])
def test_a_time_is_read_however_it_is_written(text: str, second_line: str) -> None:
    stamps = csv(f"time,hr\n{text},60\n{second_line}").stamps("time")
    assert stamps[0] == STAMP_US
    assert (stamps[1:] == NO_STAMP).all()


def test_small_numbers_are_seconds_since_a_start_nobody_knows() -> None:
    assert csv("t_s,hr\n0,60\n0.5,61\n").stamps("t_s").tolist() == [UNDATED_US, UNDATED_US + 500_000]


def test_a_timestamp_column_of_any_unit_becomes_microseconds() -> None:
    for unit in ("s", "ms", "us", "ns"):
        column = pa.array([STAMP_US, None]).cast(pa.timestamp("us", "UTC")).cast(pa.timestamp(unit, "UTC"))
        assert parquet(time=column).stamps("time").tolist() == [STAMP_US, NO_STAMP]


@pytest.mark.parametrize(
    "column",
    [
        pa.array([1, None, 3]),
        pa.array([1.0, float("nan"), 3.0], pa.float32()),
        pa.array(["1", "n/a", " 3 "]),
        pa.array(["1", "x", "3"]).dictionary_encode(),
        pa.array([1, None, 3], pa.int8()),
    ],
)
def test_numbers_are_read_and_what_is_none_is_missing(column: Any) -> None:
    np.testing.assert_array_equal(parquet(a=column).numbers("a"), [1, np.nan, 3])


def test_a_column_without_any_value_is_all_missing() -> None:
    assert np.isnan(parquet(a=pa.nulls(3)).numbers("a")).all()


def test_labels_come_in_the_order_in_which_they_appear() -> None:
    names, number = parquet(a=pa.array(["b", "a", None, "b"])).labels("a")
    assert names == ["b", "a", ""]
    assert number.tolist() == [0, 1, 2, 0]
    assert parquet(a=pa.array([7, 5, 7])).labels("a")[0] == ["7", "5"]


@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_the_mark_between_fields_is_found(mark: str) -> None:
    table = csv(f"Time{mark} HR \n1{mark}60\n".replace(",", mark))
    assert (list(table.columns), table.numbers("hr").tolist()) == (["time", "hr"], [60])


def test_lines_of_another_length_are_counted_and_left_out() -> None:
    table = csv("time,hr\n1,60\n2\n3,61,5\n4,62\n5,")
    assert table.numbers("hr")[:2].tolist() == [60, 62]
    assert table.notes == ("2 lines have another number of fields than the header",)


def test_days_are_read_from_dates_and_texts() -> None:
    days = csv("date\n2020-01-01\n2020-02-30\n2020-01-03T08:00\n").days("date")
    np.testing.assert_array_equal(days, np.array(["2020-01-01", "NaT", "2020-01-03"], dtype="datetime64[D]"))
    assert csv("date\n2020-01-01\n").days("date").tolist() == days[:1].tolist()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", b"\n"),
        ("a.csv", b"time,hr\n"),
        ("a.parquet", b"PAR1 but cut off"),
        ("a.parquet", b"time,hr\n1,2\n"),
    ],
)
def test_what_is_no_table_is_refused_by_name(name: str, content: bytes) -> None:
    with pytest.raises(UnreadableFile, match=name):
        load_table(Source(Path(name), content))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1"])
def test_a_text_is_read_in_the_encodings_people_save(encoding: str) -> None:
    table = load_table(Source(Path("made.csv"), "athlete,höhe\nJörg,1\n".encode(encoding)))
    assert list(table.columns) == ["athlete", "höhe"]
    assert table.labels("athlete")[0] == ["Jörg"]
