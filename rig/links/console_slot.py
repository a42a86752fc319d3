# SPDX-License-Identifier: MIT
"""One port that the reader thread looks after: where its opening stands, and writing to it from any thread.

Owns no policy: when to open is ``console.py``'s.
"""

from __future__ import annotations

import threading
from enum import Enum, auto

from rig.links.console_endpoint import Endpoint
from rig.links.console_stream import ConsoleStream


class State(Enum):
    """How far the opening of a port is."""

    ABSENT = auto()
    PENDING = auto()
    OPEN = auto()


class Slot:
    """One port and where its opening stands. Touched by the reader thread only, but for ``lock``."""

    def __init__(self, endpoint: Endpoint, stream: ConsoleStream) -> None:
        self.endpoint = endpoint
        self.stream = stream
        self.state = State.ABSENT
        self.since_s = 0.0
        self.act_at_s = 0.0
        self.pause_s = 0.0
        self.silent = True
        self.lock = threading.Lock()
        """Held while the descriptor is closed or written to, so that nobody writes to a descriptor reused."""

    def write(self, data: bytes) -> int | None:
        """Writes what the port takes now, any thread; None while it is not open. Raises OSError."""
        with self.lock:
            if self.state is not State.OPEN:
                return None
            try:
                return self.endpoint.write(data)
            except BlockingIOError:
                return 0
