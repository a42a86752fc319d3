# SPDX-License-Identifier: MIT
"""The kernel through memory reads: memory written field by field, torn lists, and a kernel that runs."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from rig.deadline import Deadline, poll
from rig.errors import ImageFault, RigFault
from rig.image.kernel_layout import HeapLayout, KernelLayout, read_layout
from rig.image.kernel_view import KernelView
from tests.image.conftest import kernel_image

RAM = 0x20000000


class FakeKernel:
    """RAM with empty lists and an empty heap; tasks and blocks are written where the layout says."""

    def __init__(self, layout: KernelLayout) -> None:
        self.layout = layout
        self.ram = bytearray(0x20000)
        self.before_read: Callable[[int], object] = int
        self.reads = 0
        for place in layout.variables.values():
            for address in range(place.at, place.at + place.size - layout.list.size + 1, layout.list.size):
                self.word(address + layout.list_end_next, address + layout.list.members["xListEnd"].at)

    def read(self, address: int, length: int) -> bytes:
        assert RAM <= address <= RAM + len(self.ram) - length, f"read of 0x{address:08X}"
        self.reads += 1
        self.before_read(address)
        return bytes(self.ram[address - RAM : address - RAM + length])

    def word(self, address: int, value: int) -> None:
        self.ram[address - RAM : address - RAM + 4] = value.to_bytes(4, "little")

    def variable(self, name: str, index: int = 0) -> int:
        return self.layout.variables[name].at + index * self.layout.list.size

    def add(
        self, tcb: int, name: str, home: int, *, priority: int = 1, stack: int = RAM, event: int = 0
    ) -> int:
        task, item = self.layout.task.members, self.layout.item.members
        state = tcb + task["xStateListItem"].at
        self.word(state + item["pvOwner"].at, tcb)
        self.word(state + item[self.layout.item_container].at, home)
        self.word(tcb + task["xEventListItem"].at + item[self.layout.item_container].at, event)
        self.word(tcb + task["uxPriority"].at, priority)
        self.word(tcb + task["pxStack"].at, stack)
        at = tcb + task["pcTaskName"].at - RAM
        self.ram[at : at + 12] = name.encode().ljust(12, b"\0")
        self.word(state + item["pxNext"].at, self.head(home))
        self.word(home + self.layout.list_end_next, state)
        count = self.variable("uxCurrentNumberOfTasks")
        self.word(count, self.ram[count - RAM] + 1)
        return tcb

    def head(self, list_address: int) -> int:
        at = list_address + self.layout.list_end_next - RAM
        return int.from_bytes(self.ram[at : at + 4], "little")


@pytest.fixture(scope="session")
def layout(kernel_elf: Path) -> KernelLayout:
    return read_layout(kernel_elf)


@pytest.fixture
def kernel(layout: KernelLayout) -> FakeKernel:
    return FakeKernel(layout)


@pytest.fixture
def free_tcb(layout: KernelLayout) -> Iterator[int]:
    """Addresses for control blocks: in the heap's array, apart from the fields that tests of the heap use."""
    assert layout.heap
    start = layout.heap.variables["ucHeap"].at + 8192
    return iter(range(start, start + 8000, 256))


def test_the_layout_is_that_of_the_release(layout: KernelLayout) -> None:
    offsets = {name: place.at for name, place in layout.task.members.items()}
    assert [
        offsets[n] for n in ("xStateListItem", "xEventListItem", "uxPriority", "pxStack", "pcTaskName")
    ] == [
        4,
        24,
        44,
        48,
        52,
    ]
    assert (layout.list.size, layout.item.size, layout.list_end_next) == (20, 20, 12)
    assert layout.variables["pxReadyTasksLists"].size == 5 * 20


def test_states_are_told_by_the_list_a_task_is_in(kernel: FakeKernel, free_tcb: Iterator[int]) -> None:
    ready = kernel.variable("pxReadyTasksLists", 2)
    suspended = kernel.variable("xSuspendedTaskList")
    running = kernel.add(next(free_tcb), "runs", ready, priority=2)
    kernel.word(kernel.variable("pxCurrentTCB"), running)
    kernel.add(next(free_tcb), "ready", ready, priority=2)
    kernel.add(next(free_tcb), "delayed", kernel.variable("xDelayedTaskList2"), priority=3)
    kernel.add(next(free_tcb), "stopped", suspended)
    kernel.add(next(free_tcb), "waits", suspended, event=0x20000100)
    kernel.add(next(free_tcb), "woken", suspended, event=kernel.variable("xPendingReadyList"))
    notified = kernel.add(next(free_tcb), "notify", suspended)
    kernel.ram[notified + kernel.layout.task.members["ucNotifyState"].at - RAM] = 1
    kernel.add(next(free_tcb), "ended", kernel.variable("xTasksWaitingTermination"))
    tasks = KernelView(kernel.layout, kernel.read).tasks()
    assert {task.name: task.state for task in tasks} == {
        "runs": "running",
        "ready": "ready",
        "delayed": "blocked",
        "stopped": "suspended",
        "waits": "blocked",
        "woken": "ready",
        "notify": "blocked",
        "ended": "deleted",
    }
    assert [task.name for task in tasks][:3] == ["delayed", "ready", "runs"]


