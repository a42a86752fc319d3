# SPDX-License-Identifier: MIT
"""All distributions of a run in one unit on one sheet: p50, p99 and max by board, on a logarithmic axis."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from reports.figures import SameFigure
from reports.plates import words
from reports.plates.sheet import BLACK, FAINT, GREY, WIDTH, Ink, Sheet, caption_height, folded
from reports.plots import bounds
from reports.text import number, one_line
from rig.evidence.model import MeasurementResult, Run

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_LEFT, _RIGHT, _TOP, _BAND = 1.75, 0.2, 0.62, 0.07
_READING: Final = (
    "Dot: p50. Thick line: to p99. Thin line: to the largest sample. Ring: the largest that a tick interrupt "
    "hit, which is in none of the others. Black stroke: limit."
)


def overview_sheet(
    run: Run, figures: Sequence[SameFigure], unit: str, inks: Mapping[str, Ink]
) -> Sheet | None:
    """One row for each of these figures, which have the same unit; None where there is nothing to draw."""
    rows = [figure for figure in figures if any(map(_drawable, figure.results))]
    if not rows:
        return None
    boards = [board for board in inks if any(board in figure.of for figure in rows)]
    caption = folded(
        (words.emulated(run, boards), words.silicon(run, boards), _READING, words.evidence(run, boards))
    )
    band = _BAND * (len(boards) + 1)
    under = _TOP + band * len(rows) + 0.5
    sheet = Sheet(under + caption_height(caption))
    sheet.heading("Overview", f"every distribution in {unit}, on a logarithmic axis")
    axes = sheet.axes(_LEFT, _TOP, WIDTH - _LEFT - _RIGHT, band * len(rows))
    for place, figure in enumerate(rows):
        _row(axes, place, figure, {board: inks[board] for board in boards})
    _scale(axes, rows)
    axes.set_xlabel(one_line(unit, 40), labelpad=2)
    _legend(sheet, boards, inks)
    sheet.caption(under, caption)
    return sheet


def _drawable(m: MeasurementResult) -> bool:
    return m.n > 0 and all(map(math.isfinite, (m.p50, m.p99, m.max)))


def _row(axes: Axes, place: int, figure: SameFigure, inks: Mapping[str, Ink]) -> None:
    """The boards one below the other in a band that is one unit high."""
    if place % 2:
        axes.axhspan(place - 0.5, place + 0.5, color="#f3f3f3", linewidth=0, zorder=-2)
    step = 1 / (len(inks) + 1)
    for line, (board, ink) in enumerate(inks.items(), 1):
        m, tick = figure.of.get(board, (None, None))
        if m is None or not _drawable(m):
            continue
        y = place - 0.5 + line * step
        axes.hlines(y, m.p99, m.max, color=ink.colour, linewidth=0.8)
        axes.hlines(y, m.p50, m.p99, color=ink.colour, linewidth=2.6)
        axes.plot(m.max, y, "|", color=ink.colour, markersize=3.6, markeredgewidth=0.8)
        axes.plot(m.p50, y, "o", color=ink.colour, markersize=3.6, mec="white", mew=0.3)
        if tick and _drawable(tick):
            axes.plot(tick.max, y, "o", mfc="white", mec=ink.colour, markersize=2.9, markeredgewidth=0.7)
        for bound in bounds(m):
            axes.plot([bound, bound], [y - step * 0.5, y + step * 0.5], color=BLACK, linewidth=1, zorder=1)


def _scale(axes: Axes, rows: Sequence[SameFigure]) -> None:
    from matplotlib.ticker import FuncFormatter, LogLocator

    least = min(m.p50 for figure in rows for m in figure.results if _drawable(m))
    if least > 0:
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    else:
        axes.set_xscale("symlog", linthresh=1)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: number(value)))
    axes.grid(axis="x", color=FAINT, linewidth=0.4)
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.set_yticks(range(len(rows)), [one_line(figure.name, 32) for figure in rows])
    axes.tick_params(axis="y", length=0)


def _legend(sheet: Sheet, boards: Sequence[str], inks: Mapping[str, Ink]) -> None:
    from matplotlib.lines import Line2D

    marks = [
        Line2D([], [], color=inks[board].colour, marker="o", linewidth=2.6, markersize=4.2,
               label=one_line(board, 16))
        for board in boards
    ]  # fmt: skip
    marks.append(
        Line2D([], [], marker="o", linestyle="", label="tick hit, max", mfc="white", mec=GREY, markersize=3.4)
    )
    marks.append(Line2D([], [], color=BLACK, marker="|", linestyle="", markersize=6, label="limit"))
    sheet.legend(marks)
