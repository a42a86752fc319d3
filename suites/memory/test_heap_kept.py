# SPDX-License-Identifier: MIT
"""Nothing keeps heap that it took: no case of the run so far, and no operation that is repeated."""

from __future__ import annotations

from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from rig.deadline import Deadline
from rig.errors import CommandRefused
from rig.pytest_plugin.benchmark_table import load_benchmarks

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rig.bench.session import BoardSession
    from rig.image.kernel_view import KernelView
    from rig.links.console_link import ConsoleLink
    from rig.pytest_plugin.measure import CaseMeasure
    from rig.pytest_plugin.memory_watch import Reading

pytestmark = pytest.mark.board_feature("memory")

BENCHMARKS = Path(__file__).parents[1] / "kernel" / "benchmarks.toml"
RUN_S = 30.0
OPERATIONS = 8  # a run; a leak of 8 bytes an operation then costs 64 and more


def test_no_case_kept_heap(
    board: BoardSession, memory_readings: Sequence[Reading], measure: CaseMeasure
) -> None:
    """Free bytes after each case, by the probe: what a case took and no later one gave back is lost."""
    del board
    declared = measure.declare("memory.heap.kept", "B")
    if not any(reading.marks.heap_free is not None for reading in memory_readings):
        pytest.skip("the probe knows no free bytes of this heap scheme")
    lost = {name: size for boot in _boots(memory_readings) for name, size in _lost(boot)}
    declared.value(
        sum(lost.values()),
        {"readings": len(memory_readings), "cases": ", ".join(lost), "method": "free bytes, by the probe"},
    )
    assert not lost, f"cases that kept heap, in bytes: {lost}"


def test_no_operation_keeps_heap(
    board: BoardSession, console: ConsoleLink, kernel_view: KernelView, measure: CaseMeasure
) -> None:
    """Every benchmark twice: the first run may make what it keeps for good, the second may keep nothing."""
    if "kernel-bench" not in board.board.features:
        pytest.skip(f"board {board.board.name} has no feature 'kernel-bench'")
    declared = measure.declare("memory.heap.kept_by_operation", "B")
    if kernel_view.heap() is None:
        pytest.skip("the probe knows no free bytes of this heap scheme")
    listed = console.request("bench.list", deadline=Deadline.after(RUN_S)).rows
    known = {row["id"] for row in listed}
    variants = {b.id: b.arg for b in reversed(load_benchmarks(BENCHMARKS)) if b.id in known}
    kept: dict[str, int] = {}
    for name, argument in sorted(variants.items()):
        after = [_free_after(console, kernel_view, name, argument) for _ in range(2)]
        if after[1] != after[0]:
            kept[name] = after[0] - after[1]
    assert variants, "no benchmark of the table is in this image"
    declared.value(
        max(map(abs, kept.values()), default=0) / OPERATIONS,
        {"operations": OPERATIONS, "benchmarks": len(variants), "kept": ", ".join(kept),
         "method": "free bytes after each of two equal runs, by the probe"},
    )  # fmt: skip
    assert not kept, f"benchmarks whose second run kept heap, in bytes: {kept}"


def _free_after(console: ConsoleLink, kernel_view: KernelView, name: str, argument: int) -> int:
    order: dict[str, str | int] = {"id": name, "n": OPERATIONS, "arg": argument}
    # Whether it is right is the matter of the kernel suite; it may keep nothing even so.
    with suppress(CommandRefused):
        console.request("bench.run", order, deadline=Deadline.after(RUN_S))
    heap = kernel_view.heap()
    assert heap is not None
    return heap.free


def _boots(readings: Sequence[Reading]) -> Iterator[list[Reading]]:
    """The readings by boot: where the tick went back, the board began anew."""
    boot: list[Reading] = []
    for reading in readings:
        if boot and reading.marks.tick < boot[-1].marks.tick:
            yield boot
            boot = []
        boot.append(reading)
    yield boot


def _lost(boot: Sequence[Reading]) -> Iterator[tuple[str, int]]:
    """Each case that lowered the free bytes to where they never rose above again, and by how much."""
    free = [(reading.after, reading.marks.heap_free or 0) for reading in boot]
    for place, ((_, before), (name, after)) in enumerate(pairwise(free)):
        highest_later = max(value for _, value in free[place + 1 :])
        if highest_later < before and after < before:
            yield name, before - highest_later
