# SPDX-License-Identifier: MIT
"""A case's dialogue as its transcript has it: what was asked of the board, and what it said then. Pure.

Owns cutting a transcript at the moments when something was sent or the board was reset, and giving an answer
the number of another request. Who asks again is ``console_player.py``.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from rig.events import Event
from rig.links.wire import frame_line, parse_frame
from rig.transcript.segment_reader import Segment

RESET: Final = ""
"""Stands for a request: the board was reset, or its power came."""


@dataclass(frozen=True, slots=True)
class Step:
    """What was asked (``request``, without its number, or ``RESET``), its number, and what was said then."""

    request: str
    seq: int
    said: bytes

    def answer(self, seq: int) -> bytes:
        """The same, as an answer to a request of that number."""
        lines = self.said.splitlines(keepends=True)
        return b"".join(_numbered(line, self.seq, seq) for line in lines)


def steps_of(segment: Segment, events: Iterable[Event]) -> tuple[Step, ...]:
    """The dialogue of a segment; ``events`` are the board's of that time, in order."""
    moments = list(_moments(events))
    ends = [at for at, _, _ in moments[1:]] + [2**63]
    steps = (
        Step(request, seq, _between(segment, at, end))
        for (at, request, seq), end in zip(moments, ends, strict=False)
    )
    # A reset of which the segment has nothing was before it began.
    return tuple(step for step in steps if step.said or step.request != RESET)


def request_of(line: str) -> tuple[str, int]:
    """(what is asked, its number) of a line that was sent; a line that is no request has the number 0."""
    number, _, rest = line.removeprefix("@").partition(" ")
    if not line.startswith("@") or not number.isdigit():
        return line.strip(), 0
    return rest.rpartition("*")[0], int(number)


def _moments(events: Iterable[Event]) -> Iterator[tuple[int, str, int]]:
    """(when, request, number); a request that was repeated counts once, a reset from when it began."""
    last = 0
    for event in events:
        match event.source, event.kind:
            case "console", "sent":
                request, seq = request_of(str(event.data.get("text", "")))
                if not seq or seq != last:
                    yield event.t_ns, request, seq
                last = seq or last
            case ("probe", "reset") | ("power", "on"):
                yield event.t_ns, RESET, 0


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
