# SPDX-License-Identifier: MIT
"""A case's dialogue as its transcript has it: what was asked of the board, and what it said then. Pure.

Owns cutting a transcript at the moments when the rig did something (sent a line, reset the board, did an act
of ``mqtt_acts.py``), and giving an answer the number of another request. Who asks again is
``console_player.py``.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from rig.events import Event
from rig.links.mqtt_acts import act_of, is_seen
from rig.links.wire import frame_line, parse_frame
from rig.transcript.segment_reader import Segment

RESET: Final = ""
"""Stands for a request: the board was reset, or its power came."""


@dataclass(frozen=True, slots=True)
class Step:
    """What was asked (``request``, without its number, or ``RESET``, or an act), its number, what was said
    then, and what was seen of the board's MQTT. ``event`` is that of an act."""

    request: str
    seq: int
    said: bytes
    seen: tuple[Event, ...] = ()
    event: Event | None = None

    def answer(self, seq: int) -> bytes:
        """The same, as an answer to a request of that number."""
        lines = self.said.splitlines(keepends=True)
        return b"".join(_numbered(line, self.seq, seq) for line in lines)


def steps_of(segment: Segment, events: Iterable[Event]) -> tuple[Step, ...]:
    """The dialogue of a segment; ``events`` are the board's of that time, in order."""
    events = sorted(events, key=lambda event: event.t_ns)
    seen = [event for event in events if is_seen(event)]
    moments = list(_moments(events))
    ends = [moment.t_ns for moment in moments[1:]] + [2**63]
    steps = (
        Step(at.request, at.seq, _between(segment, at.t_ns, end), _seen(seen, at.t_ns, end), at.event)
        for at, end in zip(moments, ends, strict=False)
    )
    # A reset of which the segment has nothing was before it began.
    return tuple(step for step in steps if step.said or step.request != RESET)


def request_of(line: str) -> tuple[str, int]:
    """(what is asked, its number) of a line that was sent; a line that is no request has the number 0."""
    number, _, rest = line.removeprefix("@").partition(" ")
    if not line.startswith("@") or not number.isdigit():
        return line.strip(), 0
    return rest.rpartition("*")[0], int(number)


@dataclass(frozen=True, slots=True)
class _Moment:
    t_ns: int
    request: str
    seq: int = 0
    event: Event | None = None


def _moments(events: Iterable[Event]) -> Iterator[_Moment]:
    """When the rig did what; a request that was repeated counts once, a reset from when it began."""
    last = 0
    for event in events:
        match event.source, event.kind:
            case "console", "sent":
                request, seq = request_of(str(event.data.get("text", "")))
                if not seq or seq != last:
                    yield _Moment(event.t_ns, request, seq)
                last = seq or last
            case ("probe", "reset") | ("power", "on"):
                yield _Moment(event.t_ns, RESET)
            case _ if (act := act_of(event)) is not None:
                yield _Moment(event.t_ns, act, event=event)


def _seen(seen: Sequence[Event], begin_ns: int, end_ns: int) -> tuple[Event, ...]:
    first, last = (bisect_left(seen, at, key=lambda event: event.t_ns) for at in (begin_ns, end_ns))
    return tuple(seen[first:last])


def _between(segment: Segment, begin_ns: int, end_ns: int) -> bytes:
    """The bytes that came from one moment to before another."""
    begin, end = (_place(segment, at) for at in (begin_ns, end_ns))
    return segment.data[begin:end]


def _place(segment: Segment, t_ns: int) -> int:
    """Where in the data the first byte stands that came at ``t_ns`` or later."""
    at = bisect_left(segment.times, t_ns)
    if at == len(segment.times):
        return len(segment.data)
    place = segment.position(segment.offsets[at])
    return len(segment.data) if place is None else place


def _numbered(line: bytes, old: int, new: int) -> bytes:
    """The line, with its frame numbered anew where it is one of the answer."""
    at = line.rfind(b"$")
    frame = parse_frame(line[at:]) if at >= 0 else None
    if frame is None or frame.kind == "event" or frame.seq != old:
        return line
    body = frame.body.decode("ascii").partition(".")[2]
    return line[:at] + frame_line("$", f"{new}.{body}", "\r\n")
