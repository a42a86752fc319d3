# SPDX-License-Identifier: MIT
"""What happened on a board and when: cases, power, probe and UART on the run's one clock, as a drawing.

All boards of a run share one scale, so that what happened at the same time stands in the same place. Owns the
choice of what is drawn; ``moments`` lists in words what is more than a line of the console.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from reports.event_text import told
from reports.svg import Drawing
from reports.text import number, one_line
from rig.events import Event
from rig.evidence.measurement import Outcome
from rig.evidence.model import CaseResult

WIDTH = 1056.0
MOST_MOMENTS = 160
UNPLUG_NS = 50_000_000
"""A console that is lost so shortly before it is told that the supply is off was lost by that."""
_LEFT, _RIGHT = 64.0, 8.0
_CASES, _POWER, _PROBE, _UART, _AXIS = 30.0, 58.0, 82.0, 120.0, 152.0
_HEIGHT = 172.0
_BINS = 328
_COLOURS = {
    Outcome.PASS: "good",
    Outcome.FAIL: "bad",
    Outcome.ERROR: "error",
    Outcome.SKIPPED: "skip",
    Outcome.ABORTED: "abort",
}
_STEPS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1800, 3600, 7200, 21600, 86400)
_LINES = ("line", "sent")
_MEMORY = "memory"
"""Its readings, one after every case, have a table of their own."""


@dataclass(frozen=True, slots=True)
class Moment:
    """An event that is more than a line of the console. ``bad``: something was lost or went wrong."""

    time: str
    source: str
    what: str
    bad: bool


def timeline(
    board: str, events: Sequence[Event], cases: Sequence[CaseResult], heard: Sequence[int], end_s: float
) -> str:
    """Returns the SVG of one board's events and attempts, from the run's start to ``end_s``.

    ``heard``: when each line of the console came, in ns; what the board answers is no event of the run.
    """
    drawing = Drawing(WIDTH, _HEIGHT)
    end = max(end_s, 0.001, *(event.t_ns / 1e9 for event in events[-1:]))
    for y, name in ((_CASES, "cases"), (_POWER, "power"), (_PROBE, "probe"), (_UART, "UART")):
        drawing.text(0, y + 4, name, "muted")
        drawing.line(_LEFT, y, WIDTH - _RIGHT, y, "hair")
    _cases(drawing, cases, end)
    _power(drawing, [e for e in events if e.source == "power"], end)
    wanted = _wanted(events)
    for event in events:
        if event.source not in ("power", "console", _MEMORY) or _is_bad(event):
            _mark(drawing, event, end, bad=_is_bad(event) and event not in wanted)
    sent = [event.t_ns for event in events if (event.source, event.kind) == ("console", "sent")]
    _uart(drawing, heard, sent, end)
    _axis(drawing, end)
    said = f"{len(cases)} attempts at cases, {len(heard)} lines received, {len(sent)} sent"
    return drawing.svg("time", f"Timeline of {board}: {said}")


def moments(events: Sequence[Event]) -> tuple[tuple[Moment, ...], int]:
    """What is worth a line of text, and how many more there are."""
    told = [event for event in events if event.kind not in _LINES and event.source != _MEMORY]
    wanted = _wanted(told)
    said = [_moment(event, bad=_is_bad(event) and event not in wanted) for event in told]
    return tuple(said[:MOST_MOMENTS]), max(0, len(said) - MOST_MOMENTS)


def _x(t_s: float, end: float) -> float:
    return _LEFT + (WIDTH - _LEFT - _RIGHT) * min(1.0, max(0.0, t_s / end))


def _cases(drawing: Drawing, cases: Sequence[CaseResult], end: float) -> None:
    """A block per attempt; the suites' names stand above where they begin, as far as there is room."""
    suite, free = "", 0.0
    for case in sorted(cases, key=lambda case: case.started_ns):
        begin = case.started_ns / 1e9
        x = _x(begin, end)
        wide = max(1.2, _x(begin + case.duration_s, end) - x - 0.6)
        says = f"{case.suite}/{case.case}: {case.outcome.value}, {begin:.3f} s + {case.duration_s:.3f} s"
        drawing.rect(x, _CASES - 7, wide, 14, _COLOURS[case.outcome], one_line(says))
        if case.suite != suite and x >= free:
            words = one_line(case.suite, 24)
            long = 6.5 * len(words)
            drawing.text(min(x, WIDTH - long), _CASES - 13, words, "muted")
            free = x + long + 8
        suite = case.suite


