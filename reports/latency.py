# SPDX-License-Identifier: MIT
"""Latencies of a board's network as one table, and its memory by phase as another. Pure.

Owns which measurements belong together: those whose context names an ``operation`` are cells of one row, by
who did it (``client``) and on which line; those that name a ``phase`` and a ``place`` are memory after it.
Makes no outcome.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from reports.text import number
from rig.evidence.model import MeasurementResult

_TO_MS: Final = {"us": 1e-3, "ms": 1.0, "s": 1e3}
_HOST, _LOSSY = "host", "lossy"


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation: what it took the board on a good line and on a bad one, and a client on the host."""

    name: str
    idle: MeasurementResult | None
    lossy: MeasurementResult | None
    host: MeasurementResult | None

    @property
    def taken(self) -> str:
        """Who took the board's figures, and by what."""
        m = self.idle or self.lossy
        return str(m.context.get("taken", "")) if m is not None else ""


@dataclass(frozen=True, slots=True)
class LatencyTable:
    """All operations; ``lines``: what a bad line is, in the words of the figures."""

    rows: tuple[Operation, ...]
    lossy: str
    names: frozenset[str]

    @property
    def ways(self) -> tuple[str, ...]:
        """The ways in which figures of the board were taken, each once."""
        return tuple(dict.fromkeys(row.taken for row in self.rows if row.taken))


@dataclass(frozen=True, slots=True)
class Place:
    """A stack, heap or pool: its size, and how much of it was used at most by the end of each phase."""

    name: str
    size: float | None
    used: tuple[float | None, ...]

    @property
    def grown(self) -> tuple[bool, ...]:
        """Whether a phase used more than any before it."""
        told, most = [], float("-inf")
        for value in self.used:
            told.append(value is not None and value > most and most > float("-inf"))
            most = max(most, value if value is not None else most)
        return tuple(told)


@dataclass(frozen=True, slots=True)
class PhaseTable:
    """Memory by phase, in bytes."""

    phases: tuple[str, ...]
    rows: tuple[Place, ...]
    names: frozenset[str]


def latency_table(measured: Sequence[MeasurementResult]) -> LatencyTable:
    """The table of one board's measurements; empty where none names an operation."""
    cells: dict[str, dict[str, MeasurementResult]] = {}
    mine = [m for m in measured if "operation" in m.context and m.unit in _TO_MS]
    for m in mine:
        cells.setdefault(str(m.context["operation"]), {})[_column(m)] = m
    rows = tuple(Operation(name, c.get("idle"), c.get(_LOSSY), c.get(_HOST)) for name, c in cells.items())
    lossy = next((str(row.lossy.context.get("line")) for row in rows if row.lossy), "")
    return LatencyTable(rows, lossy, frozenset(m.name for m in mine))


def phase_table(measured: Sequence[MeasurementResult]) -> PhaseTable:
    """Memory after each phase, in the order of the phases; empty where none was measured."""
    mine = [m for m in measured if {"phase", "place"} <= m.context.keys()]
    phases = tuple(dict.fromkeys(str(m.context["phase"]) for m in mine))
    places: dict[str, dict[str, MeasurementResult]] = {}
    for m in mine:
        places.setdefault(str(m.context["place"]), {})[str(m.context["phase"])] = m
    rows = tuple(_place(name, of, phases) for name, of in places.items())
    return PhaseTable(phases, rows, frozenset(m.name for m in mine))


def in_ms(m: MeasurementResult, value: float) -> str:
    """A figure of a latency in milliseconds, three digits."""
    ms = value * _TO_MS[m.unit]
    return number(float(f"{ms:.3g}"))


def figures(m: MeasurementResult | None, names: Iterable[str] = ("n", "p50", "p99", "max")) -> list[str]:
    """These figures in milliseconds, and ``n`` as it is; dashes where there is no measurement."""
    return ["–" if m is None else _figure(m, name) for name in names]


def _figure(m: MeasurementResult, name: str) -> str:
    return str(m.n) if name == "n" else in_ms(m, float(getattr(m, name)))


def _column(m: MeasurementResult) -> str:
    if m.context.get("client") == _HOST:
        return _HOST
    return "idle" if m.context.get("line") == "idle" else _LOSSY


def _place(name: str, of: dict[str, MeasurementResult], phases: Sequence[str]) -> Place:
    size = next((m.context["size"] for m in of.values() if "size" in m.context), None)
    used = tuple(of[phase].mean if phase in of else None for phase in phases)
    return Place(name, float(size) if isinstance(size, int | float) else None, used)
