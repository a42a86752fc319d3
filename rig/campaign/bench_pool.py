# SPDX-License-Identifier: MIT
"""Shares the items of a step among benches, each in a thread of its own, and tells how far it is.

Owns the threads and the count. Where one item fails, or a person stops the plan, the others are abandoned in
the middle of theirs, and the first error is raised: what they had begun is done again another time.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import ExitStack, suppress
from typing import Protocol, TypeVar


class Abandoned(Exception):
    """What an item that is abandoned ends by, unless it ends by an error of its own."""


class Worker(Protocol):
    """What a thread works with."""

    def abandon(self) -> None:
        """From another thread: the item that is being done ends soon, by an error, and leaves nothing."""
        ...


_Item = TypeVar("_Item")
_Worker = TypeVar("_Worker", bound=Worker)
Tell = Callable[[str, int, int], None]
"""Is told which step is at which item of how many."""


class BenchPool:
    """``benches`` at once; ``tell`` is called from their threads, one at a time."""

    def __init__(self, benches: int, tell: Tell) -> None:
        self._benches = benches
        self._tell = tell

    def share(
        self,
        what: str,
        items: Sequence[_Item],
        done: int,
        worker: Callable[[ExitStack, str], _Worker],
        one: Callable[[_Worker, _Item], None],
    ) -> None:
        """Does ``one`` with each item; ``done`` were before. ``worker`` makes what a thread works with."""
        left: queue.SimpleQueue[_Item] = queue.SimpleQueue()
        for item in items:
            left.put(item)
        ended, count = threading.Event(), _Count(self._tell, what, done, done + len(items))
        working: list[_Worker] = []

        def work(name: str) -> None:
            with ExitStack() as stack, suppress(queue.Empty):
                mine = worker(stack, name)
                working.append(mine)
                stack.callback(working.remove, mine)
                while not ended.is_set():
                    one(mine, left.get_nowait())
                    count.add()

        if not items:
            return
        with ThreadPoolExecutor(min(self._benches, len(items))) as pool:
            try:
                futures = [pool.submit(work, f"bench-{n + 1}") for n in range(min(self._benches, len(items)))]
                for future in as_completed(futures):
                    future.result()
            except BaseException:  # also where somebody interrupts
                ended.set()
                for left_alone in list(working):
                    left_alone.abandon()
                raise


class _Count:
    """How many items are done."""

    def __init__(self, tell: Tell, what: str, done: int, total: int) -> None:
        self._tell, self._what, self._done, self._total = tell, what, done, total
        self._lock = threading.Lock()
        tell(what, done, total)

    def add(self) -> None:
        """One more."""
        with self._lock:
            self._done += 1
            self._tell(self._what, self._done, self._total)
