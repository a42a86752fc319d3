# SPDX-License-Identifier: MIT
"""A sheet of paper to draw a figure on: its look, its measures in inches, and the same bytes every time.

Owns the style (no setting of the user's gets in, none of ours gets out), the inks of boards, and how a figure
becomes SVG and PNG. Knows nothing of runs.
"""

from __future__ import annotations

import io
import textwrap
import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from reports.text import number, one_line

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.lines import Line2D

WIDTH: Final = 7.0
"""Inches: both columns of a page, so that 8 points of type stay 8 points."""
DPI: Final = 200
GREY, FAINT, BLACK = "#555555", "#d5d5d5", "#000000"
_STYLE: Final[dict[str, Any]] = {
    "font.family": "DejaVu Sans",  # comes with matplotlib, so every machine sets the same type
    "font.size": 7.5,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.minor.width": 0.4,
    "xtick.major.size": 3,
    "ytick.major.size": 3,
    "svg.hashsalt": "rig",
    "svg.fonttype": "path",
    "text.parse_math": False,  # a board may say "$x$"
}
_LINE_HEIGHT: Final = 0.125
_CAPTION_SIZE: Final = 6.3
_CAPTION_WIDTH: Final = 148


@dataclass(frozen=True, slots=True)
class Ink:
    """What one board is drawn with: told apart by hue, by lightness in grey, and by the line's pattern."""

    colour: str
    pattern: Any


# The first three are Paul Tol's "high-contrast" colours, chosen to differ in grey too.
_INKS: Final = (
    Ink("#004488", "-"),
    Ink("#bb5566", (0, (4, 1.4))),
    Ink("#ddaa33", (0, (1.2, 1.2))),
    Ink("#000000", (0, (6, 1.2, 1.2, 1.2))),
    Ink("#66aabb", (0, (3, 1, 1, 1, 1, 1))),
    Ink("#999999", "-"),
)


def inks(boards: Iterable[str]) -> dict[str, Ink]:
    """The ink of each board of a run; beyond six boards they come again."""
    return {board: _INKS[place % len(_INKS)] for place, board in enumerate(dict.fromkeys(boards))}


@contextmanager
def styled() -> Iterator[None]:
    """Within it figures are made in our style; what was set outside neither counts nor changes."""
    from matplotlib import style

    with style.context(["default", _STYLE]), warnings.catch_warnings():
        warnings.filterwarnings("ignore", r"Glyph \d+ .* missing from font", UserWarning)
        yield


class Sheet:
    """A figure that is ``WIDTH`` by ``height`` inches; places are inches from the left and from the top."""

    def __init__(self, height: float) -> None:
        from matplotlib.figure import Figure

        self.height = height
        self.figure = Figure(figsize=(WIDTH, height))

    def axes(self, left: float, top: float, width: float, height: float) -> Axes:
        """Axes with these measures; labels stand outside of them."""
        low = self.height - top - height
        return self.figure.add_axes((left / WIDTH, low / self.height, width / WIDTH, height / self.height))

    def text(self, left: float, top: float, words: str, **look: Any) -> None:
        """A text whose base line is ``top`` inches below the edge. ``look``: as matplotlib's ``Text``."""
        self.figure.text(left / WIDTH, 1 - top / self.height, one_line(words, 400), **look)

    def heading(self, title: str, below: str) -> None:
        """The title in the upper left corner, and what it is in grey below."""
        self.text(0.12, 0.24, one_line(title, 80), size=10, weight="bold")
        self.text(0.12, 0.41, below, size=7, color=GREY)

    def legend(self, marks: Sequence[Line2D]) -> None:
        """What marks mean, in the upper right corner."""
        place = ((WIDTH - 0.05) / WIDTH, 1 - 0.1 / self.height)
        self.figure.legend(handles=marks, loc="upper right", bbox_to_anchor=place, ncols=len(marks),
                           frameon=False, markerscale=0.9, columnspacing=1.2, handletextpad=0.5)  # fmt: skip

    def rule(self, top: float) -> None:
        """A thin line over the width of the paper."""
        from matplotlib.lines import Line2D

        ends, height = [0.12 / WIDTH, 1 - 0.12 / WIDTH], 1 - top / self.height
        self.figure.add_artist(Line2D(ends, [height, height], color=GREY, linewidth=0.4))

    def caption(self, top: float, lines: Sequence[str]) -> None:
        """Lines as ``folded`` gives them."""
        for place, line in enumerate(lines):
            self.text(0.12, top + _LINE_HEIGHT * (place + 1), line, size=_CAPTION_SIZE, color="#333333")

    def files(self) -> dict[str, bytes]:
        """The figure as ``svg`` and ``png``: the same figure gives the same bytes."""
        nothing: dict[str, Any] = {"svg": {"Date": None, "Creator": None}, "png": {"Software": None}}
        made = {}
        for kind, metadata in nothing.items():
            out = io.BytesIO()
            self.figure.savefig(out, format=kind, dpi=DPI, metadata=metadata)
            made[kind] = out.getvalue()
        return made


def folded(sentences: Sequence[str]) -> list[str]:
    """The lines of a caption; each sentence begins a line of its own."""
    return [
        line for words in sentences if words for line in textwrap.wrap(one_line(words, 900), _CAPTION_WIDTH)
    ]


def caption_height(lines: Sequence[str]) -> float:
    """How many inches a caption takes."""
    return _LINE_HEIGHT * (len(lines) + 1)


def plain_axis(axis: Axis, steps: int = 6) -> None:
    """Few round ticks, whole ones where there is room for them; thousands separated, no offset."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    low, high = axis.get_view_interval()
    whole = abs(high - low) > steps
    axis.set_major_locator(MaxNLocator(steps, steps=[1, 2, 5, 10], integer=whole, min_n_ticks=2))
    axis.set_major_formatter(FuncFormatter(lambda value, _: number(round(value, 9))))
