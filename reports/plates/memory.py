# SPDX-License-Identifier: MIT
"""The memory of one board on a sheet: regions with their sections and largest symbols, heap and stacks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from reports.memory import MemoryMap, Room
from reports.plates import words
from reports.plates.sheet import BLACK, GREY, WIDTH, Sheet, caption_height, folded
from reports.text import number, one_line, percent, size
from rig.evidence.model import BoardResult, Run

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_LEFT, _TOP = 1.1, 0.7
_REGION, _BAR, _SYMBOLS = 1.12, 3.2, 6
_STACK: Final = 0.21
# From dark to light, so that neighbours differ in grey as well.
_SHADES: Final = ("#004488", "#7ba5cf", "#2f6fae", "#b9d0e6", "#175a9c", "#dbe7f2")
_FREE: Final = "#ffffff"


def memory_sheet(run: Run, board: BoardResult, rooms: MemoryMap) -> Sheet | None:
    """The memory of a board; None where nothing was measured."""
    regions = [room for room in rooms.regions if room.total]
    if not regions and not rooms.stacks and not rooms.heaps:
        return None
    caption = folded(_caption(run, board, rooms))
    below = _TOP + _REGION * len(regions)
    others = [*rooms.heaps, *rooms.stacks]
    under = below + (0.3 + _STACK * len(others) + 0.35 if others else 0)
    sheet = Sheet(under + caption_height(caption))
    sheet.heading(f"Memory of {board.name}", "regions of the image, heap and stacks as they were used")
    for place, room in enumerate(regions):
        _region(sheet, _TOP + _REGION * place, room)
    if others:
        _levels(sheet, below + 0.3, others)
    sheet.caption(under, caption)
    return sheet


def _caption(run: Run, board: BoardResult, rooms: MemoryMap) -> Sequence[str]:
    of = {room.name: room.measurement for room in (*rooms.regions, *rooms.heaps, *rooms.stacks)}
    methods = dict.fromkeys(f"{m.context['method']}" for m in of.values() if "method" in m.context)
    return (
        "Region: used of the whole above, what is used by section below, its largest symbols beside it. "
        "Heap and stacks: dark is used, light was used at most, the stroke is the limit.",
        *words.limits(of),
        f"Method: {'; '.join(methods)}." if methods else "",
        words.silicon(run, [board.name]),
        words.evidence(run, [board.name]),
    )


def _region(sheet: Sheet, top: float, room: Room) -> None:
    """The whole region as a bar, and under it what is used of it, drawn large."""
    total = room.total or 1.0
    free = size(total - room.used)
    said = f"{size(room.used)} used of {size(total)} ({percent(room.used, total)}), {free} free"
    sheet.text(0.12, top + 0.1, one_line(room.name, 14), weight="bold")
    sheet.text(_LEFT, top + 0.1, said)
    axes = _blank(sheet.axes(_LEFT, top + 0.18, _BAR, 0.62))
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1)
    axes.barh(0.86, 1, 0.26, color=_FREE, edgecolor=GREY, linewidth=0.6)
    axes.barh(0.86, room.share, 0.26, color=_SHADES[0], linewidth=0)
    if room.limit is not None and room.limit <= total:
        axes.plot([room.limit / total] * 2, [0.7, 1], color=BLACK, linewidth=1.2)
    axes.fill([0, room.share, 1, 0], [0.73, 0.73, 0.36, 0.36], color="#e9eef4", linewidth=0)
    _sections(axes, room)
    _symbols(sheet, top, room)


def _sections(axes: Axes, room: Room) -> None:
    parts = room.parts or ((("used", room.used),) if room.used else ())
    whole = sum(octets for _, octets in parts) or 1.0
    begin = 0.0
    for place, (name, octets) in enumerate(parts):
        shade = _SHADES[place % len(_SHADES)]
        axes.barh(0.2, octets / whole, 0.32, left=begin, color=shade, edgecolor="white", linewidth=0.5)
        if octets / whole > 0.12:
            ink = "white" if place % 2 == 0 else BLACK
            said, middle = f"{one_line(name, 16)} {size(octets)}", begin + octets / whole / 2
            axes.text(middle, 0.2, said, ha="center", va="center", color=ink, size=6.5)
        begin += octets / whole
    small = [f"{one_line(name, 16)} {size(octets)}" for name, octets in parts if octets / whole <= 0.12]
    axes.text(1, -0.02, "; ".join(small[:5]), ha="right", va="top", size=6, color=GREY)


def _symbols(sheet: Sheet, top: float, room: Room) -> None:
    largest = room.largest[:_SYMBOLS]
    if not largest:
        return
    axes = _blank(sheet.axes(_LEFT + _BAR + 1.35, top + 0.1, WIDTH - _LEFT - _BAR - 1.35 - 0.6, 0.8))
    axes.set_ylim(len(largest) - 0.4, -0.6)
    axes.set_xlim(0, largest[0][1])
    for place, (name, octets) in enumerate(largest):
        axes.barh(place, octets, 0.7, color=_SHADES[1], linewidth=0)
        axes.text(0, place, f"{one_line(name, 22)} ", ha="right", va="center", size=6)
        axes.text(octets, place, f" {size(octets)}", ha="left", va="center", size=6)


def _levels(sheet: Sheet, top: float, rooms: Sequence[Room]) -> None:
    """Heap and stacks, each a bar of its own whole size."""
    sheet.text(0.12, top - 0.06, "Heap and stacks", weight="bold")
    axes = _blank(sheet.axes(_LEFT, top, _BAR, _STACK * len(rooms)))
    axes.set_xlim(0, 1)
    axes.set_ylim(len(rooms) - 0.5, -0.5)
    for place, room in enumerate(rooms):
        total = room.total or 1.0
        axes.barh(place, 1, 0.66, color=_FREE, edgecolor=GREY, linewidth=0.6)
        if room.peak is not None:
            axes.barh(place, room.peak / total, 0.66, color=_SHADES[3], linewidth=0)
        axes.barh(place, room.share, 0.66, color=_SHADES[0], linewidth=0)
        if room.limit is not None:
            axes.plot([room.limit / total] * 2, [place - 0.42, place + 0.42], color=BLACK, linewidth=1.4)
        axes.text(-0.02, place, one_line(room.name, 18), ha="right", va="center")
        axes.text(1.02, place, _told(room, total), ha="left", va="center")
    axes.set_xticks([])


def _told(room: Room, total: float) -> str:
    free = f"{number(total - room.used)} B {'free' if room.kind == 'heap' else 'unused'} of {number(total)}"
    if room.kind == "heap":
        return free + (f", at least {number(total - room.peak)}" if room.peak is not None else "")
    return free + ("" if room.limit is None else f", limit {number(total - room.limit)}")


def _blank(axes: Axes) -> Axes:
    """Axes with nothing but what is drawn into them."""
    axes.set_axis_off()
    return axes
