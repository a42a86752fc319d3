# SPDX-License-Identifier: MIT
"""How often each benchmark executes what a defect added, counted by the outside instrument.

A defect that adds instructions marks them by symbols ``defect_mark_<n>``.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping
from pathlib import Path

from rig.cli.benchmark_run import benchmarks
from rig.cli.outside import Outside, opened_outside
from rig.image.elf import open_elf
from rig.pytest_plugin.benchmark_table import Benchmark, load_benchmarks
from tests.e2e.bench_place import BOARD, PROJECT, BenchPlace

MARK = "defect_mark_"
SAMPLES = 100


def countable() -> tuple[Benchmark, ...]:
    """The idle rows whose samples without a tick are a population of their own."""
    table = load_benchmarks(PROJECT / "suites" / "kernel" / "benchmarks.toml")
    return tuple(row for row in table if row.profile == "idle" and row.ticks == "apart")


def executions(place: BenchPlace, elf: Path, rows: Iterable[Benchmark]) -> Mapping[str, int]:
    """The executions of the marked instructions in the median sample that no tick hit, by measurement.

    Rows that the image has not are left out. Raises ImageFault for an image without such a mark.
    """
    marks = _marks(elf)
    assert marks, f"{elf} has no symbol {MARK}…"
    with opened_outside(place.inventory(), BOARD, elf) as outside:
        known = benchmarks(outside.console)
        seen = {row.name: outside.measure(row.id, row.arg, SAMPLES) for row in rows if row.id in known}
        return {name: _median(one, marks) for name, one in seen.items()}


def _median(one: Outside, marks: Iterable[int]) -> int:
    per_sample = [
        sum(counts) for counts in zip(*(one.traces.executions(mark) for mark in marks), strict=True)
    ]
    plain = [count for count, hit in zip(per_sample[1:], one.hit[1:], strict=True) if not hit]
    return int(statistics.median_low(plain))


def _marks(elf_path: Path) -> list[int]:
    with open_elf(elf_path) as elf:
        symbols = elf.get_section_by_name(".symtab").iter_symbols()
        return [int(symbol["st_value"]) for symbol in symbols if symbol.name.startswith(MARK)]
