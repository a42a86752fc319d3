# SPDX-License-Identifier: MIT
"""Numbered messages that the capture sends to itself: what came before one that returned is all there.

Owns the numbers and the waiting. One that is missing in the sequence means that messages were lost.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from rig.deadline import Deadline


class Marks:
    """The numbers that were sent, and those that came back. Safe from any thread."""

    def __init__(self) -> None:
        self.changed = threading.Condition()
        self._sent = 0
        self._returned = 0

    @property
    def sent(self) -> int:
        """The number of the last mark."""
        return self._sent

    def next(self) -> int:
        """The number of the next mark."""
        with self.changed:
            self._sent += 1
            return self._sent

    def returned(self, number: int) -> int:
        """Takes a mark that came back; returns how many before it did not."""
        with self.changed:
            missing = max(0, number - self._returned - 1)
            self._returned = max(self._returned, number)
            self.changed.notify_all()
            return missing

    def forget(self) -> None:
        """The connection was lost: marks on their way are not missed."""
        with self.changed:
            self._returned = self._sent

    def await_number(self, number: int, deadline: Deadline) -> bool:
        """Blocks until the mark of that number, or a later one, came back."""
        return self.wait_for(lambda: self._returned >= number, deadline)

    def wait_for(self, condition: Callable[[], bool], deadline: Deadline) -> bool:
        """Blocks until a condition on what came back holds."""
        with self.changed:
            return self.changed.wait_for(condition, deadline.remaining_s)
