# SPDX-License-Identifier: MIT
"""An asyncio loop on a thread of its own, and how other threads have it do things.

Owns the thread. What runs in the loop must not block; whoever asks from outside does, for the answer.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from types import TracebackType
from typing import Final, TypeVar

from rig.errors import ToolFault

T = TypeVar("T")
_ANSWER_S: Final = 10.0


class LoopThread:
    """A running loop. A context manager; leaving it cancels what still runs there."""

    def __init__(self, name: str) -> None:
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def __enter__(self) -> LoopThread:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()
        self.loop.close()

    def call(self, function: Callable[[], T]) -> T:
        """Runs a function in the loop and returns what it returns. Raises what it raises, or ToolFault."""

        async def run() -> T:
            return function()

        return self.wait(run())

    def wait(self, work: Coroutine[object, object, T], timeout_s: float = _ANSWER_S) -> T:
        """Blocks until a coroutine has ended in the loop. Raises what it raises, or ToolFault."""
        future = asyncio.run_coroutine_threadsafe(work, self.loop)
        try:
            return future.result(timeout_s)
        except TimeoutError as error:
            future.cancel()
            raise ToolFault(f"{self._thread.name} did not answer within {timeout_s:g} s") from error

    def _run(self) -> None:
        try:
            self.loop.run_forever()
        finally:
            self.loop.run_until_complete(_cancel_all())


async def _cancel_all() -> None:
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
