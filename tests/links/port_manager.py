# SPDX-License-Identifier: MIT
"""pyserial's RFC 2217 server before a pty, on a thread: a second server, no kin of ser2net."""

from __future__ import annotations

import contextlib
import select
import socket
import threading
from collections.abc import Iterator
from typing import Any

import serial
import serial.rfc2217


class _NoLines(serial.Serial):
    """A pty has no modem lines."""

    cts = dsr = ri = cd = False

    def _update_dtr_state(self) -> None: ...

    def _update_rts_state(self) -> None: ...

    def _update_break_state(self) -> None: ...


class _Connection:
    def __init__(self, client: socket.socket) -> None:
        self._client = client

    def write(self, data: bytes) -> None:
        """What the manager has to say by itself."""
        self._client.sendall(data)


@contextlib.contextmanager
def port_manager(device: str) -> Iterator[int]:
    """Serves one client; hands out the TCP port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=_serve, args=(listener, device))
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            thread.join()


def _serve(listener: socket.socket, device: str) -> None:
    with contextlib.suppress(OSError):
        client, _ = listener.accept()
        with client, _NoLines(device, 9600, timeout=0) as port:
            make: Any = serial.rfc2217.PortManager  # its published types name other arguments than it takes
            manager = make(port, _Connection(client))
            while True:
                ready, _, _ = select.select([client.fileno(), port.fileno()], [], [])
                if client.fileno() in ready:
                    data = client.recv(4096)
                    if not data:
                        return
                    port.write(b"".join(manager.filter(data)))
                if port.fileno() in ready:
                    client.sendall(b"".join(manager.escape(port.read(4096))))
