# SPDX-License-Identifier: MIT
"""Regions, heap and stacks of a run as one map; what lacks its size stays a plain figure."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from reports.memory import memory_map
from rig.events import Scalar
from rig.evidence.model import MeasurementResult, Run

Measure = Callable[..., MeasurementResult]


def test_memory_regions_know_their_share_and_live_without_a_size(run: Run, measure: Measure) -> None:
    flash, ram, _ = memory_map(run.measurements).regions
    assert (flash.name, flash.text, flash.start) == ("flash", "60.3 KiB of 16 MiB", "0x21000000")
    assert ram.share == pytest.approx(0.93, abs=0.001)
    sizes: tuple[Scalar, ...] = (None, "big", 0, -1, float("nan"))
    for size in sizes:
        (odd,) = memory_map([measure("memory.region.x.used", [100], context={"size": size})]).regions
        assert (odd.total, odd.share) == (None, 0)


def test_a_region_says_what_is_in_it(measure: Measure) -> None:
    context: dict[str, Scalar] = {
        "size": 1000, "section .data": 8, "section .bss": 90, "symbol ucHeap": 64, "section odd": "x",
    }  # fmt: skip
    (room,) = memory_map([measure("memory.region.ram.used", [98], context=context)]).regions
    assert room.parts == ((".bss", 90), (".data", 8))
    assert room.largest == (("ucHeap", 64),)


def test_stacks_and_heap_join_the_map_and_leave_the_list_of_figures(measure: Measure) -> None:
    rows = [
        measure("memory.stack.IDLE.unused", [420], lower=128.0, context={"size": 512}),
        measure("memory.stack.lost.unused", [420]),
        measure("memory.heap.free", [60], context={"total": 100, "scheme": "heap_4"}),
        measure("memory.heap.min_ever", [25], context={"total": 100}),
        measure("memory.heap.fragmentation", [0]),
    ]
    found = memory_map(rows)
    (stack,) = found.stacks
    assert (stack.name, stack.used, stack.total, stack.limit) == ("IDLE", 92, 512, 384)
    (heap,) = found.heaps
    assert (heap.name, heap.used, heap.peak) == ("heap_4", 40, 75)
    assert found.names == {"memory.stack.IDLE.unused", "memory.heap.free", "memory.heap.min_ever"}
    assert not memory_map([])
