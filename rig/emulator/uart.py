# SPDX-License-Identifier: MIT
"""The socket behind a UART of an emulated board: there before power comes, and the same over power cycles.

Owns the listening socket and the knowledge of who waits at it. What is said over it is the business of the
two ends; accepting is QEMU's part.
"""

from __future__ import annotations

import contextlib
import socket
from pathlib import Path

from rig.deadline import Deadline, poll
from rig.emulator.qmp import QmpClient
from rig.errors import LinkLost

_RETURN_S = 2.0
_TAKEN_S = 20.0  # a loaded host; QEMU takes who waits as soon as it runs
_CONNECTED, _HUNG_UP = "01", "08"  # TCP_ESTABLISHED, TCP_CLOSE_WAIT


class UartSocket:
    """A listening socket on the loopback, a context manager. ``name`` is the chardev's in QEMU."""

    def __init__(self, name: str, board: str) -> None:
        self.name = name
        self._board = board
        self._listener: socket.socket | None = None
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> UartSocket:
        self._listener = self._stack.enter_context(_listen())
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._stack.close()

    @property
    def url(self) -> str:
        """Where it can be connected to, also while the board is off."""
        return f"socket://127.0.0.1:{self._socket.getsockname()[1]}"

    @property
    def listener(self) -> socket.socket:
        """The socket itself, for who accepts in QEMU's place."""
        return self._socket

    @property
    def fd(self) -> int:
        """The descriptor that QEMU inherits."""
        return self._socket.fileno()

    @property
    def arguments(self) -> list[str]:
        """QEMU's options for the UART; in the order of the UARTs' numbers."""
        chardev = f"socket,id={self.name},fd={self.fd},server=on,wait=off"
        return ["-chardev", chardev, "-serial", f"chardev:{self.name}"]

    def forget_who_hung_up(self) -> None:
        """QEMU would first take a client that came when the board went off, and is gone since.

        It would say the boot to nobody. Listening anew drops both, and who waits comes again.
        """
        clients = _clients(self._socket)
        if _HUNG_UP not in clients:
            return
        port = self._socket.getsockname()[1]
        self._socket.close()
        self._listener = self._stack.enter_context(_listen(port))
        if _CONNECTED in clients:
            poll(lambda: _CONNECTED in _clients(self._socket), Deadline.after(_RETURN_S), interval_s=0.001)

    def wait_taken(self, qmp: QmpClient) -> None:
        """A client that was there before power must be taken by QEMU before the first instruction runs."""

        def taken() -> bool:
            devices = {row["label"]: row["filename"] for row in qmp.execute("query-chardev")}
            return "<->" in devices[self.name]

        waits = _CONNECTED in _clients(self._socket)
        if waits and not poll(taken, Deadline.after(_TAKEN_S), interval_s=0.001):
            raise LinkLost(f"QEMU did not take the connection of {self.name}", board=self._board)

    @property
    def _socket(self) -> socket.socket:
        assert self._listener is not None
        return self._listener


def _listen(port: int = 0) -> socket.socket:
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    # Inherited by what is accepted: without it, Nagle and delayed acknowledgement cost 40 ms a line.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    listener.bind(("127.0.0.1", port))
    listener.listen(1)
    return listener


def _clients(listener: socket.socket) -> set[str]:
    """States of the connections to a port (proc(5)): known from the system, as accepting is QEMU's part."""
    port = listener.getsockname()[1]
    with Path("/proc/net/tcp").open(encoding="ascii") as table:
        rows = (line.split() for line in list(table)[1:])
        return {row[3] for row in rows if row[1].endswith(f":{port:04X}")}
