# SPDX-License-Identifier: MIT
"""What happened on a board and when, as a drawing: cases, power, probe, faults, network, MQTT and UART.

All boards of a run share one scale, so that what happened at the same time stands in the same place. Owns the
still drawing, which is whole without a script and on paper; ``moments`` lists in words what is more than a
line of the console. What is drawn is ``lanes.py``'s choice, the drawing one can look into
``timeline_data.py``'s and ``static/timeline.js``'s.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from reports.event_text import told
from reports.lanes import LINES, READINGS, Lane, Mark, Span, Timeline, is_bad, wanted_losses
from reports.svg import Drawing
from reports.text import number, one_line
from rig.events import Event

WIDTH = 1056.0
MOST_MOMENTS = 160
_LEFT, _RIGHT = 64.0, 8.0
_TOP, _STEP, _UART_HIGH, _AXIS_HIGH = 30.0, 28.0, 40.0, 32.0
_BINS = 328
_MOST_MARKS = 400
"""More marks of a lane than this are drawn as bars of how many there were."""
_STEPS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1800, 3600, 7200, 21600, 86400)


@dataclass(frozen=True, slots=True)
class Moment:
    """An event that is more than a line of the console. ``bad``: something was lost or went wrong."""

    time: str
    source: str
    what: str
    bad: bool


def timeline(told_of: Timeline) -> str:
    """Returns the SVG of one board's lanes."""
    uart = _TOP + _STEP * len(told_of.lanes) + 8
    axis = uart + _UART_HIGH - 8
    drawing = Drawing(WIDTH, axis + _AXIS_HIGH - 12)
    end = told_of.end_ns / 1e9
    rows = [(_TOP + _STEP * n, lane) for n, lane in enumerate(told_of.lanes)]
    for y, lane in rows:
        if lane.name == "faults":
            _shades(drawing, lane.spans, end, axis)
        _name(drawing, y, lane.name)
    _name(drawing, uart, "UART")
    for y, lane in rows:
        _spans(drawing, lane, y, end)
        _marks(drawing, lane.marks, y, end)
    _uart(drawing, told_of, uart, end)
    _axis(drawing, axis, end)
    lines = told_of.lines
    said = f"{told_of.attempts} attempts at cases, {len(lines.heard)} lines received, {len(lines.sent)} sent"
    return drawing.svg("time", f"Timeline of {told_of.board}: {said}")


def moments(events: Sequence[Event]) -> tuple[tuple[Moment, ...], int]:
    """What is worth a line of text, and how many more there are."""
    worth = [e for e in events if e.kind not in LINES and e.source not in READINGS]
    wanted = {id(event) for event in wanted_losses(worth)}
    said = [_moment(event, bad=is_bad(event) and id(event) not in wanted) for event in worth]
    return tuple(said[:MOST_MOMENTS]), max(0, len(said) - MOST_MOMENTS)


def _name(drawing: Drawing, y: float, name: str) -> None:
    drawing.text(0, y + 4, name, "muted")
    drawing.line(_LEFT, y, WIDTH - _RIGHT, y, "hair")


def _x(t_s: float, end: float) -> float:
    return _LEFT + (WIDTH - _LEFT - _RIGHT) * min(1.0, max(0.0, t_s / end))


def _shades(drawing: Drawing, spans: Iterable[Span], end: float, height: float) -> None:
    """Behind all lanes: while a fault was in force."""
    for span in spans:
        x = _x(span.begin_ns / 1e9, end)
        drawing.rect(x, 0, max(1.0, _x(span.end_ns / 1e9, end) - x), height, "bad-soft")


def _spans(drawing: Drawing, lane: Lane, y: float, end: float) -> None:
    """A block each; the names of groups (suites) stand above where they begin, as far as there is room."""
    half = 7.0 if lane.name == "cases" else 4.0
    group, free = "", 0.0
    for span in lane.spans:
        begin, until = span.begin_ns / 1e9, span.end_ns / 1e9
        x = _x(begin, end)
        wide = max(1.2, _x(until, end) - x - 0.6)
        says = f"{span.says}, {begin:.3f} s + {until - begin:.3f} s"
        drawing.rect(x, y - half, wide, 2 * half, span.colour, says)
        if span.group != group and x >= free:
            words = one_line(span.group, 24)
            long = 6.5 * len(words)
            drawing.text(min(x, WIDTH - long), y - 13, words, "muted")
            free = x + long + 8
        group = span.group


def _marks(drawing: Drawing, marks: Sequence[Mark], y: float, end: float) -> None:
    """A stroke each, tall for what is more, as an image that was written; what went wrong is red."""
    if len(marks) > _MOST_MARKS:
        _bars(drawing, [mark.t_ns for mark in marks if not mark.tall], y, end, -1, "ink", 8)
        marks = [mark for mark in marks if mark.tall][:_MOST_MARKS]
    for mark in marks:
        x, half = _x(mark.t_ns / 1e9, end), 9 if mark.tall else 5
        wide = 3 if mark.tall and mark.colour != "bad" else 1.4
        says = f"{mark.t_ns / 1e9:.3f} s: {mark.says}"
        drawing.rect(x - wide / 2, y - half, wide, 2 * half, mark.colour, says)


def _uart(drawing: Drawing, told_of: Timeline, y: float, end: float) -> None:
    """Lines received above, lines sent below; height by √ of how many fell into that stretch of time."""
    lines = told_of.lines
    _bars(drawing, lines.heard, y, end, -1, "bar", 18)
    _bars(drawing, [mark.t_ns for mark in lines.sent], y, end, 1, "bar-tick", 18)
    _marks(drawing, lines.bad, y, end)


def _bars(
    drawing: Drawing, times: Iterable[int], y: float, end: float, sign: int, colour: str, high: float
) -> None:
    step = (WIDTH - _LEFT - _RIGHT) / _BINS
    counts = Counter(int((_BINS - 1) * min(1.0, t_ns / 1e9 / end)) for t_ns in times)
    most = max(counts.values(), default=1)
    tall = {place: 2 + high * (n / most) ** 0.5 for place, n in sorted(counts.items())}
    drawing.bars(((_LEFT + place * step, y, step - 0.6, sign * up) for place, up in tall.items()), colour)


def _axis(drawing: Drawing, y: float, end: float) -> None:
    drawing.line(_LEFT, y, WIDTH - _RIGHT, y, "faint")
    for t_s in _ticks(end):
        x = _x(t_s, end)
        drawing.line(x, y, x, y + 4, "faint")
        anchor = "end" if x > WIDTH - 40 else "middle"
        drawing.text(x, y + 16, f"{number(round(t_s, 3))} s", "muted", anchor)


def _ticks(end: float) -> Iterator[float]:
    step = next((step for step in _STEPS if end / step <= 12), _STEPS[-1])
    count = min(400, int(end / step))
    return (index * step for index in range(count + 1))


def _moment(event: Event, *, bad: bool) -> Moment:
    return Moment(f"{event.t_ns / 1e9:.6f}", event.source, one_line(told(event), 300), bad)
