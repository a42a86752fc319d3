# SPDX-License-Identifier: MIT
"""A client of QEMU's qtest protocol: memory of the guest, also while it runs and without stopping it.

Owns the line protocol (QEMU source, ``softmmu/qtest.c``). An address that nothing is mapped at reads as
zero and takes writes silently there, so callers check against the map first.
"""

from __future__ import annotations

import base64
import socket
import struct
from pathlib import Path
from types import TracebackType

from rig.errors import LinkLost

_PIECE = 1 << 20  # bytes a request: larger ones make QEMU reallocate its line buffer over and over


class QtestClient:
    """One qtest connection; a context manager. QEMU serves a single client per socket."""

    def __init__(self, path: Path, *, board: str, timeout_s: float = 10.0) -> None:
        self._path = path
        self._board = board
        self._timeout_s = timeout_s
        self._sock: socket.socket | None = None
        self._buffer = b""

    def __enter__(self) -> QtestClient:
        self.open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def open(self) -> None:
        """Connects. Raises LinkLost."""
        self._sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._sock.settimeout(self._timeout_s)
        try:
            self._sock.connect(str(self._path))
        except OSError as error:
            self.close()
            raise LinkLost(
                f"qtest of the emulated board cannot be reached: {error}", board=self._board
            ) from error

    def close(self) -> None:
        """Closes the connection; QEMU goes on."""
        if self._sock is not None:
            self._sock.close()
            self._sock = None

    def read(self, address: int, length: int) -> bytes:
        """Reads bytes; single aligned words as one access of their own width, as registers need it."""
        if length in (1, 2, 4) and address % length == 0:
            word = int(self._call(f"read{'_bw_l'[length]} {address:#x}"), 16)
            return word.to_bytes(8, "little")[:length]
        out = bytearray()
        while len(out) < length:
            size = min(_PIECE, length - len(out))
            out += base64.b64decode(self._call(f"b64read {address + len(out):#x} {size:#x}"))
        return bytes(out)

    def write(self, address: int, data: bytes) -> None:
        """Writes bytes; single aligned words as one access of their own width."""
        if len(data) in (1, 2, 4) and address % len(data) == 0:
            value = int.from_bytes(data, "little")
            self._call(f"write{'_bw_l'[len(data)]} {address:#x} {value:#x}")
            return
        for start in range(0, len(data), _PIECE):
            piece = data[start : start + _PIECE]
            text = base64.b64encode(piece).decode("ascii")
            self._call(f"b64write {address + start:#x} {len(piece):#x} {text}")

    def read_word(self, address: int) -> int:
        """Reads one 32-bit word."""
        return int(struct.unpack("<I", self.read(address, 4))[0])

    def _call(self, line: str) -> str:
        if self._sock is None:
            raise LinkLost("qtest of the emulated board is not connected", board=self._board)
        try:
            self._sock.sendall(line.encode("ascii") + b"\n")
            chunks = [self._buffer]
            while not chunks[-1].endswith(b"\n"):
                data = self._sock.recv(1 << 20)
                if not data:
                    raise ConnectionError("connection closed")
                chunks.append(data)
        except OSError as error:
            raise LinkLost(f"qtest of the emulated board went away: {error}", board=self._board) from error
        status, _, rest = b"".join(chunks).decode("ascii").strip().partition(" ")
        if status != "OK":
            raise LinkLost(f"qtest refused '{line[:40]}': {status} {rest}", board=self._board)
        return rest
