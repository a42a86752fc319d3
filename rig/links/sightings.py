# SPDX-License-Identifier: MIT
"""What a reader thread saw, in order, for a test's thread to look through and wait on.

Owns the list, its bound, and the waiting by deadline. Nothing here discards what was not looked at: a search
starts from a mark. Adding never waits for whoever looks.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from itertools import islice
from typing import Final, Generic, TypeVar

from rig.deadline import Deadline

T = TypeVar("T")
MOST: Final = 100_000
"""How many are kept; older ones go first."""


class Sightings(Generic[T]):
    """A bounded list that grows while others wait on it. Safe from any thread."""

    def __init__(self, most: int = MOST) -> None:
        self._items: deque[T] = deque(maxlen=most)
        self._count = 0
        self._changed = threading.Condition()

    def add(self, item: T) -> None:
        """Adds what was just seen."""
        with self._changed:
            self._items.append(item)
            self._count += 1
            self._changed.notify_all()

    def mark(self) -> int:
        """The place where the list ends now: how many were ever seen."""
        return self._count

    def since(self, mark: int = 0) -> list[T]:
        """All that were seen after the mark and are still kept."""
        with self._changed:
            return list(islice(self._items, self._place(mark), None))

    def wait(self, wanted: Callable[[T], bool], deadline: Deadline, *, since: int) -> T | None:
        """Blocks until one after the mark is wanted, and returns the first; None when the time is over."""
        mark = since
        while True:
            with self._changed:
                fresh = list(islice(self._items, self._place(mark), None))
                mark = self._count
            found = next((item for item in fresh if wanted(item)), None)
            if found is not None or not self._more(mark, deadline):
                return found

    def _more(self, mark: int, deadline: Deadline) -> bool:
        with self._changed:
            return self._changed.wait_for(lambda: self._count > mark, deadline.remaining_s)

    def _place(self, mark: int) -> int:
        return max(0, len(self._items) - (self._count - mark))
