# SPDX-License-Identifier: MIT
"""The tables of a run as pandas DataFrames, for notebooks and for Parquet: ``docs/tables.md`` in memory.

Owns the dtype of each column; which columns there are and what is in them is ``tables.py``'s. What has no
value is NA in every dtype, and a NaN that was measured stays a NaN beside it: figures and samples are
``Float64``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from math import nan
from pathlib import Path
from typing import TYPE_CHECKING, Final

from reports.samples import SampleReader, stored_samples
from reports.tables import CASES, MEASUREMENTS, SAMPLES, Column, Row, cases, measurements, series
from rig.evidence.model import Run

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

_DTYPES: Final = {"whole": "Int64", "yes or no": "boolean", "moment": "datetime64[us, UTC]"}


def frames(run: Run, *, samples: SampleReader = stored_samples) -> Mapping[str, pd.DataFrame]:
    """Returns ``cases``, ``measurements`` and ``samples`` (long form), each a DataFrame with typed columns.

    Reads every stored sample; raises EvidenceFault if that cannot be done.
    """
    return {
        "cases": _frame(CASES, cases(run)),
        "measurements": _frame(MEASUREMENTS, measurements(run)),
        "samples": _samples(run, samples),
    }


def as_parquet(frame: pd.DataFrame, columns: Sequence[Column]) -> bytes:
    """A table as the bytes of a Parquet file; the unit of a column is in the metadata of its field."""
    return frame.to_parquet(None, compression="zstd", index=False, schema=_schema(columns))


@contextmanager
def parquet_file(path: Path, columns: Sequence[Column]) -> Iterator[Callable[[list[Row]], None]]:
    """A Parquet file that is written some rows at a time, a row group each; raises OSError."""
    import pyarrow as pa
    import pyarrow.parquet

    schema = _schema(columns)
    with pyarrow.parquet.ParquetWriter(path, schema, compression="zstd") as writer:
        yield lambda rows: writer.write_table(
            pa.Table.from_pandas(_frame(columns, rows), schema=schema, preserve_index=False)
        )


def _schema(columns: Sequence[Column]) -> pa.Schema:
    import pyarrow as pa

    types = {
        "text": pa.string(),
        "whole": pa.int64(),
        "real": pa.float64(),
        "yes or no": pa.bool_(),
        "moment": pa.timestamp("us", tz="UTC"),
    }
    fields = [pa.field(c.name, types[c.type], metadata={"unit": c.unit} if c.unit else None) for c in columns]
    return pa.schema(fields)


def _frame(columns: Sequence[Column], rows: Iterable[Row]) -> pd.DataFrame:
    import pandas as pd

    values = list(zip(*rows, strict=True)) or [()] * len(columns)
    return pd.DataFrame({c.name: _column(c, held) for c, held in zip(columns, values, strict=True)})


def _column(column: Column, values: Sequence[object]) -> pd.Series:
    import pandas as pd

    if column.type == "text":
        plain = [_utf8(value) for value in values]
        return pd.Series(plain, dtype="category" if column.few else "str")
    if column.type == "real":
        return _reals(values)
    return pd.Series(list(values), dtype=_DTYPES[column.type])


def _reals(values: Sequence[object]) -> pd.Series:
    """Numbers with NA for None only: the constructors of pandas would take NaN for it as well."""
    import pandas as pd

    numbers = pd.Series([nan if value is None else value for value in values], dtype="float64")
    missing = pd.Series([value is None for value in values], dtype="bool")
    return pd.Series(pd.arrays.FloatingArray(numbers.to_numpy(), missing.to_numpy()))


def _samples(run: Run, read: SampleReader) -> pd.DataFrame:
    """A row per sample: the key of each series as often as it has samples."""
    taken = list(series(run, read))
    keys = _frame(SAMPLES[:-2], (key for key, _ in taken))
    long = keys.loc[keys.index.repeat([len(values) for _, values in taken])]
    index = long.groupby(level=0).cumcount().astype("Int64").reset_index(drop=True)
    value = _reals([value for _, values in taken for value in values])
    return long.reset_index(drop=True).assign(index=index, value=value)


def _utf8(value: object) -> str | None:
    """A text as UTF-8 can have it: a byte of a board that was none is written out."""
    return None if value is None else str(value).encode("utf-8", "backslashreplace").decode()
