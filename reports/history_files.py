# SPDX-License-Identifier: MIT
"""The tables of many runs as two files, ``cases`` and ``measurements``: the columns of ``docs/tables.md``.

Runs are written some at a time, so that a year of nights needs no more memory than a week.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from itertools import islice
from pathlib import Path
from types import MappingProxyType
from typing import Final

from reports import tables
from reports.csv_file import as_csv
from reports.folder import make_folder
from reports.frames import parquet_file
from reports.tables import COLUMNS, Column, Row
from rig.errors import EvidenceFault
from rig.evidence.model import Run

AT_ONCE: Final = 50
"""Runs in memory at a time, and in one row group of a Parquet file."""

Append = Callable[[list[Row]], None]
_TABLES: Final[Mapping[str, Callable[[Run], Iterator[Row]]]] = MappingProxyType(
    {"cases": tables.cases, "measurements": tables.measurements}
)


def write_history(runs: Iterable[Run], folder: Path, shape: str) -> tuple[Path, ...]:
    """Writes both tables of all runs into ``folder``, which is made; files appear when they are whole.

    ``shape`` is ``csv`` or ``parquet``. Raises EvidenceFault when a file cannot be written.
    """
    make_folder(folder)
    paths = {name: folder / f"{name}.{shape}" for name in _TABLES}
    try:
        with ExitStack() as stack:
            append = {
                n: stack.enter_context(_WRITERS[shape](_scratch(p), COLUMNS[n])) for n, p in paths.items()
            }
            left = iter(runs)
            while group := list(islice(left, AT_ONCE)):
                for name, rows_of in _TABLES.items():
                    append[name]([row for run in group for row in rows_of(run)])
        for path in paths.values():
            _scratch(path).replace(path)
    except OSError as error:
        raise EvidenceFault(f"cannot write the tables: {error.strerror}", evidence=str(folder)) from error
    finally:
        for path in paths.values():
            _scratch(path).unlink(missing_ok=True)
    return tuple(paths.values())


@contextmanager
def _csv_file(path: Path, columns: tuple[Column, ...]) -> Iterator[Append]:
    with path.open("wb") as file:
        file.write(as_csv(columns, ()).encode())

        def append(rows: list[Row]) -> None:
            _, _, content = as_csv(columns, rows).partition("\r\n")
            file.write(content.encode("utf-8", "backslashreplace"))

        yield append


_WRITERS: Final = MappingProxyType({"csv": _csv_file, "parquet": parquet_file})


def _scratch(path: Path) -> Path:
    return path.with_name(f".{path.name}.tmp")
