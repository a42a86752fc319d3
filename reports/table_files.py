# SPDX-License-Identifier: MIT
"""The tables of a run as files of one folder: ``cases``, ``measurements``, ``samples``, as CSV or Parquet."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType

from reports.csv_file import as_csv
from reports.parquet import as_parquet
from reports.samples import SampleReader, stored_samples
from reports.tables import Table, tables
from rig.errors import EvidenceFault
from rig.evidence.model import Run


def _csv(table: Table) -> bytes:
    return as_csv(table).encode("utf-8", "backslashreplace")


_WRITERS: Mapping[str, Callable[[Table], bytes]] = MappingProxyType({"csv": _csv, "parquet": as_parquet})


def write_tables(
    run: Run, folder: Path, shape: str, *, samples: SampleReader = stored_samples
) -> Iterator[Path]:
    """Writes the tables into ``folder``, which is made, and yields the path of each when it is there.

    ``shape`` is ``csv`` or ``parquet``. Raises EvidenceFault when a file cannot be written or stored samples
    cannot be read.
    """
    from rig.evidence.bundle import write_atomic

    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise EvidenceFault(f"cannot make the folder: {error.strerror}", evidence=str(folder)) from error
    for table in tables(run, samples):
        path = folder / f"{table.name}.{shape}"
        write_atomic(path, _WRITERS[shape](table))
        yield path
