# SPDX-License-Identifier: MIT
"""Memory of each board for a terminal: libraries, stacks in one table, and which case moved which mark.

Owns the columns, and which measurements stand here and not in the list of figures.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from reports.memory import MemoryMap, Stack, memory_map
from reports.terminal_text import DIM, heading, padded, words
from reports.text import number, one_line, size
from rig.evidence.marks import Move, moves
from rig.evidence.model import Run

if TYPE_CHECKING:
    from rich.console import RenderableType

MOST_MOVES: Final = 8
_NAME = 12


def without_tables(run: Run) -> Run:
    """The run without the figures that the tables here show and that no limit judges."""
    kept = tuple(m for m in run.measurements if m.outcome is not None or not _in_tables(m.name))
    return replace(run, measurements=kept) if kept else run


def memory_lines(run: Run, width: int) -> Iterator[RenderableType]:
    """Yields the lines; none for a run that knows nothing of libraries, worst cases or marks."""
    for board in run.boards:
        rooms = memory_map([m for m in run.measurements if m.board == board.name])
        moved = moves(event for event in run.events if event.board == board.name)
        if rooms.libraries or rooms.joined or moved:
            yield heading(f"Memory of {one_line(board.name, 24)}")
            yield from _libraries(rooms)
            yield from _stacks(rooms.joined, width)
            yield from _moves(moved, width)


def _in_tables(name: str) -> bool:
    return name.startswith("memory.library.") or name.endswith(".static_worst")


def _libraries(rooms: MemoryMap) -> Iterator[RenderableType]:
    for name, sizes in rooms.libraries:
        said = ", ".join(f"{region} {size(value)}" for region, value in sizes.items())
        yield padded(words(f"{one_line(name, 24):24}  {said}", DIM))


def _stacks(stacks: Sequence[Stack], width: int) -> Iterator[RenderableType]:
    if not stacks:
        return
    yield padded(words(f"{'stack':{_NAME}} {'size':>7} {'worst':>7} {'margin':>7} {'used':>7}  by", DIM))
    for s in stacks:
        used = s.size - s.least if s.size is not None and s.least is not None else None
        figures = (s.size, s.worst.max if s.worst else None, s.margin, used)
        row = " ".join(f"{number(value) if value is not None else '–':>7}" for value in figures)
        line = f"{one_line(s.name, _NAME):{_NAME}} {row}  {one_line(s.after, max(8, width - 55))}"
        yield padded(words(line, "bold red" if s.unbounded or (s.margin or 0) < 0 else ""))
        if s.unbounded:
            yield padded(words(f"unbounded: {s.unbounded}", "bold red"), 4)


def _moves(moved: Sequence[Move], width: int) -> Iterator[RenderableType]:
    """The largest move of each mark; all of them are in the HTML report and in JSON."""
    largest: dict[str, Move] = {}
    for move in moved:
        if abs(move.delta) > abs(largest[move.mark].delta if move.mark in largest else 0):
            largest[move.mark] = move
    if largest:
        cases = len({move.after for move in moved})
        yield padded(words(f"{len(moved)} moves of marks by {cases} cases; the largest of each:", DIM))
    for move in sorted(largest.values(), key=lambda move: -abs(move.delta))[:MOST_MOVES]:
        change = f"{number(move.before)} -> {number(move.now)} B"
        line = f"{one_line(move.mark, 20):20} {change:20} {one_line(move.after, max(8, width - 46))}"
        yield padded(words(line, DIM))
