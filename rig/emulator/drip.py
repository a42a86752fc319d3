# SPDX-License-Identifier: MIT
"""Hands a recorded board its console input byte by byte, each when the firmware has fetched the one before.

QEMU gives bytes to a recorded device at its next event, long after it has asked whether there is room for
more (QEMU source, ``replay/replay-char.c``); a UART that holds one byte loses the others. Owns the thread
between the console's connection and QEMU, which tells of each byte by a trace line. Output goes on at once.
"""

from __future__ import annotations

import contextlib
import os
import select
import socket
import threading
from pathlib import Path
from typing import Final

from rig.emulator.options import escaped

TRACE: Final = "cmsdk_apb_uart_read"
"""QEMU's trace event: the firmware read a register of the UART."""
_FETCHED: Final = b"offset 0x0 "  # its register DATA
_PIECE: Final = 65536


class Drip:
    """A context manager, for one power-on. ``listener`` is where the console connects to."""

    def __init__(self, listener: socket.socket) -> None:
        self._listener = listener
        self._stack = contextlib.ExitStack()
        near, far = socket.socketpair()
        self._qemu, self._far = self._stack.enter_context(near), self._stack.enter_context(far)
        self._told, self._tells = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._wake, self._woken = map(self._stack.enter_context, socket.socketpair())
        self._client: socket.socket | None = None
        self._waiting = bytearray()
        self._trace = b""
        self._on_its_way = False
        self._ends = False
        self._thread = threading.Thread(target=self._run, name="drip", daemon=True)

    def __enter__(self) -> Drip:
        self._thread.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._ends = True
        self._wake.send(b"\0")
        self._thread.join()
        self._hang_up()
        os.close(self._told)
        os.close(self._tells)
        self._stack.close()

    @property
    def fds(self) -> tuple[int, int]:
        """The descriptors that QEMU inherits: its end of the console, and where it traces to."""
        return self._far.fileno(), self._tells

    def arguments(self, name: str, log: Path) -> list[str]:
        """QEMU's options for the UART of that name; what the board says is also written to ``log``."""
        return [
            "-chardev", f"socket,id={name},fd={self._far.fileno()},logfile={escaped(log)}",
            "-serial", f"chardev:{name}",
            "-trace", TRACE,
            "-D", f"/dev/fd/{self._tells}",
        ]  # fmt: skip

    def _run(self) -> None:
        while not self._ends:
            self._turn()

    def _turn(self) -> None:
        comes = self._listener if self._client is None else self._client
        waits: list[socket.socket | int] = [self._qemu, self._told, self._woken, comes]
        ready, _, _ = select.select(waits, [], [])
        if self._listener in ready:
            self._client, _ = self._listener.accept()
        elif self._client in ready:
            self._take()
        if self._qemu in ready:
            self._pass_on()
        if self._told in ready and self._fetched():
            self._on_its_way = False
        if self._waiting and not self._on_its_way:
            self._qemu.sendall(self._waiting[:1])
            del self._waiting[:1]
            self._on_its_way = True

    def _fetched(self) -> bool:
        """Whether the firmware has fetched what was on its way."""
        *lines, self._trace = (self._trace + os.read(self._told, _PIECE)).split(b"\n")
        return any(TRACE.encode() in line and _FETCHED in line for line in lines)

    def _take(self) -> None:
        assert self._client is not None
        try:
            data = self._client.recv(_PIECE)
        except OSError:
            data = b""
        self._waiting += data
        if not data:
            self._hang_up()

    def _pass_on(self) -> None:
        """What the board says; to nobody where none listens, as with QEMU's own socket."""
        data = self._qemu.recv(_PIECE)
        if self._client is not None:
            try:
                self._client.sendall(data)
            except OSError:
                self._hang_up()

    def _hang_up(self) -> None:
        if self._client is not None:
            self._client.close()
            self._client = None
