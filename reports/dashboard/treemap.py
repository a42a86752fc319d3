# SPDX-License-Identifier: MIT
"""Who takes the memory, as areas: a squarified treemap (Bruls, Huizing, van Wijk, 2000)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from reports.svg import Drawing
from reports.text import one_line, size

_COLOURS: Final = ("t-a", "t-b", "t-c", "t-d", "t-e", "t-f")
_GAP: Final = 1.5
_LETTER: Final = 7.2
_LINE: Final = 15.0


@dataclass(frozen=True, slots=True)
class Tile:
    """A named part and its bytes; tiles of one ``group`` have one colour."""

    name: str
    octets: float
    group: int = 0


@dataclass(frozen=True, slots=True)
class Area:
    """A rectangle in pixels."""

    x: float
    y: float
    width: float
    height: float


def treemap(tiles: Sequence[Tile], label: str, *, width: float = 520, height: float = 300) -> str:
    """Returns the SVG; empty where nothing takes anything."""
    known = sorted((t for t in tiles if t.octets > 0), key=lambda t: -t.octets)
    if not known:
        return ""
    drawing = Drawing(width, height)
    for tile, area in zip(known, squarified([t.octets for t in known], width, height), strict=True):
        _draw(drawing, tile, area)
    whole = sum(tile.octets for tile in known)
    return drawing.svg("treemap", f"{label}: {size(whole)} in {len(known)} parts")


def squarified(sizes: Sequence[float], width: float, height: float) -> list[Area]:
    """Areas in proportion to the sizes, which are above zero and fall; together they fill the rectangle."""
    scale = width * height / sum(sizes)
    left, found = [value * scale for value in sizes], []
    free = Area(0, 0, width, height)
    while left:
        row = _row(left, min(free.width, free.height))
        placed, free = _lay(row, free)
        found += placed
        left = left[len(row) :]
    return found


def _row(areas: Sequence[float], side: float) -> list[float]:
    """As many of the first areas as make a row along ``side`` whose worst aspect ratio is the best."""
    row = [areas[0]]
    for area in areas[1:]:
        if _worst([*row, area], side) > _worst(row, side):
            break
        row.append(area)
    return row


def _worst(row: Sequence[float], side: float) -> float:
    total = sum(row)
    return max(side * side * max(row) / total**2, total**2 / (side * side * min(row)))


def _lay(row: Sequence[float], free: Area) -> tuple[list[Area], Area]:
    """The row along the shorter side of what is free, and what is free after it."""
    total, found = sum(row), []
    if free.width >= free.height:
        deep, at = total / free.height, free.y
        for area in row:
            found.append(Area(free.x, at, deep, area / deep))
            at += area / deep
        return found, Area(free.x + deep, free.y, max(1e-9, free.width - deep), free.height)
    deep, at = total / free.width, free.x
    for area in row:
        found.append(Area(at, free.y, area / deep, deep))
        at += area / deep
    return found, Area(free.x, free.y + deep, free.width, max(1e-9, free.height - deep))


def _draw(drawing: Drawing, tile: Tile, area: Area) -> None:
    wide, tall = max(0.5, area.width - _GAP), max(0.5, area.height - _GAP)
    colour = _COLOURS[tile.group % len(_COLOURS)]
    drawing.rect(area.x, area.y, wide, tall, colour, f"{one_line(tile.name[:400], 80)}: {size(tile.octets)}")
    letters = int((wide - 12) / _LETTER)
    if letters >= 5 and tall >= _LINE + 4:
        drawing.text(area.x + 6, area.y + _LINE, one_line(tile.name[:400], letters), "t-ink")
    if letters >= 7 and tall >= 2 * _LINE + 4:
        drawing.text(area.x + 6, area.y + 2 * _LINE, size(tile.octets), "t-ink")
