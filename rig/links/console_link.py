# SPDX-License-Identifier: MIT
"""One board's console as its users see it: the ``Console`` of ``interfaces.py``.

Everything is judged here, in the caller's thread: what matched, which reply is whole, when to ask again, and
what to say when nothing came. Owns no thread and no port.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Mapping
from pathlib import Path

from rig.deadline import Deadline, poll
from rig.errors import BoardRebooted, CommandRefused, EvidenceFault
from rig.events import RunClock
from rig.links import console_verdict as verdict
from rig.links.console_request import Assembly
from rig.links.console_stream import ConsoleStream, StampedFrame
from rig.links.interfaces import ConsoleMatch, Mark, Reply, WireEvent
from rig.links.wire import SEQ_MAX, format_request

REPEAT_S = 1.0
"""A request is repeated after this long without a sign of its reply."""

_SEND_S = 5.0
_WRITE_BYTES = 4096
_OVERLAP = 4096
_SPACING_S = 0.05


class ConsoleLink:
    """The dialogue with one board. Made by ``ConsoleReader.arm``; a context manager that closes the port.

    One request at a time: a second thread that calls ``request`` waits its turn. All else may be called from
    any thread at any time. ``write`` writes what the port takes at once and returns how much, None while the
    port is not open.
    """

    def __init__(
        self,
        stream: ConsoleStream,
        write: Callable[[bytes], int | None],
        clock: RunClock,
        *,
        first_seq: int,
        close: Callable[[], None],
    ) -> None:
        self.board = stream.board
        self._stream = stream
        self._write = write
        self._clock = clock
        self._seq = first_seq
        self._close = close
        self._turn = threading.Lock()

    def __enter__(self) -> ConsoleLink:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes the port; what came stays readable. Harmless when closed."""
        self._close()

    # --- the port ---

    @property
    def connected(self) -> bool:
        """Whether the port is open now."""
        return self._stream.connected

    @property
    def fault(self) -> EvidenceFault | None:
        """What of the transcript could not be kept, or None."""
        return self._stream.transcript.fault if self._stream.transcript else None

    def wait_connected(self, deadline: Deadline) -> None:
        """Blocks until the port is open. Raises LinkLost with what stood in the way."""
        if not self._stream.wait(lambda: self._stream.connected, deadline) or not self._stream.connected:
            message = f"the console port did not open in {deadline.timeout_s:.1f} s"
            raise verdict.link_lost(self._stream, message)

    def begin_segment(self, path: Path) -> None:
        """From the next byte on the transcript, if there is one, goes to ``path``. Raises EvidenceFault."""
        if self._stream.transcript is not None:
            self._stream.transcript.begin(path)

    # --- listening ---

    def mark(self) -> Mark:
        """The place where the stream ends now."""
        return Mark(self._stream.end)

    def events_kept_from(self) -> Mark:
        """The place from which on events are still in memory."""
        return Mark(self._stream.events_kept_from)

    def read(self, since: Mark, deadline: Deadline) -> tuple[bytes, Mark]:
        """Blocks for bytes after ``since``; returns them and the place after them; ``b""`` when none came.

        Where the bytes right after ``since`` are no longer in memory it goes on with the oldest there are.
        """
        self._stream.wait_beyond(since.offset, deadline)
        start, data = self._stream.read(since.offset)
        return data, Mark(max(since.offset, start + len(data)))

    def expect(self, pattern: bytes, deadline: Deadline, *, since: Mark) -> ConsoleMatch:
        """Blocks until the regular expression matches after ``since``.

        Searched as bytes come: end the pattern with what must follow (``rb"count=(\\d+)\\r"``), or it matches
        as soon as the first digit is there. A match longer than 4 KiB may be found only at the deadline.
        Raises BoardSilent, LinkLost, EvidenceFault (``since`` is too long ago to be in memory), BoardGarbled
        (the board says more than can be searched).
        """
        regex = re.compile(pattern)
        self._stream.require_in_memory(since.offset)
        searched, missed = since.offset, 0
        while True:
            begin = max(since.offset, searched - _OVERLAP)
            found, start, searched = self._search(regex, begin, since.offset)
            missed += start - begin
            if found is not None:
                return found
            more = not deadline.expired and self._stream.wait_beyond(searched, deadline)
            if more and not self._stream.failure:
                continue
            found, _, _ = self._search(regex, since.offset, since.offset)
            if found is not None:
                return found
            raise verdict.not_matched(self._stream, pattern, deadline.timeout_s, since.offset, missed)

    def _search(
        self, regex: re.Pattern[bytes], begin: int, since: int
    ) -> tuple[ConsoleMatch | None, int, int]:
        """The first match from ``begin``, where the search did begin, and where it ended.

        One byte more than needed is taken along, so that ``^`` and ``\\A`` mean the mark, not a place after.
        """
        context = 1 if begin > since else 0
        start, data = self._stream.read(begin - context)
        searched_from, end = max(start, begin), start + len(data)
        match = regex.search(data, searched_from - start)
        if match is None:
            return None, searched_from, end
        after = start + match.end()
        t_ns = self._stream.time_of(max(start, after - 1))
        return ConsoleMatch(match, t_ns, Mark(after)), searched_from, end

    def wait_event(self, name: str, deadline: Deadline, *, since: Mark) -> WireEvent:
        """Blocks until an event frame of that name came after ``since``, also if the port comes and goes.

        An event comes with its last byte.
        Raises BoardSilent, BoardGarbled, LinkLost, EvidenceFault (too many events since to have them all).
        """
        seen = 0
        while True:
            seen, events = self._stream.events_since(since.offset, seen)
            for stamped in events:
                frame = stamped.frame
                if frame.name == name:
                    return WireEvent(name, frame.index, frame.fields, stamped.t_ns, Mark(frame.end))
            more = not deadline.expired and self._stream.wait_event_after(seen, deadline)
            if not more or self._stream.failure:
                what = f"no event {name!r}"
                raise verdict.no_frame(self._stream, what, deadline.timeout_s, since.offset)

    def evidence(self, mark: Mark | None = None) -> str:
        """Where a mark (default: now) stands in the transcript: ``PATH:LINE``."""
        return self._stream.evidence(mark.offset if mark else self._stream.end)

    # --- talking ---

    def send_raw(self, data: bytes, *, deadline: Deadline | None = None) -> None:
        """Writes bytes as they are; blocks until the port took them, by default for 5 s. Raises LinkLost."""
        deadline = deadline or Deadline.after(_SEND_S)
        self._stream.tell_sent(data, self._clock.now_ns())
        sent = 0

        def all_sent() -> bool:
            nonlocal sent
            sent += self._write_some(data[sent : sent + _WRITE_BYTES])
            return sent == len(data)

        if not poll(all_sent, deadline, interval_s=0.001):
            message = f"the console port took {sent} of {len(data)} bytes in {deadline.timeout_s:.1f} s"
            raise verdict.link_lost(self._stream, message, reason="")

    def _write_some(self, data: bytes) -> int:
        try:
            count = self._write(data)
        except OSError as error:
            raise verdict.link_lost(self._stream, "cannot send", str(error)) from error
        if count is None:
            raise verdict.link_lost(self._stream, "cannot send")
        return count

    def request(
        self,
        command: str,
        args: Mapping[str, str | int] | None = None,
        *,
        deadline: Deadline,
        repeat_s: float = REPEAT_S,
    ) -> Reply:
        """Sends a command and returns the checked answer; repeats it where a line was lost or damaged.

        ``repeat_s``: for a command that takes long to answer, how long its silence means nothing. Raises
        CommandRefused (the board said no), BoardRebooted (a boot event came meanwhile), BoardGarbled,
        BoardSilent, LinkLost (the port is gone, or was gone meanwhile), UsageFault.
        """
        with self._turn:
            seq = self._seq
            self._seq = seq % SEQ_MAX + 1
            line = format_request(seq, command, args)
            return self._exchange(seq, command, line, deadline, repeat_s)

    def _exchange(self, seq: int, command: str, line: bytes, deadline: Deadline, repeat_s: float) -> Reply:
        stream, assembly = self._stream, Assembly()
        generation = stream.generation
        with stream.awaiting(seq) as (since, seen, event_index):
            self.send_raw(line, deadline=deadline)
            spacing, silence, again = Deadline.after(0), Deadline.after(repeat_s), False
            while True:
                due = spacing if again else silence
                frames = stream.wait_news(seen, generation, due if due.at_s < deadline.at_s else deadline)
                seen, events = stream.events_since(since, seen)
                frames += stream.take_replies()
                for frame in frames:
                    assembly.add(frame)
                    silence = Deadline.after(repeat_s)
                event_index = self._check_boots(command, assembly, events, event_index)
                if assembly.complete:
                    return self._answer(command, assembly)
                self._check_port(command, generation)
                if deadline.expired:
                    what = f"no whole reply to {command!r} ({assembly})"
                    raise verdict.no_frame(stream, what, deadline.timeout_s, since)
                ended = any(frame.kind != "data" for frame in frames)
                refused = any(stamped.frame.name == "badreq" for stamped in events)
                again = again or (ended and assembly.gap) or refused
                if (again and spacing.expired) or silence.expired:
                    self.send_raw(line, deadline=deadline)
                    spacing, silence, again = Deadline.after(_SPACING_S), Deadline.after(repeat_s), False

    def _check_boots(
        self, command: str, assembly: Assembly, events: list[StampedFrame], event_index: int
    ) -> int:
        """Raises if the board rebooted before the reply was whole; returns the number of the last event.

        A number that does not grow means a reboot too: the boot event itself may have been damaged.
        """
        for frame in (stamped.frame for stamped in events):
            if assembly.complete and assembly.last is not None and frame.start > assembly.last.start:
                break  # as 'reboot' does: it answers, then boots, and both may be here by now
            if frame.name == "boot" or frame.index <= event_index:
                raise BoardRebooted(
                    f"expected a reply to {command!r}, but the board booted ({frame.body.decode('ascii')})",
                    board=self.board,
                    evidence=self._stream.evidence(frame.start),
                )
            event_index = frame.index
        return event_index

    def _check_port(self, command: str, generation: int) -> None:
        if self._stream.generation != generation or self._stream.failure:
            message = f"no reply to {command!r}, the console port went away meanwhile"
            raise verdict.link_lost(self._stream, message)

    def _answer(self, command: str, assembly: Assembly) -> Reply:
        reply = assembly.reply()
        assert assembly.last is not None
        if assembly.last.kind == "ok":
            return reply
        code = reply.fields.get("code", "unknown")
        text = f": {reply.fields['msg']}" if "msg" in reply.fields else ""
        raise CommandRefused(
            f"the board refused {command!r} with {code!r}{text}",
            code=code,
            board=self.board,
            evidence=self._stream.evidence(assembly.last.start),
        )
