# SPDX-License-Identifier: MIT
"""The tables of a run as files of one folder: ``cases``, ``measurements``, ``samples``, as CSV or Parquet."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType

from reports import tables
from reports.csv_file import as_csv
from reports.folder import make_folder
from reports.frames import as_parquet, frames
from reports.samples import SampleReader, stored_samples
from reports.tables import COLUMNS
from rig.evidence.model import Run

Files = Iterator[tuple[str, bytes]]


def _csv(run: Run, read: SampleReader) -> Files:
    """From the rows themselves: a frame cannot hold a byte that is no UTF-8."""
    rows = {
        "cases": tables.cases(run),
        "measurements": tables.measurements(run),
        "samples": tables.samples(run, read),
    }
    for name, held in rows.items():
        yield name, as_csv(COLUMNS[name], held).encode("utf-8", "backslashreplace")


def _parquet(run: Run, read: SampleReader) -> Files:
    for name, frame in frames(run, samples=read).items():
        yield name, as_parquet(frame, COLUMNS[name])


_WRITERS: Mapping[str, Callable[[Run, SampleReader], Files]] = MappingProxyType(
    {"csv": _csv, "parquet": _parquet}
)


def write_tables(
    run: Run, folder: Path, shape: str, *, samples: SampleReader = stored_samples
) -> Iterator[Path]:
    """Writes the tables into ``folder``, which is made, and yields the path of each when it is there.

    ``shape`` is ``csv`` or ``parquet``. Raises EvidenceFault when a file cannot be written or stored samples
    cannot be read.
    """
    from rig.evidence.bundle import write_atomic

    make_folder(folder)
    for name, content in _WRITERS[shape](run, samples):
        path = folder / f"{name}.{shape}"
        write_atomic(path, content)
        yield path
