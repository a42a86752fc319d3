# SPDX-License-Identifier: MIT
"""Which case moved which mark of a board's memory, from the readings that a run keeps as events.

Owns what *moved* means: a stack's unused bytes or the heap's least free bytes fell below all earlier readings
of the run (a restart fills stacks anew; what was used before it stays used), or the heap's free bytes differ
from the reading before on the same boot. Judges nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from rig.events import Event

SOURCE: Final = "memory"
KIND: Final = "marks"
STACK: Final = "stack."
FREE: Final = "heap.free"
LEAST: Final = "heap.min_ever"


@dataclass(frozen=True, slots=True)
class Move:
    """A mark before and after a case (``suite/case``), in bytes that are unused or free."""

    board: str
    after: str
    mark: str
    before: int
    now: int

    @property
    def delta(self) -> int:
        """Bytes more; below 0: fewer."""
        return self.now - self.before


def moves(events: Iterable[Event]) -> tuple[Move, ...]:
    """Every move of the run, in order; the first reading of a board is where its marks begin."""
    boards: dict[str, _Board] = {}
    found: list[Move] = []
    for event in events:
        if (event.source, event.kind) == (SOURCE, KIND) and event.board is not None:
            found += boards.setdefault(event.board, _Board(event.board)).read(event)
    return tuple(found)


class _Board:
    """The marks of one board so far."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._lowest: dict[str, int] = {}
        self._free: int | None = None
        self._tick = 0

    def read(self, event: Event) -> Iterable[Move]:
        """The moves of one reading."""
        values = {key: value for key, value in event.data.items() if type(value) is int}
        after, tick = str(event.data.get("after", "?")), values.get("tick", 0)
        if tick < self._tick:
            self._free = None  # it began anew
        self._tick = tick
        for mark, now in values.items():
            if mark.startswith(STACK) or mark == LEAST:
                before = self._lowest.setdefault(mark, now)
                if now < before:
                    self._lowest[mark] = now
                    yield Move(self._name, after, mark, before, now)
        free = values.get(FREE)
        if free is not None and self._free not in (None, free):
            yield Move(self._name, after, FREE, self._free or 0, free)
        self._free = free
