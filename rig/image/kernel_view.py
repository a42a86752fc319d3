# SPDX-License-Identifier: MIT
"""The FreeRTOS kernel of a board, seen from outside: its tick, tasks and heap through memory reads alone.

The board may run meanwhile. Owns what a consistent reading is: nothing is followed that points out of RAM,
all walks are bounded, and a reading that caught the kernel in the middle of a change is taken again. The
firmware's own answers to the same questions (console ``mem.*``) are not used.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from rig.errors import RigFault
from rig.image.debug_types import Place
from rig.image.kernel_heap import HeapView, ReadMemory, allocated_size, read_heap
from rig.image.kernel_layout import KernelLayout

ATTEMPTS = 50
MAX_TASKS = 256
MAX_WINDOW = 8192
"""Bytes that the kernel's variables may span to be read at once."""
STACK_FILL = 0xA5
STACK_CHUNK = 256
WAITING_NOTIFICATION = 1

TaskState = Literal["running", "ready", "blocked", "suspended", "deleted"]
STATES: dict[str, TaskState] = {
    "pxReadyTasksLists": "ready",
    "xDelayedTaskList1": "blocked",
    "xDelayedTaskList2": "blocked",
    "xSuspendedTaskList": "suspended",
    "xTasksWaitingTermination": "deleted",
}


@dataclass(frozen=True, slots=True)
class TaskView:
    """A task. Sizes in bytes: ``highwater`` was never used since the task began (its fill still stands).

    ``highwater`` is 0 on a kernel that does not fill stacks. ``stack_size`` is None where nothing tells it.
    """

    name: str
    priority: int
    state: TaskState
    stack_base: int
    stack_size: int | None
    highwater: int
    tcb: int


class KernelView:
    """The kernel of one board. Each call reads the board anew; what the reads raise passes through."""

    def __init__(self, layout: KernelLayout, read: ReadMemory) -> None:
        """Touches nothing; ``read_layout`` makes the layout from the ELF that runs on the board."""
        self._layout = layout
        self._read = read

    def tick(self) -> int:
        """The kernel's tick count (``xTickCount``)."""
        place = self._layout.variables["xTickCount"]
        return int.from_bytes(self._read(place.at, place.size), "little")

    def heap(self) -> HeapView | None:
        """The heap, or None where the kernel's heap is no heap_4. Raises RigFault as ``read_heap``."""
        return read_heap(self._layout.heap, self._read) if self._layout.heap else None

    def tasks(self) -> tuple[TaskView, ...]:
        """All tasks, highest priority first; none before the scheduler started making them.

        Raises RigFault when no reading of many found as many tasks as the kernel counts.
        """
        known: set[int] = set()
        for _ in range(ATTEMPTS):
            found = self._attempt(known)
            if found is not None:
                sized = self._with_stacks(found)
                return tuple(sorted(sized, key=lambda task: (-task.priority, task.name, task.tcb)))
        raise RigFault(
            f"the kernel's task lists did not agree with its count of tasks in {ATTEMPTS} readings",
            hint="Halt the core and read again; if they still do not, they are overwritten",
        )

    def _attempt(self, known: set[int]) -> list[TaskView] | None:
        """One reading, None when it is torn; ``known`` collects the control blocks that were ever seen.

        So a task is not missed for having moved from a list not read yet to one already read.
        """
        kernel = _Kernel(self._layout, self._read)
        if kernel.count > MAX_TASKS:
            return None
        known.update(kernel.listed_tcbs())
        found = [task for tcb in sorted(known) if (task := kernel.task(tcb)) is not None]
        return found if len(found) == kernel.count == _Kernel(self._layout, self._read).count else None

    def _with_stacks(self, tasks: list[TaskView]) -> Iterator[TaskView]:
        bases = sorted(task.stack_base for task in tasks)
        for task in tasks:
            size = self._stack_size(task, next((base for base in bases if base > task.stack_base), None))
            yield replace(task, stack_size=size, highwater=self._highwater(task.stack_base, size))

    def _stack_size(self, task: TaskView, next_base: int | None) -> int | None:
        layout = self._layout
        if layout.heap and (size := allocated_size(layout.heap, task.stack_base, self._read)) is not None:
            return size
        for symbol in layout.objects:
            if symbol.address <= task.stack_base < symbol.end and symbol.name != "ucHeap":
                # Several stacks in one array: each ends where the next begins, as far as tasks tell.
                return min(symbol.end, next_base or symbol.end) - task.stack_base
        return None

    def _highwater(self, base: int, size: int | None) -> int:
        untouched = 0
        while size is not None and untouched < size:
            chunk = self._read(base + untouched, min(STACK_CHUNK, size - untouched))
            filled = len(chunk) - len(chunk.lstrip(bytes([STACK_FILL])))
            untouched += filled
            if filled < len(chunk):
                break
        return untouched // 4 * 4


