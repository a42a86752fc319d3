# SPDX-License-Identifier: MIT
"""The few shapes that reports draw with, as small inline SVG: no ids, no fonts, colours left to the page.

Owns how a shape is written and nothing of what it means. A colour is the name of a CSS variable of
``static/report.css``, so that one drawing serves light, dark and paper; where CSS does not reach into a
drawing, ``inked`` puts the paper's colours in. A drawing of this kind costs a thousandth of one by a plotting
library, which is why only figures for papers (``plates/``) have one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from html import escape
from pathlib import Path

from reports.text import printable

Colour = str
"""The name of a variable: ``bar``, ``bar-tick``, ``faint``, ``bad``, ``bad-soft``, ``ink``, ``muted`` …"""

_STYLES = Path(__file__).parent / "static" / "report.css"


class Drawing:
    """A drawing in the making: ``width`` by ``height`` pixels, the origin at the top left."""

    def __init__(self, width: float, height: float) -> None:
        self.width, self.height = width, height
        self._shapes: list[str] = []

    def line(
        self, x1: float, y1: float, x2: float, y2: float, colour: Colour, width: float = 1, dash: str = ""
    ) -> None:
        """A straight line; ``dash`` as in SVG, ``2 2``."""
        dashed = f' stroke-dasharray="{dash}"' if dash else ""
        ends = f'x1="{_n(x1)}" y1="{_n(y1)}" x2="{_n(x2)}" y2="{_n(y2)}"'
        self._shapes.append(f'<line {ends} stroke="var(--{colour})" stroke-width="{_n(width)}"{dashed}/>')

    def rect(self, x: float, y: float, width: float, height: float, colour: Colour, says: str = "") -> None:
        """A filled rectangle; ``says`` is shown to who points at it."""
        shape = f'x="{_n(x)}" y="{_n(y)}" width="{_n(width)}" height="{_n(height)}" fill="var(--{colour})"'
        end = f"><title>{_words(says)}</title></rect>" if says else "/>"
        self._shapes.append(f"<rect {shape}{end}")

    def bars(self, boxes: Iterable[tuple[float, float, float, float]], colour: Colour) -> None:
        """Many rectangles (x, y, width, height) of one colour as one path."""
        path = "".join(f"M{_n(x)} {_n(y)}h{_n(w)}v{_n(h)}h{_n(-w)}z" for x, y, w, h in boxes)
        if path:
            self._shapes.append(f'<path d="{path}" fill="var(--{colour})"/>')

    def dot(self, x: float, y: float, radius: float, colour: Colour) -> None:
        """A filled circle."""
        place = f'cx="{_n(x)}" cy="{_n(y)}" r="{_n(radius)}"'
        self._shapes.append(f'<circle {place} fill="var(--{colour})"/>')

    def path(
        self, points: Iterable[tuple[float, float]], colour: Colour, width: float = 1, dash: str = ""
    ) -> None:
        """A line through the points; nothing for fewer than two."""
        drawn = "L".join(f"{_n(x)} {_n(y)}" for x, y in points)
        dashed = f' stroke-dasharray="{dash}"' if dash else ""
        if "L" in drawn:
            style = f'fill="none" stroke="var(--{colour})" stroke-width="{_n(width)}" stroke-linejoin="round"'
            self._shapes.append(f'<path d="M{drawn}" {style}{dashed}/>')

    def dots(self, points: Iterable[tuple[float, float]], radius: float, colour: Colour) -> None:
        """Many filled circles of one colour as one path."""
        turn = f"a{_n(radius)} {_n(radius)} 0 1 0"
        drawn = "".join(
            f"M{_n(x - radius)} {_n(y)}{turn} {_n(2 * radius)} 0{turn} {_n(-2 * radius)} 0" for x, y in points
        )
        if drawn:
            self._shapes.append(f'<path d="{drawn}" fill="var(--{colour})"/>')

    def text(
        self, x: float, y: float, words: str, colour: Colour, anchor: str = "start", *, strong: bool = False
    ) -> None:
        """Words on the base line ``y``; ``anchor`` is start, middle or end."""
        place = f' text-anchor="{anchor}"' if anchor != "start" else ""
        weight = ' font-weight="600"' if strong else ""
        at = f'x="{_n(x)}" y="{_n(y)}"{place}{weight}'
        self._shapes.append(f'<text {at} fill="var(--{colour})">{_words(words)}</text>')

    def svg(self, kind: str, label: str) -> str:
        """The element, of the CSS class ``kind``, with a label for who cannot see it."""
        box = f'viewBox="0 0 {_n(self.width)} {_n(self.height)}"'
        name = f'role="img" aria-label="{_words(label)}"'
        return f'<svg class="{kind}" {box} {name}>{"".join(self._shapes)}</svg>'


class Scale:
    """Values to pixels: ``low`` to ``high`` over ``width``, of which ``margin`` stays free at each end."""

    def __init__(self, low: float, high: float, width: float, margin: float = 6.0) -> None:
        if high == low:
            room = max(1.0, abs(high) * 0.02)
            low, high = low - room, high + room
        self.low, self.high, self._margin = low, high, margin
        self._factor = (width - 2 * margin) / (high - low)

    def __call__(self, value: float) -> float:
        return self._margin + (value - self.low) * self._factor

    def holds(self, value: float) -> bool:
        """Whether the value is on the drawing."""
        return self.low <= value <= self.high


def inked(svg: str, width: float) -> str:
    """The drawing with the colours of paper, ``width`` pixels wide, for a renderer that keeps CSS outside."""
    coloured = re.sub(r"var\(--([a-z-]+)\)", lambda found: paper()[found[1]], svg)
    box = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', svg)
    height = width * float(box[2]) / float(box[1]) if box else width
    size = f'width="{_n(width)}" height="{_n(height)}" font-family="DejaVu Sans" font-size="12.5"'
    return coloured.replace("<svg ", f"<svg {size} ", 1)


@cache
def paper() -> dict[str, str]:
    """The colours of the page's style sheet on white, by name; the first block of the file."""
    block = _STYLES.read_text(encoding="utf-8").split("}")[0]
    return dict(re.findall(r"--([a-z-]+): ?(#[0-9a-f]{3,6})", block))


def _n(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")


def _words(words: str) -> str:
    return escape(printable(words))
