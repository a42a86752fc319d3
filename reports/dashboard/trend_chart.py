# SPDX-License-Identifier: MIT
"""One series over time: its points, steps, noise band, limits, and where the image changed.

Owns the drawing. The steps and the band are the analysis' (``rig/evidence/trend.py``), outcomes the run's.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from reports.dashboard.axes import day_marks, round_marks
from reports.svg import Drawing, Scale
from reports.text import number, one_line, short_hash
from rig.evidence.measurement import Outcome
from rig.evidence.series_key import Point
from rig.evidence.trend import ChangePoint, Trend

_LEFT, _RIGHT, _TOP, _BOTTOM, _IMAGES = 74.0, 14.0, 20.0, 22.0, 12.0
_WRONG: Final = (Outcome.FAIL, Outcome.ERROR, Outcome.ABORTED)
_SEPARATE: Final = 12.0
"""Pixels that two labels of steps keep apart, at least."""
_LETTER: Final = 6.8
_DAY: Final = 62.0
"""Pixels for a day or month on the axis."""
_LABEL: Final = 120


@dataclass(frozen=True, slots=True)
class Frame:
    """Where time and values of a chart lie, in pixels."""

    x: Scale
    y: Scale
    width: float
    height: float

    def at(self, seconds: float, value: float) -> tuple[float, float]:
        """The place of a point."""
        return _LEFT + self.x(seconds), self.height - _BOTTOM - _IMAGES - self.y(value)

    def place(self, point: Point) -> tuple[float, float]:
        """The place of a point of a series; one that is beyond the drawing lies at its edge."""
        return self.at(point.started_utc.timestamp(), min(max(point.value, self.y.low), self.y.high))


def drawable(points: Sequence[Point]) -> list[Point]:
    """The points that have a place on a chart."""
    return [point for point in points if math.isfinite(point.value)]


def noise_of(trend: Trend | None) -> tuple[float, float] | None:
    """The noise band, where it is known and not a single value."""
    if trend is None:
        return None
    band = trend.noise.lower, trend.noise.upper
    return band if all(map(math.isfinite, band)) and band[1] > band[0] else None


def usual_range(values: Sequence[float]) -> tuple[float, float]:
    """From least to most, without single spikes: at most once more than what 94 of 100 values span.

    The last two are always in it: what is news is not left out.
    """
    ordered = sorted(values)
    low, high = ordered[len(ordered) * 3 // 100], ordered[-1 - len(ordered) * 3 // 100]
    room = max(high - low, 0.02 * max(abs(low), abs(high)))
    low, high = max(ordered[0], low - room), min(ordered[-1], high + room)
    return min(low, *values[-2:]), max(high, *values[-2:])


def frame_of(points: Sequence[Point], trend: Trend | None, width: float, height: float) -> Frame:
    """The frame of all points but the few that would flatten the others, and of a limit that is near."""
    times = [point.started_utc.timestamp() for point in points]
    low, high = usual_range([point.value for point in points])
    if (noise := noise_of(trend)) is not None:
        low, high = min(low, noise[0]), max(high, noise[1])
    room = max(high - low, abs(high) * 0.02, 1e-12)
    near = [v for v in _limits(points[-1]) if low - room <= v <= high + room]
    levels = [v for c in _within(trend, points) for v in (c.before, c.after) if math.isfinite(v)]
    low, high = min([low, *near, *levels]) - 0.06 * room, max([high, *near, *levels]) + 0.1 * room
    tall = height - _TOP - _BOTTOM - _IMAGES
    return Frame(
        Scale(min(times), max(times), width - _LEFT - _RIGHT), Scale(low, high, tall, 0), width, height
    )


def trend_chart(
    points: Sequence[Point], trend: Trend | None, label: str, *, width: float = 1056, height: float = 300
) -> str:
    """Returns the SVG; empty where no point can be drawn."""
    shown = drawable(points)
    if not shown:
        return ""
    frame = frame_of(shown, trend, width, height)
    drawing = Drawing(width, height)
    _grid(drawing, frame, shown)
    _band(drawing, frame, trend)
    _bounds(drawing, frame, shown[-1])
    _points(drawing, frame, shown)
    _steps(drawing, frame, points, trend)
    _images(drawing, frame, shown)
    return drawing.svg("trend", one_line(f"{label[:_LABEL]}: {_told(shown, trend)}"))


def spark(points: Sequence[Point], trend: Trend | None, label: str) -> str:
    """Returns a small drawing of the series without words; empty where there is nothing to draw."""
    shown = drawable(points)
    if not shown:
        return ""
    width, height = 168.0, 34.0
    times = [p.started_utc.timestamp() for p in shown]
    low, high = usual_range([p.value for p in shown])
    values = [min(max(p.value, low), high) for p in shown]
    x, y = Scale(min(times), max(times), width, 3), Scale(low, high, height, 4)
    drawing = Drawing(width, height)
    drawing.path(((x(t), height - y(v)) for t, v in zip(times, values, strict=True)), "bar", 1.4)
    for change in _within(trend, points)[-1:]:
        at = x(points[change.index].started_utc.timestamp())
        drawing.line(at, 1, at, height - 1, "bad", 1.2, "2 2")
    drawing.dot(x(times[-1]), height - y(values[-1]), 2.6, "ink")
    return drawing.svg("spark", one_line(f"{label[:_LABEL]}: {_told(shown, trend)}"))


def _told(points: Sequence[Point], trend: Trend | None) -> str:
    steps = len(trend.changes) if trend is not None else 0
    found = f", {steps} {'step' if steps == 1 else 'steps'}" if steps else ""
    return f"{len(points)} points, the last {number(points[-1].value)} {points[-1].unit[:20]}{found}"


def _limits(point: Point) -> list[float]:
    return [v for v in (point.lower, point.upper) if v is not None and math.isfinite(v)]


def _grid(drawing: Drawing, frame: Frame, points: Sequence[Point]) -> None:
    for value in round_marks(frame.y.low, frame.y.high):
        _, y = frame.at(frame.x.low, value)
        drawing.line(_LEFT, y, frame.width - _RIGHT, y, "hair")
        drawing.text(_LEFT - 10, y + 4, number(round(value, 9)), "muted", "end")
    base = frame.height - _BOTTOM - _IMAGES
    drawing.line(_LEFT, base, frame.width - _RIGHT, base, "faint")
    most = max(2, int(frame.width // _DAY))
    for moment, words in day_marks(points[0].started_utc, points[-1].started_utc, most):
        x, _ = frame.at(moment.timestamp(), frame.y.low)
        drawing.line(x, base, x, base + 4, "faint")
        anchor = "start" if x < _LEFT + 20 else "end" if x > frame.width - 30 else "middle"
        drawing.text(x, frame.height - 4, words, "muted", anchor)
    drawing.text(_LEFT - 10, 11, one_line(points[-1].unit[:64], 12), "muted", "end")


def _band(drawing: Drawing, frame: Frame, trend: Trend | None) -> None:
    noise = noise_of(trend)
    if noise is None:
        return
    lower, upper = (frame.at(frame.x.low, value)[1] for value in noise)
    drawing.rect(_LEFT, upper, frame.width - _LEFT - _RIGHT, max(1.5, lower - upper), "band", "noise band")


def _bounds(drawing: Drawing, frame: Frame, last: Point) -> None:
    """Limits as lines; one that is far off as words at its side."""
    for name, value in (("lower", last.lower), ("upper", last.upper)):
        if value is None or not math.isfinite(value):
            continue
        words = f"{name} limit {number(value)}"
        if frame.y.holds(value):
            _, y = frame.at(frame.x.low, value)
            drawing.line(_LEFT, y, frame.width - _RIGHT, y, "bad", 1.4)
            drawing.text(_LEFT + 6, y - 5, words, "bad")
        elif value > frame.y.high:
            drawing.text(_LEFT + 6, 11, f"↑ {words}", "bad")
        else:
            drawing.text(_LEFT + 6, frame.height - _BOTTOM - _IMAGES - 6, f"↓ {words}", "bad")


def _points(drawing: Drawing, frame: Frame, points: Sequence[Point]) -> None:
    places = [frame.place(point) for point in points]
    small = 2.4 if len(points) > 120 else 3.2
    beyond = [place for place, point in zip(places, points, strict=True) if not frame.y.holds(point.value)]
    wrong = [place for place, point in zip(places, points, strict=True) if point.outcome in _WRONG]
    drawing.path(places, "line", 1)
    apart = {*beyond, *wrong}
    drawing.dots([place for place in places if place not in apart], small, "bar")
    drawing.dots(beyond, small, "bar-tick")
    drawing.dots(wrong, small + 1, "bad")


def _steps(drawing: Drawing, frame: Frame, points: Sequence[Point], trend: Trend | None) -> None:
    """Each level as a line at its height, each step with what it was and became."""
    changes = _within(trend, points)
    if not changes:
        return
    edges = [0, *(change.index for change in changes), len(points)]
    levels = [changes[0].before, *(change.after for change in changes)]
    for (begin, end), level in zip(pairwise(edges), levels, strict=True):
        left, right = points[begin].started_utc.timestamp(), points[end - 1].started_utc.timestamp()
        drawing.path([frame.at(left, level), frame.at(right, level)], "ink", 1.8)
    free = frame.width
    for change in reversed(changes):
        x, _ = frame.at(points[change.index].started_utc.timestamp(), frame.y.low)
        drawing.line(x, _TOP - 4, x, frame.height - _BOTTOM - _IMAGES, "warn", 1.2, "3 3")
        words = f"{number(change.before)} → {number(change.after)}"
        left = min(max(x - _LETTER * len(words) / 2, _LEFT), frame.width - _LETTER * len(words))
        if left + _LETTER * len(words) + _SEPARATE <= free or free == frame.width:
            drawing.text(left, _TOP - 8, words, "warn", strong=True)
            free = left


def _within(trend: Trend | None, points: Sequence[Point]) -> list[ChangePoint]:
    return [c for c in trend.changes if 0 < c.index < len(points)] if trend is not None else []


def _images(drawing: Drawing, frame: Frame, points: Sequence[Point]) -> None:
    """A row of bars below the axis, one per image, by turns dark and light."""
    y = frame.height - _BOTTOM - _IMAGES + 6
    runs: list[list[Point]] = []
    for point in points:
        if not runs or runs[-1][-1].image_sha256 != point.image_sha256:
            runs.append([])
        runs[-1].append(point)
    lefts = [frame.place(run[0])[0] for run in runs]
    rights = [*lefts[1:], frame.place(points[-1])[0]]
    for turn, (run, left, right) in enumerate(zip(runs, lefts, rights, strict=True)):
        told = f"image {short_hash((run[0].image_sha256 or '')[:64])} since {run[0].started_utc:%Y-%m-%d}"
        drawing.rect(left, y, max(1.5, right - left - 1), 5, "bar-tick" if turn % 2 else "skip", told)