class _Kernel:
    """One look at the kernel's variables and, as far as asked, its task control blocks."""

    def __init__(self, layout: KernelLayout, read: ReadMemory) -> None:
        self._layout = layout
        self._read = read
        self._variables = _read_together(layout.variables, read)
        self._tcbs: dict[int, bytes] = {}
        self.count = self._number("uxCurrentNumberOfTasks")

    def listed_tcbs(self) -> set[int]:
        """The task control blocks that the lists lead to; a list that is being changed is left half-way."""
        found: set[int] = set()
        for name in STATES:
            if name in self._variables:
                place = self._layout.variables[name]
                for offset in range(0, place.size, self._layout.list.size):
                    found.update(self._walk(place.at + offset, self._variables[name][offset:]))
        return found

    def task(self, tcb: int) -> TaskView | None:
        """The task of a control block, without its stack's use; None when it is in no list of the kernel."""
        members = self._layout.task.members
        block = self._tcb(tcb)
        state_list, event_list = (
            _word(block, members[name].at + self._layout.item.members[self._layout.item_container].at)
            for name in ("xStateListItem", "xEventListItem")
        )
        home = self._list_name(state_list)
        if home not in STATES or self._owner(block) != tcb:
            return None
        state = STATES[home]
        if tcb == self._number("pxCurrentTCB"):
            state = "running" if state == "ready" else state
        elif self._list_name(event_list) == "xPendingReadyList":
            state = "ready"
        elif state == "suspended" and (event_list or self._awaits_notification(block)):
            state = "blocked"
        name = members["pcTaskName"]
        return TaskView(
            name=block[name.at : name.at + name.size].partition(b"\0")[0].decode("ascii", errors="replace"),
            priority=_word(block, members["uxPriority"].at),
            state=state,
            stack_base=_word(block, members["pxStack"].at),
            stack_size=None,
            highwater=0,
            tcb=tcb,
        )

    def _walk(self, list_address: int, head: bytes) -> Iterator[int]:
        layout = self._layout
        item_at = layout.task.members["xStateListItem"].at
        end = list_address + layout.list.members["xListEnd"].at
        at = _word(head, layout.list_end_next)
        for _ in range(self.count + 1):
            tcb = at - item_at
            if at == end or not self._in_ram(tcb):
                return
            yield tcb
            at = _word(self._tcb(tcb), item_at + layout.item.members["pxNext"].at)

    def _in_ram(self, tcb: int) -> bool:
        return tcb % 4 == 0 and any(
            low <= tcb <= high - self._layout.task.size for low, high in self._layout.ram
        )

    def _tcb(self, address: int) -> bytes:
        if address not in self._tcbs:
            self._tcbs[address] = self._read(address, self._layout.task.size)
        return self._tcbs[address]

    def _owner(self, block: bytes) -> int:
        members = self._layout.task.members
        return _word(block, members["xStateListItem"].at + self._layout.item.members["pvOwner"].at)

    def _awaits_notification(self, block: bytes) -> bool:
        state = self._layout.task.members.get("ucNotifyState")  # an array from V10.4
        return state is not None and WAITING_NOTIFICATION in block[state.at : state.at + state.size]

    def _list_name(self, address: int) -> str | None:
        for name in (*STATES, "xPendingReadyList"):
            place = self._layout.variables.get(name)
            if (
                place
                and 0 <= address - place.at < place.size
                and not (address - place.at) % self._layout.list.size
            ):
                return name
        return None

    def _number(self, name: str) -> int:
        return int.from_bytes(self._variables[name], "little")


def _read_together(places: Mapping[str, Place], read: ReadMemory) -> dict[str, bytes]:
    """Reads all variables, with one read where they lie close together, as those of one source file do."""
    low = min(place.at for place in places.values())
    high = max(place.at + place.size for place in places.values())
    if high - low > MAX_WINDOW:
        return {name: read(place.at, place.size) for name, place in places.items()}
    window = read(low, high - low)
    return {name: window[place.at - low :][: place.size] for name, place in places.items()}


def _word(data: bytes, offset: int) -> int:
    return int.from_bytes(data[offset : offset + 4], "little")
