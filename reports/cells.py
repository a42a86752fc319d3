# SPDX-License-Identifier: MIT
"""Tables out of figures whose context says where they stand: ``table``, ``row`` and ``column``. Pure.

Owns which figures belong together, and how a cell is written. Makes no outcome.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from reports.text import number
from rig.evidence.model import MeasurementResult

_PLACE: Final = frozenset({"table", "row", "column"})
_Cells = Mapping[str, MeasurementResult]


@dataclass(frozen=True, slots=True)
class CellRow:
    """A row: its figures by column, where there is one."""

    name: str
    cells: _Cells

    @property
    def what(self) -> str:
        """What the row is, where its figures say more than its name."""
        return str(_first(self.cells, "what") or "")

    @property
    def size(self) -> float | None:
        """The size of the place that the row is about."""
        size = _first(self.cells, "size")
        return float(size) if isinstance(size, int | float) else None


@dataclass(frozen=True, slots=True)
class CellTable:
    """A table of figures in one unit."""

    title: str
    unit: str
    columns: tuple[str, ...]
    rows: tuple[CellRow, ...]

    @property
    def sized(self) -> bool:
        """Whether its rows are about places that have a size."""
        return any(row.size is not None for row in self.rows)

    @property
    def explained(self) -> bool:
        """Whether its rows say what they are."""
        return any(row.what for row in self.rows)

    @property
    def heading(self) -> str:
        """What it shows: the unit, and what a cell of samples holds."""
        counts = sorted({m.n for row in self.rows for m in row.cells.values() if m.n > 1})
        each = f", p50 / max of {' or '.join(map(str, counts))} samples" if counts else ""
        unit = "" if self.unit == "1" else f", {self.unit}"
        return f"{self.title}{unit}{each}"

    def ways(self) -> Iterator[tuple[str, str]]:
        """Each way in which figures were taken, and the rows or columns that were."""
        rows = {row.name: tuple(row.cells.values()) for row in self.rows}
        columns = {name: tuple(r.cells[name] for r in self.rows if name in r.cells) for name in self.columns}
        lines = rows if all(len(_ways(line)) < 2 for line in rows.values()) else columns
        told: dict[str, list[str]] = {}
        for name, line in lines.items():
            told.setdefault("; ".join(_ways(line)), []).append(name)
        for way, names in told.items():
            if way:
                yield way, "all" if len(told) == 1 else ", ".join(names)


def cell_tables(measured: Sequence[MeasurementResult]) -> tuple[CellTable, ...]:
    """The tables of one board's measurements, by title and unit, in the order of their first figures."""
    found: dict[tuple[str, str], dict[str, dict[str, MeasurementResult]]] = {}
    for m in filter(_is_cell, measured):
        rows = found.setdefault((str(m.context["table"]), m.unit), {})
        rows.setdefault(str(m.context["row"]), {})[str(m.context["column"])] = m
    return tuple(_table(title, unit, rows) for (title, unit), rows in found.items())


def cell_names(measured: Sequence[MeasurementResult]) -> frozenset[str]:
    """The names of the measurements that stand in such tables."""
    return frozenset(m.name for m in measured if _is_cell(m))


def cell(m: MeasurementResult | None) -> str:
    """A figure as its cell has it: the value, or p50 and the largest of more than one sample."""
    if m is None:
        return "–"
    return number(m.mean) if m.n == 1 else f"{number(m.p50)} / {number(m.max)}"


def _is_cell(m: MeasurementResult) -> bool:
    return m.context.keys() >= _PLACE


def _table(title: str, unit: str, rows: Mapping[str, _Cells]) -> CellTable:
    columns = tuple(dict.fromkeys(column for cells in rows.values() for column in cells))
    return CellTable(title, unit, columns, tuple(CellRow(name, cells) for name, cells in rows.items()))


def _ways(line: Sequence[MeasurementResult]) -> list[str]:
    return list(dict.fromkeys(str(m.context["taken"]) for m in line if "taken" in m.context))


def _first(cells: _Cells, key: str) -> object:
    return next((m.context[key] for m in cells.values() if key in m.context), None)
