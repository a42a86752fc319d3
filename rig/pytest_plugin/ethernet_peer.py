# SPDX-License-Identifier: MIT
"""The other end of a board's TCP connection, its bytes in a case's hands: an echo server would hide one way.

Owns one listening socket and what is waited for on its connections. Nothing is read ahead.
"""

from __future__ import annotations

import contextlib
import socket
from typing import Final

from rig.deadline import Deadline
from rig.errors import BoardSilent

NAME: Final = "peer.rig.test"
_PIECE: Final = 65536


class Connection:
    """A connection that the board opened. Raises BoardSilent when it does not do its part in time."""

    def __init__(self, stream: socket.socket) -> None:
        self._stream = stream

    def receive(self, count: int, deadline: Deadline) -> bytes:
        """So many bytes of the board; blocks until they came."""
        data = bytearray()
        while len(data) < count:
            self._stream.settimeout(deadline.remaining_s or 1e-3)
            try:
                piece = self._stream.recv(min(_PIECE, count - len(data)))
            except OSError as error:
                piece = b""
                why = str(error) or type(error).__name__
            else:
                why = "it ended the connection"
            if not piece:
                raise BoardSilent(
                    f"{len(data):,} of {count:,} bytes came in {deadline.timeout_s:.0f} s: {why}"
                )
            data += piece
        return bytes(data)

    def ends(self, deadline: Deadline) -> bool:
        """Whether the board ends the connection in time, in whatever way; what it sent before is dropped."""
        while not deadline.expired:
            self._stream.settimeout(deadline.remaining_s or 1e-3)
            try:
                if not self._stream.recv(_PIECE):
                    return True
            except TimeoutError:
                continue
            except OSError:
                return True
        return False

    def send(self, data: bytes, deadline: Deadline) -> None:
        """Gives the board bytes; blocks until this machine's own buffers took them."""
        self._stream.settimeout(deadline.remaining_s or 1e-3)
        try:
            self._stream.sendall(data)
        except OSError as error:
            raise BoardSilent(f"it did not take {len(data):,} bytes in {deadline.timeout_s:.0f} s") from error


class Peer:
    """A listening port of this machine; a context manager that closes it and every connection."""

    def __init__(self) -> None:
        self.host = NAME
        self._stack = contextlib.ExitStack()
        self._listener = self._stack.enter_context(socket.create_server(("127.0.0.1", 0)))

    def __enter__(self) -> Peer:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._stack.close()

    @property
    def port(self) -> int:
        """Its number."""
        return int(self._listener.getsockname()[1])

    def accept(self, deadline: Deadline) -> Connection:
        """The board's next connection; blocks until it comes. Raises BoardSilent."""
        self._listener.settimeout(deadline.remaining_s or 1e-3)
        try:
            stream, _ = self._listener.accept()
        except OSError as error:
            raise BoardSilent(f"it opened no connection in {deadline.timeout_s:.0f} s") from error
        return Connection(self._stack.enter_context(stream))
