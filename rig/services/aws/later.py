# SPDX-License-Identifier: MIT
"""Messages that are to be published later than now: a slow link. One thread, in the order they are due."""

from __future__ import annotations

import heapq
import itertools
import threading
import time
from collections.abc import Callable
from types import TracebackType

from rig.services.aws.message import Message


class Later:
    """Hands each message on when it is due, while the context is entered; what is left then is dropped."""

    def __init__(self, publish: Callable[[Message], None]) -> None:
        self._publish = publish
        self._waiting: list[tuple[float, int, Message]] = []
        self._number = itertools.count()
        self._changed = threading.Condition()
        self._ended = False
        self._thread = threading.Thread(target=self._run, name="later", daemon=True)

    def __enter__(self) -> Later:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._changed:
            self._ended = True
            self._changed.notify()
        self._thread.join()

    def put(self, message: Message) -> None:
        """Takes a message. From any thread."""
        with self._changed:
            due = time.monotonic() + message.after_s
            heapq.heappush(self._waiting, (due, next(self._number), message))
            self._changed.notify()

    def _run(self) -> None:
        while (message := self._next()) is not None:
            self._publish(message)

    def _next(self) -> Message | None:
        """Blocks until one is due; None at the end."""
        with self._changed:
            while not self._ended:
                left = self._waiting[0][0] - time.monotonic() if self._waiting else None
                if left is not None and left <= 0:
                    return heapq.heappop(self._waiting)[2]
                self._changed.wait(left)
        return None
