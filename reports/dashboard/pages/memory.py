# SPDX-License-Identifier: MIT
"""The memory of the boards: who takes it now, as areas, and how it grew."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from reports.dashboard.sources import Sources, View
from reports.dashboard.treemap import Tile, treemap
from reports.dashboard.trend_chart import trend_chart
from reports.memory import MemoryMap, Room, memory_map
from rig.evidence.model import MeasurementResult
from rig.evidence.series_key import SeriesKey
from rig.evidence.store import BoardNow

_GROWING: Final = ("memory.region.", "memory.heap.")
_MOST_GROWN: Final = 8
_LOOKED_BACK: Final = 8
"""Runs of a board that are looked at for what it has."""


@dataclass(frozen=True, slots=True)
class Growth:
    """How a region or heap grew: the chart, and the difference over all of it."""

    key: SeriesKey
    svg: str
    first: float
    last: float


@dataclass(frozen=True, slots=True)
class RegionMap:
    """A region with its treemap."""

    room: Room
    svg: str


def overview(sources: Sources) -> View:
    """The regions of all boards as their last runs had them."""
    found = [(board, memory_of(sources, board)) for board in sources.store.boards()]
    says = {"boards": [(board, memory) for board, memory in found if memory]}
    return View("memory.html.j2", "Memory", "memory", says)


def memory(sources: Sources, wanted: str) -> View | None:
    """The page of the board of that slug."""
    board = sources.board(wanted)
    if board is None:
        return None
    known = memory_of(sources, board)
    says = {
        "board": board,
        "memory": known,
        "regions": [RegionMap(room, _treemap(room, known)) for room in known.regions],
        "growth": list(_growth(sources, board.name)),
    }
    return View("memory-board.html.j2", f"Memory of {board.name}", "memory", says)


def memory_of(sources: Sources, board: BoardNow) -> MemoryMap:
    """What the newest runs of the board know of its memory: a re-run may be of one case only."""
    found: dict[tuple[str, str, str], MeasurementResult] = {}
    for run in sources.store.runs(_LOOKED_BACK, board.name):
        own = [m for m in sources.store.measurements(run.run_id) if m.board == board.name]
        last = {(m.suite, m.case, m.name): m for m in sorted(own, key=lambda m: m.attempt)}
        found = last | found
    return memory_map(list(found.values()))


def _treemap(room: Room, known: MemoryMap) -> str:
    return treemap(list(_tiles(room, known)), f"What takes {room.name}")


def _tiles(room: Room, known: MemoryMap) -> Iterator[Tile]:
    """By library where the run says, else by the largest symbols and sections; the rest as one."""
    libraries = [(name, of[room.name]) for name, of in known.libraries if of.get(room.name)]
    parts: Sequence[tuple[str, float]] = libraries or room.largest or room.parts
    for place, (name, octets) in enumerate(parts):
        yield Tile(name, octets, place)
    rest = room.used - sum(octets for _, octets in parts)
    if parts and rest > 0:
        yield Tile("all else", rest, len(parts))


def _growth(sources: Sources, board: str) -> Iterator[Growth]:
    keys = [key for key in sources.store.keys(board) if key.name.startswith(_GROWING)]
    for key in keys[:_MOST_GROWN]:
        points = sources.store.series(key)
        if len(points) > 1:
            chart = trend_chart(points, sources.trend(points), key.name, width=516, height=190)
            yield Growth(key, chart, points[0].value, points[-1].value)
