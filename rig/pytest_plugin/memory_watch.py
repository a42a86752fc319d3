# SPDX-License-Identifier: MIT
"""Which case moved which mark of a board's memory: read by the probe after every case, kept as events.

Owns when it is read and the form of the event (source ``memory``, kind ``marks``; ``after`` is the case,
``stack.T`` the unused bytes of a stack, ``heap.free`` and ``heap.min_ever``). The firmware is not asked, and
nothing is judged here: the cases of the memory suite do that.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from rig.errors import ImageFault, RigError
from rig.events import Event, EventSink, RunClock, Scalar

if TYPE_CHECKING:
    from rig.image.kernel_heap import ReadMemory
    from rig.image.memory_marks import MarkReader, Marks

SOURCE: Final = "memory"
BOOT: Final = "boot"
"""Stands for a case: the reading before the first one."""


@dataclass(frozen=True, slots=True)
class Reading:
    """The marks after a case, named ``suite/case``."""

    after: str
    marks: Marks


class MemoryWatch:
    """Reads the marks of one board; ``readings`` are those of the run so far."""

    def __init__(self, board: str, elf: Path, read: ReadMemory, clock: RunClock, sink: EventSink) -> None:
        """Touches nothing; an ELF without a kernel is told by an event at the first reading."""
        self._board, self._elf, self._read = board, elf, read
        self._clock, self._sink = clock, sink
        self._reader: MarkReader | None = None
        self._blind = False
        self.readings: list[Reading] = []

    def look(self, after: str) -> None:
        """Reads once, and never raises: a board that cannot be read is the matter of its cases."""
        if self._blind:
            return
        begin = self._clock.now_ns()
        try:
            marks = self._opened().marks()
        except RigError as error:
            self._blind = isinstance(error, ImageFault)
            self._tell("unread", {"after": after, "why": error.message})
            return
        self.readings.append(Reading(after, marks))
        took = (self._clock.now_ns() - begin) / 1e6
        self._tell("marks", {"after": after, **flat(marks), "took_ms": round(took, 3)})

    def _opened(self) -> MarkReader:
        if self._reader is None:
            from rig.image.memory_marks import MarkReader

            self._reader = MarkReader(self._elf, self._read)
        return self._reader

    def _tell(self, kind: str, data: dict[str, Scalar]) -> None:
        self._sink(Event(self._clock.now_ns(), SOURCE, kind, self._board, data))


def flat(marks: Marks) -> dict[str, Scalar]:
    """A reading as the fields of an event."""
    found: dict[str, Scalar] = {"tick": marks.tick}
    for name, mark in marks.stacks.items():
        found[f"stack.{name}"] = mark.unused
        found[f"size.{name}"] = mark.size
    if marks.heap_free is not None:
        found |= {"heap.free": marks.heap_free, "heap.min_ever": marks.heap_min_ever}
    return found
