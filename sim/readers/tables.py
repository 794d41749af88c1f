"""Tables: CSV and parquet as named columns, whatever they mean. No meaning here; that is for those who read them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from io import BytesIO
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
from numpy.typing import NDArray

from sim.readers.moments import microseconds
from sim.readers.source import UNDATED_US, Source

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

NUMBER: Final = r"^\s*[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?\s*$"
#: Stamps written as numbers: below the first limit seconds since the start, then s, ms, µs and ns since 1970.
UNITS: Final = ((1e8, 1e6, UNDATED_US), (1e11, 1e6, 0), (1e14, 1e3, 0), (1e17, 1.0, 0), (np.inf, 1e-3, 0))
NO_STAMP: Final = -1


@dataclass(frozen=True, slots=True)
class Table:
    """Columns by their name in lower case, all of ``rows`` length."""

    columns: Mapping[str, Any]
    rows: int
    notes: tuple[str, ...] = ()

    def has(self, *names: str) -> bool:
        """Whether all these columns are there."""
        return all(name in self.columns for name in names)

    def first(self, names: tuple[str, ...]) -> str | None:
        """The first of several names that is a column."""
        return next((name for name in names if name in self.columns), None)

    def numbers(self, name: str) -> Floats:
        """A column as float64 ``(rows,)``; NaN where there is no number."""
        column = self.columns[name]
        if pa.types.is_dictionary(column.type):
            column = column.cast(column.type.value_type)
        if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
            column = pc.if_else(
                pc.match_substring_regex(column, NUMBER), pc.utf8_trim_whitespace(column), None
            )
        if pa.types.is_null(column.type):
            return np.full(self.rows, np.nan)
        return np.asarray(
            pc.fill_null(column.cast(pa.float64(), safe=False), np.nan).to_numpy(), dtype=np.float64
        )

    def labels(self, name: str) -> tuple[list[str], Ints]:
        """A column's distinct texts in the order in which they appear, and the number of each row's ``(rows,)``."""
        column = self.columns[name]
        if pa.types.is_dictionary(column.type):
            column = column.cast(column.type.value_type)
        encoded = pc.fill_null(column.cast(pa.string()), "").combine_chunks().dictionary_encode()
        return [str(label) for label in encoded.dictionary.to_pylist()], encoded.indices.to_numpy().astype(
            np.int64
        )

    def stamps(self, name: str) -> Ints:
        """A column of times as µs since 1970 ``(rows,)``, :data:`NO_STAMP` where there is none.

        Without a zone times are UTC; small numbers are seconds since a start that nobody knows (2020-01-01).
        """
        column = self.columns[name]
        if pa.types.is_timestamp(column.type) or pa.types.is_date(column.type):
            zone = getattr(column.type, "tz", None)
            micros = column.cast(pa.timestamp("us", tz=zone), safe=False).cast(pa.int64())
            return np.asarray(pc.fill_null(micros, NO_STAMP).to_numpy(), dtype=np.int64)
        if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
            texts = [microseconds(text or "") for text in column.to_pylist()]
            if any(stamp is not None for stamp in texts):
                return np.array([NO_STAMP if stamp is None else stamp for stamp in texts], dtype=np.int64)
        return _from_numbers(self.numbers(name))

    def days(self, name: str) -> NDArray[np.datetime64]:
        """A column of dates ``(rows,)`` as datetime64[D], NaT where there is none."""
        column = self.columns[name]
        if pa.types.is_timestamp(column.type) or pa.types.is_date(column.type):
            return np.asarray(column.cast(pa.date32(), safe=False).to_numpy()).astype("datetime64[D]")
        return np.array([_day(text) for text in column.cast(pa.string()).to_pylist()], dtype="datetime64[D]")


def _day(text: str | None) -> np.datetime64:
    try:
        return np.datetime64(date.fromisoformat((text or "")[:10]))
    except ValueError:
        return np.datetime64("NaT")


def _from_numbers(values: Floats) -> Ints:
    there = np.isfinite(values)
    typical = float(np.median(np.abs(values[there]))) if there.any() else 0.0
    _, factor, origin = next(unit for unit in UNITS if typical < unit[0])
    fits = there & (np.abs(values) * factor < 1e18)
    return np.where(fits, np.rint(np.where(fits, values, 0) * factor).astype(np.int64) + origin, NO_STAMP)


def load_table(source: Source) -> Table:
    """The table of a CSV or parquet file.

    Raises :class:`stream.errors.UnreadableFile`. Lines of a CSV with another number of fields are left out and noted.
    """
    broken: list[Any] = []

    def skip(line: Any) -> str:
        broken.append(line)
        return "skip"

    try:
        table = _parquet(source) if source.suffix == ".parquet" else _csv(source, skip)
    except (pa.ArrowException, ValueError, OSError) as error:
        reason = str(error).splitlines()[0]
        raise source.unreadable("; ".join((*source.notes, f"no readable table ({reason})"))) from None
    if not table.num_rows:
        raise source.unreadable("the table has no rows")
    columns = {name.strip().lower(): table.column(i) for i, name in enumerate(table.column_names)}
    notes = (f"{len(broken)} lines have another number of fields than the header",) if broken else ()
    return Table(columns, table.num_rows, (*source.notes, *notes))


def _parquet(source: Source) -> Any:
    return pq.read_table(BytesIO(source.content))


def _csv(source: Source, skip: Any) -> Any:
    content = _in_utf8(source.content)
    header = content.partition(b"\n")[0]
    delimiter = max(b",;\t", key=lambda mark: header.count(bytes([mark])))
    options = pa_csv.ParseOptions(delimiter=chr(delimiter), invalid_row_handler=skip)
    return pa_csv.read_csv(
        BytesIO(content),
        parse_options=options,
        convert_options=pa_csv.ConvertOptions(strings_can_be_null=True),
    )


def _in_utf8(content: bytes) -> bytes:
    """Text in UTF-8; what is not is taken for UTF-16 where it says so, else for Latin-1."""
    try:
        if content.startswith((b"\xff\xfe", b"\xfe\xff")):
            return content.decode("utf-16").encode()
        content.decode()
    except UnicodeDecodeError:
        return content.decode("latin-1").encode()
    return content
