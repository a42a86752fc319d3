# SPDX-License-Identifier: MIT
"""What a reader thread saw, in order, for a test's thread to look through and wait on.

Owns the list, its bounds, and the waiting by deadline. Nothing that was not looked at is discarded before the
bounds are reached: a search starts from a mark. Adding never waits for whoever looks.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable
from itertools import islice
from typing import Final, Generic, TypeVar

from rig.deadline import Deadline

T = TypeVar("T")
MOST: Final = 100_000
"""How many are kept; older ones go first."""
MOST_BYTES: Final = 64 * 1024 * 1024


class Sightings(Generic[T]):
    """A bounded list that grows while others wait on it. Safe from any thread.

    ``size_of`` says how many bytes one takes, where that differs.
    """

    def __init__(
        self, most: int = MOST, most_bytes: int = MOST_BYTES, size_of: Callable[[T], int] = lambda _: 0
    ) -> None:
        self._items: deque[T] = deque()
        self._most, self._most_bytes, self._size_of = most, most_bytes, size_of
        self._bytes = 0
        self._count = 0
        self._changed = threading.Condition()

    def add(self, *items: T) -> None:
        """Adds what was just seen."""
        with self._changed:
            self._items.extend(items)
            self._count += len(items)
            self._bytes += sum(map(self._size_of, items))
            while len(self._items) > self._most or (self._bytes > self._most_bytes and len(self._items) > 1):
                self._bytes -= self._size_of(self._items.popleft())
            self._changed.notify_all()

    def mark(self) -> int:
        """The place where the list ends now: how many were ever seen."""
        return self._count

    def since(self, mark: int = 0) -> list[T]:
        """All that were seen after the mark and are still kept."""
        with self._changed:
            return list(self._after(mark))

    def wait(self, wanted: Callable[[T], bool], deadline: Deadline, *, since: int) -> T | None:
        """Blocks until one after the mark is wanted, and returns the first; None when the time is over."""
        mark = since
        while True:
            with self._changed:
                fresh = list(self._after(mark))
                mark = self._count
            found = next((item for item in fresh if wanted(item)), None)
            if found is not None or not self._more(mark, deadline):
                return found

    def _more(self, mark: int, deadline: Deadline) -> bool:
        with self._changed:
            return self._changed.wait_for(lambda: self._count > mark, deadline.remaining_s)

    def _after(self, mark: int) -> Iterable[T]:
        return islice(self._items, max(0, len(self._items) - (self._count - mark)), None)
