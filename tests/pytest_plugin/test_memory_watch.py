# SPDX-License-Identifier: MIT
"""The watch over a board's memory: what it keeps, and that that it can make no case fail."""

from __future__ import annotations

from pathlib import Path

import pytest

from rig.errors import LinkLost
from rig.events import Event, RunClock
from rig.image.kernel_heap import ReadMemory
from rig.image.memory_marks import Marks, StackMark
from rig.pytest_plugin.memory_watch import MemoryWatch, flat

ELF = Path(__file__).parents[2] / "build" / "firmware" / "mps2" / "app.elf"


def watch(elf: Path, read: ReadMemory) -> tuple[MemoryWatch, list[Event]]:
    events: list[Event] = []
    return MemoryWatch("mps2", elf, read, RunClock(), events.append), events


def test_a_board_that_cannot_be_read_is_told_and_asked_again() -> None:
    asked = []

    def read(address: int, length: int) -> bytes:
        asked.append((address, length))
        raise LinkLost("probe gone")

    seen, events = watch(ELF, read)
    seen.look("boot/a")
    seen.look("boot/b")
    assert [(e.kind, e.data["after"], e.data["why"]) for e in events] == [
        ("unread", "boot/a", "probe gone"), ("unread", "boot/b", "probe gone"),
    ]  # fmt: skip
    assert (len(asked), seen.readings) == (2, [])


def test_an_image_without_a_kernel_is_told_once(tmp_path: Path) -> None:
    elf = tmp_path / "app.elf"
    elf.write_bytes(b"no elf at all")
    seen, events = watch(elf, lambda _address, length: bytes(length))
    seen.look("boot/a")
    seen.look("boot/b")
    assert [e.kind for e in events] == ["unread"]


@pytest.mark.parametrize("free", [100, None])
def test_a_reading_as_fields_of_an_event(free: int | None) -> None:
    marks = Marks(7, {"Tmr Svc": StackMark(1024, 884)}, free, free)
    heap = {} if free is None else {"heap.free": 100, "heap.min_ever": 100}
    assert flat(marks) == {"tick": 7, "stack.Tmr Svc": 884, "size.Tmr Svc": 1024, **heap}
