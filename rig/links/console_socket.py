# SPDX-License-Identifier: MIT
"""A console behind a TCP socket that carries the bytes as they are: ``socket://HOST:PORT``.

Owns resolving, connecting without waiting, and finding out that the other end is dead. When to connect again
is ``console.py``'s.
"""

from __future__ import annotations

import errno
import os
import socket
from typing import Any
from urllib.parse import urlsplit

from rig.errors import UsageFault
from rig.links.console_endpoint import Opening


class SocketEndpoint:
    """A TCP socket; a name is resolved once, by ``prepare``. ``url``: its scheme, then ``HOST:PORT``."""

    def __init__(self, url: str) -> None:
        self.name = url
        form = f"{url.partition(':')[0]}://HOST:PORT"
        self._socket: socket.socket | None = None
        self._address: tuple[socket.AddressFamily, Any] | None = None
        try:
            parts = urlsplit(url)
            self._host, self._port = parts.hostname or "", parts.port or 0
        except ValueError as error:
            raise UsageFault(f"expected {form}, got {url!r}: {error}") from error
        if not self._host or not self._port or parts.path or parts.query:
            raise UsageFault(f"expected {form}, got {url!r}")

    def prepare(self) -> None:
        """See Endpoint."""
        family, _, _, _, address = socket.getaddrinfo(self._host, self._port, type=socket.SOCK_STREAM)[0]
        self._address = (family, address)

    def open(self) -> Opening:
        """See Endpoint."""
        assert self._address is not None, "prepare() comes first"
        family, address = self._address
        connection = self._socket = socket.socket(family, socket.SOCK_STREAM)
        try:
            connection.setblocking(False)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            _find_dead_peers(connection)
            code = connection.connect_ex(address)
            if code == errno.EINPROGRESS:
                return Opening.CONNECTING
            self._check(code)
        except OSError:
            self.close()
            raise
        return Opening.OPEN

    def finish(self) -> Opening:
        """See Endpoint."""
        assert self._socket is not None
        self._check(self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR))
        return Opening.OPEN

    def fileno(self) -> int:
        """See Endpoint."""
        assert self._socket is not None
        return self._socket.fileno()

    def read(self, limit: int) -> bytes:
        """See Endpoint."""
        return os.read(self.fileno(), limit)

    def write(self, data: bytes) -> int:
        """See Endpoint."""
        return os.write(self.fileno(), data)

    def close(self) -> None:
        """See Endpoint."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _check(self, code: int) -> None:
        assert self._socket is not None
        if code:
            raise OSError(code, f"{os.strerror(code)}: {self.name}")
        if self._socket.getsockname() == self._socket.getpeername():
            # With nobody listening, TCP can connect a port of the ephemeral range to itself.
            raise ConnectionRefusedError(errno.ECONNREFUSED, f"nobody listens: {self.name}")


def _find_dead_peers(connection: socket.socket) -> None:
    """A serial server that lost power says nothing: probe it after 5 s of silence, give up after 3 probes."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in (("TCP_KEEPIDLE", 5), ("TCP_KEEPINTVL", 2), ("TCP_KEEPCNT", 3)):
        if hasattr(socket, option):
            connection.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)
