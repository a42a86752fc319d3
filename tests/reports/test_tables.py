# SPDX-License-Identifier: MIT
"""CSV and Parquet: the same rows, values that come back to the last digit, no text that a program runs."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import math
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.csv_file import cell, guarded, restored
from reports.samples import SampleReader
from reports.table_files import write_tables
from reports.tables import COLUMNS, CONTEXT
from rig.errors import EvidenceFault
from rig.evidence.model import CaseResult, MeasurementResult, Run

if TYPE_CHECKING:
    from tests.reports import hostile
else:
    import hostile

ROOT = Path(__file__).parents[2]
Measure = Callable[..., MeasurementResult]
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def read_csv(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def files(run: Run, folder: Path, shape: str, shelf: SampleReader) -> dict[str, Path]:
    return {path.stem: path for path in write_tables(run, folder, shape, samples=shelf)}


def test_each_case_measurement_and_sample_is_a_row(run: Run, shelf: SampleReader, tmp_path: Path) -> None:
    there = files(run, tmp_path / "new", "csv", shelf)
    assert list(there) == ["cases", "measurements", "samples"]
    rows = {name: read_csv(path) for name, path in there.items()}
    assert len(rows["cases"]) == len(run.cases)
    assert len(rows["measurements"]) == len(run.measurements)
    assert len(rows["samples"]) == sum(m.n for m in run.measurements)
    first = rows["measurements"][0]
    assert (first["measurement"], first["unit"], first["p99"], first["upper"]) == (
        "sched.yield.self", "instructions", "79.0", "126",
    )  # fmt: skip
    assert (first["clock"], first["cpu_hz"], first["heap"], first["asserts"]) == (
        "exact", "25000000", "heap_4", "1",
    )  # fmt: skip
    assert json.loads(first["context"])["counter"] == "FPGAIO COUNTER"
    assert (first["limit_at"], first["provisional"]) == ("suites/kernel/limits.toml:12", "false")
    tick = next(row for row in rows["measurements"] if row["measurement"].endswith(".tick_hit"))
    assert tick["population"] == "tick"


def test_samples_come_back_exactly(bare: Run, measure: Measure, shelf: SampleReader, tmp_path: Path) -> None:
    values = [0.1, 1 / 3, 5e-324, 1.7976931348623157e308, -0.0, math.inf, math.nan, 2**53 + 1.0, 77]
    run = dataclasses.replace(
        bare, measurements=(measure("a", values), measure("b", [2.5], samples_sha256=None))
    )
    shown = [float(row["value"]) for row in read_csv(files(run, tmp_path, "csv", shelf)["samples"])]
    import pyarrow.parquet as pq

    table = pq.read_table(files(run, tmp_path, "parquet", shelf)["samples"])
    for found in (shown, table["value"].to_pylist()):
        assert list(map(repr, found)) == [repr(float(v)) for v in [*values, 2.5]]


def test_parquet_has_types_and_units_and_the_same_values(
    run: Run, shelf: SampleReader, tmp_path: Path
) -> None:
    import pyarrow.parquet as pq

    there = files(run, tmp_path, "parquet", shelf)
    cases, measured = pq.read_table(there["cases"]), pq.read_table(there["measurements"])
    types = {field.name: str(field.type) for field in [*cases.schema, *measured.schema]}
    assert (types["attempt"], types["p99"], types["marginal"]) == ("int64", "double", "bool")
    assert (types["started"], types["cpu_hz"], types["context"]) == (
        "timestamp[us, tz=UTC]", "int64", "string",
    )  # fmt: skip
    assert cases.schema.field("duration_s").metadata == {b"unit": b"s"}
    assert cases["started"][0].as_py() == datetime(2026, 11, 22, 21, 22, 35, tzinfo=UTC)
    assert measured["p99"].to_pylist() == [m.p99 for m in run.measurements]
    assert measured["upper"].to_pylist() == [m.upper for m in run.measurements]
    texts = read_csv(files(run, tmp_path, "csv", shelf)["measurements"])
    columns = [cell(value) for value in measured["context"].to_pylist()]
    assert columns == [row["context"] for row in texts]


@pytest.mark.parametrize("shape", ["csv", "parquet"])
def test_a_run_with_nothing_in_it_gives_tables_without_rows(
    bare: Run, shelf: SampleReader, tmp_path: Path, shape: str
) -> None:
    there = files(bare, tmp_path, shape, shelf)
    if shape == "csv":
        assert {len(path.read_text().splitlines()) for path in there.values()} == {1}
    else:
        import pyarrow.parquet as pq

        assert {pq.read_table(path).num_rows for path in there.values()} == {0}


def test_hostile_text_is_no_formula_and_comes_back(
    bare: Run,
    attempt: Callable[..., CaseResult],
    measure: Measure,
    shelf: SampleReader,
    tmp_path: Path,
) -> None:
    run = hostile.hostile_run(bare, attempt, measure)
    there = files(run, tmp_path, "csv", shelf)
    for path in there.values():
        assert not set(map(chr, range(32))) - {"\n", "\r"} & set(path.read_text("utf-8"))
        for row in read_csv(path):
            assert not any(text.startswith(FORMULA) and not _is_number(text) for text in row.values())
    back = [restored(row["case"]) for row in read_csv(there["cases"])]
    assert back == [case.case for case in run.cases]
    files(run, tmp_path, "parquet", shelf)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


@given(st.text() | st.text("='+-@\\\t\r\n\x1b\u202e\"a"))
def test_any_text_is_guarded_and_comes_back(text: str) -> None:
    shown = guarded(text)
    assert restored(shown) == text
    assert not shown.startswith(FORMULA)
    assert shown.replace("\n", "").isprintable()
    (row,) = csv.reader(io.StringIO(_written(shown), newline=""))
    assert row == [shown, "x"]


def _written(text: str) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerow([text, "x"])
    return out.getvalue()


def test_samples_that_cannot_be_read_are_an_evidence_fault(run: Run, tmp_path: Path) -> None:
    def broken(*_: object) -> list[int]:
        raise EvidenceFault("samples are damaged")

    with pytest.raises(EvidenceFault, match="damaged"):
        files(run, tmp_path, "csv", broken)
    (tmp_path / "file").write_text("")
    with pytest.raises(EvidenceFault, match="cannot make the folder"):
        files(run, tmp_path / "file", "csv", broken)


def test_the_manual_has_every_column_and_no_other() -> None:
    manual = (ROOT / "docs" / "tables.md").read_text("utf-8")
    parts = dict(part.split("\n", 1) for part in manual.split("\n## ")[1:])
    for name, columns in COLUMNS.items():
        listed = [line.split("|") for line in parts[name].splitlines() if line.startswith("| `")]
        told = [
            (column.strip().strip("`"), kind.strip())
            for _, listed_together, kind, *_ in listed
            for column in listed_together.split(",")
        ]
        assert told == [(column.name, column.type) for column in columns], name
    assert set(CONTEXT) <= {column.name for column in COLUMNS["measurements"]}
