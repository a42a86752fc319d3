# SPDX-License-Identifier: MIT
"""What one console has said so far, shared by the reader thread, which adds, and callers, who wait.

The reader thread only appends under a lock that nobody holds for long; callers take pieces under the lock
and judge them outside. Owns the bounds on memory and the condition that callers wait on.
"""

from __future__ import annotations

import contextlib
import threading
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from rig.deadline import Deadline
from rig.errors import EvidenceFault, RigFault
from rig.events import Event, Scalar
from rig.links.console_buffer import StreamBuffer
from rig.links.console_events import EventPump, LineEvents
from rig.links.wire import Frame, Parser, without_secrets
from rig.transcript import Transcript

SEARCH_BYTES = 16 * 1024 * 1024
"""What is kept in memory of each console for searching."""
_EVENTS_KEPT = 4096
_INBOX_MAX = 65536
_LAST_LINE_WINDOW = 4096


@dataclass(frozen=True, slots=True)
class StampedFrame:
    """A frame and when its last byte came."""

    frame: Frame
    t_ns: int


@dataclass(frozen=True, slots=True)
class LastLine:
    """The last line with anything on it since some offset: its bytes and where it begins."""

    text: bytes
    offset: int


class ConsoleStream:
    """The stream of one console: first what the reader thread calls, then what callers do."""

    def __init__(
        self, board: str, port: str, transcript: Transcript | None, pump: EventPump | None, search_bytes: int
    ) -> None:
        self.board = board
        self.port = port
        self.transcript = transcript
        self.connected = False
        self.generation = 0
        """How often the port was opened or lost."""
        self.absent_because = "not opened yet"
        self.failure: BaseException | None = None
        """What stopped the reader thread, if anything did."""
        self.changed = threading.Condition()
        self._pump = pump
        self._lines = LineEvents(board, pump) if pump else None
        self._parser = Parser()
        self._buffer = StreamBuffer(search_bytes)
        self._events: deque[StampedFrame] = deque(maxlen=_EVENTS_KEPT)
        self._event_count = 0
        self._frame_count = 0
        self._events_gone_until = 0
        self._awaited_seq: int | None = None
        self._inbox: list[Frame] = []

    # --- the reader thread ---

    def take(self, data: bytes, t_ns: int) -> None:
        """Bytes came. Keeps them on disk first: what a caller has seen is there after a kill too."""
        if self.transcript is not None:
            self.transcript.append(data, t_ns)
        frames = self._parser.feed(data)
        with self.changed:
            self._buffer.append(data, t_ns)
            self._frame_count += len(frames)
            for frame in frames:
                self._sort(frame, t_ns)
            self.changed.notify_all()
        if self._lines is not None:
            for frame in frames:
                if frame.kind == "event":
                    self._tell("event", t_ns, _event_data(frame))
            self._lines.feed(data, t_ns)

    def opened(self, t_ns: int) -> None:
        """The port is there."""
        with self.changed:
            self.connected = True
            self.generation += 1
            self.changed.notify_all()
        self._tell("opened", t_ns, {"port": self.port})

    def lost(self, reason: str, t_ns: int) -> None:
        """The port went away."""
        self._parser.interrupt()
        with self.changed:
            self.connected = False
            self.absent_because = reason
            self.generation += 1
            self.changed.notify_all()
        if self._lines is not None:
            self._lines.report_skipped(t_ns)
        self._tell("lost", t_ns, {"port": self.port, "reason": reason})

    def closed(self, t_ns: int) -> None:
        """The rig closed the port; nothing more comes."""
        self.failed(self.failure or RigFault("the console was closed"))
        if self._lines is not None:
            self._lines.report_skipped(t_ns)
        self._tell("closed", t_ns, {"port": self.port})

    def absent(self, reason: str) -> None:
        """An attempt to open it failed."""
        self.absent_because = reason

    def failed(self, error: BaseException) -> None:
        """The reader thread stops: nothing will come any more."""
        with self.changed:
            self.connected = False
            self.failure = error
            self.changed.notify_all()

    def _sort(self, frame: Frame, t_ns: int) -> None:
        if frame.kind == "event":
            if len(self._events) == _EVENTS_KEPT:
                self._events_gone_until = self._events[0].frame.end
            self._events.append(StampedFrame(frame, t_ns))
            self._event_count += 1
        elif frame.seq == self._awaited_seq and len(self._inbox) < _INBOX_MAX:
            self._inbox.append(frame)

    def _tell(self, kind: str, t_ns: int, data: dict[str, Scalar]) -> None:
        if self._pump is not None:
            self._pump.put(Event(t_ns, "console", kind, self.board, data))

    # --- callers ---

    @property
    def end(self) -> int:
        """Bytes received so far."""
        with self.changed:
            return self._buffer.end

    @property
    def frames(self) -> int:
        """Whole frames so far."""
        return self._frame_count

    @property
    def damaged(self) -> int:
        """Damaged frames so far."""
        return self._parser.damaged

    @property
    def last_damaged(self) -> bytes:
        """The last line that looked like a frame and was none."""
        return self._parser.last_damaged

    def tell_sent(self, data: bytes, t_ns: int) -> None:
        """Records what was sent to the board; keys and passwords are left out."""
        kept = without_secrets(data)[:512]
        self._tell("sent", t_ns, {"text": kept.decode("utf-8", "backslashreplace")})

    def wait(self, ready: Callable[[], bool], deadline: Deadline) -> bool:
        """Blocks until ``ready()`` (called with the lock held) or the reader failed; False: time is over."""
        with self.changed:
            return self.changed.wait_for(lambda: ready() or self.failure is not None, deadline.remaining_s)

    def wait_beyond(self, offset: int, deadline: Deadline) -> bool:
        """Blocks until more than ``offset`` bytes came."""
        return self.wait(lambda: self._buffer.end > offset, deadline)

    def read(self, since: int) -> tuple[int, bytes]:
        """The bytes from ``since``, or from the oldest in memory, and where they begin."""
        with self.changed:
            start, parts = self._buffer.parts(since)
        return start, b"".join(parts)

    def time_of(self, offset: int) -> int:
        """When a byte came (run clock)."""
        with self.changed:
            return self._buffer.time_of(offset)

    def require_in_memory(self, since: int) -> None:
        """Raises EvidenceFault if bytes after ``since`` are no longer in memory."""
        with self.changed:
            start = self._buffer.start
        if since < start:
            raise EvidenceFault(
                f"expected to search from byte {since} of the console, but memory begins at byte {start}",
                board=self.board,
                evidence=self.evidence(since),
                hint="Take the mark later, or read the transcript",
            )

    @property
    def events_kept_from(self) -> int:
        """From which byte on events are in memory."""
        with self.changed:
            return self._events_gone_until

    def events_since(self, since: int, seen: int) -> tuple[int, list[StampedFrame]]:
        """The count of events ever, and those that ended after ``since``, without the first ``seen``.

        Raises EvidenceFault if some of them are no longer in memory.
        """
        with self.changed:
            count = self._event_count
            if seen == 0 and since < self._events_gone_until:
                raise EvidenceFault(
                    f"expected events from byte {since} of the console, but those in memory begin after byte "
                    f"{self._events_gone_until}",
                    board=self.board,
                    evidence=self.evidence(since),
                )
            fresh = min(count - seen, len(self._events))
            found = [self._events[at] for at in range(-fresh, 0)]
        return count, [stamped for stamped in found if stamped.frame.end > since]

    def wait_event_after(self, seen: int, deadline: Deadline) -> bool:
        """Blocks until there were more than ``seen`` events."""
        return self.wait(lambda: self._event_count > seen, deadline)

    @contextlib.contextmanager
    def awaiting(self, seq: int) -> Iterator[tuple[int, int, int]]:
        """Collects replies to ``seq`` meanwhile.

        Yields the counts of bytes and of events that came before, and the number of the last of these events.
        """
        with self.changed:
            self._awaited_seq, self._inbox = seq, []
            last_index = self._events[-1].frame.index if self._events else -1
            before = (self._buffer.end, self._event_count, last_index)
        try:
            yield before
        finally:
            with self.changed:
                self._awaited_seq, self._inbox = None, []

    def wait_news(self, seen_events: int, generation: int, deadline: Deadline) -> list[Frame]:
        """Blocks until a reply line, an event or a change of the port; returns (takes) the reply lines."""
        with self.changed:
            self.changed.wait_for(
                lambda: (
                    self._inbox
                    or self._event_count > seen_events
                    or self.generation != generation
                    or self.failure is not None
                ),
                deadline.remaining_s,
            )
            frames, self._inbox = self._inbox, []
        return frames

    def take_replies(self) -> list[Frame]:
        """The reply lines that came since they were last taken."""
        with self.changed:
            frames, self._inbox = self._inbox, []
        return frames

    def last_line(self, since: int = 0) -> LastLine | None:
        """The last line that is not blank, out of the last 4 KiB from ``since`` on."""
        start, data = self.read(max(since, self.end - _LAST_LINE_WINDOW))
        stripped = data.rstrip()
        if not stripped:
            return None
        at = stripped.rfind(b"\n") + 1
        return LastLine(stripped[at:].strip(), start + at)

    def evidence(self, offset: int) -> str:
        """Where a byte stands in the transcript; without one, in the stream."""
        if self.transcript is not None:
            return self.transcript.evidence(offset)
        return f"{self.port}:byte={offset}"


def _event_data(frame: Frame) -> dict[str, Scalar]:
    data: dict[str, Scalar] = {"name": frame.name, "index": frame.index}
    data.update({f"field.{key}": value for key, value in frame.fields.items()})
    return data
