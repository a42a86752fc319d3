# SPDX-License-Identifier: MIT
"""What happened on a board, sorted into lanes by where it came from: the content of a timeline.

Owns which event is a span (a case, the supply, a fault from its beginning to its end) and which a mark, what
is said of each, and what counts as bad. ``timeline.py`` draws it still, ``static/timeline.js`` so that one
can look closer.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from reports.event_text import told
from reports.text import one_line
from rig.events import Event
from rig.evidence.measurement import Outcome
from rig.evidence.model import CaseResult
from rig.evidence.target_events import SOURCE, BoardClocks

UNPLUG_NS = 50_000_000
"""A console that is lost so shortly before it is told that the supply is off was lost by that."""
COLOURS = {
    Outcome.PASS: "good",
    Outcome.FAIL: "bad",
    Outcome.ERROR: "error",
    Outcome.SKIPPED: "skip",
    Outcome.ABORTED: "abort",
}
LINES = ("line", "sent")
READINGS = ("memory", SOURCE)
"""The rig's own readings, around every case: they have tables of their own."""
_LONGEST = 160
_ALWAYS = ("cases", "power", "probe")
_FAULT = ("what", "where", "fault")
"""What tells faults apart: of one kind at one place there may be several, numbered, at a time."""
_PLAIN = {"MQTT": "bar"}
_OF_SOURCE = {"network": "network", "mqtt": "MQTT"}


@dataclass(frozen=True, slots=True)
class Span:
    """Something that lasted, in ns on the run's clock; ``says`` is for who points at it."""

    begin_ns: int
    end_ns: int
    colour: str
    says: str
    group: str = ""


@dataclass(frozen=True, slots=True)
class Mark:
    """Something at a moment. ``tall``: more than the others of its lane."""

    t_ns: int
    colour: str
    says: str
    tall: bool = False


@dataclass(slots=True)
class Lane:
    """A row of the timeline."""

    name: str
    spans: list[Span] = field(default_factory=list)
    marks: list[Mark] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Lines:
    """The console: when each line came, and what was sent."""

    heard: Sequence[int]
    sent: Sequence[Mark]
    bad: Sequence[Mark]
    words: Sequence[str] = ()
    """Of the first lines that were heard."""


@dataclass(frozen=True, slots=True)
class Timeline:
    """All lanes of a board, from the run's start to ``end_ns``."""

    board: str
    end_ns: int
    lanes: tuple[Lane, ...]
    lines: Lines
    attempts: int


def sorted_out(
    board: str,
    events: Sequence[Event],
    cases: Sequence[CaseResult],
    heard: Sequence[int],
    end_s: float,
    words: Sequence[str] = (),
) -> Timeline:
    """Sorts one board's events and attempts, which are in order of time, into lanes.

    ``heard``: when each line of the console came, in ns; what the board answers is no event of the run.
    """
    end_ns = max(int(end_s * 1e9), 1_000_000, *(event.t_ns for event in events[-1:]))
    wanted = {id(event) for event in wanted_losses(events)}
    lanes = {name: Lane(name) for name in (*_ALWAYS, "faults", "network", "MQTT")}
    lanes["cases"].spans = [_attempt(case) for case in sorted(cases, key=lambda case: case.started_ns)]
    lanes["power"].spans = _supply([e for e in events if e.source == "power"], end_ns)
    lanes["faults"].spans = faults(events, end_ns)
    clocks = BoardClocks(events)
    sent: list[Mark] = []
    bad: list[Mark] = []
    for event in events:
        wrong = is_bad(event) and id(event) not in wanted
        if event.source == "console":
            if event.kind == "sent":
                sent.append(_mark(event, clocks, "bar-tick"))
            elif is_bad(event):
                bad.append(_mark(event, clocks, "bad" if wrong else "ink", tall=wrong))
        elif event.source == "fault":
            if event.kind not in ("begin", "end"):
                lanes["faults"].marks.append(_mark(event, clocks, "bad", tall=True))
        elif event.source not in READINGS and event.source != "power":
            lane = lanes[_OF_SOURCE.get(event.source, "probe")]
            tall = event.kind == "flashed" or wrong
            colour = (
                "bad" if wrong else "bar-tick" if event.kind == "flashed" else _PLAIN.get(lane.name, "ink")
            )
            lane.marks.append(_mark(event, clocks, colour, tall=tall))
    shown = tuple(lane for lane in lanes.values() if lane.name in _ALWAYS or lane.spans or lane.marks)
    return Timeline(
        board, end_ns, shown, Lines(heard, sent, bad, _dated(board, heard, words, clocks)), len(cases)
    )


