# SPDX-License-Identifier: MIT
"""Hands console events to the run's sink on a thread of its own, so that a slow disk never delays a stamp.

Owns the bound: lines beyond ``LINES_PER_S`` are told as one count (the transcript has them all).
"""

from __future__ import annotations

import threading
from collections import deque

from rig.errors import RigError
from rig.events import Event, EventSink
from rig.links.wire import Splitter, Text

LINES_PER_S = 1000
_QUEUE_MAX = 20_000


class EventPump:
    """A bounded queue in front of a sink. A context manager; leaving it delivers what is queued."""

    def __init__(self, sink: EventSink) -> None:
        self._sink = sink
        self._queue: deque[Event] = deque()
        self._changed = threading.Condition()
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="console-events")
        self.dropped = 0
        """Events that found the queue full."""
        self.fault: Exception | None = None
        """The first error of the sink, if any; later events are still offered to it."""

    def __enter__(self) -> EventPump:
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        with self._changed:
            self._closing = True
            self._changed.notify()
        self._thread.join()

    def put(self, event: Event) -> None:
        """Queues an event; never blocks for the sink."""
        with self._changed:
            if len(self._queue) >= _QUEUE_MAX:
                self.dropped += 1
                return
            self._queue.append(event)
            self._changed.notify()

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._queue or self._closing)
                if not self._queue:
                    return
                events, self._queue = self._queue, deque()
            for event in events:
                self._deliver(event)

    def _deliver(self, event: Event) -> None:
        try:
            self._sink(event)
        except (
            RigError,
            OSError,
            ValueError,
        ) as error:  # it must not raise; the console goes on all the same
            self.fault = self.fault or error


class LineEvents:
    """Turns a board's bytes into ``line`` events, up to ``LINES_PER_S``, then into ``lines_skipped``."""

    def __init__(self, board: str, pump: EventPump) -> None:
        self._board = board
        self._pump = pump
        self._splitter = Splitter()
        self._second = -1
        self._left = 0
        self._skipped = 0
        self._in_skipped_line = False

    def feed(self, data: bytes, t_ns: int) -> None:
        """Takes the next bytes, which came at ``t_ns``."""
        second = t_ns // 1_000_000_000
        if second != self._second:
            self._second, self._left = second, LINES_PER_S
            self.report_skipped(t_ns)
        count = data.count(b"\n")
        if count > self._left:
            rest = data.split(b"\n", self._left)[-1]
            self._tell(data[: len(data) - len(rest)], t_ns)
            self._skip(rest, count - self._left)
            return
        self._left -= count
        self._tell(data, t_ns)

    def report_skipped(self, t_ns: int) -> None:
        """Says how many lines were skipped since this was last said."""
        if self._skipped:
            self._put("lines_skipped", t_ns, {"count": self._skipped})
            self._skipped = 0

    def _tell(self, data: bytes, t_ns: int) -> None:
        if self._in_skipped_line:
            end = data.find(b"\n") + 1
            if not end:
                return
            data = data[end:]
            self._in_skipped_line = False
        for item in self._splitter.feed(data):
            if isinstance(item, Text) and item.data:
                self._put("line", t_ns, {"text": item.data.decode("utf-8", "backslashreplace")})

    def _skip(self, data: bytes, count: int) -> None:
        self._left = 0
        self._skipped += count
        self._in_skipped_line = not data.endswith(b"\n")
        self._splitter = Splitter()

    def _put(self, kind: str, t_ns: int, data: dict[str, str | int | float | bool | None]) -> None:
        self._pump.put(Event(t_ns, "console", kind, self._board, data))
