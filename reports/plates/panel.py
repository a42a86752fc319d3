# SPDX-License-Identifier: MIT
"""One population of samples of several boards: cumulative distribution above, a histogram per board below.

Both have the same axis of values. Owns how samples, p50, p99, max and limits are drawn; where the panel
stands and what is told around it is ``latency.py``'s.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from reports.distribution import Distribution, distribution
from reports.plates.sheet import BLACK, FAINT, GREY, Ink, Sheet, plain_axis
from reports.plots import bounds, span
from reports.text import number, one_line
from rig.evidence.model import MeasurementResult

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.transforms import Transform

CDF, LANE, BETWEEN = 1.7, 0.27, 0.09
"""Inches: height of the upper axes, of a board in the lower ones, and what is between them."""
HOLLOW: Final = "s"
MARKS: Final = (("p50", 0.5, "o"), ("p99", 0.99, "^"), ("max", 1.0, HOLLOW))
"""The figures that are marked: name, height on the cumulative distribution, and shape."""


@dataclass(frozen=True, slots=True)
class Population:
    """Samples by board, and the measurements that they are of."""

    title: str
    of: Mapping[str, MeasurementResult]
    samples: Mapping[str, Sequence[float]]

    @property
    def ends(self) -> tuple[float, float]:
        """The smallest and the largest sample of all boards."""
        return min(map(min, self.samples.values())), max(map(max, self.samples.values()))


def panel(
    sheet: Sheet, left: float, top: float, width: float, shown: Population, inks: Mapping[str, Ink],
    *, first: bool,
) -> None:  # fmt: skip
    """Draws it; ``first``: the panel that names the axes and the boards."""
    boards = list(inks)
    above = sheet.axes(left, top, width, CDF)
    below = sheet.axes(left, top + CDF + BETWEEN, width, LANE * len(boards))
    low, high = _span(shown)
    for axes in (above, below):
        axes.set_xlim(low, high)
    _steps(above, shown, inks)
    for place, board in enumerate(boards):
        if board in shown.samples:
            _lane(below, len(boards) - 1 - place, shown, board, inks[board], high - low)
    _limits(above, below, shown, boards)
    _axes(above, below, boards, first=first)
    sheet.text(left + width / 2, top - 0.13, shown.title, ha="center", size=7, color=GREY)


def _span(shown: Population) -> tuple[float, float]:
    """Some room at both ends; at least an eighth of the value, or one count looks like a mountain."""
    low, high = shown.ends
    middle, room = low / 2 + high / 2, max(1.0, abs(high) / 16)
    limits = [bound for m in shown.of.values() for bound in bounds(m)]
    low, high = span(min(low, middle - room), max(high, middle + room), limits)
    margin = 0.06 * (high - low)
    return low - margin, high + margin


def _steps(axes: Axes, shown: Population, inks: Mapping[str, Ink]) -> None:
    """Later boards are thinner and their marks smaller, so that of equal ones each is still seen."""
    for place, (board, values) in enumerate(shown.samples.items()):
        ink, m = inks[board], shown.of[board]
        wide = 2.4 - 0.5 * min(place, 3)
        axes.ecdf(values, color=ink.colour, linestyle=ink.pattern, linewidth=wide)
        for name, height, mark in MARKS:
            size = (9.0 if mark == HOLLOW else 6.4) - 1.5 * min(place, 3)
            look: dict[str, Any] = {"markersize": size, "clip_on": False, "color": ink.colour, "zorder": 4}
            axes.plot(getattr(m, name), height, marker=mark, **look | mark_look(mark))


def mark_look(mark: str) -> dict[str, Any]:
    """The look of a mark beside its colour: the largest sample is hollow, because p99 is often the same."""
    return {"mfc": "none", "mew": 0.9} if mark == HOLLOW else {"mec": "white", "mew": 0.5}


def _lane(axes: Axes, floor: int, shown: Population, board: str, ink: Ink, wide: float) -> None:
    d = distribution(shown.samples[board])
    if d is None:
        return
    left, width = _bars(d, wide)
    heights = [0.78 * (count / max(d.count)) ** 0.5 for count in d.count]
    axes.bar(left, heights, width, bottom=floor, align="edge", facecolor=ink.colour, edgecolor="none")
    axes.axhline(floor, color=FAINT, linewidth=0.5, zorder=0)


def _bars(d: Distribution, wide: float) -> tuple[list[float], list[float]]:
    """Left ends and widths; a bar of one value stands over it, and none is too thin to be seen."""
    thin = wide / 220
    gap = min((b - a for a, b in zip(d.left, d.left[1:], strict=False)), default=wide / 24)
    if d.exact:
        each = min(wide / 50, max(thin, 0.8 * gap))
        return [value - each / 2 for value in d.left], [each] * d.distinct
    return list(d.left), [max(thin, right - left) for left, right in zip(d.left, d.right, strict=True)]


def _limits(above: Axes, below: Axes, shown: Population, boards: Sequence[str]) -> None:
    """A bound that all boards share goes through both axes; any other stands at its board's histogram."""
    shared = set.intersection(*(set(bounds(m)) for m in shown.of.values()))
    for bound in sorted(shared):
        _shared(above, bound, {_side(m, bound) for m in shown.of.values()})
    for board, m in shown.of.items():
        lane = len(boards) - 1 - boards.index(board)
        for bound in dict.fromkeys(bounds(m)):
            below.plot([bound, bound], [lane, lane + 0.9], color=BLACK, linewidth=0.9)
            if bound not in shared:
                _named(below, bound, lane + 0.42, below.transData)


