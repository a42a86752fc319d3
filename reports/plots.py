# SPDX-License-Identifier: MIT
"""Distributions drawn as small inline SVG by matplotlib: no ids, no metadata, colours left to the page.

Owns what a distribution looks like. Each colour is drawn with a stand-in and written as a CSS variable, so
that one drawing serves light, dark and paper.
"""

from __future__ import annotations

import io
import math
import re
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

from reports.distribution import Distribution
from reports.text import number, printable
from rig.evidence.model import MeasurementResult

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH, HEIGHT = 430.0, 68.0
_COLOURS = {
    "#010101": "var(--bar)",
    "#020202": "var(--bar-tick)",
    "#030303": "var(--faint)",
    "#040404": "var(--bad)",
    "#050505": "var(--ink)",
    "#060606": "var(--muted)",
    "#070707": "var(--bad-soft)",
}
_BAR, _TICK, _FAINT, _BAD, _INK, _MUTED, _SOFT = _COLOURS
_FLOOR, _TOP = 15.0, 52.0
_MARGIN = 6.0
_APART = 28.0


def style() -> AbstractContextManager[None]:
    """The matplotlib settings for everything drawn here: text stays text, ids are repeatable."""
    import matplotlib as mpl

    return mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "rig", "path.simplify": False})


def preload() -> None:
    """Imports what drawing needs, half a second, for those who will want a page and have the time now."""
    import matplotlib.backends.backend_svg
    import matplotlib.figure  # noqa: F401


def histogram(m: MeasurementResult, whole: Distribution | None, tick: Distribution | None = None) -> str:
    """Returns the SVG of one measurement: samples, p50, p99, limits; samples hit by a tick stand apart.

    A single value is drawn as a dot on a line with its limits. Empty where there is nothing to draw.
    """
    if whole is None:
        return ""
    figures = f"p50 {number(m.p50)}, p99 {number(m.p99)}, max {number(m.max)} {m.unit}"
    label = printable(f"Distribution of {m.name}: {figures}")
    if sum(whole.count) == 1 and tick is None:
        return _draw(lambda figure: _gauge(_canvas(figure, 0, WIDTH), m, whole.low), label)
    return _draw(lambda figure: _populations(figure, m, whole, tick), label)


def _draw(paint: Callable[[Figure], None], label: str) -> str:
    from matplotlib.figure import Figure

    with style():
        figure = Figure(figsize=(WIDTH / 72, HEIGHT / 72), dpi=72)
        paint(figure)
        out = io.StringIO()
        figure.savefig(out, format="svg", transparent=True, metadata=dict.fromkeys(("Date", "Creator")))
    return compact(out.getvalue(), label)


def _populations(
    figure: Figure, m: MeasurementResult, whole: Distribution, tick: Distribution | None
) -> None:
    main = WIDTH if tick is None else WIDTH * 0.7
    _population(_canvas(figure, 0, main), m, whole, main)
    if tick is not None:
        rest = WIDTH - main - _APART
        _apart(_canvas(figure, main + _APART, rest), tick, rest)


def compact(svg: str, label: str) -> str:
    """Strips a matplotlib SVG to what a page needs and gives it a label for who cannot see it."""
    body = svg[svg.index("<svg") :]
    box = re.search(r'viewBox="([^"]+)"', body)
    body = body[body.index(">") + 1 :]
    body = re.sub(r"<metadata>.*?</metadata>|<defs>.*?</defs>|<!--.*?-->", "", body, flags=re.S)
    body = re.sub(r' id="[^"]*"| xml:space="[^"]*"', "", body)
    body = re.sub(r"font: [^;\"]*;? ?|font-(?:family|size|style|weight): ?[^;\"]*;? ?", "", body)
    body = re.sub(r" ?stroke-(?:linejoin|linecap|miterlimit): \w+;?", "", body)
    for stand_in, variable in _COLOURS.items():
        body = body.replace(stand_in, variable)
    body = re.sub(r"(-?\d+\.\d{2})\d+", r"\1", body)
    while "<g>\n</g>" in (body := re.sub(r"<g>\s*</g>", "", body)):
        pass
    body = re.sub(r"\n\s*", " ", body).replace("> <", "><").strip()
    name = label.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")
    return f'<svg class="plot" viewBox="{box[1] if box else ""}" role="img" aria-label="{name}">{body}'


def _canvas(figure: Figure, left: float, width: float) -> Axes:
    """Axes without axes: one unit is one pixel of the drawing."""
    axes = figure.add_axes((left / WIDTH, 0, width / WIDTH, 1))
    axes.set_axis_off()
    axes.set_xlim(0, width)
    axes.set_ylim(0, HEIGHT)
    return axes


def _bounds(m: MeasurementResult) -> list[float]:
    return [b for b in (m.lower, m.upper) if b is not None and math.isfinite(b)]


class _Scale:
    """Values to pixels. Holds the data, and a limit that is not so far off that it would flatten them."""

    def __init__(self, low: float, high: float, near: Iterable[float], width: float) -> None:
        span = (high - low) or max(1.0, abs(high) * 0.02)
        wanted = [v for v in near if low - 1.5 * span <= v <= high + 1.5 * span]
        self.low, self.high = min([low, *wanted]), max([high, *wanted])
        if self.high == self.low:
            self.low, self.high = self.low - span, self.high + span
        self._factor = (width - 2 * _MARGIN) / (self.high - self.low)

    def __call__(self, value: float) -> float:
        return _MARGIN + (value - self.low) * self._factor

    def holds(self, value: float) -> bool:
        """Whether the value is on the drawing."""
        return self.low <= value <= self.high


