# SPDX-License-Identifier: MIT
"""How a server of ``echo.py`` behaves on one connection, and what it counts of it.

Owns the kinds of behaviour and their bounds; sockets, threads and handshakes are ``echo.py``'s:

``echo``    gives back every byte, and ends its side when the client ends his
``silent``  takes everything and answers nothing
``deaf``    reads nothing until it is hung up, with little room for what comes
``close``   closes in good order after the first bytes
``reset``   resets the connection (RST) after the first bytes
``gather``  takes a count (four bytes, the most significant first) and as many bytes, and gives these back by
            one write: under TLS in records as large as there may be (16 KiB, RFC 5246, 6.2.1); a count above
            ``GATHER_MOST`` ends the connection
"""

from __future__ import annotations

import contextlib
import hashlib
import select
import socket
import ssl
import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

Behaviour = Literal["echo", "silent", "deaf", "close", "reset", "gather"]
GATHER_MOST: Final = 1 << 20
"""Bytes that ``gather`` holds of one connection; it is a device that says how many it is to hold."""
DEAF_BYTES: Final = 4096
"""What the host holds for a server that does not read: the kernel doubles it (socket(7), SO_RCVBUF)."""
_CHUNK: Final = 1 << 16
_RESET_ON_CLOSE: Final = struct.pack("ii", 1, 0)  # socket(7), SO_LINGER with no time: RST


@dataclass(frozen=True, slots=True, order=True)
class Carried:
    """The bytes that a connection brought: how many, and their SHA-256."""

    length: int
    sha256: str

    @classmethod
    def of(cls, data: bytes) -> Carried:
        """What a connection has carried that brought just that."""
        return cls(len(data), hashlib.sha256(data).hexdigest())

    def __str__(self) -> str:
        return f"{self.length} bytes with SHA-256 {self.sha256[:16]}…"


class Traffic:
    """Counts what comes by a connection, before any of it is given back. ``changed`` guards and tells it."""

    def __init__(self, changed: threading.Condition) -> None:
        self._changed = changed
        self._length = 0
        self._hash = hashlib.sha256()

    def came(self, data: bytes) -> bytes:
        """Counts it, and returns it."""
        with self._changed:
            self._length += len(data)
            self._hash.update(data)
            self._changed.notify_all()
        return data

    @property
    def carried(self) -> Carried:
        """What came by now. Only under the condition."""
        return Carried(self._length, self._hash.hexdigest())


def _echo(stream: socket.socket, traffic: Traffic) -> None:
    while data := traffic.came(stream.recv(_CHUNK)):
        stream.sendall(data)
    with contextlib.suppress(OSError):
        stream.shutdown(socket.SHUT_WR)


def _silent(stream: socket.socket, traffic: Traffic) -> None:
    while traffic.came(stream.recv(_CHUNK)):
        pass


def _deaf(stream: socket.socket, traffic: Traffic) -> None:
    del traffic
    hung_up = select.poll()
    hung_up.register(stream, 0)  # poll(2): POLLHUP and POLLERR come unasked
    hung_up.poll()


def _close(stream: socket.socket, traffic: Traffic) -> None:
    traffic.came(stream.recv(_CHUNK))
    if isinstance(stream, ssl.SSLSocket):
        stream.settimeout(1.0)
        with contextlib.suppress(OSError):
            stream.unwrap()


def _reset(stream: socket.socket, traffic: Traffic) -> None:
    traffic.came(stream.recv(_CHUNK))
    stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)


def _gather(stream: socket.socket, traffic: Traffic) -> None:
    with stream.makefile("rb") as reader:
        while len(head := traffic.came(reader.read(4))) == 4:
            if (count := int.from_bytes(head, "big")) > GATHER_MOST:
                return
            stream.sendall(traffic.came(reader.read(count)))


BEHAVIOURS: Final[dict[Behaviour, Callable[[socket.socket, Traffic], None]]] = {
    "echo": _echo,
    "silent": _silent,
    "deaf": _deaf,
    "close": _close,
    "reset": _reset,
    "gather": _gather,
}
