# SPDX-License-Identifier: MIT
"""The same measurement of several boards beside one another: a box per board, on one scale.

A box is the middle half of the samples, its thick line p50; the thin line reaches from the smallest to the
largest, the broken one is p99, red is the limit of that board. The figures stand beside it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from reports.distribution import Distribution
from reports.figures import SameFigure
from reports.plots import bounds, span
from reports.svg import Drawing, Scale
from reports.text import number, one_line
from rig.evidence.model import MeasurementResult

WIDTH = 500.0
_ROW, _HEAD, _BOX = 24.0, 18.0, 11.0
_NAMES, _COLUMN = 84.0, 46.0
_FIGURES = ("p50", "p99", "max")


def boxes(figure: SameFigure, shapes: Mapping[str, Distribution]) -> str:
    """Returns the SVG, a row per board; ``shapes`` are the distributions by board. Empty without any."""
    if not shapes:
        return ""
    drawing = Drawing(WIDTH, _HEAD + _ROW * len(figure.of) + 16)
    left, width = _NAMES, WIDTH - _NAMES - _COLUMN * len(_FIGURES) - 8
    limits = [bound for m in figure.results for bound in bounds(m)]
    low, high = min(d.low for d in shapes.values()), max(d.high for d in shapes.values())
    scale = Scale(*_span(low, high, limits), width, 8)
    for place, name in enumerate(_FIGURES):
        drawing.text(_figure_x(place), 11, name, "muted", "end")
    for row, (board, (m, _)) in enumerate(figure.of.items()):
        y = _HEAD + _ROW * row + _ROW / 2
        _row(drawing, board, m, y)
        if board in shapes:
            _box(drawing, m, shapes[board], scale, left, y)
        _limits(drawing, m, scale, left, width, y)
    _axis(drawing, low, high, scale, left, _HEAD + _ROW * len(figure.of))
    told = "; ".join(f"{board}: p50 {number(m.p50)}, p99 {number(m.p99)}, max {number(m.max)}"
                     for board, (m, _) in figure.of.items())  # fmt: skip
    return drawing.svg("box", f"{figure.name} in {figure.unit}: {told}")


def _span(low: float, high: float, limits: list[float]) -> tuple[float, float]:
    """At least an eighth of the value wide, so that one instruction more does not look like a mountain."""
    middle, room = low / 2 + high / 2, abs(high) / 16
    return span(min(low, middle - room), max(high, middle + room), limits)


def _figure_x(place: int) -> float:
    return WIDTH - _COLUMN * (len(_FIGURES) - 1 - place)


def _row(drawing: Drawing, board: str, m: MeasurementResult, y: float) -> None:
    drawing.text(0, y + 4, one_line(board, 14), "ink")
    for place, value in enumerate((m.p50, m.p99, m.max)):
        drawing.text(_figure_x(place), y + 4, number(value), "ink", "end", strong=not place)


def _box(
    drawing: Drawing, m: MeasurementResult, d: Distribution, scale: Scale, left: float, y: float
) -> None:
    drawing.line(left + scale(d.low), y, left + scale(d.high), y, "bar", 1.5)
    for end in (d.low, d.high):
        drawing.line(left + scale(end), y - 3.5, left + scale(end), y + 3.5, "bar", 1.5)
    first, third = (left + scale(value) for value in d.quartiles)
    wide = max(5.0, third - first)
    drawing.rect((first + third - wide) / 2, y - _BOX / 2, wide, _BOX, "bar")
    if scale.holds(m.p50):
        drawing.line(left + scale(m.p50), y - 7, left + scale(m.p50), y + 7, "ink", 2)
    if scale.holds(m.p99):
        drawing.line(left + scale(m.p99), y - 7, left + scale(m.p99), y + 7, "ink", 1.2, "2 2")


def _limits(
    drawing: Drawing, m: MeasurementResult, scale: Scale, left: float, width: float, y: float
) -> None:
    """The board's own bounds; one that is far off is an arrow at that side."""
    for bound in bounds(m):
        if scale.holds(bound):
            drawing.line(left + scale(bound), y - 10, left + scale(bound), y + 10, "bad", 1.75)
        elif bound > scale.high:
            drawing.text(left + width, y + 4, "›", "bad", "end", strong=True)
        else:
            drawing.text(left, y + 4, "‹", "bad", strong=True)


def _axis(drawing: Drawing, low: float, high: float, scale: Scale, left: float, y: float) -> None:
    drawing.line(left, y + 1, left + scale(scale.high) + 8, y + 1, "faint")
    close = math.isclose(scale(low), scale(high), abs_tol=30)
    drawing.text(left + scale(low), y + 13, number(low), "muted", "middle")
    if not close:
        drawing.text(left + scale(high), y + 13, number(high), "muted", "middle")
