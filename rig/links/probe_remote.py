# SPDX-License-Identifier: MIT
"""A link to a ``pyocd server`` that ends when the server does.

pyOCD's client takes the end of the stream for an empty piece of it, and asks again for ever; it also waits
for ever for a server that says nothing. Owns the one socket class that does neither, put in its place.
"""

from __future__ import annotations

import socket
from typing import Any, Final

from pyocd.core.exceptions import ProbeDisconnected
from pyocd.probe.tcp_client_probe import TCPClientProbe
from pyocd.utility.sockets import ClientSocket

from rig.deadline import Deadline

CONNECT_S: Final = 5.0
SILENT_S: Final = 15.0
"""One request is one access; the longest, a block of memory over a slow wire, stays well below this."""


class EndingSocket(ClientSocket):  # type: ignore[misc]
    """pyOCD's client socket; raises ProbeDisconnected once the server is gone or silent, ever after too."""

    def __init__(self, host: str, port: int, *, silent_s: float) -> None:
        super().__init__(host, port, timeout=CONNECT_S)
        self._socket: socket.socket | None = None
        self._server = f"the probe server {host}:{port}"
        self._silent_s = silent_s
        self._silence: Deadline | None = None
        self._lost: str | None = None

    def connect(self) -> None:
        """Connects, in seconds or not at all."""
        try:
            super().connect()
        except OSError as error:
            raise self._gone(f"cannot be reached: {error}") from error

    def write(self, data: bytes) -> None:
        """Sends a request."""
        self._check()
        self._silence = Deadline.after(self._silent_s)
        try:
            super().write(data)
        except OSError as error:
            raise self._gone(f"went away: {error}") from error

    def read(self, packet_size: int | None = None) -> bytes:
        """The next piece of an answer. Raises TimeoutError, which pyOCD takes for *ask again*."""
        self._check()
        try:
            piece: bytes = super().read(packet_size)
        except TimeoutError:
            if self._silence is not None and self._silence.expired:
                raise self._gone(f"did not answer in {self._silent_s:.0f} s") from None
            raise
        except OSError as error:
            raise self._gone(f"went away: {error}") from error
        if not piece:
            raise self._gone("closed the connection")
        return piece

    def close(self) -> None:
        """Closes; harmless when closed, or lost."""
        link, self._socket = self._socket, None
        if link is not None:
            link.close()

    def _check(self) -> None:
        if self._lost is not None:
            raise ProbeDisconnected(self._lost)

    def _gone(self, how: str) -> ProbeDisconnected:
        self._lost = f"{self._server} {how}"
        self.close()
        return ProbeDisconnected(self._lost)


def make_ending(probe: Any) -> None:
    """Gives pyOCD's remote probe a socket that ends; before it is opened."""
    if not isinstance(probe, TCPClientProbe):
        return
    host, port = probe.unique_id.removeprefix("remote:").rsplit(":", 1)
    probe._socket = EndingSocket(host, int(port), silent_s=SILENT_S)