def _power(drawing: Drawing, events: Sequence[Event], end: float) -> None:
    """A bar while the supply is on."""
    since: float | None = None
    for event in events:
        if event.kind == "on" and since is None:
            since = event.t_ns / 1e9
        elif event.kind == "off" and since is not None:
            _supply(drawing, since, event.t_ns / 1e9, end)
            since = None
    if since is not None:
        _supply(drawing, since, end, end)


def _supply(drawing: Drawing, begin: float, until: float, end: float) -> None:
    x = _x(begin, end)
    drawing.rect(x, _POWER - 4, max(1.0, _x(until, end) - x), 8, "bar", f"on: {begin:.3f} … {until:.3f} s")


def _mark(drawing: Drawing, event: Event, end: float, *, bad: bool) -> None:
    """A stroke on the probe's line, tall for an image that was written; what went wrong is red."""
    x, says = _x(event.t_ns / 1e9, end), one_line(f"{event.t_ns / 1e9:.3f} s: {told(event)}")
    y = _UART if event.source == "console" else _PROBE
    half = 9 if event.kind == "flashed" or bad else 5
    colour = "bad" if bad else "bar-tick" if event.kind == "flashed" else "ink"
    wide = 3 if event.kind == "flashed" else 1.4
    drawing.rect(x - wide / 2, y - half, wide, 2 * half, colour, says)


def _uart(drawing: Drawing, heard: Iterable[int], sent: Iterable[int], end: float) -> None:
    """Lines received above, lines sent below; height by √ of how many fell into that stretch of time."""
    step = (WIDTH - _LEFT - _RIGHT) / _BINS
    for times, sign, colour in ((heard, -1, "bar"), (sent, 1, "bar-tick")):
        counts = Counter(int((_BINS - 1) * min(1.0, t_ns / 1e9 / end)) for t_ns in times)
        most = max(counts.values(), default=1)
        tall = {place: 2 + 18 * (n / most) ** 0.5 for place, n in sorted(counts.items())}
        drawing.bars(
            ((_LEFT + place * step, _UART, step - 0.6, sign * high) for place, high in tall.items()), colour
        )


def _axis(drawing: Drawing, end: float) -> None:
    drawing.line(_LEFT, _AXIS, WIDTH - _RIGHT, _AXIS, "faint")
    for t_s in _ticks(end):
        x = _x(t_s, end)
        drawing.line(x, _AXIS, x, _AXIS + 4, "faint")
        anchor = "end" if x > WIDTH - 40 else "middle"
        drawing.text(x, _AXIS + 16, f"{number(round(t_s, 3))} s", "muted", anchor)


def _ticks(end: float) -> Iterator[float]:
    step = next((step for step in _STEPS if end / step <= 12), _STEPS[-1])
    count = min(400, int(end / step))
    return (index * step for index in range(count + 1))


def _wanted(events: Sequence[Event]) -> list[Event]:
    """Consoles that were lost because the plug was pulled: while the supply was off, or just before."""
    wanted: list[Event] = []
    on, lately = True, None
    for event in events:
        if event.source == "power":
            on = event.kind == "on"
            if not on and lately is not None and event.t_ns - lately.t_ns < UNPLUG_NS:
                wanted.append(lately)
        elif event.kind == "lost":
            wanted += [] if on else [event]
            lately = event
    return wanted


def _is_bad(event: Event) -> bool:
    return event.source == "fault" or event.kind in ("lost", "fault", "error", "garbled")


def _moment(event: Event, *, bad: bool) -> Moment:
    return Moment(f"{event.t_ns / 1e9:.6f}", event.source, one_line(told(event), 300), bad)
