# SPDX-License-Identifier: MIT
"""Latencies, memory by phase, and tables of cells for a terminal. Owns the columns.

What is in them is ``latency.py``'s and ``cells.py``'s.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from reports.cells import CellTable, cell, cell_names, cell_tables
from reports.latency import LatencyTable, PhaseTable, figures, latency_table, phase_table
from reports.terminal_text import DIM, heading, padded, words
from reports.text import number, one_line
from rig.evidence.model import Run

if TYPE_CHECKING:
    from rich.console import RenderableType

_NAME, _COUNT, _CELL, _PLACE, _PHASE, _ROW = 19, 4, 6, 14, 7, 28


def without_latencies(run: Run) -> Run:
    """The run without the figures that stand in these tables and that no limit judges."""
    measured = run.measurements
    names = latency_table(measured).names | phase_table(measured).names | cell_names(measured)
    kept = tuple(m for m in measured if m.outcome is not None or m.name not in names)
    return replace(run, measurements=kept) if kept else run


def latency_lines(run: Run) -> Iterator[RenderableType]:
    """Yields the lines of each board; none where nothing of the kind was measured."""
    for board in run.boards:
        mine = [m for m in run.measurements if m.board == board.name]
        if (table := latency_table(mine)).rows:
            yield heading(f"Latency of {one_line(board.name, 24)}, ms")
            yield from _latencies(table)
        if (phases := phase_table(mine)).rows:
            yield heading(f"Memory of {one_line(board.name, 24)} by phase, bytes used at most")
            yield from _phases(phases)
        for cells in cell_tables(mine):
            yield heading(f"{one_line(cells.heading)}: {one_line(board.name, 24)}")
            yield from _cells(cells)


def _latencies(table: LatencyTable) -> Iterator[RenderableType]:
    line = _columns(("n", "p50", "p99", "max"))
    wide = len(line)
    yield padded(words(f"{'':{_NAME}} {'idle':>{wide}} {'bad line':>{wide}} {'host':>{_CELL}}", DIM))
    yield padded(words(f"{'':{_NAME}} {line} {line} {'p50':>{_CELL}}", DIM))
    for row in table.rows:
        host = figures(row.host, ("p50",))[0]
        shown = f"{_columns(figures(row.idle))} {_columns(figures(row.lossy))} {host:>{_CELL}}"
        yield padded(words(f"{one_line(row.name, _NAME):{_NAME}} {shown}"))
    if table.lossy:
        yield padded(words(f"bad line: {one_line(table.lossy)}", DIM))
    for way in table.ways:
        names = ", ".join(row.name for row in table.rows if row.taken == way)
        yield padded(words(f"{one_line(way)}: {names}", DIM))


def _columns(cells: Sequence[str]) -> str:
    """A count and three figures, below each other in every row."""
    n, *others = cells
    return " ".join([f"{n:>{_COUNT}}", *(f"{cell:>{_CELL}}" for cell in others)])


def _phases(table: PhaseTable) -> Iterator[RenderableType]:
    head = " ".join(f"{one_line(phase, _PHASE):>{_PHASE}}" for phase in table.phases)
    yield padded(words(f"{'':{_PLACE}} {'size':>{_PHASE}} {head}", DIM))
    for row in table.rows:
        cells = [number(value) for value in (row.size, *row.used)]
        shown = " ".join(f"{cell:>{_PHASE}}" for cell in cells)
        yield padded(words(f"{one_line(row.name, _PLACE):{_PLACE}} {shown}"))


def _cells(table: CellTable) -> Iterator[RenderableType]:
    names = [one_line(row.name, _ROW) for row in table.rows]
    columns = {"size": [number(row.size) for row in table.rows]} if table.sized else {}
    columns |= {name: [cell(row.cells.get(name)) for row in table.rows] for name in table.columns}
    room = max(map(len, names))
    wide = {name: max(map(len, (name, *shown))) for name, shown in columns.items()}
    head = "  ".join(f"{name:>{wide[name]}}" for name in columns)
    yield padded(words(f"{'':{room}}  {head}", DIM))
    for at, name in enumerate(names):
        shown = "  ".join(f"{column[at]:>{wide[key]}}" for key, column in columns.items())
        yield padded(words(f"{name:{room}}  {shown}"))
    for way, rows in table.ways():
        yield padded(words(f"{one_line(way)}: {one_line(rows)}", DIM))
