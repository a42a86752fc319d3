# SPDX-License-Identifier: MIT
"""Shares the items of a step among benches, each in a thread of its own, and tells how far it is.

Owns the threads and the count. Where one item fails, the others end what they have begun, and the first
error is raised; so it is where a person stops the plan.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import ExitStack, suppress
from typing import TypeVar

_Item = TypeVar("_Item")
_Worker = TypeVar("_Worker")
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

        def work(name: str) -> None:
            try:
                with ExitStack() as stack, suppress(queue.Empty):
                    mine = worker(stack, name)
                    while not ended.is_set():
                        one(mine, left.get_nowait())
                        count.add()
            finally:
                ended.set()  # nothing is left, or this one broke: the others begin no more

        if not items:
            return
        with ThreadPoolExecutor(min(self._benches, len(items))) as pool:
            futures = [pool.submit(work, f"bench-{n + 1}") for n in range(min(self._benches, len(items)))]
            try:
                for future in as_completed(futures):
                    future.result()
            finally:
                ended.set()  # also where somebody interrupts


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
