# SPDX-License-Identifier: MIT
"""The rig's end of a cable: a datagram socket one Ethernet frame a datagram, that never blocks."""

from __future__ import annotations

import contextlib
import socket
from collections import deque
from collections.abc import Iterator
from typing import Final

from rig.services.network.impairment import Tally

_FRAME_BYTES: Final = 65536
_BACKLOG: Final = 2000  # frames for a board that takes none; a TCP window is some twenty
_BATCH: Final = 64  # frames before the other cable has its turn


class CableEnd:
    """One end, with the frames that wait for the other one to take them. ``tally`` is of what is sent."""

    def __init__(self, end: socket.socket, tally: Tally) -> None:
        self._end = end
        self._tally = tally
        self._waiting: deque[bytes] = deque()

    def fileno(self) -> int:
        """To wait for it with others."""
        return self._end.fileno()

    @property
    def waits(self) -> bool:
        """Whether frames wait for the other end."""
        return bool(self._waiting)

    def send(self, frame: bytes) -> None:
        """Sends now, or later in order; what is too much is lost and counted."""
        if not self._waiting and self._try(frame):
            return
        if len(self._waiting) < _BACKLOG:
            self._waiting.append(frame)
        else:
            self._tally.overrun += 1

    def flush(self) -> None:
        """Sends what the other end takes now."""
        while self._waiting and self._try(self._waiting[0]):
            self._waiting.popleft()

    def forget(self) -> None:
        """Drops what waits."""
        self._waiting.clear()

    def frames(self) -> Iterator[bytes]:
        """Those that are there now, some at most."""
        with contextlib.suppress(BlockingIOError):
            for _ in range(_BATCH):
                yield self._end.recv(_FRAME_BYTES)

    def _try(self, frame: bytes) -> bool:
        try:
            self._end.send(frame)
        except BlockingIOError:
            return False
        self._tally.passed += 1
        return True