def test_no_task_before_the_kernel_made_one(layout: KernelLayout) -> None:
    kernel = FakeKernel(layout)
    kernel.ram = bytearray(len(kernel.ram))
    assert KernelView(layout, kernel.read).tasks() == ()


def test_stack_size_and_highwater_of_a_static_stack(kernel: FakeKernel, free_tcb: Iterator[int]) -> None:
    stack = next(symbol for symbol in kernel.layout.objects if symbol.name == "sleeper_stack")
    kernel.ram[stack.address - RAM : stack.end - RAM] = bytes([0xA5]) * 503 + bytes(stack.size - 503)
    kernel.add(next(free_tcb), "t", kernel.variable("xDelayedTaskList1"), stack=stack.address)
    (task,) = KernelView(kernel.layout, kernel.read).tasks()
    assert (task.stack_base, task.stack_size, task.highwater) == (stack.address, 1200, 500)


def test_stack_size_of_a_stack_on_the_heap(kernel: FakeKernel, free_tcb: Iterator[int]) -> None:
    stack = next(free_tcb)
    kernel.word(stack - 4, 0x80000000 | 136)
    kernel.ram[stack - RAM : stack - RAM + 128] = bytes([0xA5]) * 128
    kernel.add(next(free_tcb), "t", kernel.variable("xDelayedTaskList1"), stack=stack)
    (task,) = KernelView(kernel.layout, kernel.read).tasks()
    assert (task.stack_size, task.highwater) == (128, 128)


def test_a_task_that_moves_between_lists_is_not_missed(kernel: FakeKernel, free_tcb: Iterator[int]) -> None:
    """From a list that is read late to one that was read already, at each reading anew."""
    members, item = kernel.layout.task.members, kernel.layout.item.members
    ready, delayed = kernel.variable("pxReadyTasksLists"), kernel.variable("xDelayedTaskList1")
    stays = kernel.add(next(free_tcb), "stays", ready)
    moves = kernel.add(next(free_tcb), "moves", delayed)

    def move(address: int) -> None:
        if address != stays or kernel.reads > 8:
            return
        end = delayed + kernel.layout.list.members["xListEnd"].at
        kernel.word(delayed + kernel.layout.list_end_next, end)
        kernel.word(
            stays + members["xStateListItem"].at + item["pxNext"].at, moves + members["xStateListItem"].at
        )
        kernel.word(moves + members["xStateListItem"].at + item[kernel.layout.item_container].at, ready)
        ready_end = ready + kernel.layout.list.members["xListEnd"].at
        kernel.word(moves + members["xStateListItem"].at + item["pxNext"].at, ready_end)

    kernel.before_read = move
    assert {t.name for t in KernelView(kernel.layout, kernel.read).tasks()} == {"stays", "moves"}


@pytest.mark.parametrize("link", [0, 0x20000003, 0xFFFFFFF0, 0x08000000, "itself"])
def test_a_torn_list_is_never_followed_out_of_ram(
    kernel: FakeKernel, free_tcb: Iterator[int], link: int | str
) -> None:
    ready = kernel.variable("pxReadyTasksLists", 1)
    tcb = kernel.add(next(free_tcb), "t", ready)
    kernel.word(kernel.variable("uxCurrentNumberOfTasks"), 2)
    state = tcb + kernel.layout.task.members["xStateListItem"].at
    following = state if isinstance(link, str) else link
    kernel.word(state + kernel.layout.item.members["pxNext"].at, following)
    with pytest.raises(RigFault, match="did not agree with its count of tasks in 50 readings"):
        KernelView(kernel.layout, kernel.read).tasks()


def test_noise_instead_of_a_kernel_is_a_fault(kernel: FakeKernel) -> None:
    kernel.ram = bytearray(b"\x5a" * len(kernel.ram))
    view = KernelView(kernel.layout, kernel.read)
    with pytest.raises(RigFault):
        view.tasks()
    with pytest.raises(RigFault):
        view.heap()


def make_heap(kernel: FakeKernel, blocks: list[tuple[int, int]], min_ever: int = 8) -> HeapLayout:
    heap = kernel.layout.heap
    assert heap
    array = heap.variables["ucHeap"]
    end = array.at + array.size - 8
    places = [array.at + offset for offset, _ in blocks] + [end]
    kernel.word(heap.variables["xStart"].at, places[0])
    for place, following, (_, size) in zip(places, places[1:], blocks, strict=False):
        kernel.word(place, following)
        kernel.word(place + 4, size)
    kernel.word(heap.variables["pxEnd"].at, end)
    kernel.word(heap.variables["xFreeBytesRemaining"].at, sum(size for _, size in blocks))
    kernel.word(heap.variables["xMinimumEverFreeBytesRemaining"].at, min_ever)
    return heap


