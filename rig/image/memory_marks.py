# SPDX-License-Identifier: MIT
"""How far a board's memory was ever used, read through the probe alone: stacks, handlers, heap.

Owns one reading and what it consists of; who reads when is no matter of this module.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rig.image.elf import open_elf
from rig.image.kernel_heap import ReadMemory
from rig.image.kernel_layout import read_layout
from rig.image.kernel_view import STACK_FILL, KernelView
from rig.image.symbols import raw_symbols

HANDLERS: Final = "handlers"
_LABELS: Final = ("__handler_stack_start", "__handler_stack_end")


@dataclass(frozen=True, slots=True)
class StackMark:
    """A stack and the bytes of it that were never used since its task began."""

    size: int
    unused: int


@dataclass(frozen=True, slots=True)
class Marks:
    """One reading: tick, stacks by task (and ``handlers``), and the heap, None where it is no heap_4."""

    tick: int
    stacks: Mapping[str, StackMark]
    heap_free: int | None
    heap_min_ever: int | None


class MarkReader:
    """Reads the marks of the board that an ELF runs on. Raises ImageFault for an ELF without a kernel."""

    def __init__(self, elf: Path, read: ReadMemory) -> None:
        self._view = KernelView(read_layout(elf), read)
        self._read = read
        self._handlers = _handler_stack(elf)

    def marks(self) -> Marks:
        """Reads the board anew; it may run. What the reads raise passes through."""
        stacks = {
            task.name: StackMark(task.stack_size, task.highwater)
            for task in self._view.tasks()
            if task.stack_size is not None
        }
        if self._handlers is not None:
            start, end = self._handlers
            data = self._read(start, end - start)
            stacks[HANDLERS] = StackMark(len(data), len(data) - len(data.lstrip(bytes([STACK_FILL]))))
        heap = self._view.heap()
        return Marks(self._view.tick(), stacks, heap.free if heap else None, heap.min_ever if heap else None)


def _handler_stack(elf: Path) -> tuple[int, int] | None:
    with open_elf(elf) as file:
        values = {symbol.name: symbol.value for symbol in raw_symbols(file) if symbol.name in _LABELS}
    start, end = (values.get(name) for name in _LABELS)
    return (start, end) if start is not None and end is not None and start < end else None
