# SPDX-License-Identifier: MIT
"""Tables of many runs: the same rows as those of each run, in files that are whole or not there."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pandas as pd
import pyarrow.parquet
import pytest

from reports.csv_file import as_csv
from reports.history_files import AT_ONCE, write_history
from reports.tables import CASES, MEASUREMENTS, cases, measurements
from rig.errors import EvidenceFault
from rig.evidence.model import Run

COUNT = 2 * AT_ONCE + 3


@pytest.fixture
def nights(run: Run) -> list[Run]:
    """The same run again and again, each a night later; more than are written at once."""
    some = replace(run, measurements=run.measurements[:4], cases=run.cases[:3])
    return [
        replace(some, run_id=f"night-{n:03}", started_utc=run.started_utc + timedelta(days=n))
        for n in range(COUNT)
    ]


def test_csv_is_the_tables_of_the_runs_one_after_the_other(nights: list[Run], tmp_path: Path) -> None:
    paths = write_history(iter(nights), tmp_path / "new" / "folder", "csv")
    assert [path.name for path in paths] == ["cases.csv", "measurements.csv"]
    rows = [row for night in nights for row in measurements(night)]
    assert paths[1].read_bytes() == as_csv(MEASUREMENTS, rows).encode("utf-8", "backslashreplace")
    assert paths[0].read_bytes() == as_csv(CASES, [row for night in nights for row in cases(night)]).encode(
        "utf-8", "backslashreplace"
    )


def test_parquet_has_the_same_rows_and_a_row_group_for_so_many_runs(
    nights: list[Run], tmp_path: Path
) -> None:
    _, path = write_history(nights, tmp_path, "parquet")
    file = pyarrow.parquet.ParquetFile(path)
    assert file.num_row_groups == 3
    frame = pd.read_parquet(path)
    assert len(frame) == COUNT * 4
    assert list(frame["run_id"].unique()) == [night.run_id for night in nights]
    expected = [m.p50 for night in nights for m in night.measurements]
    assert frame["p50"].tolist() == expected
    assert file.schema_arrow.names == [column.name for column in MEASUREMENTS]


@pytest.mark.parametrize("shape", ["csv", "parquet"])
def test_no_run_at_all_is_a_table_without_rows(tmp_path: Path, shape: str) -> None:
    paths = write_history([], tmp_path, shape)
    frame = pd.read_csv(paths[1]) if shape == "csv" else pd.read_parquet(paths[1])
    assert (len(frame), list(frame.columns)) == (0, [column.name for column in MEASUREMENTS])


@pytest.mark.parametrize("shape", ["csv", "parquet"])
def test_what_breaks_off_leaves_the_files_of_before(nights: list[Run], tmp_path: Path, shape: str) -> None:
    out = tmp_path / "out"
    before = [path.read_bytes() for path in write_history(nights[:1], out, shape)]

    def breaking() -> Iterator[Run]:
        yield from nights[: AT_ONCE + 1]
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(EvidenceFault, match="cannot write the tables: No space left on device"):
        write_history(breaking(), out, shape)
    assert sorted(path.name for path in out.iterdir()) == [f"cases.{shape}", f"measurements.{shape}"]
    assert [path.read_bytes() for path in sorted(out.iterdir())] == before