def _shared(axes: Axes, bound: float, sides: set[int]) -> None:
    """A broken line with its name; the side that is forbidden to all is grey."""
    low, high = axes.get_xlim()
    _named(axes, bound, 1.02, axes.get_xaxis_transform())
    if low <= bound <= high:
        axes.axvline(bound, color=BLACK, linewidth=0.9, dashes=(5, 2))
        if len(sides) == 1 and 0 not in sides:
            axes.axvspan(bound, high if 1 in sides else low, color="#eeeeee", zorder=-1, linewidth=0)


def _side(m: MeasurementResult, bound: float) -> int:
    """1 where more is forbidden, -1 where less is, 0 where both are."""
    return (bound == m.upper) - (bound == m.lower)


def _named(axes: Axes, bound: float, y: float, place: Transform) -> None:
    """``limit 76`` at the bound, or with an arrow at the end beyond which it is."""
    low, high = axes.get_xlim()
    words = f"limit {number(bound)}"
    words = f"{words} →" if bound > high else f"← {words}" if bound < low else words
    end = "right" if bound > (low + high) / 2 else "left"
    pad = 0.006 * (high - low) * (1 if end == "left" else -1)
    x, paper = min(high, max(low, bound)) + pad, {"facecolor": "white", "linewidth": 0, "pad": 0.6}
    axes.text(x, y, words, transform=place, ha=end, va="bottom", size=6.5, bbox=paper)


def _axes(above: Axes, below: Axes, boards: Sequence[str], *, first: bool) -> None:
    above.set_ylim(0, 1.03)
    above.set_yticks([0, 0.25, 0.5, 0.75, 1], ["0", "", "0.5", "", "1"] if first else [""] * 5)
    above.tick_params(labelbottom=False)
    above.grid(axis="y", color=FAINT, linewidth=0.4)
    below.set_ylim(-0.08, len(boards))
    names = [one_line(board, 16) for board in reversed(boards)]
    below.set_yticks([place + 0.35 for place in range(len(boards))], names if first else [""] * len(boards))
    below.tick_params(axis="y", length=0)
    below.spines["left"].set_visible(False)
    plain_axis(below.xaxis, 6 if first else 3)
    above.xaxis.set_major_locator(below.xaxis.get_major_locator())
