# SPDX-License-Identifier: MIT
"""The ports a console can stand behind: a serial device (also a pty) and a TCP socket, as raw descriptors.

An endpoint is opened by trying, never by waiting: a port that is not there is the normal state of a board
without power. Owns settings and descriptors; when to try again is ``console_reader.py``'s.
"""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import termios
from enum import Enum, auto
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

import serial

from rig.errors import UsageFault


class Opening(Enum):
    """How an attempt to open went."""

    OPEN = auto()
    PENDING = auto()
    """Call ``finish`` once the descriptor is writable."""


class Endpoint(Protocol):
    """One port. Not thread-safe. ``open`` and ``finish`` raise OSError while the port is not there."""

    name: str

    def prepare(self) -> None:
        """Does what may block, once, before the first ``open``: resolves a host name. Raises OSError."""
        ...

    def open(self) -> Opening:
        """Tries to open; does not block."""
        ...

    def finish(self) -> None:
        """Ends an opening that was PENDING."""
        ...

    def fileno(self) -> int:
        """The descriptor; only while open or pending."""
        ...

    def close(self) -> None:
        """Closes; harmless when closed. Does not wait for output."""
        ...


def endpoint_for(port: str, baud: int) -> Endpoint:
    """The endpoint for a port of the inventory; opens nothing. Raises UsageFault for what is neither."""
    if port.startswith("socket://"):
        return SocketEndpoint(port)
    if port.startswith("/"):
        return SerialEndpoint(port, baud)
    raise UsageFault(
        f"expected as console port a path (/dev/serial/by-id/…) or socket://HOST:PORT, got {port!r}"
    )


class _LosslessSerial(serial.Serial):
    """Keeps what came before or while the port was opened, which pyserial throws away; ignores breaks.

    A board without power holds its line low, which is a break. With BRKINT, which pyserial leaves as it is,
    a break empties the driver's buffers (termios(3)).
    """

    def _reset_input_buffer(self) -> None:
        """Called by pyserial at the end of ``open``."""

    def _reconfigure_port(self, force_update: bool = False) -> None:
        super()._reconfigure_port(force_update)  # type: ignore[misc]  # not in the published types
        attributes = termios.tcgetattr(self.fileno_early())
        attributes[0] &= ~(termios.BRKINT | termios.ISTRIP)
        termios.tcsetattr(self.fileno_early(), termios.TCSANOW, attributes)

    def fileno_early(self) -> int:
        """The descriptor, also while the port is being opened."""
        assert self.fd is not None
        return self.fd


class SerialEndpoint:
    """A serial device or a pty by its path; locked against other programs that ask."""

    def __init__(self, path: str, baud: int) -> None:
        self.name = path
        self._path = Path(path)
        # inter_byte_timeout=0 sets VMIN=1: an empty read is then the end of the port and nothing else.
        self._serial = _LosslessSerial(
            None, baud, timeout=0, write_timeout=0, inter_byte_timeout=0, exclusive=True
        )
        self._serial.port = path

    def prepare(self) -> None:
        """Nothing to do."""

    def open(self) -> Opening:
        """See Endpoint. Sets raw mode and the baud rate."""
        self._path.stat()  # raises FileNotFoundError, far cheaper than pyserial does
        try:
            self._serial.open()
        except (termios.error, ValueError) as error:  # pyserial lets these two through
            raise OSError(errno.EIO, f"cannot set up {self.name}: {error}") from error
        return Opening.OPEN

    def finish(self) -> None:
        """Never pending."""

    def fileno(self) -> int:
        """See Endpoint."""
        return self._serial.fileno_early()

    def close(self) -> None:
        """See Endpoint. Drops output that was not sent, or closing would wait for it."""
        if not self._serial.is_open:
            return
        with contextlib.suppress(termios.error):  # the device is gone: nothing is left to drop
            termios.tcflush(self.fileno(), termios.TCOFLUSH)
        self._serial.close()


class SocketEndpoint:
    """A TCP socket; a name is resolved once, by ``prepare``."""

    def __init__(self, url: str) -> None:
        self.name = url
        self._socket: socket.socket | None = None
        self._address: tuple[socket.AddressFamily, Any] | None = None
        try:
            parts = urlsplit(url)
            self._host, self._port = parts.hostname or "", parts.port or 0
        except ValueError as error:
            raise UsageFault(f"expected socket://HOST:PORT, got {url!r}: {error}") from error
        if not self._host or not self._port or parts.path or parts.query:
            raise UsageFault(f"expected socket://HOST:PORT, got {url!r}")

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
                return Opening.PENDING
            self._check(code)
        except OSError:
            self.close()
            raise
        return Opening.OPEN

    def finish(self) -> None:
        """See Endpoint."""
        assert self._socket is not None
        self._check(self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR))

    def fileno(self) -> int:
        """See Endpoint."""
        assert self._socket is not None
        return self._socket.fileno()

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
