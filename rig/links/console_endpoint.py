# SPDX-License-Identifier: MIT
"""What the reader thread asks of a port: to be opened by trying, never by waiting; read; written.

A port that is not there is the normal state of a board without power. Owns no port; when to try again is
``console.py``'s.
"""

from __future__ import annotations

from enum import Enum, auto
from typing import Protocol


class Opening(Enum):
    """How far an attempt to open is."""

    OPEN = auto()
    CONNECTING = auto()
    """Call ``finish`` once the descriptor is writable."""
    NEGOTIATING = auto()
    """Call ``finish`` once the descriptor is readable."""


class Endpoint(Protocol):
    """One port. ``write`` may be called from any thread, but not while it is closed; all else from one.

    ``open``, ``finish``, ``read`` and ``write`` raise OSError where the port is not there.
    """

    name: str

    def prepare(self) -> None:
        """Does what may block, once, before the first ``open``: resolves a host name. Raises OSError."""
        ...

    def open(self) -> Opening:
        """Tries to open; does not block."""
        ...

    def finish(self) -> Opening:
        """Goes on with an opening that was not OPEN."""
        ...

    def fileno(self) -> int:
        """The descriptor; only while it is open or being opened."""
        ...

    def read(self, limit: int) -> bytes | None:
        """What the board said, ``b""`` at the end of the port; None where what came was not the board's.

        Raises BlockingIOError when nothing came.
        """
        ...

    def write(self, data: bytes) -> int:
        """Writes what the port takes now; returns how many of the bytes. The rest is to be offered again."""
        ...

    def close(self) -> None:
        """Closes; harmless when closed. Does not wait for output."""
        ...