def faults(events: Iterable[Event], end_ns: int) -> list[Span]:
    """Each injected fault, from its beginning to its end; one that was not ended lasts to the end."""
    spans: list[Span] = []
    begun: dict[tuple[str, ...], list[Event]] = {}
    for event in events:
        if event.source != "fault":
            continue
        key = tuple(str(event.data.get(name, "")) for name in _FAULT)
        if event.kind == "begin":
            begun.setdefault(key, []).append(event)
        elif event.kind == "end" and begun.get(key):
            spans.append(_fault(begun[key].pop(), event.t_ns))
    spans += [_fault(event, end_ns) for left in begun.values() for event in left]
    return sorted(spans, key=lambda span: span.begin_ns)


def is_bad(event: Event) -> bool:
    """Whether something was lost or went wrong; an injected fault did not."""
    injected = event.source == "fault" and event.kind in ("begin", "end")
    return not injected and (event.source == "fault" or event.kind in ("lost", "fault", "error", "garbled"))


def wanted_losses(events: Iterable[Event]) -> list[Event]:
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


def _attempt(case: CaseResult) -> Span:
    says = f"{case.suite}/{case.case}: {case.outcome.value}"
    end_ns = case.started_ns + int(case.duration_s * 1e9)
    return Span(case.started_ns, end_ns, COLOURS[case.outcome], one_line(says), one_line(case.suite, 24))


def _supply(events: Iterable[Event], end_ns: int) -> list[Span]:
    spans: list[Span] = []
    since: int | None = None
    for event in events:
        if event.kind == "on" and since is None:
            since = event.t_ns
        elif event.kind == "off" and since is not None:
            spans.append(Span(since, event.t_ns, "bar", "on"))
            since = None
    return spans if since is None else [*spans, Span(since, end_ns, "bar", "on")]


def _fault(begin: Event, end_ns: int) -> Span:
    named = [str(begin.data[key]) for key in ("what", "where") if begin.data.get(key)]
    rest = [f"{k} {v}" for k, v in begin.data.items() if k not in _FAULT and v is not None]
    return Span(
        begin.t_ns, end_ns, "bad", one_line(", ".join([" on ".join(named) or "fault", *rest]), _LONGEST)
    )


def _mark(event: Event, clocks: BoardClocks, colour: str, *, tall: bool = False) -> Mark:
    return Mark(event.t_ns, colour, one_line(told(event), _LONGEST) + _board_time(event, clocks), tall)


def _dated(board: str, heard: Sequence[int], words: Sequence[str], clocks: BoardClocks) -> list[str]:
    """Lines of the console; a log line with when the board wrote it, as far as its clock is known."""
    lines = (
        Event(t_ns, "console", "line", board, {"text": text})
        for t_ns, text in zip(heard, words, strict=False)
    )
    return [one_line(str(line.data["text"]), _LONGEST) + _board_time(line, clocks) for line in lines]


def _board_time(event: Event, clocks: BoardClocks) -> str:
    """Where the event carries the board's own time: when that was on the run's clock."""
    said = clocks.said(event)
    if said is None:
        return ""
    late = f"{(event.t_ns - said.t_ns) / 1e6:.1f} ± {said.error_ns / 1e6:.1f} ms"
    return f" (written at the board's {said.target_ns / 1e9:.3f} s, {late} before it came)"
