# SPDX-License-Identifier: MIT
"""What waits until another has made a fault: without it a fast device would be done before the fault came."""

from __future__ import annotations

import threading


class Held:
    """The faults that are due and not made yet. Safe from any thread."""

    def __init__(self, limit_s: float) -> None:
        self._limit_s = limit_s
        self._due: dict[str, threading.Event] = {}
        self._lock = threading.Lock()

    def begin(self, kind: str) -> None:
        """One of that kind is due from now on; another one that is due already is made with it."""
        with self._lock:
            self._due.setdefault(kind, threading.Event())

    def made(self, kind: str) -> None:
        """It has been made; also for one that was not due."""
        with self._lock:
            due = self._due.pop(kind, None)
        if due is not None:
            due.set()

    def wait(self, kind: str) -> None:
        """Blocks until it has been made, or the time for it is over: nobody may be there to make it."""
        with self._lock:
            due = self._due.get(kind)
        if due is not None:
            due.wait(self._limit_s)
