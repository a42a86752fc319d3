# SPDX-License-Identifier: MIT
"""The table of benchmarks: what it promises, and what it refuses."""

from __future__ import annotations

from pathlib import Path

import pytest

from rig.errors import UsageFault
from rig.pytest_plugin.benchmark_table import load_benchmarks, write_into

SHIPPED = Path(__file__).parents[2] / "suites" / "kernel" / "benchmarks.toml"
ROW = 'number = 14\nid = "queue.send"\nmeasures = "xQueueSend"\n'


def _table(folder: Path, *rows: str) -> Path:
    path = folder / "benchmarks.toml"
    path.write_text("".join(f"[[benchmark]]\n{row}" for row in rows), "utf-8")
    return path


def test_the_shipped_table_has_every_number() -> None:
    assert {variant.number for variant in load_benchmarks(SHIPPED)} == set(range(1, 35))


def test_a_variant_is_named_by_id_argument_and_profile(tmp_path: Path) -> None:
    found = load_benchmarks(_table(tmp_path, ROW + "args = [0, 16]\n"))
    assert [variant.name for variant in found] == [
        "queue.send",
        "queue.send.16",
        "queue.send.loaded",
        "queue.send.16.loaded",
    ]
    assert {(variant.n, variant.ticks, variant.needs) for variant in found} == {(2000, "apart", None)}


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("number = 1\n", "benchmark number 1 lacks id, measures"),
        (ROW + "argument = [1]\n", "queue.send has an unknown key 'argument'"),
        (ROW + 'profiles = ["busy"]\n', "profile 'busy' is not one of idle, loaded"),
        (ROW + 'ticks = "hidden"\n', "ticks 'hidden' is not one of apart, within"),
        ("number = \n", "cannot be read"),
    ],
)
def test_a_faulty_row_is_refused(tmp_path: Path, row: str, said: str) -> None:
    with pytest.raises(UsageFault, match=said):
        load_benchmarks(_table(tmp_path, row))


def test_two_rows_of_one_name_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageFault, match=r"queue\.send, queue\.send\.loaded is there twice"):
        load_benchmarks(_table(tmp_path, ROW, ROW))


def test_a_missing_table_is_said(tmp_path: Path) -> None:
    with pytest.raises(UsageFault, match="cannot be read"):
        load_benchmarks(tmp_path / "none.toml")


def test_the_manual_has_the_table_as_it_is(tmp_path: Path) -> None:
    manual = Path(__file__).parents[2] / "docs" / "measuring.md"
    copy = tmp_path / "measuring.md"
    copy.write_bytes(manual.read_bytes())
    write_into(copy, SHIPPED)
    assert copy.read_text("utf-8") == manual.read_text("utf-8"), "python -m rig.pytest_plugin.benchmark_table"


def test_a_document_without_the_marks_is_refused(tmp_path: Path) -> None:
    document = tmp_path / "measuring.md"
    document.write_text("# Measuring\n", "utf-8")
    with pytest.raises(UsageFault, match="no <!-- benchmarks -->"):
        write_into(document, SHIPPED)
