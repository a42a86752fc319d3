# SPDX-License-Identifier: MIT
"""A client of QEMU's machine protocol (QMP): reset, run state, devices, and monitor text.

Owns the JSON dialogue only. Every call blocks until QEMU answers, at most ``timeout_s``.
"""

from __future__ import annotations

import json
import select
import socket
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
        if self._sock is None:
            raise LinkLost("QMP of the emulated board is not connected", board=self._board)
        request: dict[str, Any] = {"execute": command}
        if arguments:
            request["arguments"] = arguments
        try:
            self._sock.sendall(json.dumps(request).encode() + b"\n")
            while True:
                answer = json.loads(self._line())
                if "return" in answer:
                    return answer["return"]
                if "error" in answer:
                    raise ToolFault(f"QEMU refused '{command}': {answer['error']['desc']}", board=self._board)
        except OSError as error:
            raise LinkLost(f"QMP of the emulated board went away: {error}", board=self._board) from error

    def reset(self) -> None:
        """Resets the machine and returns when the reset has been done (QEMU only *requests* it otherwise)."""
        if self._sock is None:
            raise LinkLost("QMP of the emulated board is not connected", board=self._board)
        self._forget_events()
        seen = {"return": False, "RESET": False}
        try:
            self._sock.sendall(b'{"execute": "system_reset"}\n')
            while not all(seen.values()):
                answer = json.loads(self._line())
                seen["return"] |= "return" in answer
                seen["RESET"] |= answer.get("event") == "RESET" and not answer["data"]["guest"]
        except OSError as error:
            raise LinkLost(f"QMP of the emulated board went away: {error}", board=self._board) from error

    def _forget_events(self) -> None:
        """Drops events that came earlier, so that an old one is not taken for a new one."""
        assert self._sock is not None
        self._buffer = b""
        while select.select([self._sock], [], [], 0)[0] and self._sock.recv(65536):
            pass

    def running(self) -> bool:
        """Whether the guest executes now."""
        return bool(self.execute("query-status")["running"])

    def monitor(self, line: str) -> str:
        """Runs a line of the human monitor and returns its text."""
        return str(self.execute("human-monitor-command", **{"command-line": line}))

    def _line(self) -> bytes:
        assert self._sock is not None
        while b"\n" not in self._buffer:
            data = self._sock.recv(65536)
            if not data:
                raise ConnectionError("connection closed")
            self._buffer += data
        line, self._buffer = self._buffer.split(b"\n", 1)
        return line
