# SPDX-License-Identifier: MIT
"""A plain client of a Wi-Fi module: the place where a board's second UART would listen, and typing.

Owns the listening socket that the module connects to, and waiting for a text with a deadline.
"""

from __future__ import annotations

import contextlib
import re
import socket
from collections.abc import Iterator

from rig.deadline import Deadline

ANSWER_S = 5.0


class AtClient:
    """One time under power: the connection that the module made to us. ``all`` is everything it said."""

    def __init__(self, connection: socket.socket) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._connection = connection
        self._all = bytearray()
        self._seen = 0

    @property
    def all(self) -> bytes:
        """Every byte that came."""
        return bytes(self._all)

    def type(self, text: str | bytes) -> None:
        """Sends a command line, or bytes as they are."""
        self._connection.sendall(f"{text}\r\n".encode() if isinstance(text, str) else text)

    def until(self, pattern: str, timeout_s: float = ANSWER_S) -> re.Match[bytes]:
        """Blocks until the expression matches behind what was matched before."""
        deadline = Deadline.after(timeout_s)
        while (found := re.compile(pattern.encode(), re.DOTALL).search(self._all, self._seen)) is None:
            self._connection.settimeout(max(0.001, deadline.remaining_s))
            try:
                data = self._connection.recv(65536)
            except TimeoutError:
                data = b""
            assert data, f"no {pattern!r}; unread: {bytes(self._all[self._seen :])!r}"
            self._all += data
        self._seen = found.end()
        return found

    def ask(self, text: str) -> str:
        """Sends a command and returns what came before its OK or ERROR, with that word at the end."""
        begin = self._seen
        self.type(text)
        self.until(r"\r\n(OK|ERROR)\r\n|busy p\.\.\.\r\n")
        return self._all[begin : self._seen].decode().replace("\r", "").strip()

    def nothing_for(self, duration_s: float) -> bytes:
        """What comes in that time: nothing, if the module is silent."""
        self._connection.settimeout(duration_s)
        try:
            return self._connection.recv(65536)
        except TimeoutError:
            return b""


class Uart:
    """The listening end of a board's UART."""

    def __init__(self, listener: socket.socket) -> None:
        self._listener = listener
        self.port: int = listener.getsockname()[1]

    @contextlib.contextmanager
    def power(self) -> Iterator[AtClient]:
        """The board has power: the module's connection is taken, and closed at the end."""
        self._listener.settimeout(ANSWER_S)
        connection, _ = self._listener.accept()
        with connection:
            yield AtClient(connection)


@contextlib.contextmanager
def uart() -> Iterator[Uart]:
    """A UART on a free port of the loopback."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield Uart(listener)
