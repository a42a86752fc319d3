# SPDX-License-Identifier: MIT
"""Keeps a flood out of a run's journal: so many events a second are told, the rest as one count."""

from __future__ import annotations

from rig.events import Event, EventSink


class EventBudget:
    """A sink before a sink. One source, fed by one thread; ``close`` tells what is still untold."""

    def __init__(self, sink: EventSink, per_s: int, skipped_kind: str) -> None:
        self._sink = sink
        self._per_s = per_s
        self._kind = skipped_kind
        self._second = -1
        self._left = per_s
        self._skipped = 0
        self._last: Event | None = None

    def put(self, event: Event) -> None:
        """Hands the event on, or counts it."""
        second = event.t_ns // 1_000_000_000
        if second != self._second:
            self._second, self._left = second, self._per_s
            self._tell_skipped(event)
        if self._left:
            self._left -= 1
            self._sink(event)
        else:
            self._skipped += 1
            self._last = event

    def close(self) -> None:
        """Tells how many were skipped at the end."""
        if self._last is not None:
            self._tell_skipped(self._last)

    def _tell_skipped(self, now: Event) -> None:
        if self._skipped:
            self._sink(Event(now.t_ns, now.source, self._kind, now.board, {"count": self._skipped}))
            self._skipped = 0