def _population(axes: Axes, m: MeasurementResult, d: Distribution, width: float) -> None:
    scale = _Scale(d.left[0], d.right[-1], _bounds(m), width)
    _limits(axes, m, scale, width, _TOP + 1)
    axes.plot([0, width], [_FLOOR, _FLOOR], color=_FAINT, lw=1, clip_on=False)
    _bars(axes, d, scale, _BAR)
    for value, dashes in ((m.p50, ()), (m.p99, (2, 2))):
        if scale.holds(value):
            x = scale(value)
            axes.plot([x, x], [_FLOOR - 3, _TOP + 1], color=_INK, lw=1.2, dashes=dashes, clip_on=False)
    _ends(axes, d, scale, width)


def _gauge(axes: Axes, m: MeasurementResult, value: float) -> None:
    from matplotlib.patches import Ellipse

    known = [value, *_bounds(m)]
    room = 0.15 * (max(known) - min(known))
    scale = _Scale(min(known) - room, max(known) + room, (), WIDTH)
    _limits(axes, m, scale, WIDTH, _FLOOR + 18)
    axes.plot([0, WIDTH], [_FLOOR + 8, _FLOOR + 8], color=_FAINT, lw=1, clip_on=False)
    axes.add_patch(Ellipse((scale(value), _FLOOR + 8), 10, 10, fc=_BAR, ec="none", clip_on=False, zorder=3))
    _words(axes, scale(value), number(value), WIDTH)


def _apart(axes: Axes, d: Distribution, width: float) -> None:
    scale = _Scale(d.left[0], d.right[-1], (), width)
    axes.plot([0, width], [_FLOOR, _FLOOR], color=_FAINT, lw=1, clip_on=False)
    _bars(axes, d, scale, _TICK)
    _ends(axes, d, scale, width)
    words = f"hit by a tick: {sum(d.count):,}"
    axes.text(width / 2, _TOP + 6, words, color=_MUTED, ha="center", clip_on=False)


def _bars(axes: Axes, d: Distribution, scale: _Scale, colour: str) -> None:
    """All bars as one path. A bar is never thinner or lower than can be seen; height grows with √count."""
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path

    tallest, least = max(d.count), _half(d, scale)
    corners: list[tuple[float, float]] = []
    for left, right, count in zip(d.left, d.right, d.count, strict=True):
        middle, half = (scale(left) + scale(right)) / 2, max(least, (scale(right) - scale(left)) / 2)
        top = _FLOOR + max(1.5, (_TOP - _FLOOR) * (count / tallest) ** 0.5)
        a, b = middle - half, middle + half
        corners += [(a, _FLOOR), (a, top), (b, top), (b, _FLOOR), (a, _FLOOR)]
    codes = [Path.MOVETO, *[Path.LINETO] * 3, Path.CLOSEPOLY] * d.distinct
    axes.add_patch(PathPatch(Path(corners, codes), fc=colour, ec="none", clip_on=False))


def _half(d: Distribution, scale: _Scale) -> float:
    """Half the width of the bar of a single value: below the closest neighbours' distance, 1 to 5 pixels."""
    if not d.exact:
        return 0.5
    gaps = [scale(b) - scale(a) for a, b in zip(d.left, d.left[1:], strict=False)]
    return min(5.0, max(0.75, 0.42 * min(gaps, default=24.0)))


def _limits(axes: Axes, m: MeasurementResult, scale: _Scale, width: float, top: float) -> None:
    """Each bound as a line with the forbidden side shaded, or as an arrow when it is far off the drawing."""
    for bound, upper in ((m.lower, False), (m.upper, True)):
        if bound is None or not math.isfinite(bound):
            continue
        words = f"limit {number(bound)}"
        if scale.holds(bound):
            x, edge = scale(bound), width if upper else 0.0
            axes.fill([x, edge, edge, x], [_FLOOR, _FLOOR, top, top], fc=_SOFT, ec="none", clip_on=False)
            axes.plot([x, x], [_FLOOR - 3, top], color=_BAD, lw=1.5, clip_on=False)
            right = x > width - 70 if upper else x > 70
        else:
            right = bound > scale.high
            x, words = (width, f"{words} →") if right else (0.0, f"← {words}")
        axes.text(x, top + 5, words, color=_BAD, ha="right" if right else "left", clip_on=False)


def _ends(axes: Axes, d: Distribution, scale: _Scale, width: float) -> None:
    """The first and the last value below the floor line, or the only one below its bar."""
    _words(axes, scale(d.low), number(d.low), width)
    if d.high > d.low:
        _words(axes, scale(d.high), number(d.high), width)


def _words(axes: Axes, x: float, words: str, width: float) -> None:
    place = "left" if x < width * 0.12 else "right" if x > width * 0.88 else "center"
    at = {"left": max(0.0, x - 3), "right": min(width, x + 3), "center": x}[place]
    axes.text(at, 2, words, color=_MUTED, ha=place, clip_on=False)
