# SPDX-License-Identifier: MIT
"""Where a FreeRTOS kernel keeps its tasks and its heap, read from the DWARF of the firmware's ELF.

Owns the names that differ between kernel releases (V9 to V11); offsets come from the debug information alone,
because they differ with the configuration. Reading a board's memory is the matter of ``kernel_view.py``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from rig.errors import ImageFault
from rig.image.debug_types import Place, Struct, UnitTypes, read_units
from rig.image.elf import open_elf
from rig.image.symbols import ElfSymbol, memory_sections, sized_symbols

LISTS = ("pxReadyTasksLists", "xDelayedTaskList1", "xDelayedTaskList2")
OPTIONAL_LISTS = ("xSuspendedTaskList", "xTasksWaitingTermination", "xPendingReadyList")
COUNTERS = ("pxCurrentTCB", "uxCurrentNumberOfTasks", "xTickCount")
HEAP_VARIABLES = ("xStart", "pxEnd", "xFreeBytesRemaining", "xMinimumEverFreeBytesRemaining")


@dataclass(frozen=True, slots=True)
class HeapLayout:
    """A heap_4: its variables (and ``ucHeap``), block header, and the alignment of blocks in bytes."""

    variables: Mapping[str, Place]
    block: Struct
    alignment: int = 8


@dataclass(frozen=True, slots=True)
class KernelLayout:
    """The kernel's variables and structures. ``ram`` is where the ELF has writable memory (start, end)."""

    variables: Mapping[str, Place]
    task: Struct
    list: Struct
    list_end_next: int
    item: Struct
    item_container: str
    heap: HeapLayout | None
    objects: tuple[ElfSymbol, ...]
    ram: tuple[tuple[int, int], ...]


def read_layout(elf_path: Path) -> KernelLayout:
    """Reads the layout of the kernel in an ELF. Raises ImageFault without a kernel or its debug information.

    ``heap`` is None for a heap that keeps no list of free blocks in one array (all but heap_4).
    """
    types = read_units(elf_path, "tasks", "pxCurrentTCB")
    if types is None:
        raise ImageFault(f"{elf_path}: no debug information of the FreeRTOS kernel (tasks.c)")
    structs = {name: types.struct(name) for name in ("TCB_t", "List_t", "MiniListItem_t", "ListItem_t")}
    missing = [name for name in (*LISTS, *COUNTERS) if name not in types.variables]
    missing += [name for name, struct in structs.items() if struct is None]
    if missing:
        raise ImageFault(f"{elf_path}: the debug information of tasks.c lacks {', '.join(missing)}")
    task, task_list, list_end, item = (struct or Struct(0, {}) for struct in structs.values())
    wanted = (*LISTS, *OPTIONAL_LISTS, *COUNTERS)
    with open_elf(elf_path) as elf:
        objects = tuple(symbol for symbol in sized_symbols(elf) if symbol.kind == "object")
    return KernelLayout(
        variables={name: types.variables[name] for name in wanted if name in types.variables},
        task=task,
        list=task_list,
        list_end_next=task_list.members["xListEnd"].at + list_end.members["pxNext"].at,
        item=item,
        item_container="pxContainer" if "pxContainer" in item.members else "pvContainer",
        heap=_heap_layout(read_units(elf_path, "heap_4", "xStart"), objects),
        objects=objects,
        ram=tuple((s.address, s.address + s.size) for s in memory_sections(elf_path) if s.role != "text"),
    )


def _heap_layout(types: UnitTypes | None, objects: tuple[ElfSymbol, ...]) -> HeapLayout | None:
    block = types.struct("BlockLink_t") if types else None
    if types is None or block is None or not types.variables.keys() >= set(HEAP_VARIABLES):
        return None
    # With configAPPLICATION_ALLOCATED_HEAP the array is defined outside of the kernel.
    arrays = [Place(symbol.address, symbol.size) for symbol in objects if symbol.name == "ucHeap"]
    if "ucHeap" not in types.variables and len(arrays) != 1:
        return None
    known = {**({"ucHeap": arrays[0]} if arrays else {}), **types.variables}
    wanted = ("ucHeap", *HEAP_VARIABLES, "xHeapCanary")
    return HeapLayout({name: known[name] for name in wanted if name in known}, block)
