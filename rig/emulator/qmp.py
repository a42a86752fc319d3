# SPDX-License-Identifier: MIT
"""A client of QEMU's machine protocol (QMP): reset, run state, devices, and monitor text.

Owns the JSON dialogue only. Every call blocks until QEMU answers, at most ``timeout_s``.
"""

from __future__ import annotations

import contextlib
import json
import select
import socket
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

from rig.errors import LinkLost, ToolFault


class QmpClient:
    """One QMP connection; a context manager. QEMU serves a single client per socket."""

    def __init__(self, path: Path, *, board: str, timeout_s: float = 5.0) -> None:
        self._path = path
        self._board = board
        self._timeout_s = timeout_s
        self._sock: socket.socket | None = None
        self._buffer = b""
        self._reset_seen = False

    def __enter__(self) -> QmpClient:
        self.open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def open(self) -> None:
        """Connects and negotiates. Raises LinkLost when nobody answers, as when another client is served."""
        self._sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._sock.settimeout(self._timeout_s)
        try:
            self._sock.connect(str(self._path))
            self._line()
        except OSError as error:
            self.close()
            raise LinkLost(
                f"QMP of the emulated board cannot be reached: {error}", board=self._board
            ) from error
        self.execute("qmp_capabilities")

    def close(self) -> None:
        """Closes the connection; QEMU goes on."""
        if self._sock is not None:
            self._sock.close()
            self._sock = None

    def execute(self, command: str, **arguments: Any) -> Any:
        """Runs one command and returns its ``return`` value; raises ToolFault when QEMU refuses it."""
        request: dict[str, Any] = {"execute": command}
        if arguments:
            request["arguments"] = arguments
        with self._link():
            assert self._sock is not None
            self._sock.sendall(json.dumps(request).encode() + b"\n")
            while True:
                answer = self._message()
                if "return" in answer:
                    return answer["return"]
                if "error" in answer:
                    raise ToolFault(f"QEMU refused '{command}': {answer['error']['desc']}", board=self._board)

    def reset(self) -> None:
        """Resets the machine and returns when the reset has been done (QEMU only *requests* it otherwise)."""
        self.take_reset()
        self.execute("system_reset")
        with self._link():
            while not self._reset_seen:
                self._message()

    def take_reset(self) -> bool:
        """Whether the machine was reset, by anybody, since this was asked last. Does not block."""
        with self._link():
            while b"\n" in self._buffer or self._readable():
                self._message()
        seen, self._reset_seen = self._reset_seen, False
        return seen

    def running(self) -> bool:
        """Whether the guest executes now."""
        return bool(self.execute("query-status")["running"])

    def monitor(self, line: str) -> str:
        """Runs a line of the human monitor and returns its text."""
        return str(self.execute("human-monitor-command", **{"command-line": line}))

    def _readable(self) -> bool:
        return self._sock is not None and bool(select.select([self._sock], [], [], 0)[0])

    @contextlib.contextmanager
    def _link(self) -> Iterator[None]:
        if self._sock is None:
            raise LinkLost("QMP of the emulated board is not connected", board=self._board)
        try:
            yield
        except OSError as error:
            raise LinkLost(f"QMP of the emulated board went away: {error}", board=self._board) from error

    def _message(self) -> dict[str, Any]:
        """The next answer or event; notes resets."""
        message: dict[str, Any] = json.loads(self._line())
        self._reset_seen |= message.get("event") == "RESET"
        return message

    def _line(self) -> bytes:
        assert self._sock is not None
        while b"\n" not in self._buffer:
            data = self._sock.recv(65536)
            if not data:
                raise ConnectionError("connection closed")
            self._buffer += data
        line, self._buffer = self._buffer.split(b"\n", 1)
        return line