def test_heap_figures_and_fragmentation(kernel: FakeKernel) -> None:
    make_heap(kernel, [(0, 100), (200, 300), (1000, 600)], min_ever=40)
    heap = KernelView(kernel.layout, kernel.read).heap()
    assert heap is not None
    assert (heap.total, heap.free, heap.min_ever, heap.largest, heap.blocks) == (16384, 1000, 40, 600, 3)
    assert heap.fragmentation == pytest.approx(0.4)


def test_a_full_heap_and_one_never_used(kernel: FakeKernel) -> None:
    view = KernelView(kernel.layout, kernel.read)
    unused = view.heap()
    assert unused is not None
    assert (unused.free, unused.largest, unused.fragmentation) == (16384, 16384, 0)
    make_heap(kernel, [])
    full = view.heap()
    assert full is not None
    assert (full.free, full.largest, full.blocks, full.fragmentation) == (0, 0, 0, 0)


@pytest.mark.parametrize("link", [0, 0x20000004, 0xFFFFFFF8, "back"])
def test_a_torn_free_list_is_a_fault(kernel: FakeKernel, link: int | str) -> None:
    heap = make_heap(kernel, [(0, 104), (200, 304)])
    array = heap.variables["ucHeap"].at
    kernel.word(array + 200, array if isinstance(link, str) else link)
    with pytest.raises(RigFault, match="did not add up"):
        KernelView(kernel.layout, kernel.read).heap()


def test_a_free_list_caught_in_a_change_is_read_again(kernel: FakeKernel) -> None:
    heap = make_heap(kernel, [(0, 104), (200, 304)])
    free = heap.variables["xFreeBytesRemaining"].at
    kernel.word(free, 100)

    def mend(address: int) -> None:
        if kernel.reads > 20 and address != free:
            kernel.word(free, 408)

    kernel.before_read = mend
    view = KernelView(kernel.layout, kernel.read).heap()
    assert view is not None
    assert view.free == 408


def test_tick_is_read_at_its_width(kernel: FakeKernel) -> None:
    kernel.word(kernel.variable("xTickCount"), 0xFFFFFFFE)
    assert KernelView(kernel.layout, kernel.read).tick() == 0xFFFFFFFE


def test_an_application_may_have_a_tasks_file_of_its_own(tmp_path: Path) -> None:
    """Whichever of the two the linker took first."""
    elf = kernel_image(tmp_path, name="tasks")
    assert "pxCurrentTCB" in read_layout(elf).variables


def test_an_elf_without_a_kernel_is_refused(tiny_elf: Path, kernel_elf: Path, tmp_path: Path) -> None:
    with pytest.raises(ImageFault, match="no debug information of the FreeRTOS kernel"):
        read_layout(tiny_elf)
    bare = tmp_path / "bare.elf"
    subprocess.run(["arm-none-eabi-objcopy", "--strip-debug", kernel_elf, bare], check=True)
    with pytest.raises(ImageFault, match="no debug information"):
        read_layout(bare)


class Qemu:
    """The kernel in QEMU; memory is read through its monitor while it runs."""

    def __init__(self, elf: Path, folder: Path) -> None:
        command = ["qemu-system-arm", "-machine", "mps2-an385", "-display", "none", "-serial", "null"]
        command += ["-monitor", "none", "-qmp", "stdio", "-kernel", str(elf)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.dump = folder / "memory"
        self.call("qmp_capabilities")

    def call(self, execute: str, **arguments: object) -> None:
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(json.dumps({"execute": execute, "arguments": arguments}) + "\n")
        self.process.stdin.flush()
        for line in self.process.stdout:
            answer: dict[str, Any] = json.loads(line)
            assert "error" not in answer, answer
            if "return" in answer:
                return
        raise AssertionError("QEMU ended")

    def read(self, address: int, length: int) -> bytes:
        self.call("pmemsave", val=address, size=length, filename=str(self.dump))
        return self.dump.read_bytes()


@pytest.fixture
def qemu(kernel_elf: Path, tmp_path: Path) -> Iterator[Qemu]:
    qemu = Qemu(kernel_elf, tmp_path)
    with qemu.process:
        yield qemu
        qemu.process.kill()


@pytest.mark.emulated
def test_a_running_kernel_is_seen_whole(qemu: Qemu, layout: KernelLayout) -> None:
    view = KernelView(layout, qemu.read)
    assert poll(lambda: view.tick() > 20, Deadline.after(10))
    for _ in range(5):
        tasks = {task.name: task for task in view.tasks()}
        assert {name: task.state for name, task in tasks.items() if name not in ("IDLE", "churn")} == {
            "sleeper": "blocked",
            "stopped": "suspended",
            "receiver": "blocked",
            "awaiter": "blocked",
        }
        assert {name: task.stack_size for name, task in tasks.items()} == {
            "IDLE": 512,
            "sleeper": 1200,
            "stopped": 800,
            "receiver": 640,
            "awaiter": 640,
            "churn": 800,
        }
        assert all(0 < task.highwater < (task.stack_size or 0) - 32 for task in tasks.values())
        heap = view.heap()
        assert heap is not None
        assert 0 < heap.min_ever <= heap.free < heap.total
        assert heap.largest <= heap.free
        assert 0 <= heap.fragmentation < 1
