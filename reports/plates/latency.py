# SPDX-License-Identifier: MIT
"""The figure of one measurement: how its samples are distributed on every board.

Samples that a tick interrupt hit stand apart, on an axis of their own. Below are the figures, the limit with
its origin, and how they were measured. Shows what is stored and judges nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from reports.figures import SameFigure
from reports.plates import words
from reports.plates.panel import BETWEEN, CDF, LANE, MARKS, Population, mark_look, panel
from reports.plates.sheet import GREY, WIDTH, Ink, Sheet, caption_height, folded
from reports.samples import SampleBook
from reports.text import number, one_line
from rig.evidence.model import MeasurementResult, Run

_LEFT, _RIGHT, _GAP, _TOP = 0.95, 0.15, 0.3, 0.74
_ROW: Final = 0.165
_FIGURES: Final = (("n", 2.0), ("p50", 2.7), ("p99", 3.4), ("max", 4.1))
_HIT: Final = (("n", 5.1), ("p50", 5.8), ("max", 6.5))
_READING: Final = (
    "Above: share of samples at or below a value. Below: how often each value came; height grows with the "
    "square root of the count, so that a single sample is seen."
)


def latency_sheet(run: Run, figure: SameFigure, book: SampleBook, inks: Mapping[str, Ink]) -> Sheet | None:
    """The figure of one measurement of a run; None where there is no sample to draw."""
    mine = {board: inks[board] for board in figure.of}
    ticks = {board: tick for board, (_, tick) in figure.of.items() if tick}
    whole = _population("", {board: m for board, (m, _) in figure.of.items()}, book)
    hit = _population("hit by a tick interrupt", ticks, book)
    if not whole.samples:
        return None
    caption = folded(_caption(run, figure, book))
    table = _TOP + CDF + BETWEEN + LANE * len(mine) + 0.55
    under = table + _ROW * (len(mine) + 1) + 0.08
    sheet = Sheet(under + caption_height(caption))
    sheet.heading(figure.name, f"{figure.suite} suite, in {figure.unit}")
    _legend(sheet)
    _panels(sheet, whole, hit, mine)
    sheet.text((_LEFT + WIDTH - _RIGHT) / 2, table - 0.2, figure.unit, ha="center", size=7.5)
    _table(sheet, table, figure, mine)
    sheet.caption(under, caption)
    return sheet


def _population(title: str, of: Mapping[str, MeasurementResult], book: SampleBook) -> Population:
    samples = {board: values for board, m in of.items() if (values := book.values(m))}
    return Population(title, of, samples)


def _panels(sheet: Sheet, whole: Population, hit: Population, inks: Mapping[str, Ink]) -> None:
    full = WIDTH - _LEFT - _RIGHT
    width = full * 0.66 if hit.samples else full
    panel(sheet, _LEFT, _TOP, width, whole, inks, first=True)
    if hit.samples:
        beside = _LEFT + width + _GAP
        panel(sheet, beside, _TOP, WIDTH - _RIGHT - beside, hit, inks, first=False)
    sheet.text(0.3, _TOP + CDF / 2, "cumulative share", rotation=90, ha="center", va="center")


def _legend(sheet: Sheet) -> None:
    """What the marks on the lines are; the boards are named at their histograms and in the table."""
    from matplotlib.lines import Line2D

    marks = [
        Line2D([], [], color=GREY, marker=mark, linestyle="", label=name, **mark_look(mark))
        for name, _, mark in MARKS
    ]
    marks.append(Line2D([], [], color="#000000", linewidth=0.9, dashes=(5, 2), label="limit"))
    sheet.legend(marks)


def _table(sheet: Sheet, top: float, figure: SameFigure, inks: Mapping[str, Ink]) -> None:
    """A row of figures per board, with its line before its name."""
    hit = any(tick for _, tick in figure.of.values())
    for name, x in (*_FIGURES, *(_HIT if hit else ())):
        sheet.text(x, top, name, ha="right", color=GREY)
    if hit:
        sheet.text(_HIT[0][1] - 0.28, top, "tick hit:", ha="right", color=GREY)
    for place, (board, ink) in enumerate(inks.items(), 1):
        y = top + _ROW * place
        m, tick = figure.of[board]
        _line(sheet, 0.15, y - 0.035, ink)
        sheet.text(0.55, y, one_line(board, 16))
        for told, columns in ((m, _FIGURES), (tick, _HIT)):
            for name, x in columns if told else ():
                sheet.text(x, y, number(getattr(told, name)), ha="right")
    sheet.rule(top + 0.045)


def _line(sheet: Sheet, left: float, top: float, ink: Ink) -> None:
    from matplotlib.lines import Line2D

    x = [left / WIDTH, (left + 0.32) / WIDTH]
    y = [1 - top / sheet.height] * 2
    sheet.figure.add_artist(Line2D(x, y, color=ink.colour, linestyle=ink.pattern, linewidth=2))


def _caption(run: Run, figure: SameFigure, book: SampleBook) -> Sequence[str]:
    of = {board: m for board, (m, _) in figure.of.items()}
    both = [(board, m) for board, pair in figure.of.items() for m in pair if m]
    notes = [f"{board}: {note}." for board, m in both if (note := book.of(m)[1])]
    boards = list(of)
    told = (words.emulated(run, boards), words.silicon(run, boards), _READING, words.method(of))
    return (*words.limits(of), *told, *notes, words.evidence(run, boards))
