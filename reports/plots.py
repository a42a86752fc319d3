# SPDX-License-Identifier: MIT
"""What one measurement looks like: the distribution of its samples, or a single value on a line.

Owns the drawing of p50, p99 and limits over the samples of one board; several boards beside one another are
``boxes.py``. Draws what is stored and judges nothing.
"""

from __future__ import annotations

import math

from reports.distribution import Distribution
from reports.svg import Drawing, Scale
from reports.text import number
from rig.evidence.model import MeasurementResult

WIDTH, HEIGHT = 430.0, 70.0
_FLOOR, _TOP, _ENDS = 53.0, 16.0, 68.0
_APART = 28.0
_MARGIN = 6.0


def histogram(m: MeasurementResult, whole: Distribution | None, tick: Distribution | None = None) -> str:
    """Returns the SVG of one measurement: samples, p50, p99, limits; samples hit by a tick stand apart.

    A single value is drawn as a dot on a line with its limits. Empty where there is nothing to draw.
    """
    if whole is None:
        return ""
    drawing = Drawing(WIDTH, HEIGHT)
    if sum(whole.count) == 1 and tick is None:
        _gauge(drawing, m, whole.low)
    else:
        main = WIDTH if tick is None else WIDTH * 0.7
        _population(drawing, m, whole, main)
        if tick is not None:
            _hit(drawing, tick, main + _APART, WIDTH - main - _APART)
    figures = f"p50 {number(m.p50)}, p99 {number(m.p99)}, max {number(m.max)} {m.unit}"
    return drawing.svg("plot", f"Distribution of {m.name}: {figures}")


def bounds(m: MeasurementResult) -> list[float]:
    """The finite limits of a measurement."""
    return [b for b in (m.lower, m.upper) if b is not None and math.isfinite(b)]


def span(low: float, high: float, limits: list[float]) -> tuple[float, float]:
    """From low to high, and to a limit that is not so far off that it would flatten what is between them."""
    room = (high - low) or max(1.0, abs(high) * 0.02)
    near = [v for v in limits if low - 1.5 * room <= v <= high + 1.5 * room]
    return min([low, *near]), max([high, *near])


def _population(drawing: Drawing, m: MeasurementResult, d: Distribution, width: float) -> None:
    scale = Scale(*span(d.left[0], d.right[-1], bounds(m)), width, _MARGIN)
    _limits(drawing, m, scale, width, _TOP)
    drawing.line(0, _FLOOR, width, _FLOOR, "faint")
    _bars(drawing, d, scale, "bar", 0)
    for value, dash in ((m.p50, ""), (m.p99, "2 2")):
        if scale.holds(value):
            drawing.line(scale(value), _TOP - 1, scale(value), _FLOOR + 3, "ink", 1.2, dash)
    _ends(drawing, d, scale, 0, width)


def _hit(drawing: Drawing, d: Distribution, left: float, width: float) -> None:
    scale = Scale(d.left[0], d.right[-1], width, _MARGIN)
    drawing.line(left, _FLOOR, left + width, _FLOOR, "faint")
    _bars(drawing, d, scale, "bar-tick", left)
    _ends(drawing, d, scale, left, width)
    drawing.text(left + width / 2, _TOP - 6, f"hit by a tick: {sum(d.count):,}", "muted", "middle")


def _gauge(drawing: Drawing, m: MeasurementResult, value: float) -> None:
    known = [value, *bounds(m)]
    room = 0.15 * (max(known) - min(known))
    scale = Scale(min(known) - room, max(known) + room, WIDTH, _MARGIN)
    _limits(drawing, m, scale, WIDTH, _FLOOR - 18)
    drawing.line(0, _FLOOR - 8, WIDTH, _FLOOR - 8, "faint")
    drawing.dot(scale(value), _FLOOR - 8, 5, "bar")
    _label(drawing, scale(value), number(value), 0, WIDTH)


def _bars(drawing: Drawing, d: Distribution, scale: Scale, colour: str, left: float) -> None:
    """A bar is never thinner or lower than can be seen; height grows with √count."""
    tallest, least = max(d.count), _half(d, scale)
    boxes = []
    for low, high, count in zip(d.left, d.right, d.count, strict=True):
        middle, half = (scale(low) + scale(high)) / 2, max(least, (scale(high) - scale(low)) / 2)
        height = max(1.5, (_FLOOR - _TOP) * (count / tallest) ** 0.5)
        boxes.append((left + middle - half, _FLOOR - height, 2 * half, height))
    drawing.bars(boxes, colour)


def _half(d: Distribution, scale: Scale) -> float:
    """Half the width of the bar of a single value: below the closest neighbours' distance, 1 to 5 pixels."""
    if not d.exact:
        return 0.5
    gaps = [scale(b) - scale(a) for a, b in zip(d.left, d.left[1:], strict=False)]
    return min(5.0, max(0.75, 0.42 * min(gaps, default=24.0)))


def _limits(drawing: Drawing, m: MeasurementResult, scale: Scale, width: float, top: float) -> None:
    """Each bound as a line with the forbidden side shaded, or as an arrow when it is far off the drawing."""
    for bound, upper in ((m.lower, False), (m.upper, True)):
        if bound is None or not math.isfinite(bound):
            continue
        words = f"limit {number(bound)}"
        if scale.holds(bound):
            x, edge = scale(bound), width if upper else 0.0
            drawing.rect(min(x, edge), top, abs(edge - x), _FLOOR - top, "bad-soft")
            drawing.line(x, top, x, _FLOOR + 3, "bad", 1.5)
            right = x > width - 70 if upper else x > 70
        else:
            right = bound > scale.high
            x, words = (width, f"{words} →") if right else (0.0, f"← {words}")
        if upper and m.lower == m.upper:
            continue  # told once
        drawing.text(x, top - 5, words, "bad", "end" if right else "start")


def _ends(drawing: Drawing, d: Distribution, scale: Scale, left: float, width: float) -> None:
    """The first and the last value below the floor line, or the only one below its bar."""
    _label(drawing, scale(d.low), number(d.low), left, width)
    if d.high > d.low:
        _label(drawing, scale(d.high), number(d.high), left, width)


def _label(drawing: Drawing, x: float, words: str, left: float, width: float) -> None:
    place = "start" if x < width * 0.12 else "end" if x > width * 0.88 else "middle"
    at = {"start": max(0.0, x - 3), "end": min(width, x + 3), "middle": x}[place]
    drawing.text(left + at, _ENDS, words, "muted", place)
