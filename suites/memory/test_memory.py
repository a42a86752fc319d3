# SPDX-License-Identifier: MIT
"""Memory as the linker laid it out, as the firmware reports it, and as the probe alone finds it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from rig.deadline import Deadline
from rig.events import Scalar
from rig.image.memory import MemoryReport, memory_report
from rig.image.memory_table import as_json
from rig.image.static_memory import read_contents
from rig.image.static_names import library_sizes

if TYPE_CHECKING:
    from rig.bench.session import BoardSession
    from rig.image.kernel_view import KernelView
    from rig.links.console_link import ConsoleLink
    from rig.pytest_plugin.measure import CaseMeasure

pytestmark = pytest.mark.board_feature("memory")

REPLY_S = 5.0
WALKED = "heap_4"
LARGEST = 6  # symbols of a region that are kept by name


def test_linker_regions_agree_with_the_firmware(
    board: BoardSession, console: ConsoleLink, image_path: Path, measure: CaseMeasure
) -> None:
    report = memory_report(image_path, [*board.board.flash, *board.board.ram])
    said = console.request("mem.regions", deadline=Deadline.after(REPLY_S)).rows
    firmware = {row.integer("start", 16): row for row in said}
    assert sum(region.used for region in report.regions) > 0
    for region in report.regions:
        declared = measure.declare(f"memory.region.{region.name}.used", "B")
        row = firmware[region.start]
        assert (row.integer("size"), row.integer("used")) == (region.size, region.used)
        declared.value(
            region.used,
            {
                "start": f"{region.start:#010x}",
                "size": region.size,
                "free": region.free,
                "padding": region.padding,
                **_contents(report, region.name),
                "method": "sections of the ELF; .data counts in flash and in RAM",
            },
        )


def test_region_sums_equal_the_elf(board: BoardSession, image_path: Path) -> None:
    """text + data fill the flash, data + bss the RAM, to the byte."""
    report = memory_report(image_path, [*board.board.flash, *board.board.ram])
    flash_names = {item.name for item in board.board.flash}
    in_flash = sum(region.used for region in report.regions if region.name in flash_names)
    in_ram = sum(region.used for region in report.regions if region.name not in flash_names)
    assert in_flash == report.total("text") + report.total("data")
    assert in_ram == report.total("data") + report.total("bss")


def test_static_memory_is_kept_to_the_symbol(
    board: BoardSession, image_path: Path, measure: CaseMeasure
) -> None:
    """Libraries as measurements, so that limits gate them; everything as a table for later comparisons."""
    contents = read_contents(image_path, [*board.board.flash, *board.board.ram])
    sizes = library_sizes(contents)
    declared = {name: measure.declare(name, "B") for name in sizes}
    document = as_json(contents)
    measure.artifact("image-memory.json", json.dumps(document).encode())
    kinds = ("symbols", "unattributed", "padding")
    assert sum(document["total"][kind] for kind in kinds) == document["total"]["size"]
    for name, size in sizes.items():
        declared[name].value(size, {"method": "objects of the linker map"})


def test_stacks_from_both_sides(
    board: BoardSession, console: ConsoleLink, kernel_view: KernelView, measure: CaseMeasure
) -> None:
    """Each task's never-used bytes: the firmware counts its fill pattern, the probe reads it."""
    del board
    said = console.request("mem.tasks", deadline=Deadline.after(REPLY_S)).rows
    firmware = {row["name"]: row for row in said}
    probed = {task.name: task for task in kernel_view.tasks()}
    assert set(firmware) == set(probed)
    for name, task in sorted(probed.items()):
        declared = measure.declare(f"memory.stack.{_word(name)}.unused", "B")
        row = firmware[name]
        assert task.stack_size == row.integer("size")
        # The task that answers may have gone deeper by answering; nobody else ran in between.
        assert task.highwater == row.integer("highwater") or row["state"] == "running"
        assert task.highwater <= row.integer("highwater")
        declared.value(
            task.highwater,
            {
                "size": task.stack_size,
                "firmware": row.integer("highwater"),
                "method": "fill pattern, by the probe",
            },
        )


def test_heap_from_both_sides(
    board: BoardSession, console: ConsoleLink, kernel_view: KernelView, measure: CaseMeasure
) -> None:
    """The kernel's counters, and the free list walked by the probe without the firmware's help."""
    del board
    said = console.request("mem.heap", deadline=Deadline.after(REPLY_S)).fields
    if said["scheme"] != WALKED:
        pytest.skip(f"the heap is {said['scheme']}: the probe walks the free list of a {WALKED}")
    free = measure.declare("memory.heap.free", "B")
    lowest = measure.declare("memory.heap.min_ever", "B")
    fragmentation = measure.declare("memory.heap.fragmentation", "1")
    heap = kernel_view.heap()
    assert heap is not None
    assert (heap.free, heap.min_ever) == (said.integer("free"), said.integer("min_ever"))
    for key in said.keys() & {"largest", "blocks"}:  # of a kernel that has HeapStats_t
        assert getattr(heap, key) == said.integer(key), key
    context: dict[str, Scalar] = {
        "scheme": said["scheme"],
        "total": heap.total,
        "method": "free list walked by the probe",
    }
    free.value(heap.free, context)
    lowest.value(heap.min_ever, context)
    fragmentation.value(heap.fragmentation, {**context, "largest": heap.largest, "blocks": heap.blocks})


def _contents(report: MemoryReport, region: str) -> dict[str, Scalar]:
    """What is in a region: each section, and the largest symbols of those that live there."""
    there = [item for item in report.sections if region in (item.region, item.load_region) and item.size]
    names = {item.name for item in there if item.region == region}
    largest = [symbol for symbol in report.symbols if symbol.section in names][:LARGEST]
    sections: dict[str, Scalar] = {f"section {item.name}": item.size for item in there}
    return sections | {f"symbol {symbol.name}": symbol.size for symbol in largest}


def _word(task: str) -> str:
    """A task's name as part of a measurement's name, which has no blanks."""
    return task.replace(" ", "_")
