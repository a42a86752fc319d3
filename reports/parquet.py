# SPDX-License-Identifier: MIT
"""A table as Parquet: each column with its type, its unit in the metadata of its field.

``text`` is a string, ``whole`` int64, ``real`` float64, ``moment`` a UTC time stamp in microseconds; what has
no value is null, and NaN stays NaN.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING

from reports.tables import Column, Row, Table

if TYPE_CHECKING:
    import pyarrow as pa

_BATCH = 50_000


def as_parquet(table: Table) -> bytes:
    """The table as the bytes of a file."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = pa.schema([_field(column) for column in table.columns])
    out = io.BytesIO()
    with pq.ParquetWriter(out, schema, compression="zstd") as writer:
        for rows in _batches(table.rows):
            columns = zip(*rows, strict=True)
            arrays = [
                pa.array(map(_plain, values), field.type)
                for values, field in zip(columns, schema, strict=True)
            ]
            writer.write_table(pa.Table.from_arrays(arrays, schema=schema))
    return out.getvalue()


def _batches(rows: Iterable[Row]) -> Iterator[list[Row]]:
    left = iter(rows)
    while batch := list(islice(left, _BATCH)):
        yield batch


def _field(column: Column) -> pa.Field:
    import pyarrow as pa

    types = {
        "text": pa.string(),
        "whole": pa.int64(),
        "real": pa.float64(),
        "yes or no": pa.bool_(),
        "moment": pa.timestamp("us", tz="UTC"),
    }
    return pa.field(column.name, types[column.type], metadata={"unit": column.unit} if column.unit else None)


def _plain(value: object) -> object:
    """A text as UTF-8 can have it: a byte of a board that was none is written out."""
    return value.encode("utf-8", "backslashreplace").decode() if isinstance(value, str) else value
