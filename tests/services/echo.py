# SPDX-License-Identifier: MIT
"""A real TCP echo service on the loopback, for proxies to stand before."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress


class Echo:
    """Sends back what comes, on every connection, until the other side has said its last."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address: tuple[str, int] = self._listener.getsockname()[:2]
        self.received = bytearray()
        self.ends: list[str] = []
        self.changed = threading.Condition()
        self._open: list[socket.socket] = []

    def run(self) -> None:
        """Accepts until the listener is closed."""
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._open.append(connection)
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        how = "closed"
        with connection:
            try:
                while data := connection.recv(65536):
                    with self.changed:
                        self.received += data
                        self.changed.notify_all()
                    connection.sendall(data)
            except ConnectionResetError:
                how = "reset"
            except OSError:
                how = "broken"
            with self.changed:
                self.ends.append(how)
                self.changed.notify_all()

    def wait_ends(self, count: int, timeout_s: float = 5) -> list[str]:
        """How the connections that are over ended, once there are so many."""
        with self.changed:
            self.changed.wait_for(lambda: len(self.ends) >= count, timeout_s)
            return list(self.ends)

    def close(self) -> None:
        """Ends listening and every connection."""
        for each in (self._listener, *self._open):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()


@contextmanager
def echo_service() -> Iterator[Echo]:
    """The service, running."""
    echo = Echo()
    thread = threading.Thread(target=echo.run, daemon=True)
    thread.start()
    try:
        yield echo
    finally:
        echo.close()
        thread.join(5)


def receive(connection: socket.socket, count: int) -> bytes:
    """So many bytes, or those that came before the end."""
    data = b""
    while len(data) < count and (more := connection.recv(count - len(data))):
        data += more
    return data
